"""A program finds keys in either vault, and says what it cannot open."""

from collections.abc import Iterator
from time import monotonic
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from fastkey.bootstrap import AwsWorld
from fastkey.client import Client, NoKey, NotOpened, Sealed
from fastkey.client.keys import Keys
from fastkey.client.sealed import SealedKeys
from fastkey.ports import KeyVault, Vault
from tests.contract.aws import aws_world
from tests.contract.given import captured, start
from tests.unit.environment import ENVIRONMENT

KEY = captured()


@pytest.fixture(scope="module")
def world() -> Iterator[AwsWorld]:
    with aws_world(Vault.DYNAMODB) as world:
        yield world


def client(sealed: Sealed | None) -> Client:
    return Client(ENVIRONMENT["CONNECTIONS_TABLE"], ENVIRONMENT["KEYS_ARN"], "https://whitebit.example", sealed=sealed)


@pytest.fixture
def knowing_both(world: AwsWorld) -> Client:
    return client(Sealed(world.policy.keys_table, world.policy.sealing_key_arn))


def stored(vault: KeyVault) -> str:
    connection = start()
    vault.prepare(connection)
    vault.store(connection.connection_id, KEY)
    return connection.connection_id


@pytest.mark.parametrize("vault", ["chosen_vault", "other_vault"])
def test_a_key_is_found_in_either_vault(world: AwsWorld, knowing_both: Client, vault: str) -> None:
    assert knowing_both.key(stored(getattr(world, vault))) == KEY


def test_secrets_manager_is_not_asked_for_a_key_that_is_in_dynamodb(world: AwsWorld) -> None:
    """Which would be most of what it costs."""
    sealed = Sealed(world.policy.keys_table, world.policy.sealing_key_arn)
    sealed_keys = SealedKeys(boto3.client("dynamodb"), boto3.client("kms"), sealed)
    secretsmanager = boto3.client("secretsmanager")
    keys = Keys(secretsmanager, ENVIRONMENT["KEYS_ARN"], monotonic, sealed_keys)
    with Stubber(secretsmanager):  # it would raise
        assert keys.get(stored(world.chosen_vault)) == KEY


def test_a_key_that_was_shredded_is_in_neither(world: AwsWorld, knowing_both: Client) -> None:
    connection_id = stored(world.chosen_vault)
    world.vault.shred(connection_id)
    with pytest.raises(NoKey):
        knowing_both.key(connection_id)


def test_a_place_without_a_key_has_none(world: AwsWorld, knowing_both: Client) -> None:
    connection = start()
    world.chosen_vault.prepare(connection)
    with pytest.raises(NoKey):
        knowing_both.key(connection.connection_id)


def test_a_program_that_was_told_of_one_vault_knows_none_of_the_other(world: AwsWorld) -> None:
    with pytest.raises(NoKey):
        client(None).key(stored(world.chosen_vault))


def test_a_key_that_cannot_be_opened_is_not_taken_for_one_that_is_gone(world: AwsWorld) -> None:
    another = boto3.client("kms").create_key()["KeyMetadata"]["Arn"]
    with pytest.raises(NotOpened) as raised:
        client(Sealed(world.policy.keys_table, another)).key(stored(world.chosen_vault))
    assert raised.value.code == "DecryptKeyError"
    assert KEY.secret.reveal() not in str(raised.value)


def test_an_item_that_was_changed_by_hand_is_not_taken_for_a_key_that_is_gone(
    world: AwsWorld, knowing_both: Client
) -> None:
    connection_id = stored(world.chosen_vault)
    item: Any = {"connection_id": {"S": connection_id}, "latest": {"S": KEY.version}}
    boto3.client("dynamodb").put_item(TableName=world.policy.keys_table, Item=item)
    with pytest.raises(NotOpened) as raised:
        knowing_both.key(connection_id)
    assert raised.value.code == "KeyError"
