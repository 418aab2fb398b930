"""A nonce is drawn once, from the seconds past."""

from concurrent.futures import ThreadPoolExecutor
from statistics import quantiles

import pytest

from fastkey.client import RateLimited
from fastkey.client.nonces import CROWDED, SPREAD, Nonces
from local.whitebit.nonces import WINDOW_MS

NOW = 1_700_000_000_000


def test_threads_never_draw_the_same_nonce() -> None:
    nonces = Nonces()
    with ThreadPoolExecutor(16) as threads:
        drawn = list(threads.map(lambda _: nonces.draw(NOW), range(CROWDED)))
    assert len(set(drawn)) == CROWDED


def test_a_nonce_lies_within_the_window_and_not_ahead_of_the_clock() -> None:
    nonces = Nonces()
    for now in range(NOW, NOW + 10 * CROWDED, 10):
        # Three seconds for the way there, and for a clock that is late.
        assert now - (WINDOW_MS - 3_000) < nonces.draw(now) <= now


def test_where_few_are_left_a_call_waits_for_its_turn_and_later_there_is_room_again() -> None:
    nonces = Nonces()
    for _ in range(CROWDED):
        nonces.draw(NOW)
    with pytest.raises(RateLimited):
        nonces.draw(NOW)
    nonces.draw(NOW + SPREAD)


def test_processes_that_start_in_the_same_instant_draw_from_the_whole_spread() -> None:
    behind = [NOW - Nonces().draw(NOW) for _ in range(4_000)]
    # Fair to within ten standard deviations: a fault is certain to show, and luck is not.
    for quarter, expected in zip(quantiles(behind), (SPREAD / 4, SPREAD / 2, SPREAD * 3 / 4), strict=True):
        assert abs(quarter - expected) < SPREAD / 12
