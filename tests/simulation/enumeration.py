"""All that one fault can do, and all that two can: every fate at every point of some stories, and their ordered pairs.

A story is a case in which the people do what is written here; its seed decides only how long a call takes and how stale
a read may be. What can befall is not drawn, but enumerated:

- at each call of a port: each fault of that call, and again with its effect 1.5 s late where it has one; a death before
  the call, during it and after it; a stall of 28 s (longer than a client's patience) and of 70 s (longer than most
  functions live), before the effect and after it;
- at each start of a function by Step Functions: it is refused; its answer is lost; it runs twice, 0, 0.1, 10 and 250 s
  apart;
- at each other task of a state machine: it is refused; its answer is lost.

A pair is a single fate, and a second one at a point that comes after it in the run with the first, so also where only
the first leads. Of a call's faults that agree in error, effect and lateness, pairs have only the one that may take
longest: to the code under test the others differ in their time alone, and of that the stalls make more. The singles
leave nothing out. What no pair has: two fates of one call, three fates, and other latencies, waits and clocks than its
story's. The seeds draw those.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from local.whitebit import Revision
from tests.simulation.faults import Fault, faults_of
from tests.simulation.people import Person
from tests.simulation.plan import Die, Fail, Fate, Lost, NotStarted, Stall, Told, Twice, When
from tests.simulation.run import Case, play

LATE = 1.5
STALLS: tuple[Fate, ...] = tuple(Stall(when, seconds) for when in (When.BEFORE, When.AFTER) for seconds in (28.0, 70.0))
ANYWHERE: tuple[Fate, ...] = (*map(Die, When), *STALLS)
REFUSED: tuple[Fate, ...] = (NotStarted(), Lost())
STARTED: tuple[Fate, ...] = (*REFUSED, *map(Twice, (0.0, 0.1, 10.0, 250.0)))

Choose = Callable[[str], bool]  # whether something may befall at the point of this name


def everywhere(_point: str) -> bool:
    """Chooses every point."""
    return True


def within(*functions: str) -> Choose:
    """Chooses the calls of these functions, and their starts by Step Functions."""
    return lambda point: point.partition("#")[0].rpartition(".")[2] in functions


# ---- Stories ---------------------------------------------------------------------------------------------------------

# Seeds that draw calls of a millisecond, calls of a tenth of a second, and reads that may be a second old.
# The clocks are exact in all of them.
_FAST, _SLOW, _STALE = 0, 32, 10

_ONE = Person("p1", "p1", "a1", creates_key=1, completes=((1, "p1"),), looks=(300,))
_OTHER = replace(_ONE, user="p2", visitor="p2", starts=0.5, completes=((1, "p2"),))

_PEOPLE: Mapping[str, tuple[int, tuple[Person, ...]]] = {
    "straight": (_FAST, (_ONE,)),
    "stale reads": (_STALE, (_ONE,)),
    "revoked when active": (_FAST, (replace(_ONE, revokes=(60,)),)),
    "revoked before the read": (_SLOW, (replace(_ONE, revokes=(13.2,)),)),
    "revoked after the read": (_SLOW, (replace(_ONE, revokes=(14.1,)),)),
    "forwarded": (_FAST, (replace(_ONE, visitor="p2", completes=((1, "p2"),)),)),
    "one account": (_FAST, (_ONE, _OTHER)),
    "nobody completes": (_FAST, (replace(_ONE, completes=()),)),
}

STORIES: Mapping[str, Case] = {
    f"{name} {revision.value}": Case(seed, revision, people)
    for name, (seed, people) in _PEOPLE.items()
    for revision in Revision
}

# ---- Fates -----------------------------------------------------------------------------------------------------------


def fates_of(port: str, method: str, faults: Callable[[str, str], Sequence[Fault]] = faults_of) -> Iterator[Fate]:
    """All that can befall a call of a port or, as an outcome's points have it, a "start". faults: of a call."""
    if port == "start":
        yield from STARTED if method.startswith("${") else REFUSED
        return
    for fault in faults(port, method):
        yield Fail(fault)
        if fault.effect:
            yield Fail(fault, LATE)
    yield from ANYWHERE


def longest_of(port: str, method: str) -> Sequence[Fault]:
    """Of the faults that agree in error and effect, the one that may take longest."""
    alike = {
        (fault.error, fault.effect): fault for fault in sorted(faults_of(port, method), key=lambda f: f.seconds[1])
    }
    return list(alike.values())


# ---- Runs ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tally:
    """What came of many runs. failures: a line for each that ended badly, with story, fates and violation."""

    runs: int
    failures: Sequence[str]


def singles(story: str) -> Tally:
    """Every single fate of a story."""
    points = play(STORIES[story], Told({})).points
    return _tally(story, ({point: fate} for point, port, method in points for fate in fates_of(port, method)))


def firsts(story: str, choose: Choose = everywhere) -> Sequence[tuple[str, Fate]]:
    """The first fates of a story's pairs."""
    points = play(STORIES[story], Told({})).points
    return [(p, fate) for p, port, method in points if choose(p) for fate in fates_of(port, method, longest_of)]


def pairs(story: str, first: str, fate: Fate, choose: Choose = everywhere) -> Tally:
    """Every pair of a story that has this fate at this point first."""
    points = play(STORIES[story], Told({first: fate})).points
    names = [point for point, *_ in points]
    later = points[names.index(first) + 1 :]
    seconds = ((p, fate) for p, port, method in later if choose(p) for fate in fates_of(port, method, longest_of))
    return _tally(story, ({first: fate, point: second} for point, second in seconds))


def _tally(story: str, befalling: Iterator[Mapping[str, Fate]]) -> Tally:
    runs, failures = 0, []
    for runs, fates in enumerate(befalling, 1):  # noqa: B007
        if violations := play(STORIES[story], Told(fates)).violations:
            befell = ", ".join(f"{point} {fate}" for point, fate in fates.items())
            failures.append(f"{story}: {befell}: {violations[0].invariant}: {violations[0].what}")
    return Tally(runs, failures)
