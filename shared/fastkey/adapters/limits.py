"""Buckets of tokens in DynamoDB."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from fastkey.adapters.aws import storage
from fastkey.domain.errors import WhiteBitBusy
from fastkey.domain.pace import Pace

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

# A bucket is full again, and as good as none, after a few seconds.
_KEPT = 86_400  # seconds


class DynamoLimits:
    """A bucket is one number, the microsecond at which it will be full: the generic cell rate algorithm.

    A token moves that by its interval. DynamoDB orders the writes of an item, so that each taker moves it from where
    the last one left it. A write that the client repeats takes two tokens.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def take(self, pace: Pace, now: datetime) -> datetime:
        interval, at = 1_000_000 // pace.rate, (now - _EPOCH) // _MICROSECOND
        latest = at + (pace.burst - 1) * interval
        with storage():
            # A full bucket from which somebody takes in between is no longer full, and the second round sees that.
            for _ in range(2):
                full_at = self._add(pace.name, at, latest, interval) or self._begin(pace.name, at, interval)
                if full_at is not None:
                    return _EPOCH + (full_at - interval) * _MICROSECOND
        raise WhiteBitBusy

    def _add(self, name: str, at: int, latest: int, interval: int) -> int | None:
        """Takes from a bucket that is not full. None if it is; raises WhiteBitBusy if it is empty."""
        try:
            return self._update(
                name,
                at,
                "ADD full_at :interval SET remove_at = :remove_at",
                "full_at > :at AND full_at <= :latest",
                {":at": at, ":latest": latest, ":interval": interval},
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            stored: Any = error.response.get("Item", {})
            if "full_at" in stored and int(stored["full_at"]["N"]) > at:
                raise WhiteBitBusy from None
            return None

    def _begin(self, name: str, at: int, interval: int) -> int | None:
        """Takes from a bucket that is full. None if it is not any more."""
        try:
            return self._update(
                name,
                at,
                "SET full_at = :next, remove_at = :remove_at",
                "attribute_not_exists(full_at) OR full_at <= :at",
                {":at": at, ":next": at + interval},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return None

    def _update(self, name: str, at: int, update: str, condition: str, numbers: dict[str, int]) -> int:
        values = {**numbers, ":remove_at": at // 1_000_000 + _KEPT}
        answer = self._client.update_item(
            TableName=self._table,
            Key={"name": {"S": name}},
            UpdateExpression=update,
            ConditionExpression=condition,
            ExpressionAttributeValues={value: {"N": str(number)} for value, number in values.items()},
            ReturnValues="UPDATED_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
        return int(answer["Attributes"]["full_at"]["N"])
