"""Connections, as an operator looks through them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastkey.domain.status import Status
from fastkey.ops.output import note

# All connections are in it, and nothing that is sealed.
INDEX = "by_user"


@dataclass(frozen=True, slots=True)
class Listed:
    """A connection. updated_at: when it last changed, by being used or by what became of it."""

    connection_id: str
    user_id: str
    status: Status
    reason: str | None
    created_at: datetime
    updated_at: datetime


class Listing:
    """The connections of a table, page by page as DynamoDB gives them; those of one user newest first.

    Narrowed to a user, a status, and to what has not changed since a time. Without a user, the whole index is read: how
    much that was is in `read`, connections, and `units`, of DynamoDB's read capacity. What was stored a moment ago may
    not show yet. An item that is no connection is named, and holds up no other: its id is in `unreadable`.
    """

    def __init__(
        self,
        dynamodb: Any,
        table: str,
        *,
        user_id: str | None = None,
        status: Status | None = None,
        unchanged_since: datetime | None = None,
    ) -> None:
        self.read = 0
        self.units = 0.0
        self.unreadable: list[str] = []
        self._pages = dynamodb.get_paginator("query" if user_id else "scan").paginate
        self._request = {
            "TableName": table,
            "IndexName": INDEX,
            "ReturnConsumedCapacity": "TOTAL",
            **_narrowed(user_id, status, unchanged_since),
        }

    def __iter__(self) -> Iterator[Listed]:
        for page in self._pages(**self._request):
            self.read += page["ScannedCount"]
            self.units += page["ConsumedCapacity"]["CapacityUnits"]
            yield from self._readable(page["Items"])

    def _readable(self, items: Iterable[Mapping[str, Any]]) -> Iterator[Listed]:
        for item in items:
            try:
                yield _listed(item)
            except (KeyError, ValueError):
                connection_id = item["connection_id"]["S"]
                note(f"the item is no connection: {connection_id}")
                self.unreadable.append(connection_id)


def _narrowed(user_id: str | None, status: Status | None, unchanged_since: datetime | None) -> dict[str, Any]:
    names, values, filters = {}, {}, []
    request: dict[str, Any] = {}
    if user_id:
        values[":user"] = {"S": user_id}
        request |= {"KeyConditionExpression": "user_id = :user", "ScanIndexForward": False}
    if status:
        names["#status"], values[":status"] = "status", {"S": status.value}
        filters.append("#status = :status")
    if unchanged_since:
        values[":since"] = {"S": unchanged_since.isoformat()}
        filters.append("updated_at < :since")
    wanted = {
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
        "FilterExpression": " AND ".join(filters),
    }
    return request | {name: value for name, value in wanted.items() if value}


def _listed(item: Mapping[str, Any]) -> Listed:
    return Listed(
        connection_id=item["connection_id"]["S"],
        user_id=item["user_id"]["S"],
        status=Status(item["status"]["S"]),
        reason=item["reason"]["S"] if "reason" in item else None,
        created_at=datetime.fromisoformat(item["created_at"]["S"]),
        updated_at=datetime.fromisoformat(item["updated_at"]["S"]),
    )
