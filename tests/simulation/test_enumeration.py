"""No single fault breaks a promise, and no two of them while the secret is captured.

`make simulate PAIRS=1` plays every pair of every story: that takes hours.
"""

import pytest

from tests.simulation.enumeration import STORIES, firsts, pairs, singles, within

CAPTURE = within("CaptureSecret")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("story", STORIES)
def test_no_single_fault_breaks_a_promise(story: str) -> None:
    tally = singles(story)
    assert tally.runs > 400
    assert not tally.failures


@pytest.mark.timeout(900)
@pytest.mark.parametrize("story", ["straight 2026-05", "straight 2026-08"])
def test_no_two_faults_of_a_capture_break_a_promise(story: str) -> None:
    tallies = [pairs(story, *first, CAPTURE) for first in firsts(story, CAPTURE)]
    assert sum(tally.runs for tally in tallies) > 3_000
    assert [line for tally in tallies for line in tally.failures] == []
