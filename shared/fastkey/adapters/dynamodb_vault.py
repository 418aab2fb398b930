"""Captured keys in DynamoDB, as ciphertext."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from fastkey.adapters.aws import storage
from fastkey.domain.connection import Connection
from fastkey.domain.errors import StorageUnavailable
from fastkey.domain.key import CapturedKey
from fastkey.domain.secret import Secret
from fastkey.logging import log

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient

    from fastkey.envelope import Envelope


class DynamoVault:
    """One item a connection, with the versions of its key as Secrets Manager would have them.

    It is made empty, before there is anything to lose, and filled once. kms_key_arn: what seals the data keys.
    """

    def __init__(self, client: "DynamoDBClient", table: str, kms: "KMSClient", kms_key_arn: str) -> None:
        self._client = client
        self._table = table
        self._kms = kms
        self._kms_key_arn = kms_key_arn

    def prepare(self, connection: Connection) -> None:
        # What storing takes beside the place is tried, too.
        self._seal(Secret("may this function seal?"), connection.connection_id)
        with storage():
            try:
                self._client.put_item(
                    TableName=self._table,
                    Item={"connection_id": {"S": connection.connection_id}, "versions": {"M": {}}},
                    ConditionExpression="attribute_not_exists(connection_id)",
                )
            except self._client.exceptions.ConditionalCheckFailedException:
                return

    def store(self, connection_id: str, key: CapturedKey) -> None:
        sealed = self._seal(key.to_json(), connection_id)
        with storage():
            try:
                self._client.update_item(
                    TableName=self._table,
                    Key={"connection_id": {"S": connection_id}},
                    UpdateExpression="SET versions.#version = :sealed, latest = :version",
                    ConditionExpression="attribute_exists(connection_id) AND attribute_not_exists(versions.#version)",
                    ExpressionAttributeNames={"#version": key.version},
                    ExpressionAttributeValues={":sealed": {"B": sealed}, ":version": {"S": key.version}},
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except self._client.exceptions.ConditionalCheckFailedException as error:
                # The same key twice is the same key once; with another secret it is an error, as without a place.
                item: Any = error.response.get("Item")
                if not item or self._open(item, connection_id, key.version).to_json() != key.to_json():
                    raise

    def find(self, connection_id: str) -> CapturedKey | None:
        with storage():
            answer = self._client.get_item(
                TableName=self._table, Key={"connection_id": {"S": connection_id}}, ConsistentRead=True
            )
        item: Any = answer.get("Item", {})
        return self._open(item, connection_id) if "latest" in item else None

    def shred(self, connection_id: str) -> None:
        with storage():
            self._client.delete_item(TableName=self._table, Key={"connection_id": {"S": connection_id}})

    @cached_property
    def _envelope(self) -> "Envelope":
        # Not with this module: to import the encryption takes time, and most of whoever looks here finds nothing.
        from fastkey.envelope import Envelope

        return Envelope(self._kms, self._kms_key_arn)

    def _seal(self, secret: Secret, connection_id: str) -> bytes:
        with _trouble_is_storage():
            return self._envelope.seal(secret, connection_id)

    def _open(self, item: Any, connection_id: str, version: str | None = None) -> CapturedKey:
        with _trouble_is_storage():
            return self._envelope.open_key(item, connection_id, version)


@contextmanager
def _trouble_is_storage() -> Iterator[None]:
    from fastkey.envelope import EnvelopeError

    try:
        yield
    except EnvelopeError as error:
        log("a key could not be sealed or opened", code=error.code)
        raise StorageUnavailable from None
