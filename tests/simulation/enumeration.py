"""All that one fault can do, and all that two can: every fate at every point of some stories, and their ordered pairs.

A story is a case in which the people do what is written here; its seed decides only how long a call takes and how stale
a read may be. What can befall is not drawn, but enumerated:

- at each call of a port: each fault of that call, and again with its effect 1.5 s late where it has one; a death before
  the call, during it and after it; a stall of 28 s (longer than a client's patience) and of 70 s (longer than most
  functions live), before the effect and after it; and the caller's clock jumps by as much as clocks may be off;
- at each start of a function by Step Functions or the schedule: it is refused; its answer is lost; it runs twice, 0,
  0.1, 10 and 250 s apart;
- at each other task of a state machine: it is refused; its answer is lost.

A pair is a single fate, and a second one at a point that comes after it in the run with the first, so also where only
the first leads. Of a call's faults that agree in error, effect and lateness, pairs have only the one that may take
longest: to the code under test the others differ in their time alone. For that they have two stalls, one that delays
the effect and one that delays the answer. Of the deaths at a call that changes nothing they have one, and no clock
jumps. The singles leave nothing out. What no pair has: two fates of one call, three fates, and other latencies, waits
and clocks than its story's. The seeds draw those.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count

from fastkey.domain.permissions import Ability
from local.whitebit import Revision
from tests.simulation.dice import Dice
from tests.simulation.faults import faults_of
from tests.simulation.moving import NOT_MOVING, PASSES, Change, Moving
from tests.simulation.people import Person
from tests.simulation.plan import DAY, OFF, Die, Fail, Fate, Jump, Lost, NotStarted, Stall, Told, Twice, When
from tests.simulation.run import Case, Outcome, play
from tests.simulation.world import Conditions

LATE = 1.5
STALLS: tuple[Fate, ...] = tuple(Stall(when, seconds) for when in (When.BEFORE, When.AFTER) for seconds in (28.0, 70.0))
ANYWHERE: tuple[Fate, ...] = (*map(Die, When), *STALLS, Jump(OFF), Jump(-OFF))
PAIRED_STALLS = Stall(When.BEFORE, 28.0), Stall(When.AFTER, 70.0)
REFUSED: tuple[Fate, ...] = (NotStarted(), Lost())
STARTED: tuple[Fate, ...] = (*REFUSED, *map(Twice, (0.0, 0.1, 10.0, 250.0)))

ANSWERED_ONCE = ("whitebit.exchange_code", "whitebit.refresh_token", "whitebit.read_secret")

End = tuple[str, str | None]  # the status and the reason of a connection
Choose = Callable[[str], bool]  # whether something may befall at the point of this name


def everywhere(_point: str) -> bool:
    """Chooses every point."""
    return True


def function_of(point: str) -> str:
    """The function that makes the call of this name, or that is started."""
    return point.partition("#")[0].rpartition(".")[2]


def places(points: Sequence[tuple[str, str, str]]) -> Mapping[str, str]:
    """Where in the code each call of a run was made, by the call's name, in the words of docs/guarantees.md.

    "whitebit.read_secret", and what else WhiteBIT answers once; "chosen_vault.store after whitebit.read_secret", up to
    the write that keeps the answer; for every other call "connections.get of Callback".
    """
    found, unkept = {}, {}
    for point, port, method in points:
        invocation, call = point.partition(" ")[0], f"{port}.{method}"
        if call in ANSWERED_ONCE:
            found[point], unkept[invocation] = call, call
        elif invocation in unkept:
            found[point] = f"{call} after {unkept[invocation]}"
            if call == "connections.save":
                del unkept[invocation]
        else:
            found[point] = f"{call} of {function_of(point)}"
    return found


def within(*functions: str) -> Choose:
    """Chooses the calls of these functions, and their starts by Step Functions."""
    return lambda point: function_of(point) in functions


# ---- Stories ---------------------------------------------------------------------------------------------------------


def _seed(conditions: Conditions) -> int:
    """The first seed with these conditions."""
    return next(seed for seed in count() if Conditions.of(Dice(seed)) == conditions)


_FAST = _seed(Conditions(latency=0.002, lag=0.0, skew=0.0))
_SLOW = _seed(Conditions(latency=0.2, lag=0.0, skew=0.0))
# The first with reads that are a second behind where the vault's place does not show when the secret is to be stored.
_STALE = 150

_ONE = Person("p1", "p1", "a1", creates_key=1, completes=((1, "p1"),), looks=(300,), lists=(300,))
_OTHER = replace(_ONE, user="p2", visitor="p2", starts=0.5, completes=((1, "p2"),))
_EITHER, _AUGUST = tuple(Revision), (Revision.AUGUST_2026,)

# What is late meets tokens that are about to end, which they do so soon in one revision alone.
_PEOPLE: Mapping[str, tuple[int, tuple[Revision, ...], tuple[Person, ...]]] = {
    "straight": (_FAST, _EITHER, (_ONE,)),
    "stale reads": (_STALE, _EITHER, (_ONE,)),
    "declined": (_FAST, _AUGUST, (replace(_ONE, decision="deny", creates_key=None, completes=()),)),
    "exchange refused": (_FAST, _EITHER, (replace(_ONE, returns=(3,), suffers=((7, "withdraws"),)),)),
    "forwarded": (_FAST, _EITHER, (replace(_ONE, visitor="p2", completes=((1, "p2"),)),)),
    "nobody completes": (_FAST, _EITHER, (replace(_ONE, completes=()),)),
    "completed late": (_FAST, _AUGUST, (replace(_ONE, completes=((210, "p1"),)),)),
    "locked": (_FAST, _AUGUST, (replace(_ONE, completes=((198, "p1"),), locks=((190, 18),)),)),
    "one account": (_FAST, _AUGUST, (_ONE, _OTHER)),
    "revoked before the completion": (_FAST, _EITHER, (replace(_ONE, completes=((9, "p1"),), revokes=(9,)),)),
    "revoked before the read": (_SLOW, _AUGUST, (replace(_ONE, revokes=(13.2,)),)),
    "revoked after the read": (_SLOW, _EITHER, (replace(_ONE, revokes=(14.1,)),)),
    "revoked when active": (_FAST, _EITHER, (replace(_ONE, revokes=(60,)),)),
    "revoked late": (_FAST, _AUGUST, (replace(_ONE, revokes=(240,)),)),
    "refreshed beside": (_FAST, _AUGUST, (replace(_ONE, completes=((240, "p1"),), refreshes=(230,)),)),
    "left": (_FAST, _AUGUST, (replace(_ONE, decision="leave", creates_key=None),)),
    "may do too much": (_FAST, _AUGUST, (replace(_ONE, grants=("wallet", "withdraw")),)),
    "kept": (_FAST, _AUGUST, (replace(_ONE, keep_token=True, revokes=(1000,)),)),
    "removed one day": (_FAST, _AUGUST, (replace(_ONE, suffers=((2 * DAY, "removes the key"),)),)),
    "moved": (_FAST, _AUGUST, (_ONE,)),
    "moved to and fro": (_FAST, _AUGUST, (_ONE,)),
    "moved late": (_FAST, _AUGUST, (_ONE,)),
    "revoked while moved": (_FAST, _AUGUST, (replace(_ONE, revokes=(61.003,)),)),
}

_TO_DYNAMODB = Change(after=60, begins=1, patience=300, runs=PASSES)
_BACK_AT_ONCE = Change(after=2, begins=1, patience=300, runs=PASSES)

# What an operator does about the vault, where it is anything.
_MOVING = {
    "moved": Moving(changes=(_TO_DYNAMODB,)),
    "moved to and fro": Moving(changes=(replace(_TO_DYNAMODB, patience=5, runs=1), _BACK_AT_ONCE)),
    "moved late": Moving(changes=(replace(_TO_DYNAMODB, begins=8 * DAY),)),
    "revoked while moved": Moving(changes=(_TO_DYNAMODB,)),
}

# For how many days keys are tried, where they are.
_DAYS = {"moved late": 10.0, "removed one day": 63.0}

STORIES: Mapping[str, Case] = {
    f"{name} {revision.value}": Case(
        seed, revision, people, days=_DAYS.get(name, 0), most=Ability.TRADE, moving=_MOVING.get(name, NOT_MOVING)
    )
    for name, (seed, revisions, people) in _PEOPLE.items()
    for revision in revisions
}

# ---- Fates -----------------------------------------------------------------------------------------------------------


def fates_of(port: str, method: str) -> Iterator[Fate]:
    """All that can befall a call of a port or, as an outcome's points have it, a "start"."""
    if port == "start":
        yield from STARTED if method.startswith("${") else REFUSED
        return
    for fault in faults_of(port, method):
        yield Fail(fault)
        if fault.effect:
            yield Fail(fault, LATE)
    yield from ANYWHERE


