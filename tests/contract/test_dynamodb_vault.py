"""What only the vault in DynamoDB has: ciphertext, which opens for its connection and by its KMS key alone."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest

from fastkey.adapters.dynamodb_vault import DynamoVault
from fastkey.bootstrap import AwsWorld
from fastkey.domain.connection import Connection
from fastkey.domain.errors import StorageUnavailable
from fastkey.domain.secret import Secret
from fastkey.envelope import Envelope, EnvelopeError
from fastkey.ports import Vault
from tests.contract.aws import aws_world
from tests.contract.given import captured, start

KEY = captured()


@pytest.fixture(scope="module")
def world() -> Iterator[AwsWorld]:
    with aws_world(Vault.DYNAMODB) as world:
        yield world


@pytest.fixture
def stored(world: AwsWorld) -> Connection:
    connection = start("auth0|user-1")
    world.vault.prepare(connection)
    world.vault.store(connection.connection_id, KEY)
    return connection


def item(world: AwsWorld, connection_id: str) -> Any:
    """The item as the table has it."""
    table, key = world.policy.keys_table, {"connection_id": {"S": connection_id}}
    return boto3.client("dynamodb").get_item(TableName=table, Key=key, ConsistentRead=True)["Item"]


def sealed(world: AwsWorld, connection_id: str) -> bytes:
    (version,) = item(world, connection_id)["versions"]["M"].values()
    return bytes(version["B"])


def put(world: AwsWorld, connection_id: str, ciphertext: bytes) -> None:
    versions = {"M": {KEY.version: {"B": ciphertext}}}
    put_item(world, {"connection_id": {"S": connection_id}, "versions": versions, "latest": {"S": KEY.version}})


def put_item(world: AwsWorld, whole: dict[str, Any]) -> None:
    boto3.client("dynamodb").put_item(TableName=world.policy.keys_table, Item=whole)


def test_an_item_shows_neither_the_key_nor_whose_it_is(world: AwsWorld, stored: Connection) -> None:
    seen = repr(item(world, stored.connection_id))
    assert stored.connection_id in seen
    for hidden in (KEY.external_id, KEY.secret.reveal(), "trading", "user-1"):
        assert hidden not in seen


def test_what_was_sealed_for_one_connection_is_no_key_of_another(world: AwsWorld, stored: Connection) -> None:
    put(world, "connection-of-another", sealed(world, stored.connection_id))
    with pytest.raises(StorageUnavailable):
        world.vault.find("connection-of-another")


@pytest.mark.parametrize("where", [0, 1, 60, 200, -60, -1])
def test_ciphertext_that_was_changed_does_not_open(world: AwsWorld, stored: Connection, where: int) -> None:
    changed = bytearray(sealed(world, stored.connection_id))
    changed[where] ^= 1
    put(world, stored.connection_id, bytes(changed))
    with pytest.raises(StorageUnavailable):
        world.vault.find(stored.connection_id)


@pytest.mark.parametrize("ciphertext", [b"no ciphertext", b"\x02" * 500])
def test_what_is_no_ciphertext_does_not_open(world: AwsWorld, stored: Connection, ciphertext: bytes) -> None:
    put(world, stored.connection_id, ciphertext)
    with pytest.raises(StorageUnavailable):
        world.vault.find(stored.connection_id)


@pytest.mark.parametrize(
    "changed",
    [
        {"versions": None},
        {"versions": {"S": "no map"}},
        {"versions": {"M": {}}},
        {"versions": {"M": {KEY.version: {"S": "no bytes"}}}},
        {"latest": {"S": "another"}},
        {"latest": {"N": "1"}},
    ],
)
def test_an_item_that_was_changed_by_hand_is_trouble_with_storage(
    world: AwsWorld, stored: Connection, changed: dict[str, Any]
) -> None:
    """Whoever goes through many keys passes over it."""
    whole = {**item(world, stored.connection_id), **changed}
    put_item(world, {name: value for name, value in whole.items() if value})
    with pytest.raises(StorageUnavailable):
        world.vault.find(stored.connection_id)


def test_a_version_that_was_changed_by_hand_is_not_taken_for_the_same_key(world: AwsWorld, stored: Connection) -> None:
    versions = {"M": {KEY.version: {"S": "no bytes"}}}
    put_item(world, {**item(world, stored.connection_id), "versions": versions})
    with pytest.raises(StorageUnavailable):
        world.vault.store(stored.connection_id, KEY)


@pytest.mark.parametrize("opened", ["no JSON", "[]", "{}", '{"externalId": 1, "secret": "canary", "permissions": 1}'])
def test_what_is_sealed_and_no_key_is_trouble_with_storage_that_says_nothing_of_it(
    world: AwsWorld, stored: Connection, opened: str
) -> None:
    envelope = Envelope(boto3.client("kms"), world.policy.sealing_key_arn)
    put(world, stored.connection_id, envelope.seal(Secret(opened), stored.connection_id))
    with pytest.raises(StorageUnavailable) as raised:
        world.vault.find(stored.connection_id)
    assert raised.value.__cause__ is None


def test_another_kms_key_opens_nothing(world: AwsWorld, stored: Connection) -> None:
    kms = boto3.client("kms")
    another = kms.create_key()["KeyMetadata"]["Arn"]
    vault = DynamoVault(boto3.client("dynamodb"), world.policy.keys_table, kms, another)
    with pytest.raises(StorageUnavailable):
        vault.find(stored.connection_id)


def test_what_another_kms_key_sealed_is_not_opened(world: AwsWorld, stored: Connection) -> None:
    """Whoever may write to the table and has a KMS key does not get us to use a key of theirs."""
    kms = boto3.client("kms")
    foreign = Envelope(kms, kms.create_key()["KeyMetadata"]["Arn"]).seal(KEY.to_json(), stored.connection_id)
    put(world, stored.connection_id, foreign)
    with pytest.raises(StorageUnavailable):
        world.vault.find(stored.connection_id)


def test_no_data_key_is_used_twice_and_the_context_is_bound_into_each(world: AwsWorld) -> None:
    kms = boto3.client("kms")
    asked: list[Any] = []
    kms.meta.events.register("before-parameter-build.kms", lambda params, **_: asked.append(dict(params)))
    envelope = Envelope(kms, world.policy.sealing_key_arn)
    ciphertexts = {envelope.seal(Secret("secret"), "connection-1") for _ in range(2)}
    assert len(ciphertexts) == 2
    for ciphertext in ciphertexts:
        assert envelope.open(ciphertext, "connection-1") == Secret("secret")
        with pytest.raises(EnvelopeError):
            envelope.open(ciphertext, "connection-2")
    assert [params.get("NumberOfBytes") for params in asked[:2]] == [32, 32]
    assert {params["KeyId"] for params in asked} == {world.policy.sealing_key_arn}
    for params in asked:
        context = params["EncryptionContext"]
        assert {"connection_id": "connection-1", "purpose": "key"}.items() <= context.items()


def test_without_the_kms_key_no_place_is_prepared(world: AwsWorld) -> None:
    """A key that could not be sealed is not asked for."""
    connection = start()
    broken = AwsWorld(replace(world.policy, sealing_key_arn=world.policy.sealing_key_arn[:-1] + "x"))
    with pytest.raises(StorageUnavailable):
        broken.vault.prepare(connection)


def test_an_error_says_nothing_of_what_could_not_be_opened(
    world: AwsWorld, stored: Connection, capfd: pytest.CaptureFixture[str]
) -> None:
    put(world, stored.connection_id, b"\x02canary")
    with pytest.raises(StorageUnavailable) as raised:
        world.vault.find(stored.connection_id)
    assert raised.value.__cause__ is None
    assert "canary" not in "".join([*capfd.readouterr(), repr(raised.value)])


def test_the_encryption_is_imported_by_whoever_finds_a_key_alone() -> None:
    script = "import sys, fastkey.adapters.dynamodb_vault; print([name for name in sys.modules if 'encrypt' in name])"
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert ast.literal_eval(shown) == []
