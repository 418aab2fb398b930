"""One run: what a seed decides, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from local.whitebit import Revision
from tests.simulation.dice import Dice
from tests.simulation.people import Life, Person, draw
from tests.simulation.plan import Drawn, Fate, Plan
from tests.simulation.watch import Violation
from tests.simulation.world import Simulation

HORIZON = 40 * 86400.0  # seconds; the longest that anything waits is a day


@dataclass(frozen=True, slots=True)
class Case:
    """All that decides a run. only: the points at which something may befall; all, where it is None."""

    seed: int
    revision: Revision
    people: tuple[Person, ...]
    only: frozenset[str] | None = None

    @classmethod
    def of(cls, seed: int) -> "Case":
        """What the seed decides."""
        dice = Dice(seed)
        return cls(seed, dice.choose("revision", tuple(Revision)), draw(dice))

    def plan(self) -> Plan:
        return Drawn(Dice(self.seed), self.only)


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
    simulation = Simulation(case.revision, Dice(case.seed), plan or case.plan())
    for person in case.people:
        Life(simulation, person)
    simulation.run(HORIZON)
    # What nobody came back for expires by itself.
    simulation.kernel.now += 3600
    simulation.check_end()
    now = simulation.fakes.clock.now()
    shown = [connection.as_of(now) for connection in simulation.fakes.connections.all()]
    ends = [(connection.status.value, connection.reason) for connection in shown]
    return Outcome(simulation.watch.violations, simulation.trace, simulation.fates, ends, simulation.points)