def distinct_fates_of(port: str, method: str) -> Iterable[Fate]:
    """Those of them that differ in more than the time that they take, for which two stalls stand."""
    rest = (fate for fate in fates_of(port, method) if fate in PAIRED_STALLS or not isinstance(fate, Stall | Jump))
    fates = sorted(rest, key=lambda fate: fate.fault.seconds[1] if isinstance(fate, Fail) else 0)
    has_effect = any(isinstance(fate, Fail) and fate.fault.effect for fate in fates)
    return {_what_differs(fate, has_effect=has_effect): fate for fate in fates}.values()


def _what_differs(fate: Fate, *, has_effect: bool) -> object:
    match fate:
        case Fail(fault, late):
            return fault.error, fault.effect, late
        case Die() if not has_effect:
            return Die
        case _:
            return fate


# ---- Runs ------------------------------------------------------------------------------------------------------------


def singles(story: str) -> Iterator[tuple[str, Fate, Outcome]]:
    """Every single fate of a story: where it befalls, and what comes of it."""
    for point, port, method in play(STORIES[story], Told({})).points:
        for fate in fates_of(port, method):
            yield point, fate, play(STORIES[story], Told({point: fate}))


def firsts(story: str, choose: Choose = everywhere) -> Sequence[tuple[str, Fate]]:
    """The first fates of a story's pairs."""
    points = play(STORIES[story], Told({})).points
    return [(p, fate) for p, port, method in points if choose(p) for fate in distinct_fates_of(port, method)]


@dataclass(frozen=True, slots=True)
class Tally:
    """What came of many runs. failures: a line for each that ended badly, with story, fates and violation."""

    runs: int
    failures: Sequence[str]


def pairs(story: str, first: str, fate: Fate, choose: Choose = everywhere) -> Tally:
    """Every pair of a story that has this fate at this point first."""
    points = play(STORIES[story], Told({first: fate})).points
    names = [point for point, *_ in points]
    later = points[names.index(first) + 1 :]
    runs, failures = 0, []
    for point, port, method in later:
        for second in distinct_fates_of(port, method) if choose(point) else ():
            runs += 1
            if violations := play(STORIES[story], Told({first: fate, point: second})).violations:
                befell = f"{first} {fate}, {point} {second}"
                failures.append(f"{story}: {befell}: {violations[0].invariant}: {violations[0].what}")
    return Tally(runs, failures)
