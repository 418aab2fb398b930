"""One run: what a seed decides, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastkey.domain.permissions import Ability
from local.whitebit import Revision
from tests.simulation.dice import Dice
from tests.simulation.kernel import Process
from tests.simulation.moving import NOT_MOVING, Moving, Operator
from tests.simulation.people import Life, Person, draw
from tests.simulation.plan import DAY, Drawn, Fate, Plan
from tests.simulation.schedule import KEPT
from tests.simulation.watch import Violation
from tests.simulation.world import Simulation

HORIZON = 90 * DAY  # longer than keys are tried


# For how many days keys are tried: mostly for none, for that takes as long as all that comes before.
DAYS = (*[0.0] * 7, 21.0, 21.0, 63.0)

MOST = (*[Ability.WITHDRAW] * 18, Ability.TRADE, Ability.READ)


@dataclass(frozen=True, slots=True)
class Case:
    """All that decides a run. only: the points at which something may befall; all, where it is None. days: for how many
    keys are tried. most: what the partner wants a key to be able to at most. moving: what becomes of the vault.
    """

    seed: int
    revision: Revision
    people: tuple[Person, ...]
    only: frozenset[str] | None = None
    days: float = 0
    most: Ability = Ability.WITHDRAW
    moving: Moving = NOT_MOVING

    @classmethod
    def of(cls, seed: int) -> "Case":
        """What the seed decides."""
        dice = Dice(seed)
        days, most = dice.choose("days", DAYS), dice.choose("most", MOST)
        revision = dice.choose("revision", tuple(Revision))
        moving = Moving.draw(dice)
        return cls(seed, revision, draw(dice, days, moving), days=days, most=most, moving=moving)

    def plan(self) -> Plan:
        return Drawn(Dice(self.seed), self.only, self.days)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run. ends: the status and reason of each connection. fates: what befell, by point.

    points: where something could have befallen, in their order: its name, and the port and the method that was called,
    or "start" and what Step Functions started.
    """

    violations: Sequence[Violation]
    trace: Sequence[tuple[float, str, str]]
    fates: dict[str, Fate]
    ends: Sequence[tuple[str, str | None]]
    points: Sequence[tuple[str, str, str]]


def play(case: Case, plan: Plan | None = None) -> Outcome:
    """Runs a case. plan: what befalls, where it is not the seed that says so."""
    dice, first = Dice(case.seed), case.moving.first
    simulation = Simulation(case.revision, dice, plan or case.plan(), case.days, case.most, first)
    for person in case.people:
        Life(simulation, person)
    Operator(simulation, case.moving)
    simulation.kernel.start(Process("somebody who looks", simulation.watch.check_kept), KEPT)
    simulation.run(HORIZON)
    simulation.check_end()
    ends = [(connection.status.value, connection.reason) for connection in simulation.fakes.connections.all()]
    return Outcome(simulation.watch.violations, simulation.trace, simulation.fates, ends, simulation.points)
