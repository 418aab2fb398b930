"""What only the real store has: names, tags, and a client secret that is kept for a while."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from fastkey.adapters.secretsmanager import ClientSecret, SecretsManagerVault
from fastkey.bootstrap import AwsWorld
from fastkey.domain.errors import StorageUnavailable
from tests.contract.aws import aws_world, secret_name
from tests.contract.given import captured, start
from tests.unit.environment import ENVIRONMENT

NAME = ENVIRONMENT["CLIENT_SECRET_NAME"]


@pytest.fixture
def world() -> Iterator[AwsWorld]:
    with aws_world() as world:
        yield world


def test_a_key_lies_under_its_connections_name_and_does_not_say_whose_it_is(world: AwsWorld) -> None:
    connection, key = start("auth0|user-1"), captured()
    world.vault.prepare(connection)
    world.vault.store(connection.connection_id, key)
    client, name = boto3.client("secretsmanager"), secret_name(connection.connection_id)
    described = client.describe_secret(SecretId=name)
    assert described["Tags"] == [{"Key": "fastkey:connection", "Value": connection.connection_id}]
    assert "user-1" not in str(described)
    assert described["KmsKeyId"] == world.policy.sealing_key_arn
    stored = client.get_secret_value(SecretId=name)
    assert stored["VersionId"] == key.version
    assert json.loads(stored["SecretString"])["apiKey"] == key.external_id


def test_a_key_is_asked_for_by_its_arn(world: AwsWorld) -> None:
    """By its name, whoever may read these secrets alone is told of one that is not there that access is denied."""
    asked: list[dict[str, Any]] = []
    client = boto3.client("secretsmanager")
    client.meta.events.register("before-parameter-build.secrets-manager", lambda params, **_: asked.append(params))
    vault = SecretsManagerVault(client, ENVIRONMENT["KEYS_ARN"], world.policy.sealing_key_arn)
    assert vault.find("connection-x") is None
    vault.shred("connection-x")
    with pytest.raises(StorageUnavailable):
        vault.store("connection-x", captured())
    assert [params["SecretId"] for params in asked] == [f"{ENVIRONMENT['KEYS_ARN']}connection-x"] * 3


def test_the_client_secret_is_read_when_it_is_needed_and_kept(world: AwsWorld) -> None:
    client = boto3.client("secretsmanager")
    client_secret = ClientSecret(client, NAME)
    assert client_secret().reveal() == "client-secret"
    client.put_secret_value(SecretId=NAME, SecretString="rotated")
    assert client_secret().reveal() == "client-secret"
    assert ClientSecret(client, NAME)().reveal() == "rotated"


def test_a_newline_at_the_end_is_not_part_of_the_client_secret(world: AwsWorld) -> None:
    client = boto3.client("secretsmanager")
    client.put_secret_value(SecretId=NAME, SecretString="client-secret\n")
    assert ClientSecret(client, NAME)().reveal() == "client-secret"


def test_a_client_secret_that_is_not_there_is_trouble(world: AwsWorld) -> None:
    with pytest.raises(StorageUnavailable):
        ClientSecret(boto3.client("secretsmanager"), "nowhere")()


@pytest.mark.parametrize("value", [{"SecretBinary": b"client-secret"}, {"SecretString": "\n"}], ids=["binary", "blank"])
def test_a_client_secret_without_a_text_is_trouble(
    world: AwsWorld, value: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    client = boto3.client("secretsmanager")
    client.put_secret_value(SecretId=NAME, **value)
    with pytest.raises(StorageUnavailable):
        ClientSecret(client, NAME)()
    assert "the client secret cannot be read" in caplog.messages


# ---- What AWS answers and moto does not ------------------------------------------------------------------------------


@pytest.fixture
def stubbed(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[SecretsManagerVault, Stubber]]:
    """The vault, and what answers it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    client = boto3.client("secretsmanager", region_name="eu-west-1")
    with Stubber(client) as stubber:
        yield SecretsManagerVault(client, ENVIRONMENT["KEYS_ARN"], "alias/sealing"), stubber
        stubber.assert_no_pending_responses()


@pytest.mark.parametrize(
    "code",
    [
        "InvalidRequestException",  # a secret of this name is being deleted
        "LimitExceededException",
        "EncryptionFailure",
        "InternalServiceError",
    ],
)
def test_a_name_that_cannot_be_taken_now_is_trouble(stubbed: tuple[SecretsManagerVault, Stubber], code: str) -> None:
    vault, stubber = stubbed
    stubber.add_client_error("create_secret", code)
    with pytest.raises(StorageUnavailable):
        vault.prepare(start())


@pytest.mark.parametrize(
    "code",
    [
        "ResourceNotFoundException",  # not to be seen yet, or no longer there
        "InvalidRequestException",  # being deleted
        "ResourceExistsException",  # the version is there, with other bytes
        "InternalServiceError",
    ],
)
def test_a_key_that_may_not_have_been_stored_is_trouble(
    stubbed: tuple[SecretsManagerVault, Stubber], code: str
) -> None:
    vault, stubber = stubbed
    stubber.add_client_error("put_secret_value", code)
    with pytest.raises(StorageUnavailable):
        vault.store("connection-1", captured())


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "InvalidRequestException"])
def test_a_place_that_is_empty_or_being_deleted_has_no_key(
    stubbed: tuple[SecretsManagerVault, Stubber], code: str
) -> None:
    vault, stubber = stubbed
    stubber.add_client_error("get_secret_value", code)
    assert vault.find("connection-1") is None


@pytest.mark.parametrize("code", ["DecryptionFailure", "InternalServiceError", "AccessDeniedException"])
def test_a_place_that_cannot_be_looked_into_is_not_taken_for_empty(
    stubbed: tuple[SecretsManagerVault, Stubber], code: str
) -> None:
    vault, stubber = stubbed
    stubber.add_client_error("get_secret_value", code)
    with pytest.raises(StorageUnavailable):
        vault.find("connection-1")


def test_a_place_that_is_not_to_be_seen_is_shredded_in_silence(stubbed: tuple[SecretsManagerVault, Stubber]) -> None:
    vault, stubber = stubbed
    stubber.add_client_error("delete_secret", "ResourceNotFoundException")
    vault.shred("connection-1")


def test_a_key_is_shredded_without_a_recovery_window(stubbed: tuple[SecretsManagerVault, Stubber]) -> None:
    vault, stubber = stubbed
    arn = f"{ENVIRONMENT['KEYS_ARN']}connection-1"
    stubber.add_response("delete_secret", {}, {"SecretId": arn, "ForceDeleteWithoutRecovery": True})
    vault.shred("connection-1")
