"""Tells the events that could not be told for a day, which lie in the queue UntoldEvents.

Each is taken out of the queue once the bus has it. What the bus does not take stays: the exit status is 1 then.
"""

import argparse
import json
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import ParamValidationError

from fastkey.ops.operator import Operator
from fastkey.ops.output import say

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None: the queue is the stack's."""


def run(operator: Operator, chosen: argparse.Namespace) -> int:
    replayed = replay(operator.client("sqs"), operator.client("events"), operator.deployment.untold_events)
    say(f"{replayed.told} told, {len(replayed.left)} left in the queue")
    return 1 if replayed.left else 0


@dataclass(slots=True)
class Replayed:
    """How many events the bus has taken, and the ids of the messages that it did not take."""

    told: int = 0
    left: set[str] = field(default_factory=set)


def replay(sqs: "SQSClient", events: "EventBridgeClient", queue_url: str) -> Replayed:
    """Puts each entry that lies in the queue on the bus, and takes it out of the queue once the bus has it.

    Whoever dies in between leaves the message where it is: consumers hear everything at least once. What the bus does
    not take, or what is no entry, stays, and does not hold up the others. Raises what boto3 raises.
    """
    replayed = Replayed()
    for message in _messages(sqs, queue_url, replayed.left):
        if _put(events, message["Body"]):
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
            replayed.told += 1
        else:
            replayed.left.add(message["MessageId"])
    return replayed


def _messages(sqs: "SQSClient", queue_url: str, left: Set[str]) -> Iterator["MessageTypeDef"]:
    """What lies in the queue.

    What was left in it shows again after half a minute, and may fill a batch while there is more. So the end is a batch
    of such as have shown again before, since there was anything else.
    """
    shown_again: set[str] = set()
    # A queue that is not waited for may hide messages that it has:
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html
    while batch := sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=2).get("Messages"):
        ids = {message["MessageId"] for message in batch}
        if ids <= shown_again:
            return
        shown_again = shown_again | ids if ids <= left else set()
        yield from (message for message in batch if message["MessageId"] not in left)


def _put(events: "EventBridgeClient", body: str) -> bool:
    try:
        answer = events.put_events(Entries=[json.loads(body)])
    except (json.JSONDecodeError, ParamValidationError):
        return False
    return answer["FailedEntryCount"] == 0
