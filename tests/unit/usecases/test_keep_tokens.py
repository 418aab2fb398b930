"""Tokens are kept alive for those connections for which the partner asked for that."""

from dataclasses import replace
from datetime import timedelta

import pytest

from fastkey.domain import errors
from fastkey.domain.connection import Connection
from fastkey.domain.event import Kind
from fastkey.domain.pace import REFRESHES
from fastkey.domain.status import Status
from fastkey.domain.tokens import REFRESH_TOKEN_LIFE
from fastkey.usecases.change import change
from fastkey.usecases.keep_tokens import CAPACITY, KEEP_MARGIN, TIME_TO_REFRESH, Kept, keep_tokens
from tests.fakes.world import FakeWorld
from tests.unit.journey import Journey

TIMEOUT = timedelta(seconds=85)
MINUTE = timedelta(minutes=1)
MOMENT = timedelta(microseconds=1)
DUE = REFRESH_TOKEN_LIFE - KEEP_MARGIN


def keep(world: FakeWorld, timeout: timedelta = TIMEOUT) -> Kept:
    return keep_tokens(world, world.clock.now() + timeout)


def activate(world: FakeWorld, number: int = 0, *, keep_token: bool = True) -> Journey:
    return Journey(world, f"user-{number}", f"account-{number}", keep_token=keep_token).activate()


@pytest.fixture
def kept(world: FakeWorld) -> Journey:
    return activate(world)


def asked(world: FakeWorld) -> int:
    return world.whitebit.calls.count("refresh_token")


def dies_at(journey: Journey) -> timedelta:
    """In how long the refresh token dies."""
    tokens = journey.connection.tokens
    assert tokens
    assert tokens.refresh_expires_at
    return tokens.refresh_expires_at - journey.world.clock.now()


def test_tokens_are_kept_for_those_who_want_that(world: FakeWorld) -> None:
    activate(world, keep_token=False)
    wanted = activate(world, 1)
    world.clock.advance(DUE + MOMENT)
    assert keep(world) == Kept(kept=1, fit=1, refreshed=1, failed=0)
    assert dies_at(wanted) == REFRESH_TOKEN_LIFE


def test_tokens_are_left_alone_as_long_as_they_live_long_enough(kept: Journey) -> None:
    assert keep(kept.wait_for(DUE).world) == Kept(kept=1, fit=1, refreshed=0, failed=0)
    assert keep(kept.wait_for(MOMENT).world).refreshed == 1


def test_tokens_are_alive_for_a_day(kept: Journey) -> None:
    for _ in range(24 * 60):
        keep(kept.wait_for(MINUTE).world)
        assert dies_at(kept) > timedelta(0)
    assert 24 * 60 / 10 <= asked(kept.world) <= 24 * 60 / 6 + 1


def test_tokens_of_what_is_not_active_any_more_are_not_kept(kept: Journey) -> None:
    kept.revoke()
    assert keep(kept.wait_for(DUE + MOMENT).world) == Kept(kept=0, fit=0, refreshed=0, failed=0)


# ---- In turn ---------------------------------------------------------------------------------------------------------


def crowd(world: FakeWorld, size: int) -> list[Journey]:
    """So many connections, a second apart."""
    journeys = []
    for number in range(size):
        journeys.append(activate(world, number))
        world.clock.advance(timedelta(seconds=1))
    return journeys


def test_those_that_die_first_come_first(world: FakeWorld) -> None:
    journeys = crowd(world, 5)
    world.clock.advance(DUE)
    assert keep(world, TIME_TO_REFRESH + timedelta(seconds=2)).refreshed == 3
    assert [dies_at(journey) > DUE for journey in journeys] == [True, True, True, False, False]


def test_refreshes_are_a_second_apart_whoever_makes_them(world: FakeWorld) -> None:
    crowd(world, 10)
    world.clock.advance(DUE)
    world.limits.take(REFRESHES, world.clock.now())
    before = world.clock.now()
    assert keep(world).refreshed == 10
    assert world.clock.now() - before == timedelta(seconds=10)


