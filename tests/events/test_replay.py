"""What lies in the dead-letter queue is told after all, by a command."""

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.events.models import EventsBackend
from moto.sqs.models import SQSBackend

from fastkey.adapters.events import EventBridgeEvents
from fastkey.domain.event import Event
from fastkey.ops.cli import INTERRUPTED, main
from fastkey.ops.verbs.replay import Replayed, replay
from local.events import EventQueue
from tests.events.lives import EVENTS
from tests.ops.stacks import OUTPUTS, STACK, create_stack

# More than SQS gives at once.
MANY = EVENTS[:12]

NO_ENTRIES = ["no JSON", "[]", "5", "{}", '{"Source": "fastkey"}', '{"Source": 1, "DetailType": 2, "Detail": 3}']


class Aws:
    """A bus, somebody who hears it, and a queue of events that could not be told."""

    def __init__(self) -> None:
        self.sqs, self.bus = boto3.client("sqs"), boto3.client("events")
        self.url = self.sqs.create_queue(QueueName="untold")["QueueUrl"]
        self._told = EventQueue({"sqs": self.sqs, "events": self.bus}.__getitem__)
        self._events = EventBridgeEvents(self.bus, self.sqs, self.url)

    def bury(self, *events: Event) -> None:
        for event in events:
            self._events.bury(event)

    def told(self) -> list[dict[str, Any]]:
        """What was heard since the last time."""
        return [json.loads(each)["detail"] for each in self._told.drain()]

    def left(self) -> int:
        """How many messages the queue has, those among them that somebody has received."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counts = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]  # type: ignore[arg-type]
        return sum(map(int, counts.values()))


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("FASTKEY_STACK", STACK)
    monkeypatch.setattr(SQSBackend, "receive_message", at_once)
    with mock_aws():
        aws = Aws()
        create_stack(outputs={**OUTPUTS, "UntoldEvents": aws.url})
        yield aws


receive_message = SQSBackend.receive_message


def at_once(queues: SQSBackend, name: str, most: int, _: int, *others: Any) -> Any:
    """Nobody is waited for: what the queue has, it has."""
    return receive_message(queues, name, most, 0, *others)


def test_what_is_buried_is_told_as_it_would_have_been_and_leaves_the_queue(
    aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.bury(*MANY)
    assert main(["replay"]) == 0
    assert sorted(each["event_id"] for each in aws.told()) == sorted(event.event_id for event in MANY)
    assert aws.left() == 0
    assert capsys.readouterr().out == f"{len(MANY)} told, 0 left in the queue\n"


def test_a_second_time_there_is_nothing_to_tell(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.bury(EVENTS[0])
    assert (main(["replay"]), main(["replay"])) == (0, 0)
    assert len(aws.told()) == 1
    assert capsys.readouterr().out.splitlines()[1] == "0 told, 0 left in the queue"


def test_what_the_bus_does_not_take_stays_and_the_others_are_told(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refuse_events_of(monkeypatch, EVENTS[1].connection_id)
    aws.bury(*EVENTS[:3])
    assert main(["replay"]) == 1
    assert {each["event_id"] for each in aws.told()} == {EVENTS[0].event_id, EVENTS[2].event_id}
    assert aws.left() == 1
    assert capsys.readouterr().out == "2 told, 1 left in the queue\n"


def test_a_queue_that_gives_again_what_was_left_does_not_keep_it_busy(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refuse_events_of(monkeypatch, EVENTS[0].connection_id)
    aws.sqs.set_queue_attributes(QueueUrl=aws.url, Attributes={"VisibilityTimeout": "0"})
    aws.bury(EVENTS[0])
    assert main(["replay"]) == 1
    assert capsys.readouterr().out == "0 told, 1 left in the queue\n"


def test_those_that_were_left_do_not_hide_what_comes_after_them(aws: Aws) -> None:
    """They show again before the rest does, as where much lies in the queue, and they fill a batch."""
    bad = [message(number, "no JSON") for number in range(12)]
    batches = [bad[:10], bad[:10], bad[10:], bad[:10], [message(12, "{}")], bad[:10], bad[:10], [message(13, "{}")]]
    sqs: Any = SimpleNamespace(receive_message=lambda **_: {"Messages": batches.pop(0)})
    assert replay(sqs, aws.bus, aws.url) == Replayed(0, {str(number) for number in range(13)})
    assert len(batches) == 1


def message(number: int, body: str) -> dict[str, str]:
    return {"MessageId": str(number), "Body": body}


@pytest.mark.parametrize("body", NO_ENTRIES)
def test_what_is_no_event_stays_and_does_not_hold_up_the_others(aws: Aws, body: str) -> None:
    aws.sqs.send_message(QueueUrl=aws.url, MessageBody=body)
    aws.bury(EVENTS[0])
    assert main(["replay"]) == 1
    assert [each["event_id"] for each in aws.told()] == [EVENTS[0].event_id]
    assert aws.left() == 1


def test_who_dies_before_the_queue_has_heard_tells_it_again(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.sqs.set_queue_attributes(QueueUrl=aws.url, Attributes={"VisibilityTimeout": "0"})
    aws.bury(EVENTS[0])
    with monkeypatch.context() as patch:
        patch.setattr(SQSBackend, "delete_message", die)
        assert main(["replay"]) == INTERRUPTED
    assert main(["replay"]) == 0
    assert [each["event_id"] for each in aws.told()] == [EVENTS[0].event_id] * 2


def die(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_nothing_of_an_event_is_printed(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.bury(EVENTS[0])
    aws.sqs.send_message(QueueUrl=aws.url, MessageBody=json.dumps(EVENTS[1].user_id))
    main(["replay"])
    printed = capsys.readouterr()
    assert not any(part in printed.out + printed.err for event in EVENTS for part in (event.user_id, event.event_id))


def refuse_events_of(patch: pytest.MonkeyPatch, connection_id: str) -> None:
    """The bus answers 200, and takes everything but this."""
    put_events = EventsBackend.put_events

    def put(backend: EventsBackend, events: list[dict[str, Any]]) -> Any:
        if connection_id in events[0]["Detail"]:
            return [{"ErrorCode": "InternalFailure", "ErrorMessage": "constant"}]
        return put_events(backend, events)

    patch.setattr(EventsBackend, "put_events", put)
