"""A key is kept for a minute, and forgotten when it is gone."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from fastkey.bootstrap import AwsWorld
from fastkey.client import NoKey, NotOpened
from fastkey.client import keys as module
from fastkey.client.keys import MAX_AGE, Keys
from tests.contract.given import captured, start
from tests.unit.environment import ENVIRONMENT

KEY = captured()


class Seconds:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Seconds:
    return Seconds()


@pytest.fixture
def asked() -> list[str]:
    """What Secrets Manager was asked for."""
    return []


@pytest.fixture
def keys(world: AwsWorld, clock: Seconds, asked: list[str]) -> Keys:
    def note(params: dict[str, Any], **_: object) -> None:
        asked.append(params["SecretId"])

    client = boto3.client("secretsmanager")
    client.meta.events.register("before-parameter-build.secrets-manager.GetSecretValue", note)
    return Keys(client, ENVIRONMENT["KEYS_ARN"], clock)


def stored(world: AwsWorld) -> str:
    """A connection whose key is stored."""
    connection = start()
    world.vault.prepare(connection)
    world.vault.store(connection.connection_id, KEY)
    return connection.connection_id


def test_a_key_is_the_one_that_fastkey_stored(world: AwsWorld, keys: Keys) -> None:
    assert keys.get(stored(world)) == KEY


def test_a_key_is_asked_for_by_its_arn_and_read_once_a_minute(
    world: AwsWorld, keys: Keys, clock: Seconds, asked: list[str]
) -> None:
    connection_id = stored(world)
    for seconds in (0, MAX_AGE - 1, 1):
        clock.now += seconds
        keys.get(connection_id)
    assert asked == [f"{ENVIRONMENT['KEYS_ARN']}{connection_id}"] * 2


def test_a_key_that_was_shredded_is_used_for_a_minute_at_most(world: AwsWorld, keys: Keys, clock: Seconds) -> None:
    connection_id = stored(world)
    keys.get(connection_id)
    world.vault.shred(connection_id)
    clock.now += MAX_AGE
    with pytest.raises(NoKey):
        keys.get(connection_id)


def test_a_key_that_was_shredded_while_it_was_read_ages_from_before(
    world: AwsWorld, clock: Seconds, asked: list[str]
) -> None:
    connection_id = stored(world)
    client = boto3.client("secretsmanager")

    def take_long(**_: object) -> None:
        clock.now += 5

    client.meta.events.register("after-call.secrets-manager.GetSecretValue", take_long)
    slow = Keys(client, ENVIRONMENT["KEYS_ARN"], clock)
    slow.get(connection_id)
    world.vault.shred(connection_id)
    clock.now += MAX_AGE - 5
    with pytest.raises(NoKey):
        slow.get(connection_id)


def test_a_key_that_was_forgotten_is_read_anew(world: AwsWorld, keys: Keys) -> None:
    connection_id = stored(world)
    keys.get(connection_id)
    world.vault.shred(connection_id)
    keys.forget(connection_id)
    with pytest.raises(NoKey):
        keys.get(connection_id)


def test_what_was_not_there_is_asked_for_again(world: AwsWorld, keys: Keys) -> None:
    connection = start()
    with pytest.raises(NoKey):
        keys.get(connection.connection_id)
    world.vault.prepare(connection)
    with pytest.raises(NoKey):
        keys.get(connection.connection_id)
    world.vault.store(connection.connection_id, KEY)
    assert keys.get(connection.connection_id) == KEY


def test_no_more_keys_are_kept_than_the_limit_and_none_that_is_too_old(
    world: AwsWorld, keys: Keys, clock: Seconds, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LIMIT", 2)
    first, second, third = stored(world), stored(world), stored(world)
    for connection_id in (first, second, third):
        keys.get(connection_id)
    asked.clear()
    for connection_id in (second, third, first):
        keys.get(connection_id)
    assert [arn.removeprefix(ENVIRONMENT["KEYS_ARN"]) for arn in asked] == [first]
    clock.now += MAX_AGE
    keys.get(second)
    assert list(keys._kept) == [second]


def test_a_key_is_not_shown_by_what_keeps_it(world: AwsWorld, keys: Keys) -> None:
    keys.get(stored(world))
    assert KEY.secret.reveal() not in f"{keys._kept}"


@pytest.mark.parametrize("changed", ["no JSON canary", "[]", "{}", '{"externalId": 1, "secret": "canary"}'])
def test_a_key_that_was_changed_by_hand_is_not_quoted(world: AwsWorld, keys: Keys, changed: str) -> None:
    connection_id = stored(world)
    secret_id = ENVIRONMENT["KEYS_ARN"] + connection_id
    boto3.client("secretsmanager").put_secret_value(SecretId=secret_id, SecretString=changed)
    with pytest.raises(NotOpened) as raised:
        keys.get(connection_id)
    assert "canary" not in str(raised.value)
    assert raised.value.__cause__ is None


@pytest.mark.parametrize("code", ["AccessDeniedException", "DecryptionFailure", "InternalServiceError"])
def test_trouble_is_not_taken_for_a_key_that_is_gone(clock: Seconds, code: str) -> None:
    client = boto3.client(
        "secretsmanager", region_name="eu-west-1", aws_access_key_id="any", aws_secret_access_key="any"
    )
    with Stubber(client) as stubber:
        stubber.add_client_error("get_secret_value", code)
        with pytest.raises(ClientError, match=code):
            Keys(client, ENVIRONMENT["KEYS_ARN"], clock).get("connection-1")


def test_a_key_that_is_being_deleted_is_gone(clock: Seconds) -> None:
    client = boto3.client(
        "secretsmanager", region_name="eu-west-1", aws_access_key_id="any", aws_secret_access_key="any"
    )
    with Stubber(client) as stubber:
        stubber.add_client_error("get_secret_value", "InvalidRequestException")
        with pytest.raises(NoKey):
            Keys(client, ENVIRONMENT["KEYS_ARN"], clock).get("connection-1")
