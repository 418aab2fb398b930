"""The port Events: what is put on EventBridge and what into the queue, in which form, and when it was not taken."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from moto.core.botocore_stubber import MockRawResponse

from fastkey.bootstrap import AwsWorld
from fastkey.domain.errors import StorageUnavailable
from fastkey.domain.event import Event, Kind
from fastkey.domain.status import Status
from tests.contract.aws import aws_world

EVENT = Event(
    event_id="connection-1.9.dead",
    kind=Kind.DEAD,
    at=datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
    connection_id="connection-1",
    user_id="user-1",
    status=Status.DEAD,
    reason="key_dead",
    permissions=("wallet", "trading"),
)
DETAIL = {
    "event_id": "connection-1.9.dead",
    "connection_id": "connection-1",
    "user_id": "user-1",
    "status": "dead",
    "reason": "key_dead",
    "permissions": ["trading", "wallet"],
    "at": "2026-01-02T03:04:05.678901+00:00",
}


@pytest.fixture
def world() -> Iterator[AwsWorld]:
    with aws_world() as world:
        yield world


@pytest.fixture
def heard(world: AwsWorld) -> Callable[[], list[dict[str, Any]]]:
    """What a partner's rule for everything of fastkey's has matched since it was last asked."""
    queue, rules = boto3.client("sqs"), boto3.client("events")
    url = queue.create_queue(QueueName="partner")["QueueUrl"]
    arn = queue.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    rules.put_rule(Name="partner", EventPattern=json.dumps({"source": ["fastkey"]}))
    rules.put_targets(Rule="partner", Targets=[{"Id": "1", "Arn": arn}])
    return lambda: bodies_of(url)


def bodies_of(queue_url: str) -> list[dict[str, Any]]:
    answer = boto3.client("sqs").receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10)
    return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


def test_an_event_arrives_as_it_is_documented(world: AwsWorld, heard: Callable[[], list[dict[str, Any]]]) -> None:
    world.events.tell(EVENT)
    (event,) = heard()
    assert (event["source"], event["detail-type"], event["detail"]) == ("fastkey", "connection.dead", DETAIL)


def test_an_event_that_is_told_twice_arrives_under_one_id(
    world: AwsWorld, heard: Callable[[], list[dict[str, Any]]]
) -> None:
    world.events.tell(EVENT)
    world.events.tell(EVENT)
    assert [event["detail"]["event_id"] for event in heard()] == [EVENT.event_id] * 2


def test_an_event_that_is_buried_lies_in_the_queue_as_it_would_have_been_put(
    world: AwsWorld, heard: Callable[[], list[dict[str, Any]]]
) -> None:
    world.events.bury(EVENT)
    entry: Any
    (entry,) = bodies_of(world.policy.untold_events_url)
    assert heard() == []
    boto3.client("events").put_events(Entries=[entry])
    (event,) = heard()
    assert (event["source"], event["detail-type"], event["detail"]) == ("fastkey", "connection.dead", DETAIL)


def test_an_event_that_was_not_taken_was_not_told(world: AwsWorld) -> None:
    """EventBridge answers 200, and says so in the answer."""
    document = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure", "ErrorMessage": "Any words."}]}

    def answer(**_: object) -> AWSResponse:
        return AWSResponse("https://aws.example", 200, HTTPHeaders(), MockRawResponse(json.dumps(document)))

    hooks: Any = world.events._client.meta.events
    hooks.register_first("before-send.events.PutEvents", answer)
    with pytest.raises(StorageUnavailable):
        world.events.tell(EVENT)
