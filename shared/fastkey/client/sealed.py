"""Captured keys, as a program reads them from DynamoDB."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastkey.client.errors import NotOpened
from fastkey.domain.key import CapturedKey

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient


@dataclass(frozen=True, slots=True)
class Sealed:
    """Where keys lie that are sealed: the stack's outputs KeysTable and SealingKeyArn."""

    keys_table: str
    sealing_key_arn: str


class SealedKeys:
    """The table of captured keys. It takes the AWS Encryption SDK."""

    def __init__(self, dynamodb: "DynamoDBClient", kms: "KMSClient", sealed: Sealed) -> None:
        from fastkey.envelope import Envelope

        self._dynamodb = dynamodb
        self._table = sealed.keys_table
        self._envelope = Envelope(kms, sealed.sealing_key_arn)

    def find(self, connection_id: str) -> CapturedKey | None:
        """The connection's key, if it lies here. Raises NotOpened."""
        from fastkey.envelope import EnvelopeError

        key = {"connection_id": {"S": connection_id}}
        item: Any = self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item", {})
        if "latest" not in item:
            return None
        try:
            return self._envelope.open_key(item, connection_id)
        except EnvelopeError as error:
            raise NotOpened(error.code) from None
