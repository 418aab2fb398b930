"""The simulator's schedules leave out nothing but runs that would find nothing."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

import pytest

from fastkey.domain.connection import REQUEST_LIFE, TICKET_LIFE, Connection
from fastkey.domain.event import GRACE
from fastkey.domain.status import Status
from fastkey.domain.tokens import SealedTokens
from fastkey.usecases.keep_tokens import KEEP_MARGIN
from local.whitebit import Revision
from tests.contract.given import NOW, active, start
from tests.simulation.dice import Dice
from tests.simulation.kernel import BEGINNING, Process
from tests.simulation.plan import DAY, Die, Fate, Lost, NotStarted, Told, Twice, When
from tests.simulation.schedule import KEPT, Due, Schedule, guarding, keeping
from tests.simulation.world import Conditions, Simulation

# When a consent that was asked for at the beginning is given up, in seconds since then, and the minute after that.
GIVEN_UP = (TICKET_LIFE + REQUEST_LIFE).total_seconds()
MINUTE = 360

# By which every clock is right, and what was written is seen at once.
FAIR = next(dice for dice in map(Dice, count()) if (Conditions.of(dice).lag, Conditions.of(dice).skew) == (0, 0))


def simulated(*connections: Connection, fates: Mapping[str, Fate] | None = None) -> Simulation:
    """A world with these connections. fates: what befalls starts and calls, by their names."""
    simulation = Simulation(Revision.AUGUST_2026, FAIR, Told(fates or {}, until=0))
    for connection in connections:
        simulation.fakes.connections.add(connection)
    return simulation


def runs(simulation: Simulation, due: Due | None = None, since: float = 0) -> list[float]:
    """At which minutes GuardKeys ran, in seconds. since: when the connections were stored."""
    schedule = Schedule(simulation, "GuardKeys", due or guarding(0))

    def store() -> None:
        for connection in simulation.fakes.connections.all():
            schedule.plan(connection)

    simulation.kernel.start(Process("whoever stores", store), since)
    simulation.run(10 * DAY)
    begun: dict[str, float] = {}
    for at, who, _ in simulation.trace:
        if who.startswith("schedule.GuardKeys#"):
            begun.setdefault(who.partition(" ")[0], at // 60 * 60)
    return list(begun.values())


# ---- When a function runs --------------------------------------------------------------------------------------------


def test_a_function_runs_at_the_first_minute_at_which_something_is_due_and_not_again() -> None:
    connection = start(now=BEGINNING)
    simulation = simulated(connection)
    assert GIVEN_UP < MINUTE < GIVEN_UP + 60
    assert runs(simulation) == [MINUTE]
    assert simulation.fakes.connections.get(connection.connection_id).status is Status.EXPIRED


def test_what_falls_due_with_a_minute_is_due_at_that_minute() -> None:
    assert runs(simulated(start(now=BEGINNING + timedelta(seconds=MINUTE - GIVEN_UP)))) == [MINUTE]


def test_what_was_due_before_it_was_stored_is_due_at_the_next_minute() -> None:
    assert runs(simulated(start(now=BEGINNING)), since=1000) == [1020]


def test_one_run_is_for_all_that_is_due() -> None:
    assert runs(simulated(*(start(now=BEGINNING) for _ in range(3)))) == [MINUTE]


def test_each_has_a_minute_of_its_own() -> None:
    later = start(now=BEGINNING + timedelta(minutes=7))
    assert runs(simulated(later, start(now=BEGINNING))) == [MINUTE, MINUTE + 7 * 60]


def test_what_is_done_by_then_needs_no_run() -> None:
    connection = start(now=BEGINNING)
    simulation = simulated(connection)

    def disconnect() -> None:
        revoked = replace(connection, status=Status.REVOKED, version=2)
        simulation.fakes.connections.save(connection, revoked)

    simulation.kernel.start(Process("who disconnects", disconnect), GIVEN_UP)
    assert runs(simulation) == []
    assert simulation.points == []


@pytest.mark.parametrize(
    ("point", "fate", "expected"),
    [
        ("schedule.GuardKeys.start#1", NotStarted(), [MINUTE + 60]),
        ("schedule.GuardKeys#1 connections.due#1", Die(When.BEFORE), [MINUTE, MINUTE + 60]),
        ("schedule.GuardKeys.start#1", Lost(), [MINUTE]),
        ("schedule.GuardKeys.start#1", Twice(10), [MINUTE, MINUTE]),
    ],
    ids=["that does not begin", "that dies", "that nobody hears", "that comes twice"],
)
def test_a_run_is_followed_by_another_as_long_as_something_is_due(
    point: str, fate: Fate, expected: list[float]
) -> None:
    assert runs(simulated(start(now=BEGINNING), fates={point: fate})) == expected


def test_what_nobody_does_within_a_day_of_the_last_fault_is_left() -> None:
    found = runs(simulated(start(now=BEGINNING)), lambda _: 600)
    assert found == [600 + 60 * number for number in range(24 * 60)]


# ---- When a connection needs it --------------------------------------------------------------------------------------


def seconds(moment: datetime) -> float:
    return (moment - BEGINNING).total_seconds()


def test_an_event_is_due_though_keys_are_not_tried() -> None:
    assert guarding(days=0)(active()) == seconds(NOW + GRACE)


def test_a_key_is_due_as_long_as_keys_are_tried() -> None:
    connection = active()
    tried = connection.told(connection.untold)
    assert tried.check_at
    at = seconds(tried.check_at)
    assert guarding(at / DAY)(tried) == at
    assert guarding(at / DAY - 0.001)(tried) is None


def test_an_end_needs_nobody() -> None:
    ended = replace(start(), status=Status.EXPIRED)
    assert guarding(days=100)(ended) is None


def keep(refresh_expires_at: datetime) -> Connection:
    """A connection whose tokens are to be kept."""
    return replace(
        active(), keep_token=True, tokens=SealedTokens(b"access", NOW, b"refresh", refresh_expires_at), untold=()
    )


def test_tokens_are_due_as_soon_as_a_run_refreshes_them() -> None:
    assert keeping(keep(BEGINNING + timedelta(minutes=10))) == 600 - KEEP_MARGIN.total_seconds()


def test_tokens_are_kept_for_their_time_and_where_they_are_wanted() -> None:
    last = BEGINNING + timedelta(seconds=KEPT) + KEEP_MARGIN
    assert keeping(keep(last)) is None
    kept = keep(last - timedelta(seconds=1))
    assert keeping(kept) == KEPT - 1
    assert keeping(replace(kept, keep_token=False)) is None
