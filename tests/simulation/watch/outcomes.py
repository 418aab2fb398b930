"""What connections and executions come to, and whether it is told: I9, and of I14 that an end keeps nothing."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from fastkey.domain.connection import Connection
from fastkey.domain.status import Status
from tests.simulation.executions import Execution
from tests.simulation.lambdas import Invocation
from tests.simulation.watch.record import ENDS, SETTLED, Record

# For so many seconds PutEvents is asked again, before an execution fails because of it.
TELLING = 3600

Outcome = tuple[Status, str | None]


class Outcomes:
    """Knows the ends, by the connection's id: a status and a reason each.

    reached: each that a connection came to, and whether a workflow owes an event; told: those of which the execution
    knows that they were told; untellable: where none could be.
    """

    def __init__(self, record: Record) -> None:
        self._record = record
        self._reached: defaultdict[str, dict[Outcome, bool]] = defaultdict(dict)
        self._told: set[tuple[str, Outcome]] = set()
        self._untellable: set[str] = set()

    def saved(self, invocation: Invocation, _result: None, _before: Connection, after: Connection) -> None:
        if after.status in SETTLED:
            owed = invocation.function.name != "Callback"
            self._reached[after.connection_id][after.status, after.reason] = owed

    def event(self, entry: Mapping[str, Any], *, heard: bool) -> None:
        """An event was told. heard: whether the execution knows that."""
        told, violate = entry["Detail"], self._record.violate
        connection_id, outcome = told["connection_id"], (told["status"], told["reason"])
        if outcome not in self._reached[connection_id] or entry["DetailType"] != f"connection.{told['status']}":
            violate("I9", f"{connection_id} is told to be {outcome}, which it is not")
        if (connection_id, outcome) in self._told:
            violate("I9", f"{connection_id} is told once more to be {outcome}")
        if heard:
            self._told.add((connection_id, outcome))

    def execution_ended(self, execution: Execution) -> None:
        """An execution came to its end, which may be that it cannot tell its outcome."""
        assert execution.ended
        if execution.ended.status == "SUCCEEDED":
            return
        since, error = execution.untold_since, execution.ended.error or ""
        if error.startswith("EventBridge.") and since is not None and self._record.kernel.now > since + TELLING:
            self._untellable.add(execution.connection_id)
        else:
            self._record.violate("I9", f"{execution.label} failed: {error}")

    # ---- At the end --------------------------------------------------------------------------------------------------

    def check_end(self, executions: Collection[Execution], *, untroubled: bool) -> None:
        """Nothing moves any more. untroubled: nothing befell."""
        for execution in executions:
            if execution.ended is None:
                self._record.violate("I9", f"{execution.label} has not ended")
        for shown in self._record.shown():
            self._check_end(shown)
        if untroubled and not self._record.plan.wild:
            self._check_untroubled()

    def _check_end(self, shown: Connection) -> None:
        connection_id, violate = shown.connection_id, self._record.violate
        if shown.status not in SETTLED:
            violate("I9", f"{connection_id} is still {shown.status}")
        kept = self._record.fakes.vault.truth(connection_id) or shown.escrow or shown.tokens
        if shown.status in ENDS and kept:
            violate("I14", f"{connection_id} is {shown.status}, and something of its key is kept")
        outcome = shown.status, shown.reason
        is_told = (connection_id, outcome) in self._told or connection_id in self._untellable
        if self._reached[connection_id].get(outcome) and not is_told:
            violate("I9", f"{connection_id} is {shown.status}, and nobody was told")

    def _check_untroubled(self) -> None:
        """Where nothing befell, whoever did nothing unusual and shares the account with nobody is connected."""
        conduct = self._record.conduct
        accounts = Counter(one.account for one in conduct.values())
        for shown in self._record.shown():
            mine = conduct[shown.connection_id]
            if mine.straightforward and accounts[mine.account] == 1 and shown.status is not Status.ACTIVE:
                what = f"{shown.connection_id} is {shown.status} ({shown.reason}) for no reason"
                self._record.violate("I9", what)
