"""The two vaults of a running world, and keys that are put into either."""

from collections.abc import Mapping
from dataclasses import replace

from fastkey.adapters.dynamodb_vault import DynamoVault
from fastkey.adapters.secretsmanager import SecretsManagerVault
from fastkey.domain.key import CapturedKey
from fastkey.ports import KeyVault, Vault
from local.world import World
from tests.contract.given import captured, start

OTHER = {Vault.SECRETS_MANAGER: Vault.DYNAMODB, Vault.DYNAMODB: Vault.SECRETS_MANAGER}


def vaults(world: World) -> Mapping[Vault, KeyVault]:
    """The vaults, seen by the administrator."""
    key_arn = world.output("SealingKeyArn")
    return {
        Vault.SECRETS_MANAGER: SecretsManagerVault(world.client("secretsmanager"), world.output("KeysArn"), key_arn),
        Vault.DYNAMODB: DynamoVault(world.client("dynamodb"), world.tables["Keys"], world.client("kms"), key_arn),
    }


def put(vault: KeyVault, connection_id: str, key: CapturedKey | None = None) -> None:
    """Stores a key, or one that opens nothing, as if it had been captured into this vault."""
    vault.prepare(replace(start(), connection_id=connection_id))
    vault.store(connection_id, key or captured())


def move(world: World, connection_id: str, to: Vault) -> None:
    """Has the connection's key lie in this vault alone, as if it had been captured when that was the chosen one."""
    both = vaults(world)
    key = both[OTHER[to]].find(connection_id)
    assert key
    put(both[to], connection_id, key)
    both[OTHER[to]].shred(connection_id)
