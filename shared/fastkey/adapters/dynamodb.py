"""Connections, authorization requests and counts of starts in DynamoDB."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from fastkey.adapters.aws import storage
from fastkey.domain.authorization import Authorization
from fastkey.domain.connection import Connection
from fastkey.domain.errors import (
    AccountAlreadyConnected,
    Conflict,
    ConnectionNotFound,
    InvalidRequest,
    TooManyStarts,
    Unexpected,
)
from fastkey.domain.event import Event, Kind
from fastkey.domain.pace import STARTS_AN_HOUR
from fastkey.domain.secret import Secret
from fastkey.domain.status import Status
from fastkey.domain.tokens import SealedTokens
from fastkey.logging import about, log
from fastkey.ports import Due, Page

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

PAGE_SIZE = 25

ID_LIMIT = 64  # characters; ours have 36

# The one partition of the index by_refresh: WhiteBIT's limit of one refresh a second keeps it small.
_KEPT = "kept"

_SERIALIZER, _DESERIALIZER = TypeSerializer(), TypeDeserializer()

Item = dict[str, "AttributeValueTypeDef"]


class DynamoStarts:
    """How often each user has started, by the hour. A write that the client repeats counts twice."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def count(self, user_id: str, now: datetime) -> None:
        hour = now.replace(minute=0, second=0, microsecond=0)
        values = {":one": 1, ":limit": STARTS_AN_HOUR, ":remove_at": int((hour + timedelta(hours=2)).timestamp())}
        with storage():
            try:
                self._client.update_item(
                    TableName=self._table,
                    Key=_item(user_id=user_id, hour=hour),
                    UpdateExpression="ADD starts :one SET remove_at = :remove_at",
                    ConditionExpression="attribute_not_exists(starts) OR starts < :limit",
                    ExpressionAttributeValues=_item(**values),
                )
            except self._client.exceptions.ConditionalCheckFailedException:
                raise TooManyStarts from None


