"""docs/guarantees.md names every call that a function makes, for each is a crash point; the ends to which one fault
there can lead; and tests that there are.
"""

import re
from collections import defaultdict
from collections.abc import Iterator

import pytest

from tests.simulation.enumeration import ANSWERED_ONCE, STORIES, function_of
from tests.simulation.plan import Told
from tests.simulation.run import Case, Outcome, play
from tests.simulation.test_enumeration import LOST, LOST_ON_THE_WAY_INTO_ESCROW
from tests.template import ROOT

PAGE = (ROOT / "docs/guarantees.md").read_text()

# Functions, calls, and what the user sees.
CRASH_POINTS = re.findall(r"^\| ((?:`[A-Z]\w+`(?:, )?)+) \| (.*?) \| .*? \| (.*?) \|", PAGE, re.M)

# In the last column: a file, and the names of tests in it.
SHOWN = re.findall(r"^\| .* \| `([\w/]+)`: ([^|]+) \|$", PAGE, re.M)


def calls(outcome: Outcome) -> set[tuple[str, str]]:
    """Which function called what."""
    return {(function_of(point), f"{port}.{method}") for point, port, method in outcome.points if port != "start"}


def calls_in(text: str) -> list[str]:
    """The calls that a text names."""
    return re.findall(r"`([a-z_]+\.\w+)`", text)


def test_every_crash_point_is_in_the_tables() -> None:
    made, named = defaultdict(set), defaultdict(set)
    for outcome in (play(Case.of(seed)) for seed in range(1, 400)):
        for function, call in calls(outcome):
            made[function].add(call)
    for functions, row, _ in CRASH_POINTS:
        for function in re.findall(r"\w+", functions):
            named[function].update(calls_in(row))
    assert named.pop("ProvisionKey") == set()
    assert made == named


def places(functions: str, row: str) -> Iterator[str]:
    """Where in the code a row's calls are made, as `enumeration.places` names it."""
    made, _, after = row.partition(" after ")
    for call in calls_in(made):
        for function in re.findall(r"\w+", functions):
            if call in ANSWERED_ONCE:
                yield call
            else:
                yield f"{call} after {calls_in(after)[0]}" if calls_in(after) else f"{call} of {function}"


def test_the_tables_say_how_a_single_fault_can_change_the_end() -> None:
    said = {
        (place, end)
        for functions, row, seen in CRASH_POINTS
        for place in places(functions, row)
        for end in re.findall(r"`(\w+)`, `(\w+)`", seen)
    }
    assert said == {(place, end) for lost in (LOST, LOST_ON_THE_WAY_INTO_ESCROW) for place, (_, end) in lost.items()}


def test_the_stories_reach_every_crash_point() -> None:
    """So that what is enumerated in them leaves none out, but for what takes a day of faults."""
    in_stories = set().union(*(calls(play(case, Told({}))) for case in STORIES.values()))
    in_seeds = set().union(*(calls(play(Case.of(seed))) for seed in range(1, 400)))
    assert in_stories | {("GuardKeys", "events.bury")} == in_seeds


@pytest.mark.parametrize(("file", "names"), SHOWN)
def test_what_shows_a_row_is_there(file: str, names: str) -> None:
    source = (ROOT / (file if "/" in file else f"tests/unit/usecases/{file}")).with_suffix(".py").read_text()
    for name in names.split("; "):
        assert f"def test_{name.replace(' ', '_')}(" in source


def test_every_row_names_what_shows_it() -> None:
    rows = PAGE.partition("### From the click")[2].partition("## What the simulator checks")[0]
    assert len(SHOWN) == len(re.findall(r"^\| [^-]", rows, re.M)) - len(re.findall(r"^\|---", rows, re.M))