def test_a_run_ends_in_time_and_leaves_the_rest_to_the_next(world: FakeWorld) -> None:
    crowd(world, 50)
    world.clock.advance(DUE)
    deadline = world.clock.now() + timedelta(seconds=55)
    first = keep_tokens(world, deadline)
    assert first.refreshed < 50
    assert world.clock.now() <= deadline - TIME_TO_REFRESH
    world.clock.advance(deadline - world.clock.now())
    assert keep(world).refreshed == 50 - first.refreshed


@pytest.mark.parametrize("milliseconds", [0, 300])
def test_as_many_as_fit_are_kept_and_none_is_lost(world: FakeWorld, milliseconds: int) -> None:
    """With WhiteBIT's limit all but used up, each minute for an hour; and each refresh takes two calls' time."""
    slow(world, "refresh_token", "key_info", by=timedelta(milliseconds=milliseconds))
    journeys = [activate(world, number) for number in range(CAPACITY)]
    for number, journey in enumerate(journeys):
        spread(journey, DUE * number / CAPACITY)
    for minute in range(60):
        run_at = world.clock.now() + MINUTE
        done = keep(world)
        assert (done.kept, done.failed) == (CAPACITY, 0), minute
        world.clock.advance(max(run_at - world.clock.now(), timedelta(0)))
    assert min(map(dies_at, journeys)) > timedelta(0)


def slow(world: FakeWorld, *methods: str, by: timedelta) -> None:
    for method in methods:
        for _ in range(60 * CAPACITY):
            world.whitebit.meanwhile(method, lambda: world.clock.advance(by))


def spread(journey: Journey, age: timedelta) -> None:
    """As if the tokens had been given so long ago: nobody starts so many at once."""
    world = journey.world
    pair = next(p for p in world.whitebit.granted.values() if p.account == journey.account and not p.is_dead)
    pair.access_expires_at -= age
    pair.refresh_expires_at -= age

    def older(connection: Connection) -> Connection:
        assert connection.tokens
        tokens = connection.tokens
        assert tokens.refresh_expires_at
        aged = replace(
            tokens,
            access_expires_at=tokens.access_expires_at - age,
            refresh_expires_at=tokens.refresh_expires_at - age,
        )
        return replace(connection, tokens=aged, version=connection.version + 1)

    change(world, journey.connection_id, older)


