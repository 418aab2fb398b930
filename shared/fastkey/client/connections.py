"""Connections, as a program lists them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer

from fastkey.domain.connection import SHARDS
from fastkey.domain.status import Status

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

_DESERIALIZER = TypeDeserializer()


@dataclass(frozen=True, slots=True)
class ActiveConnection:
    """A connection that has a key. `permissions`: the groups in which the user granted something."""

    connection_id: str
    user_id: str
    permissions: tuple[str, ...]
    issued_at: datetime


class Connections:
    """The table of connections, seen through its indexes: nothing that is sealed is in them, and none is scanned.

    They show a change after a moment: a connection that has just ended may be listed, and has no key.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._pages = client.get_paginator("query")
        self._table = table

    def of_user(self, user_id: str) -> Iterator[ActiveConnection]:
        """The user's active connections, newest first."""
        return self._active("by_user", "user_id", {"S": user_id}, forward=False)

    def of_all_users(self) -> Iterator[ActiveConnection]:
        """All active connections, in no order: each is due for something, if only for its key to be tried.

        One that becomes due earlier meanwhile, as when there is something to tell of it, may be missed.
        """
        for shard in range(SHARDS):
            listed: set[str] = set()
            # Forward: one whose key is tried meanwhile is due later then, and comes twice instead of never.
            for connection in self._active("by_due", "shard", {"N": str(shard)}, forward=True):
                if connection.connection_id not in listed:
                    listed.add(connection.connection_id)
                    yield connection

    def _active(
        self, index: str, key: str, value: "AttributeValueTypeDef", *, forward: bool
    ) -> Iterator[ActiveConnection]:
        """The active connections in one partition of an index, by its sort key."""
        for page in self._pages.paginate(
            TableName=self._table,
            IndexName=index,
            KeyConditionExpression="#key = :value",
            FilterExpression="#status = :active",
            ExpressionAttributeNames={"#key": key, "#status": "status"},
            ExpressionAttributeValues={":value": value, ":active": {"S": Status.ACTIVE.value}},
            ScanIndexForward=forward,
        ):
            yield from map(_connection, page["Items"])


def _connection(item: Mapping[str, Any]) -> ActiveConnection:
    fields = {name: _DESERIALIZER.deserialize(value) for name, value in item.items()}
    return ActiveConnection(
        connection_id=fields["connection_id"],
        user_id=fields["user_id"],
        permissions=tuple(fields["permissions"]),
        issued_at=datetime.fromisoformat(fields["issued_at"]),
    )
