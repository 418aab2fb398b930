"""A year of ten thousand keys: those that live stay alive, those that die are found, and WhiteBIT is called as often as
reckoned.

Reckoned for one key: a call each CHECK_PERIOD, which makes 365 / 7 = 52.1 a year; and for one that dies up to thirty:
one that is refused, one that confirms it an hour later, and one a day until the key is surely lost. Ten thousand
that live make 521,000 calls a year: one a minute, where WhiteBIT allows 6,000 a minute at least. A hundred thousand
make ten a minute. A run begins looks for thirty seconds of each minute, which is time for sixty if a look, with some
ten calls of AWS and one of WhiteBIT, takes half a second: six times of what a hundred thousand need. After a day on
which nobody ran, 14,300 of them are due, and up to date again within five hours.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from fastkey.domain.connection import (
    CHECK_AGAIN,
    CHECK_PERIOD,
    DEAD_CHECK_PERIOD,
    DEAD_KEY_LIFE,
    IDLE_KEY_LIFE,
    Connection,
)
from fastkey.domain.event import Kind
from fastkey.domain.pace import MAIN_ACCOUNT, TRADE_ACCOUNT
from fastkey.domain.status import Status
from fastkey.usecases.guard_keys import Finding
from tests.fakes.whitebit import IssuedKey
from tests.guardian.deployment import EVERY, MINUTE, Deployment, firing, ids

KEYS, SEED = 10_000, 1
YEAR = timedelta(days=365)
DYING = 0.2  # of the keys, in a year

LIMITS = {MAIN_ACCOUNT: 1_000, TRADE_ACCOUNT: 12_000}


@dataclass(frozen=True, slots=True)
class Death:
    """A key dies at WhiteBIT, at this moment, in one of the ways in which keys do."""

    at: datetime
    connection: Connection
    way: str


def die(deployment: Deployment, death: Death) -> None:
    whitebit, account = deployment.whitebit, death.connection.user_id
    match death.way:
        case "removed":
            whitebit.remove_key(account)
        case "password changed":
            whitebit.change_password(account)
        case "idle":
            # As if nobody had tried it for two weeks.
            whitebit.keys[account].last_used_at = death.at - IDLE_KEY_LIFE


def drawn(deployment: Deployment, start: datetime) -> list[Death]:
    """Those of the year, in order."""
    dice = Random(SEED)
    dying = dice.sample(deployment.connections, int(KEYS * DYING))
    ways = ("removed", "password changed", "idle")
    # So that no run comes at the same moment.
    moments = (start + MINUTE * dice.randrange(YEAR // MINUTE) + MINUTE / 2 for _ in dying)
    deaths = [Death(at, each, dice.choice(ways)) for at, each in zip(moments, dying, strict=True)]
    return sorted(deaths, key=lambda death: death.at)


def tries(first: datetime, died_at: datetime | None, end: datetime) -> int:
    """How often a key is tried before the end, by what is promised alone. first: when it is tried first."""
    while_alive = _between(first, min(died_at or end, end))
    if died_at is None:
        return while_alive
    refused_at = first + while_alive * CHECK_PERIOD
    confirmed_at = refused_at + CHECK_AGAIN
    once_more = [confirmed_at + n * DEAD_CHECK_PERIOD for n in range(1, DEAD_KEY_LIFE // DEAD_CHECK_PERIOD + 1)]
    return while_alive + sum(at < end for at in (refused_at, confirmed_at, *once_more))


def _between(first: datetime, end: datetime) -> int:
    """How many moments, a period apart, there are before the end."""
    return max(0, -(-(end - first) // CHECK_PERIOD))


def test_a_year_of_ten_thousand_keys() -> None:
    deployment = Deployment(KEYS)
    start = deployment.world.clock.now()
    end, deaths = start + YEAR, drawn(deployment, start)
    for death in deaths:
        deployment.go_on_until(death.at)
        die(deployment, death)
    deployment.go_on_until(end)
    dead = {death.connection.connection_id: death for death in deaths}
    check_living(deployment, [c for c in deployment.connections if c.connection_id not in dead])
    check_dead(deployment, dead, end)
    reckoned = sum(
        tries(firing(c.check_at or end), dead[c.connection_id].at if c.connection_id in dead else None, end)
        for c in deployment.connections
    )
    print(f"{len(deployment.whitebit.reads)} calls of {KEYS} keys in a year, {reckoned} reckoned; {deployment.found}")
    assert len(deployment.whitebit.reads) == reckoned
    check_limits(deployment)


def check_living(deployment: Deployment, living: list[Connection]) -> None:
    """By WhiteBIT's own rule of two weeks."""
    now = deployment.world.clock.now()
    assert [c.user_id for c in living if not issued(deployment, c).is_active(now)] == []
    assert {deployment.connection(connection_id).status for connection_id in ids(living)} == {Status.ACTIVE}


