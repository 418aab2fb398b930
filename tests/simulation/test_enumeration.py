"""No single fault breaks a promise, and no two of them while the secret is captured.

`make simulate PAIRS=1` plays every pair of every story: that takes hours.
"""

import pytest

from tests.simulation.enumeration import STORIES, firsts, pairs, singles, within
from tests.simulation.plan import Told
from tests.simulation.run import play

CAPTURE = within("CaptureSecret")


# How each story ends without a fault, and whether the secret is read in it: it depends on the moment of what they do.
ENDS = {
    "straight": ("active", True),
    "stale reads": ("active", True),
    "exchange refused": ("needs_user_action", False),
    "forwarded": ("failed", False),
    "nobody completes": ("expired", False),
    "completed late": ("active", True),
    "locked": ("active", True),
    "one account": ("active", True),
    "revoked before the completion": ("revoked", False),
    "revoked before the read": ("revoked", False),
    "revoked after the read": ("revoked", True),
    "revoked when active": ("revoked", True),
    "revoked late": ("revoked", True),
    "refreshed by schedule": ("active", True),
}


@pytest.mark.parametrize("story", STORIES)
def test_without_a_fault_a_story_goes_as_it_is_called(story: str) -> None:
    outcome = play(STORIES[story], Told({}))
    is_read = any(method == "read_secret" for _, _, method in outcome.points)
    assert (outcome.ends[0][0], is_read) == ENDS[story.rpartition(" ")[0]]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("story", STORIES)
def test_no_single_fault_breaks_a_promise(story: str) -> None:
    tally = singles(story)
    assert tally.runs > 300
    assert not tally.failures


@pytest.mark.timeout(900)
@pytest.mark.parametrize("story", ["straight 2026-05", "straight 2026-08"])
def test_no_two_faults_of_a_capture_break_a_promise(story: str) -> None:
    tallies = [pairs(story, *first, CAPTURE) for first in firsts(story, CAPTURE)]
    assert sum(tally.runs for tally in tallies) > 3_000
    assert [line for tally in tallies for line in tally.failures] == []
