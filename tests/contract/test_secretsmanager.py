"""What only the real store has: names, tags, and a client secret that is kept for a while."""

import json
from collections.abc import Iterator

import boto3
import pytest

from fastkey.adapters.secretsmanager import ClientSecret
from fastkey.bootstrap import AwsWorld
from fastkey.domain.errors import StorageUnavailable
from tests.contract.aws import aws_world
from tests.contract.given import captured, start
from tests.unit.environment import ENVIRONMENT

NAME = ENVIRONMENT["CLIENT_SECRET_NAME"]


@pytest.fixture
def world() -> Iterator[AwsWorld]:
    with aws_world() as world:
        yield world


def test_a_key_lies_under_its_connections_name_with_whose_it_is(world: AwsWorld) -> None:
    connection, key = start("auth0|user{1}"), captured()
    world.vault.prepare(connection)
    world.vault.store(connection.connection_id, key)
    client, name = boto3.client("secretsmanager"), f"{ENVIRONMENT['KEY_PREFIX']}/{connection.connection_id}"
    described = client.describe_secret(SecretId=name)
    assert {tag["Key"]: tag["Value"] for tag in described["Tags"]} == {
        "fastkey:connection": connection.connection_id,
        "fastkey:user": "auth0user1",
    }
    assert described["KmsKeyId"] == world.policy.sealing_key_id
    stored = client.get_secret_value(SecretId=name)
    assert stored["VersionId"] == key.version
    assert json.loads(stored["SecretString"])["apiKey"] == key.external_id


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