def check_dead(deployment: Deployment, dead: dict[str, Death], end: datetime) -> None:
    """Each is told of once, in time."""
    told = deployment.world.events.told
    assert {event.kind for event in told} == {Kind.DEAD}
    assert max(Counter(event.connection_id for event in told).values()) == 1
    found_at = {event.connection_id: event.at for event in told}
    in_time = CHECK_PERIOD + CHECK_AGAIN + EVERY
    assert [d for d in dead.values() if d.at + in_time < end and d.connection.connection_id not in found_at] == []
    assert max(at - dead[connection_id].at for connection_id, at in found_at.items()) <= in_time
    assert {deployment.connection(connection_id).status for connection_id in found_at} == {Status.DEAD}


def check_limits(deployment: Deployment) -> None:
    for pace, limit in LIMITS.items():
        assert 0 < deployment.whitebit.most_in_a_window(pace) <= pace.burst + 10 * pace.rate < limit


def issued(deployment: Deployment, connection: Connection) -> IssuedKey:
    return deployment.whitebit.issued[connection.external_id or ""]


# ---- After a time in which nobody was there --------------------------------------------------------------------------


def test_after_six_days_on_which_nobody_ran_every_key_is_alive_and_no_limit_is_exceeded() -> None:
    """All that piled up is due at once, and no more of it is tried than WhiteBIT has room for.

    Keys that were tried last a moment before those days have a day left after them.
    """
    deployment = Deployment(KEYS)
    start = deployment.world.clock.now()
    deployment.go_on_until(start + 2 * CHECK_PERIOD)
    deployment.go_to(start + 2 * CHECK_PERIOD + timedelta(days=6))
    deployment.run()
    assert deployment.whitebit.most_in_a_window(MAIN_ACCOUNT) == MAIN_ACCOUNT.burst
    deployment.go_on_until(start + 2 * CHECK_PERIOD + timedelta(days=6, hours=20))
    due_at = deployment.world.connections.next_due()
    assert due_at
    assert due_at >= deployment.world.clock.now()
    check_living(deployment, deployment.connections)
    check_limits(deployment)
    # Calls take no time here: those for which there was no room were put off for an hour.
    assert deployment.found.keys() == {Finding.ALIVE, Finding.UNKNOWN, Finding.DONE}


def test_a_whitebit_that_is_away_for_six_days_kills_no_key() -> None:
    """Each that is due is tried each hour, which is no more often than the limits allow."""
    deployment = Deployment(300)
    start = deployment.world.clock.now()
    deployment.go_on_until(start + 2 * CHECK_PERIOD)
    back_at = start + 2 * CHECK_PERIOD + timedelta(days=6)
    deployment.whitebit.away_until = back_at
    deployment.go_on_until(back_at + CHECK_AGAIN + EVERY)
    check_living(deployment, deployment.connections)
    check_limits(deployment)
    assert deployment.found.keys() == {Finding.ALIVE, Finding.UNKNOWN, Finding.DONE}
    assert deployment.world.events.told == []
