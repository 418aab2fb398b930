"""docs/guarantees.md names every call that a function makes, for each is a crash point, and no other."""

import re
from collections import defaultdict

from tests.simulation.enumeration import STORIES, function_of
from tests.simulation.lambdas import ROOT
from tests.simulation.plan import Told
from tests.simulation.run import Case, Outcome, play

PAGE = (ROOT / "docs/guarantees.md").read_text()


def calls(outcome: Outcome) -> set[tuple[str, str]]:
    """Which function called what."""
    return {(function_of(point), f"{port}.{method}") for point, port, method in outcome.points if port != "start"}


def test_every_crash_point_is_in_the_tables() -> None:
    made, named = defaultdict(set), defaultdict(set)
    for outcome in (play(Case.of(seed)) for seed in range(1, 400)):
        for function, call in calls(outcome):
            made[function].add(call)
    for functions, row in re.findall(r"^\| ((?:`[A-Z]\w+`(?:, )?)+) \| (.*?) \|", PAGE, re.M):
        for function in re.findall(r"\w+", functions):
            named[function].update(re.findall(r"`([a-z]+\.\w+)`", row))
    assert named.pop("ProvisionKey") == set()
    assert made == named


def test_the_stories_reach_every_crash_point() -> None:
    """So that what is enumerated in them leaves none out."""
    in_stories = set().union(*(calls(play(case, Told({}))) for case in STORIES.values()))
    in_seeds = set().union(*(calls(play(Case.of(seed))) for seed in range(1, 400)))
    assert in_stories == in_seeds
