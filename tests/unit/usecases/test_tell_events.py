"""Partners are told what has happened: at least once, in order, however often whoever tells it dies."""

import pytest

from fastkey.domain import errors
from fastkey.domain.connection import CHECK_AGAIN
from fastkey.domain.event import PATIENCE, Kind
from fastkey.usecases.change import change
from fastkey.usecases.tell_events import tell_events
from tests.unit.journey import Journey

KINDS = [Kind.ACTIVATED, Kind.DEAD]


def refuse(journey: Journey) -> None:
    now = journey.world.clock.now()
    change(journey.world, journey.connection_id, lambda c: c.refuse_key(now))


@pytest.fixture
def dead(journey: Journey) -> Journey:
    """A connection with two events that nobody has told."""
    refuse(journey.activate())
    refuse(journey.wait_for(CHECK_AGAIN))
    assert kinds_untold(journey) == KINDS
    return journey


def kinds_untold(journey: Journey) -> list[Kind]:
    return [event.kind for event in journey.connection.untold]


def kinds_told(journey: Journey) -> list[Kind]:
    return [event.kind for event in journey.world.events.told]


def tell(journey: Journey) -> None:
    tell_events(journey.world, journey.connection_id)


def test_what_is_untold_is_told_oldest_first(dead: Journey) -> None:
    untold = dead.connection.untold
    tell(dead)
    assert dead.world.events.told == list(untold)
    assert dead.connection.untold == ()


def test_a_second_time_tells_nothing_and_changes_nothing(dead: Journey) -> None:
    tell(dead)
    before = dead.connection
    tell(dead)
    assert (dead.connection, kinds_told(dead)) == (before, KINDS)


@pytest.mark.parametrize("after_effect", [False, True])
@pytest.mark.parametrize(
    ("fake", "method", "call"),
    [("connections", "get", 1), ("events", "tell", 1), ("events", "tell", 2), ("connections", "save", 1)],
)
def test_whoever_dies_leaves_it_to_the_next_who_tells_it_again(
    dead: Journey, fake: str, method: str, call: int, after_effect: bool
) -> None:
    untold, subject = dead.connection.untold, getattr(dead.world, fake)
    for _ in range(call - 1):
        subject.meanwhile(method, lambda: None, after_effect=after_effect)
    subject.fail_next(method, KeyboardInterrupt, after_effect=after_effect)
    with pytest.raises(KeyboardInterrupt):
        tell(dead)
    tell(dead)
    told = dead.world.events.told
    assert sorted(set(told), key=told.index) == list(untold)  # each first in its order
    assert len(told) <= 2 * len(untold)
    assert dead.connection.untold == ()


def test_an_event_that_is_not_taken_holds_up_those_after_it(dead: Journey) -> None:
    dead.world.events.fail_next("tell", errors.StorageUnavailable)
    with pytest.raises(errors.StorageUnavailable):
        tell(dead)
    assert (kinds_told(dead), kinds_untold(dead)) == ([], KINDS)
    tell(dead)
    assert kinds_told(dead) == KINDS


def test_what_could_not_be_told_for_a_day_is_buried_and_what_is_younger_is_told(dead: Journey) -> None:
    first, second = dead.connection.untold
    dead.wait_for(first.at + PATIENCE - dead.world.clock.now())
    tell(dead)
    assert (dead.world.events.buried, dead.world.events.told) == ([first], [second])
    assert dead.connection.untold == ()


def test_what_cannot_be_buried_either_stays(dead: Journey) -> None:
    dead.wait_for(2 * PATIENCE).world.events.fail_next("bury", errors.StorageUnavailable)
    with pytest.raises(errors.StorageUnavailable):
        tell(dead)
    assert kinds_untold(dead) == KINDS
    tell(dead)
    assert [event.kind for event in dead.world.events.buried] == KINDS


def test_what_happens_meanwhile_is_left_for_the_next(dead: Journey) -> None:
    def survive() -> None:
        now = dead.world.clock.now()
        change(dead.world, dead.connection_id, lambda c: c.survive(c.permissions, None, now))

    dead.world.events.meanwhile("tell", survive, after_effect=True)
    tell(dead)
    assert (kinds_told(dead), kinds_untold(dead)) == (KINDS, [Kind.ACTIVATED])


def test_two_who_tell_at_once_tell_the_same(dead: Journey) -> None:
    dead.world.events.meanwhile("tell", lambda: tell(dead))
    tell(dead)
    assert sorted(kinds_told(dead)) == sorted(KINDS * 2)
    assert dead.connection.untold == ()
