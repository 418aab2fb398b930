"""Whatever is logged names the connection that is being worked on, and none that is not."""

import io
from dataclasses import replace

import pytest

from fastkey.adapters.watched import WatchedAuthorizations, WatchedConnections
from fastkey.domain.connection import CHECK_PERIOD
from fastkey.domain.errors import AuthorizationInvalid, Conflict, ConnectionNotFound, StorageUnavailable
from fastkey.domain.secret import Secret
from fastkey.logging import about, begin, log
from fastkey.usecases.guard_keys import guard_keys
from tests.fakes.world import FakeWorld
from tests.logged import entries
from tests.unit.journey import ATTEMPT, Journey


@pytest.fixture(autouse=True)
def watched(monkeypatch: pytest.MonkeyPatch, world: FakeWorld) -> None:
    begin("function", "invocation-1")
    monkeypatch.setattr(world, "connections", WatchedConnections(world.connections))
    monkeypatch.setattr(world, "authorizations", WatchedAuthorizations(world.authorizations))


def subjects(lines: io.StringIO) -> list[str | None]:
    return [entry.get("connection_id") for entry in entries(lines.getvalue())]


def test_each_change_is_a_line_with_its_version(journey: Journey, lines: io.StringIO) -> None:
    journey.activate()
    stored = [entry for entry in entries(lines.getvalue()) if entry["message"] == "stored"]
    assert [entry["version"] for entry in stored] == list(range(1, journey.connection.version + 1))
    assert {entry["connection_id"] for entry in stored} == {journey.connection_id}
    assert stored[-1]["status"] == "active"


def test_what_was_not_stored_is_not_told(journey: Journey, lines: io.StringIO) -> None:
    journey.start()
    before = len(subjects(lines))
    # The fake that is watched, which a test may interrupt.
    journey.world.connections._connections.fail_next("save", Conflict)  # type: ignore[attr-defined]
    with pytest.raises(Conflict):
        journey.world.connections.save(journey.connection, journey.connection)
    assert len(subjects(lines)) == before


def test_a_connection_that_is_read_is_what_it_is_about(journey: Journey, lines: io.StringIO) -> None:
    journey.start()
    about(None)
    journey.world.connections.get(journey.connection_id)
    log("something")
    assert subjects(lines)[-1] == journey.connection_id


def test_an_id_under_which_there_is_nothing_is_not_logged(journey: Journey, lines: io.StringIO) -> None:
    """It may be anything that somebody wrote into a path."""
    journey.start().world.connections.get(journey.connection_id)
    with pytest.raises(ConnectionNotFound):
        journey.world.connections.get("anything")
    log("something")
    assert subjects(lines)[-1] is None


def test_of_a_step_that_cannot_even_read_its_connection_it_is_known(journey: Journey, lines: io.StringIO) -> None:
    journey.start()
    about(journey.connection_id)
    journey.world.connections._connections.fail_next("get", StorageUnavailable)  # type: ignore[attr-defined]
    with pytest.raises(StorageUnavailable):
        journey.world.connections.get(journey.connection_id)
    log("something")
    assert subjects(lines)[-1] == journey.connection_id


def test_a_wrong_browser_is_about_the_connection_of_its_state(journey: Journey, lines: io.StringIO) -> None:
    journey.come_to_consent()
    journey.departure = replace(journey.departure, cookie=Secret("of another browser"))
    begin("function", "invocation-2")
    with pytest.raises(AuthorizationInvalid):
        journey.come_back()
    log("refused")
    assert subjects(lines)[-1] == journey.connection_id


def test_a_run_over_many_names_each_in_its_turn(world: FakeWorld, lines: io.StringIO) -> None:
    journeys = [Journey(world, user_id=f"user-{n}", account=f"account-{n}").activate() for n in range(3)]
    world.clock.advance(CHECK_PERIOD)
    guard_keys(world, world.clock.now() + ATTEMPT)
    before = len(subjects(lines))
    world.clock.advance(CHECK_PERIOD)
    guard_keys(world, world.clock.now() + ATTEMPT)
    assert sorted(map(str, subjects(lines)[before:])) == sorted(journey.connection_id for journey in journeys)
