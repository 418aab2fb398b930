"""Events on EventBridge, and those that could not be told in a queue of SQS."""

import json
from typing import TYPE_CHECKING, Any

from fastkey.adapters.aws import storage
from fastkey.domain.errors import StorageUnavailable
from fastkey.domain.event import Event
from fastkey.logging import log

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_sqs import SQSClient

SOURCE = "fastkey"


class EventBridgeEvents:
    """Tells events on the account's default bus; what is buried lies in the queue as the entry that would be put."""

    def __init__(self, client: "EventBridgeClient", queue: "SQSClient", queue_url: str) -> None:
        self._client = client
        self._queue = queue
        self._queue_url = queue_url

    def tell(self, event: Event) -> None:
        with storage():
            answer = self._client.put_events(Entries=[_entry(event)])
        # It answers 200 also where it has taken nothing:
        # https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
        if answer["FailedEntryCount"]:
            log("event not taken", event_id=event.event_id, code=answer["Entries"][0].get("ErrorCode"))
            raise StorageUnavailable
        log("event told", event_id=event.event_id)

    def bury(self, event: Event) -> None:
        with storage():
            self._queue.send_message(QueueUrl=self._queue_url, MessageBody=json.dumps(_entry(event)))
        log("event buried", event_id=event.event_id)


def _entry(event: Event) -> Any:
    detail = {
        "event_id": event.event_id,
        "connection_id": event.connection_id,
        "user_id": event.user_id,
        "status": event.status.value,
        "reason": event.reason,
        "permissions": sorted(event.permissions),
        "at": event.at.isoformat(),
    }
    return {"Source": SOURCE, "DetailType": event.kind.value, "Detail": json.dumps(detail)}