def test_of_more_than_fit_partners_are_told_how_many_do(world: FakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastkey.usecases.keep_tokens.CAPACITY", 3)
    crowd(world, 5)
    assert keep(world) == Kept(kept=5, fit=3, refreshed=0, failed=0)


def test_a_run_without_time_does_nothing(kept: Journey) -> None:
    kept.wait_for(DUE + MOMENT)
    assert keep(kept.world, TIME_TO_REFRESH) == Kept(kept=1, fit=1, refreshed=0, failed=0)
    assert asked(kept.world) == 0


# ---- What fails ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after_effect", [False, True])
@pytest.mark.parametrize(
    ("fake", "method"), [("whitebit", "prepare"), ("sealer", "open"), ("connections", "get"), ("limits", "take")]
)
def test_one_failure_does_not_stop_the_others(world: FakeWorld, fake: str, method: str, after_effect: bool) -> None:
    crowd(world, 5)
    world.clock.advance(DUE)
    getattr(world, fake).fail_next(method, errors.StorageUnavailable, after_effect=after_effect)
    done = keep(world)
    assert (done.refreshed, done.failed) == (4, 1)
    assert keep(world) == Kept(kept=5, fit=5, refreshed=1, failed=0)


@pytest.mark.parametrize("error", [errors.WhiteBitUnavailable, errors.UnexpectedAnswer])
def test_an_answer_that_did_not_come_does_not_stop_the_others(world: FakeWorld, error: type[Exception]) -> None:
    crowd(world, 5)
    world.clock.advance(DUE)
    world.whitebit.fail_next("refresh_token", error)
    done = keep(world)
    assert (done.refreshed, done.failed) == (4, 1)
    assert asked(world) == 5


@pytest.mark.parametrize("error", [errors.WhiteBitUnavailable, errors.UnexpectedAnswer])
def test_an_answer_that_did_not_come_is_tried_for_by_the_next_run(kept: Journey, error: type[Exception]) -> None:
    kept.wait_for(DUE + MOMENT).world.whitebit.fail_next("refresh_token", error)
    done = keep(kept.world)
    assert (done.refreshed, done.failed) == (0, 1)
    kept.wait_for(MINUTE)
    assert keep(kept.world).refreshed == 1
    assert dies_at(kept) == REFRESH_TOKEN_LIFE


def test_tokens_whose_answer_was_lost_cost_one_refresh_more_and_leave_the_queue(kept: Journey) -> None:
    kept.wait_for(DUE + MOMENT).world.whitebit.fail_next("refresh_token", errors.WhiteBitUnavailable, after_effect=True)
    for _ in range(10):
        keep(kept.world)
        kept.wait_for(MINUTE)
    assert asked(kept.world) == 2
    assert keep(kept.world) == Kept(kept=0, fit=0, refreshed=0, failed=0)
    assert kept.connection.status is Status.ACTIVE


def test_tokens_that_whitebit_has_withdrawn_leave_the_queue(kept: Journey) -> None:
    kept.world.whitebit.withdraw(kept.account)
    assert keep(kept.wait_for(DUE + MOMENT).world) == Kept(kept=0, fit=0, refreshed=0, failed=1)
    assert keep(kept.wait_for(MINUTE).world) == Kept(kept=0, fit=0, refreshed=0, failed=0)
    assert asked(kept.world) == 1


def test_tokens_that_died_while_nobody_ran_leave_the_queue(kept: Journey) -> None:
    keep(kept.wait(hours=3).world)
    assert keep(kept.wait_for(MINUTE).world) == Kept(kept=0, fit=0, refreshed=0, failed=0)
    assert kept.connection.status is Status.ACTIVE


def test_another_who_refreshes_at_the_moment_is_not_disturbed(kept: Journey) -> None:
    kept.wait_for(DUE + MOMENT)
    kept.world.whitebit.meanwhile("refresh_token", lambda: keep(kept.wait(seconds=2).world))
    keep(kept.world)
    assert asked(kept.world) == 1
    assert dies_at(kept) > DUE


def test_a_run_that_dies_leaves_the_rest_to_the_next(world: FakeWorld) -> None:
    crowd(world, 5)
    world.clock.advance(DUE)
    world.whitebit.meanwhile("refresh_token", lambda: None)
    world.whitebit.fail_next("prepare", KeyboardInterrupt, after_effect=True)
    with pytest.raises(KeyboardInterrupt):
        keep(world)
    assert keep(world).refreshed == 5


# ---- What is seen of the key -----------------------------------------------------------------------------------------


def test_what_the_key_may_do_is_looked_at_with_the_new_token(kept: Journey) -> None:
    kept.key.permissions = ("wallet", "trading")
    keep(kept.wait_for(DUE + MOMENT).world)
    assert kept.connection.permissions == ("wallet", "trading")
    assert [event.kind for event in kept.connection.untold] == [Kind.ACTIVATED, Kind.PERMISSIONS_CHANGED]


def test_a_key_that_is_gone_is_tried_at_once(kept: Journey) -> None:
    kept.world.whitebit.remove_key(kept.account)
    keep(kept.wait_for(DUE + MOMENT).world)
    assert (kept.connection.status, kept.connection.check_at) == (Status.ACTIVE, kept.world.clock.now())
