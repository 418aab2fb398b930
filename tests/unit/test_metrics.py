"""What is counted of a connection, by what becomes of it."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from fastkey import metrics
from fastkey.adapters.watched import WatchedConnections
from fastkey.domain import errors
from fastkey.domain.connection import Connection
from fastkey.domain.errors import FastkeyError
from fastkey.domain.status import Status
from tests.fakes.world import FakeWorld
from tests.unit.journey import Journey

Counted = list[dict[str, float]]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch, world: FakeWorld) -> Counted:
    """What is counted of each change from now on, of all connections."""
    changes: Counted = []

    def count(before: Connection | None, after: Connection) -> dict[str, float]:
        changes.append(metrics.counts_of(before, after))
        return changes[-1]

    monkeypatch.setattr("fastkey.adapters.watched.counts_of", count)
    monkeypatch.setattr(world, "connections", WatchedConnections(world.connections))
    return changes


def total(counted: Counted) -> dict[str, float]:
    return dict(sum(map(Counter, counted), Counter()))


def test_each_step_of_a_whole_way_is_counted_once(journey: Journey, counted: Counted) -> None:
    journey.authorize().complete().wait(seconds=9).create_key()
    assert journey.detect().found
    journey.capture()
    journey.verify()
    journey.revoke()
    journey.delete(errors.Revoked)
    assert total(counted) == {
        "connection.started": 1,
        "connection.authorized": 1,
        "connection.capturing": 1,
        "connection.detected_seconds": 9,
        "connection.verifying": 1,
        "connection.active": 1,
        "connection.revoked": 1,
    }


def test_what_is_done_again_and_changes_nothing_is_not_counted_again(journey: Journey, counted: Counted) -> None:
    journey.activate()
    before = total(counted)
    journey.capture()
    journey.verify()
    assert total(counted) == before


def test_what_was_undone_is_counted_beside_how_it_ended(journey: Journey, counted: Counted) -> None:
    journey.claim().delete(errors.SecretLost)
    assert counted[-1] == {"connection.needs_consent": 1, "connection.compensated": 1, "connection.active": 0}
    assert metrics.UNHELD not in total(counted)


def test_a_user_who_does_not_go_on_is_not_counted_as_undone(journey: Journey, counted: Counted) -> None:
    journey.authorize().delete(errors.CompletionMissing)
    assert total(counted)["connection.expired"] == 1
    assert metrics.COMPENSATED not in total(counted)


@pytest.mark.parametrize("cause", [errors.SecretLost, errors.ConsentLost, errors.KeyUnusable])
def test_a_key_that_was_seen_and_is_left_to_the_user_is_held_by_nobody(
    journey: Journey, counted: Counted, cause: type[FastkeyError]
) -> None:
    journey.claim().delete(cause, leave_to_user=True)
    assert total(counted)[metrics.UNHELD] == 1


def test_so_is_one_that_nobody_saw_where_it_could_not_be_looked_for(journey: Journey, counted: Counted) -> None:
    journey.authorize().delete(errors.CompletionMissing, leave_to_user=True)
    assert total(counted)[metrics.UNHELD] == 1


def test_an_end_that_asks_the_user_to_look_by_itself_is_not(journey: Journey, counted: Counted) -> None:
    journey.authorize().delete(errors.ConsentLost)
    assert total(counted)["connection.needs_user_action"] == 1
    assert metrics.UNHELD not in total(counted)


@pytest.mark.parametrize(("after", "unheld"), [(timedelta(minutes=1), 1), (timedelta(days=1), 0)])
def test_a_key_that_is_not_deleted_with_a_live_token_is_held_by_nobody_and_without_one_it_is_known_to_stay(
    journey: Journey, counted: Counted, after: timedelta, unheld: int
) -> None:
    journey.activate().wait_for(after)
    journey.revoke()
    journey.delete(errors.Revoked, leave_to_user=True)
    assert total(counted)["connection.needs_user_action"] == 1
    assert total(counted).get(metrics.UNHELD, 0) == unheld


def test_a_secret_in_escrow_is_counted_with_each_change_until_it_is_moved(journey: Journey, counted: Counted) -> None:
    journey.claim()
    for _ in range(2):
        journey.world.chosen_vault.fail_next("store", errors.StorageUnavailable)
        with pytest.raises(errors.StorageUnavailable):
            journey.capture()
    assert total(counted)[metrics.IN_ESCROW] >= 2
    journey.capture()
    counted.clear()
    journey.verify()
    assert metrics.IN_ESCROW not in total(counted)


@pytest.mark.parametrize(
    "status", [status for status in Status if status.is_end or status in (Status.ACTIVE, Status.DEAD)]
)
def test_every_end_is_counted(journey: Journey, status: Status) -> None:
    ended = replace(journey.start().connection, status=status, reason=errors.Unexpected.code)
    assert metrics.counts_of(journey.connection, ended)[f"connection.{status}"] == 1
