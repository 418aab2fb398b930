"""The port Limits."""

from datetime import datetime, timedelta

import pytest

from fastkey.domain.errors import WhiteBitBusy
from fastkey.domain.pace import HISTORY, MAIN_ACCOUNT, TRADE_ACCOUNT, Pace, milliseconds, nonces_of
from fastkey.ports import World
from tests.contract.given import NOW, unique

SECOND = timedelta(seconds=1)


def bucket(rate: int, burst: int) -> Pace:
    return Pace(unique("bucket"), rate, burst)


def taken(world: World, pace: Pace, now: datetime) -> int:
    """How many tokens there are now, all of which are taken."""
    for number in range(pace.burst + 1):
        try:
            world.limits.take(pace, now)
        except WhiteBitBusy:
            return number
    raise AssertionError("more than there can be")


def test_a_bucket_begins_full_and_gives_no_more_than_it_holds(world: World) -> None:
    assert taken(world, bucket(2, 5), NOW) == 5


def test_a_bucket_fills_at_its_rate_up_to_its_burst(world: World) -> None:
    pace = bucket(2, 5)
    taken(world, pace, NOW)
    assert taken(world, pace, NOW + SECOND) == 2
    assert taken(world, pace, NOW + 60 * SECOND) == 5


def test_a_bucket_of_one_a_second_gives_one_and_not_a_moment_earlier(world: World) -> None:
    pace = bucket(1, 1)
    assert world.limits.take(pace, NOW) == NOW
    with pytest.raises(WhiteBitBusy):
        world.limits.take(pace, NOW + SECOND - timedelta(microseconds=1))
    assert world.limits.take(pace, NOW + SECOND) == NOW + SECOND


def test_a_refusal_takes_nothing(world: World) -> None:
    pace = bucket(1, 1)
    world.limits.take(pace, NOW)
    for _ in range(3):
        with pytest.raises(WhiteBitBusy):
            world.limits.take(pace, NOW)
    world.limits.take(pace, NOW + SECOND)


def test_buckets_keep_apart(world: World) -> None:
    taken(world, bucket(1, 3), NOW)
    assert taken(world, bucket(1, 3), NOW) == 3


def test_a_clock_that_is_behind_gets_no_tokens_of_its_own(world: World) -> None:
    pace = bucket(10, 5)
    first = world.limits.take(pace, NOW)
    assert world.limits.take(pace, NOW - SECOND / 5) == first + SECOND / 10


def test_nonces_differ_by_a_millisecond_at_least_whoever_takes_them(world: World) -> None:
    """Ten clocks that differ, in turn: DynamoDB orders the writes of an item."""
    pace = nonces_of(unique("key"))

    clocks = [NOW + timedelta(microseconds=777 * (number % 10)) for number in range(50)]
    nonces = [milliseconds(world.limits.take(pace, now)) for now in clocks]
    assert len(set(nonces)) == 50
    assert min(nonces) >= milliseconds(NOW)
    assert max(nonces) <= milliseconds(NOW) + 50 + 7


def test_a_nonce_is_not_earlier_than_now(world: World) -> None:
    pace = nonces_of(unique("key"))
    for moment in (NOW, NOW + timedelta(hours=1)):
        assert world.limits.take(pace, moment) == moment


@pytest.mark.parametrize(
    ("paces", "limit"), [([HISTORY], 200), ([HISTORY, MAIN_ACCOUNT], 1_000), ([TRADE_ACCOUNT], 12_000)]
)
def test_within_ten_seconds_the_paces_leave_a_fifth_of_whitebits_limits(paces: list[Pace], limit: int) -> None:
    assert sum(pace.burst + 10 * pace.rate for pace in paces) <= limit * 4 / 5
