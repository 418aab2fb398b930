"""What a partner hears of a connection, from its start to its end."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from moto.events.models import EventsBackend

from fastkey.domain.connection import REQUEST_LIFE
from fastkey.domain.event import GRACE, PATIENCE
from fastkey.ops.verbs.replay import replay
from local.items import age_events
from local.world import World
from tests.e2e.heard import Heard
from tests.e2e.journey import Journey

NewJourney = Callable[[], Journey]


def declined(user: Journey) -> Journey:
    """An end that no workflow sees."""
    user.start().visit()
    user.land(user.browser.deny())
    return user


def text(user: Journey, attribute: str) -> str:
    return str(user.item()[attribute]["S"])


def test_a_connection_is_heard_of_when_it_is_active_and_when_it_is_revoked(journey: NewJourney, heard: Heard) -> None:
    user = journey()
    shown = user.connect()
    assert heard.kinds(user.connection_id) == ["activated"]
    user.frontend.revoke(user.connection_id)
    assert user.end()["status"] == "revoked"
    user.await_told()
    assert heard.kinds(user.connection_id) == ["activated", "revoked"]
    activated, revoked = heard.of(user.connection_id)
    assert (activated["user_id"], activated["permissions"]) == (user.sub, shown["permissions"])
    assert activated["at"] < revoked["at"]


def test_what_no_workflow_sees_the_schedule_tells_once_it_is_due(journey: NewJourney, heard: Heard) -> None:
    user = declined(journey())
    user.world.fire("GuardKeys")
    assert heard.of(user.connection_id) == []
    assert datetime.fromisoformat(text(user, "due_at")) == datetime.fromisoformat(text(user, "updated_at")) + GRACE
    assert user.fall_due() >= {"told"}
    (told,) = heard.of(user.connection_id)
    assert (told["status"], told["reason"]) == ("denied", "consent_denied")
    assert "due_at" not in user.item()
    user.world.fire("GuardKeys")
    assert heard.kinds(user.connection_id) == ["failed"]


def test_a_consent_that_nobody_gave_is_given_up_and_told(journey: NewJourney, heard: Heard) -> None:
    user = journey().start().visit()
    assert user.fall_due(expires_at=datetime.now(UTC) - REQUEST_LIFE) >= {"expired"}
    (told,) = heard.of(user.connection_id)
    assert (told["status"], told["reason"]) == ("expired", "consent_missing")
    assert text(user, "status") == "expired"


# ---- The bus is away -------------------------------------------------------------------------------------------------


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The bus answers, and takes nothing."""
    with monkeypatch.context() as patch:
        patch.setattr(EventsBackend, "put_events", refuse)
        yield


def refuse(_: EventsBackend, events: list[dict[str, Any]]) -> list[dict[str, str]]:
    return [{"ErrorCode": "InternalFailure", "ErrorMessage": "as ordered"} for _ in events]


@pytest.mark.usefixtures("deaf")
def test_what_the_bus_does_not_take_is_due_still(journey: NewJourney, heard: Heard) -> None:
    user = declined(journey())
    user.fall_due()
    assert heard.of(user.connection_id) == []
    assert "untold" in user.item()
    assert "due_at" in user.item()


def test_what_nobody_could_tell_for_a_day_is_kept_and_told_by_whoever_replays(
    journey: NewJourney, world: World, heard: Heard
) -> None:
    user = declined(journey())
    age_events(world, user.connection_id, datetime.now(UTC) - PATIENCE)
    user.fall_due()
    assert heard.of(user.connection_id) == []
    assert "untold" not in user.item()
    world.attach(world.output("OperatorPolicy"), "operator")
    queue = world.queues["UntoldEvents"]
    replayed = replay(world.client("sqs", "operator"), world.client("events", "operator"), queue)
    assert (replayed.told, replayed.left) == (1, set())
    assert heard.kinds(user.connection_id) == ["failed"]
