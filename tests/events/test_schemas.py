"""Each event that fastkey can make is as its schema says, and nothing else is."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from unittest.mock import create_autospec

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from fastkey.adapters.events import EventBridgeEvents
from fastkey.domain.event import KINDS, Event, Kind
from tests.events.documented import SCHEMAS, validator
from tests.events.lives import EVENTS


class Bus:
    """Takes everything."""

    def __init__(self) -> None:
        self.entries: list[dict[str, str]] = []

    def put_events(self, *, Entries: list[dict[str, str]]) -> Mapping[str, Any]:  # noqa: N803 - EventBridge's
        self.entries += Entries
        return {"FailedEntryCount": 0}


def entry(event: Event) -> dict[str, str]:
    """What the adapter puts on the bus."""
    bus = Bus()
    EventBridgeEvents(bus, create_autospec(object), "").tell(event)  # type: ignore[arg-type]
    (put,) = bus.entries
    return put


ENTRIES = [entry(event) for event in EVENTS]
DETAILS = [(each["DetailType"], json.loads(each["Detail"])) for each in ENTRIES]


@pytest.mark.parametrize("kind", SCHEMAS)
def test_a_schema_is_one_of_2020_12_and_strict(kind: str) -> None:
    schema = SCHEMAS[kind]
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    assert schema["additionalProperties"] is False
    assert schema["required"] == list(schema["properties"])
    assert schema["title"] == kind


def test_each_kind_of_event_can_be_made_and_has_a_schema_and_no_other_has() -> None:
    assert {kind for kind, _ in DETAILS} == set(Kind) == set(SCHEMAS)


def test_each_status_of_which_a_schema_speaks_is_told_and_no_other() -> None:
    told = {(kind, detail["status"]) for kind, detail in DETAILS}
    assert told >= {(kind, status) for status, kind in KINDS.items()}
    for kind, schema in SCHEMAS.items():
        status = schema["properties"]["status"]
        assert {each for of, each in told if of == kind} == set(status.get("enum", [status.get("const")]))


def test_an_entry_says_whose_event_it_is_and_what_happened() -> None:
    assert {frozenset(each) for each in ENTRIES} == {frozenset({"Source", "DetailType", "Detail"})}
    assert {each["Source"] for each in ENTRIES} == {"fastkey"}


def test_every_event_that_a_connection_can_make_is_as_its_schema_says() -> None:
    assert {(kind, error.message) for kind, detail in DETAILS for error in validator(kind).iter_errors(detail)} == set()


def test_no_two_events_have_one_id() -> None:
    ids = [detail["event_id"] for _, detail in DETAILS]
    assert len(set(ids)) == len(ids)


def others(kind: str, detail: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The detail with something wrong in it, and what."""
    for name in detail:
        yield f"no {name}", {each: value for each, value in detail.items() if each != name}
        yield f"another type of {name}", {**detail, name: 7}
        yield f"empty {name}", {**detail, name: ""}
    yield "one more", {**detail, "secret": "s"}
    yield "another's id", {**detail, "event_id": detail["event_id"].replace(kind.partition(".")[2], "something")}
    yield "a local time", {**detail, "at": detail["at"].removesuffix("+00:00")}
    yield "a time of another zone", {**detail, "at": detail["at"].replace("+00:00", "+01:00")}
    yield "a status on the way", {**detail, "status": "verifying"}
    yield "a reason in words", {**detail, "reason": "The user declined."}
    yield "a permission twice", {**detail, "permissions": ["trading", "trading"]}


@pytest.mark.parametrize("kind", Kind)
def test_an_event_that_differs_is_not(kind: Kind) -> None:
    wrong = [each for of, detail in DETAILS if of == kind for each in others(kind, detail)]
    assert [what for what, detail in wrong if validator(kind).is_valid(detail)] == []
