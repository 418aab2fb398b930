"""EventBridge Scheduler in simulated time, for the functions that run each minute."""

from collections.abc import Callable
from math import ceil
from typing import TYPE_CHECKING

from fastkey.domain.connection import Connection
from fastkey.domain.status import CHECKED
from fastkey.usecases.keep_tokens import KEEP_MARGIN
from tests.simulation.kernel import BEGINNING, Process
from tests.simulation.plan import DAY, NotStarted, Twice

if TYPE_CHECKING:
    from tests.simulation.world import Simulation

# For so many seconds tokens are kept. It would go on for ever, and always be the same.
KEPT = 3600.0

# From when a connection needs a function, in seconds since the beginning; None where it does not.
Due = Callable[[Connection], float | None]


class Schedule:
    """Runs a function at each minute at which something is due for it: at any other it finds nothing."""

    def __init__(self, simulation: "Simulation", function: str, due: Due) -> None:
        self._simulation = simulation
        self._function = function
        self._due = due
        self._planned: set[float] = set()

    def plan(self, connection: Connection) -> None:
        """The connection was stored."""
        if (due := self._due(connection)) is not None:
            self._run_at(due)

    def _run_at(self, moment: float) -> None:
        now = self._simulation.kernel.now
        minute = ceil(max(moment, now) / 60) * 60.0
        if minute not in self._planned:
            self._planned.add(minute)
            self._simulation.kernel.start(Process(f"schedule of {self._function}", self._run), minute - now)

    def _run(self) -> None:
        simulation = self._simulation
        if not any(self._is_due(connection) for connection in simulation.fakes.connections.all()):
            return
        fate = simulation.fate_of_start(f"schedule.{self._function}.start", f"${{{self._function}}}")
        if not isinstance(fate, NotStarted):
            simulation.start(self._function, "schedule", {})
        if isinstance(fate, Twice):
            simulation.start(self._function, "schedule", {}, fate.delay)
        # What a run did not get to, or could not do, is due still.
        self._run_at(simulation.kernel.now + 1)

    def _is_due(self, connection: Connection) -> bool:
        """Whether it is to be done now. What nobody has done a day after the last fault, nobody ever will."""
        due, now = self._due(connection), self._simulation.kernel.now
        return due is not None and due <= now < max(due, self._simulation.plan.until) + DAY


def guarding(days: float) -> Due:
    """When GuardKeys is needed. Keys are tried for so many days; what is to be told or given up is due always."""

    def due(connection: Connection) -> float | None:
        if connection.due_at is None:
            return None
        at = (connection.due_at - BEGINNING).total_seconds()
        is_check = connection.status in CHECKED and not connection.untold
        return None if is_check and at > days * DAY else at

    return due


def keeping(connection: Connection) -> float | None:
    """When KeepTokens is needed."""
    if connection.refresh_by is None:
        return None
    at = (connection.refresh_by - KEEP_MARGIN - BEGINNING).total_seconds()
    return at if at < KEPT else None
