"""A fence looks at what is stored now, and not at what a replica of it has: whoever reads an item says so.

moto has no replicas, so what DynamoDB is asked for is looked at:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.ReadConsistency.html
"""

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from fastkey.adapters.dynamodb import DynamoAuthorizations, DynamoConnections
from fastkey.adapters.dynamodb_vault import DynamoVault
from fastkey.client.sealed import Sealed, SealedKeys
from fastkey.domain.errors import ConnectionNotFound
from fastkey.domain.secret import Secret
from tests.contract.aws import aws_world
from tests.unit.environment import ENVIRONMENT

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEYS, SEALING_KEY = ENVIRONMENT["KEYS_TABLE"], ENVIRONMENT["SEALING_KEY_ARN"]


def get_connection(client: "DynamoDBClient") -> None:
    connections = DynamoConnections(client, ENVIRONMENT["CONNECTIONS_TABLE"], ENVIRONMENT["KEY_HOLDERS_TABLE"])
    with suppress(ConnectionNotFound):
        connections.get("connection-1")


def find_authorization(client: "DynamoDBClient") -> None:
    DynamoAuthorizations(client, ENVIRONMENT["AUTHORIZATIONS_TABLE"]).find(Secret("state"))


def find_key(client: "DynamoDBClient") -> None:
    DynamoVault(client, KEYS, boto3.client("kms"), SEALING_KEY).find("connection-1")


def find_key_as_a_program(client: "DynamoDBClient") -> None:
    SealedKeys(client, boto3.client("kms"), Sealed(KEYS, SEALING_KEY)).find("connection-1")


@pytest.mark.parametrize("read", [get_connection, find_authorization, find_key, find_key_as_a_program])
def test_an_item_is_read_as_it_is_now(read: Callable[["DynamoDBClient"], None]) -> None:
    asked: list[Any] = []
    with aws_world():
        client = boto3.client("dynamodb")
        client.meta.events.register(
            "provide-client-params.dynamodb.GetItem", lambda params, **_: asked.append(params.get("ConsistentRead"))
        )
        read(client)
    assert asked == [True]
