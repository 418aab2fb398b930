"""What fastkey tells EventBridge, and what lies in queues."""

import json
from collections.abc import Callable, Iterator

from local.aws.server import Client


class EventQueue:
    """A queue into which EventBridge puts fastkey's events. `client` makes a boto3 client of a service."""

    def __init__(self, client: Callable[[str], Client]) -> None:
        self._sqs, events = client("sqs"), client("events")
        self._url = self._sqs.create_queue(QueueName="events")["QueueUrl"]
        answer = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        events.put_rule(Name="events", EventPattern=json.dumps({"source": ["fastkey"]}))
        events.put_targets(Rule="events", Targets=[{"Id": "queue", "Arn": answer["Attributes"]["QueueArn"]}])

    def drain(self) -> Iterator[str]:
        """Takes every event out of the queue, each as the JSON that EventBridge sends."""
        return drain(self._sqs, self._url)


def drain(sqs: Client, url: str) -> Iterator[str]:
    """Takes every message out of a queue."""
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            yield message["Body"]
