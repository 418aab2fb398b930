"""What happened is told in the order of time, and what a loop does again is told once."""

from datetime import UTC, datetime, timedelta

from fastkey.ops.timeline import LOOP, Happened, in_order

START = datetime(2026, 1, 1, tzinfo=UTC)


def happened(*whats: str, where: str = "ProvisionKey") -> list[Happened]:
    """One a second."""
    return [Happened(START + timedelta(seconds=number), where, what) for number, what in enumerate(whats)]


def told(timeline: list[Happened]) -> list[tuple[str, int]]:
    return [(each.what, each.times) for each in timeline]


def test_the_earliest_comes_first_and_what_came_at_once_stays_as_it_came() -> None:
    first, second, third = happened("started", "DetectKey", "succeeded")
    at_once = Happened(first.at, "ProvisionKey", "AwaitCompletion")
    assert in_order([third, first, at_once, second]) == [first, at_once, second, third]


def test_a_loop_is_told_once_with_how_often_and_until_when() -> None:
    looked, waited = in_order(happened(*["DetectKey", "WaitForKey"] * 50))
    assert (looked.times, waited.times) == (50, 50)
    assert (looked.at, looked.until) == (START, START + timedelta(seconds=98))


def test_what_comes_back_after_other_things_is_told_again() -> None:
    others = [f"state {number}" for number in range(LOOP)]
    timeline = in_order(happened("CaptureSecret", *others, "CaptureSecret"))
    assert told(timeline) == [("CaptureSecret", 1), *((other, 1) for other in others), ("CaptureSecret", 1)]


def test_what_two_say_is_told_twice() -> None:
    assert len(in_order([*happened("started"), *happened("started", where="item")])) == 2