class DynamoAuthorizations:
    """Pending authorization requests. The table's TTL removes them late, and nobody relies on it."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def add(self, authorization: Authorization) -> None:
        item = _item(
            state_digest=authorization.state_digest,
            connection_id=authorization.connection_id,
            verifier=authorization.verifier,
            cookie_digest=authorization.cookie_digest,
            expires_at=authorization.expires_at,
            remove_at=int(authorization.expires_at.timestamp()),
        )
        with storage():
            self._client.put_item(TableName=self._table, Item=item)

    def find(self, state: Secret) -> Authorization | None:
        with storage():
            answer = self._client.get_item(
                TableName=self._table, Key=_item(state_digest=state.digest()), ConsistentRead=True
            )
        if "Item" not in answer:
            return None
        fields = _fields(answer["Item"])
        return Authorization(
            state_digest=fields["state_digest"],
            connection_id=fields["connection_id"],
            verifier=fields["verifier"].value,
            cookie_digest=fields["cookie_digest"],
            expires_at=datetime.fromisoformat(fields["expires_at"]),
        )


class DynamoConnections:
    """Connections, each an item that is written as a whole on condition of its version; and beside them, who holds
    which key.
    """

    def __init__(self, client: "DynamoDBClient", table: str, holders_table: str) -> None:
        self._client = client
        self._table = table
        self._holders_table = holders_table

    def add(self, connection: Connection) -> None:
        with storage():
            self._client.put_item(
                TableName=self._table,
                Item=_to_item(connection, _write_id()),
                ConditionExpression="attribute_not_exists(connection_id)",
            )

    def get(self, connection_id: str) -> Connection:
        # DynamoDB refuses keys that are empty or long, in words that would pass for trouble of its own.
        if not 0 < len(connection_id) <= ID_LIMIT:
            raise ConnectionNotFound
        with storage():
            answer = self._client.get_item(
                TableName=self._table, Key=_item(connection_id=connection_id), ConsistentRead=True
            )
        if "Item" not in answer:
            raise ConnectionNotFound
        return _read(answer["Item"])

    def page(self, user_id: str, cursor: str | None) -> Page:
        query: dict[str, Any] = {"ExclusiveStartKey": _start_key(user_id, cursor)} if cursor else {}
        with storage():
            answer = self._client.query(
                TableName=self._table,
                IndexName="by_user",
                KeyConditionExpression="user_id = :user_id",
                ExpressionAttributeValues=_item(**{":user_id": user_id}),
                ScanIndexForward=False,
                Limit=PAGE_SIZE,
                **query,
            )
        last = answer.get("LastEvaluatedKey")
        return Page([_read(item) for item in answer["Items"]], _cursor(last) if last else None)

    def due(self, shard: int, now: datetime, cursor: str | None) -> Due:
        try:
            query: dict[str, Any] = {"ExclusiveStartKey": json.loads(cursor)} if cursor else {}
        except ValueError:
            raise InvalidRequest from None
        with storage():
            answer = self._client.query(
                TableName=self._table,
                IndexName="by_due",
                KeyConditionExpression="shard = :shard AND due_at <= :now",
                ExpressionAttributeValues=_item(**{":shard": shard, ":now": now}),
                Limit=PAGE_SIZE,
                **query,
            )
        last = answer.get("LastEvaluatedKey")
        ids = [item["connection_id"]["S"] for item in answer["Items"]]
        return Due(ids, json.dumps(last) if last else None)

    def kept(self, until: datetime) -> Iterator[str]:
        with storage():
            for page in self._kept("kept = :kept AND refresh_by < :until", **{":until": until}):
                yield from (item["connection_id"]["S"] for item in page["Items"])

    def count_kept(self) -> int:
        with storage():
            return sum(page["Count"] for page in self._kept("kept = :kept"))

    def _kept(self, condition: str, **values: Any) -> Any:
        return self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName="by_refresh",
            KeyConditionExpression=condition,
            ExpressionAttributeValues=_item(**{":kept": _KEPT, **values}),
        )

    def save(self, before: Connection, after: Connection) -> None:
        if before.held_key == after.held_key:
            self._put(before, after)
        else:
            self._put_and_hold(before, after)

    def _put(self, before: Connection, after: Connection) -> None:
        write_id = _write_id()
        with storage():
            try:
                self._client.put_item(
                    TableName=self._table,
                    Item=_to_item(after, write_id),
                    ConditionExpression="version = :before",
                    ExpressionAttributeValues=_item(**{":before": before.version}),
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except self._client.exceptions.TransactionConflictException:
                raise Conflict from None
            except self._client.exceptions.ConditionalCheckFailedException as error:
                stored: Any = error.response.get("Item", {})
                # A write whose answer was lost is repeated by the client, and then meets itself.
                if stored.get("write_id") != {"S": write_id}:
                    raise Conflict from None

    def _put_and_hold(self, before: Connection, after: Connection) -> None:
        """One transaction; botocore repeats it under the same token, so that DynamoDB knows it again."""
        put: TransactWriteItemTypeDef = {
            "Put": {
                "TableName": self._table,
                "Item": _to_item(after, _write_id()),
                "ConditionExpression": "version = :before",
                "ExpressionAttributeValues": _item(**{":before": before.version}),
            }
        }
        with storage():
            try:
                self._client.transact_write_items(
                    TransactItems=[put, self._hold(after) if after.held_key else self._let_go(before)]
                )
            except self._client.exceptions.TransactionCanceledException as error:
                written, held = (reason.get("Code") for reason in error.response["CancellationReasons"])
                if written == "ConditionalCheckFailed" or "TransactionConflict" in (written, held):
                    raise Conflict from None
                if held == "ConditionalCheckFailed":
                    raise AccountAlreadyConnected from None
                raise

    def _hold(self, connection: Connection) -> "TransactWriteItemTypeDef":
        return {
            "Put": {
                "TableName": self._holders_table,
                "Item": _item(external_id=connection.held_key, connection_id=connection.connection_id),
                "ConditionExpression": "attribute_not_exists(external_id) OR connection_id = :connection_id",
                "ExpressionAttributeValues": _item(**{":connection_id": connection.connection_id}),
            }
        }

    def _let_go(self, connection: Connection) -> "TransactWriteItemTypeDef":
        return {"Delete": {"TableName": self._holders_table, "Key": _item(external_id=connection.held_key)}}


# ---- Items -----------------------------------------------------------------------------------------------------------


def _to_item(connection: Connection, write_id: str) -> Item:
    tokens = connection.tokens
    return _item(
        connection_id=connection.connection_id,
        user_id=connection.user_id,
        # Sorts a user's connections by age, and tells those of the same moment apart.
        created=f"{connection.created_at.isoformat(timespec='microseconds')}#{connection.connection_id}",
        return_url=connection.return_url,
        status=connection.status.value,
        version=connection.version,
        write_id=write_id,
        created_at=connection.created_at,
        updated_at=connection.updated_at,
        expires_at=connection.expires_at,
        reason=connection.reason,
        ticket_digest=connection.ticket_digest,
        completion_digest=connection.completion_digest,
        completed_at=connection.completed_at,
        task_token=connection.task_token,
        access_token=tokens.access if tokens else None,
        access_expires_at=tokens.access_expires_at if tokens else None,
        refresh_token=tokens.refresh if tokens else None,
        refresh_expires_at=tokens.refresh_expires_at if tokens else None,
        refresh_until=connection.refresh_until,
        refresh_again_at=connection.refresh_again_at,
        external_id=connection.external_id,
        permissions=list(connection.permissions),
        issued_at=connection.issued_at,
        busy_until=connection.busy_until,
        escrow=connection.escrow,
        keep_token=connection.keep_token,
        check_at=connection.check_at,
        refused_at=connection.refused_at,
        checked_by=connection.checked_by,
        key_given_up=connection.key_given_up,
        untold=[_event_fields(event) for event in connection.untold] or None,
        # Where there is nothing to do by the clock, the item is in neither index.
        shard=connection.shard if connection.due_at else None,
        due_at=connection.due_at,
        kept=_KEPT if connection.refresh_by else None,
        refresh_by=connection.refresh_by,
        remove_at=int(connection.remove_at.timestamp()) if connection.remove_at else None,
    )


def _read(item: Mapping[str, Any]) -> Connection:
    """Raises Unexpected, which stops nobody who goes through many, for an item that some other program has written."""
    try:
        return _from_item(item)
    except (AttributeError, KeyError, TypeError, ValueError):
        about(item["connection_id"]["S"])
        log("the item is no connection")
        raise Unexpected from None


def _from_item(item: Mapping[str, Any]) -> Connection:
    fields = _fields(item)
    return Connection(
        connection_id=fields["connection_id"],
        user_id=fields["user_id"],
        return_url=fields["return_url"],
        status=Status(fields["status"]),
        version=int(fields["version"]),
        created_at=datetime.fromisoformat(fields["created_at"]),
        updated_at=datetime.fromisoformat(fields["updated_at"]),
        expires_at=datetime.fromisoformat(fields["expires_at"]),
        reason=fields.get("reason"),
        ticket_digest=fields.get("ticket_digest"),
        completion_digest=fields.get("completion_digest"),
        completed_at=_time(fields.get("completed_at")),
        task_token=fields.get("task_token"),
        tokens=_tokens(fields),
        refresh_until=_time(fields.get("refresh_until")),
        refresh_again_at=_time(fields.get("refresh_again_at")),
        external_id=fields.get("external_id"),
        permissions=tuple(fields["permissions"]),
        issued_at=_time(fields.get("issued_at")),
        busy_until=_time(fields.get("busy_until")),
        escrow=fields["escrow"].value if "escrow" in fields else None,
        keep_token=fields.get("keep_token", False),
        check_at=_time(fields.get("check_at")),
        refused_at=_time(fields.get("refused_at")),
        checked_by=fields.get("checked_by"),
        key_given_up=fields.get("key_given_up", False),
        untold=tuple(_event(fields, each) for each in fields.get("untold", ())),
    )


def _event_fields(event: Event) -> dict[str, Any]:
    """What the rest of the item does not say."""
    return {
        "event_id": event.event_id,
        "kind": event.kind.value,
        "at": event.at.isoformat(),
        "status": event.status.value,
        "reason": event.reason,
        "permissions": list(event.permissions),
    }


def _event(connection: Mapping[str, Any], fields: Mapping[str, Any]) -> Event:
    return Event(
        event_id=fields["event_id"],
        kind=Kind(fields["kind"]),
        at=datetime.fromisoformat(fields["at"]),
        connection_id=connection["connection_id"],
        user_id=connection["user_id"],
        status=Status(fields["status"]),
        reason=fields["reason"],
        permissions=tuple(fields["permissions"]),
    )


def _tokens(fields: Mapping[str, Any]) -> SealedTokens | None:
    if "access_token" not in fields:
        return None
    return SealedTokens(
        access=fields["access_token"].value,
        access_expires_at=datetime.fromisoformat(fields["access_expires_at"]),
        refresh=fields["refresh_token"].value if "refresh_token" in fields else None,
        refresh_expires_at=_time(fields.get("refresh_expires_at")),
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _item(**fields: Any) -> Item:
    """DynamoDB's form of the fields that are not None; times as ISO 8601."""
    plain = {k: v.isoformat() if isinstance(v, datetime) else v for k, v in fields.items() if v is not None}
    return {k: _SERIALIZER.serialize(v) for k, v in plain.items()}


def _fields(item: Mapping[str, Any]) -> dict[str, Any]:
    return {k: _DESERIALIZER.deserialize(v) for k, v in item.items()}


def _write_id() -> str:
    return uuid4().hex


# ---- Cursors ---------------------------------------------------------------------------------------------------------


def _cursor(last: Mapping[str, Any]) -> str:
    return urlsafe_b64encode(last["created"]["S"].encode()).decode()


def _start_key(user_id: str, cursor: str) -> Item:
    """The key after which a page starts. The user is the caller's own, whatever the cursor says."""
    try:
        created = urlsafe_b64decode(cursor.encode()).decode()
        time, connection_id = created.split("#")
        is_ours = time == datetime.fromisoformat(time).isoformat(timespec="microseconds")
    except ValueError:
        raise InvalidRequest from None
    # A time with any number of digits is a time as well, and DynamoDB refuses sort keys of more than 1,024 bytes:
    # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
    if not (is_ours and 0 < len(connection_id) <= ID_LIMIT):
        raise InvalidRequest
    return _item(user_id=user_id, created=created, connection_id=connection_id)
