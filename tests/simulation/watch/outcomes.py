"""What connections and executions come to, and whether it is told: I9, and of I14 that an end keeps nothing."""

from collections import Counter, defaultdict
from collections.abc import Collection
from datetime import timedelta

from fastkey.domain.connection import Connection
from fastkey.domain.event import Event
from fastkey.domain.status import Status
from tests.simulation.executions import Execution
from tests.simulation.lambdas import Invocation
from tests.simulation.watch.record import ENDS, SETTLED, Record

# For so many seconds TellEvents is tried again, before an execution fails because of it.
TELLING = 3600

# What may be buried was tried for so long.
TRIED = timedelta(hours=24)

# What partners are told of, and as what.
KINDS = {
    Status.ACTIVE: "connection.activated",
    Status.DENIED: "connection.failed",
    Status.EXPIRED: "connection.failed",
    Status.FAILED: "connection.failed",
    Status.NEEDS_CONSENT: "connection.failed",
    Status.NEEDS_USER_ACTION: "connection.needs_action",
    Status.DEAD: "connection.dead",
    Status.REVOKED: "connection.revoked",
}

# What an event says: its kind, the status, the reason and, where they are what it is about, the permissions.
News = tuple[str, Status, str | None, frozenset[str]]


class Outcomes:
    """Knows what happened to connections, and what was told of it.

    By the connection's id: what there is to tell, in its order; and the ids of the events that were told, in theirs.
    """

    def __init__(self, record: Record) -> None:
        self._record = record
        self._owed: defaultdict[str, list[News]] = defaultdict(list)
        self._told: defaultdict[str, list[str]] = defaultdict(list)
        self._connected: set[str] = set()

    def saved(self, _invocation: Invocation, _result: None, before: Connection, after: Connection) -> None:
        owed = self._owed[after.connection_id]
        if after.status is not before.status and after.status in KINDS:
            owed.append((KINDS[after.status], after.status, after.reason, frozenset()))
        if after.status is Status.ACTIVE:
            self._connected.add(after.connection_id)
            if set(after.permissions) != set(before.permissions):
                news = "connection.permissions_changed", after.status, after.reason, frozenset(after.permissions)
                owed.append(news)

    def telling(self, invocation: Invocation, event: Event) -> None:
        if event not in self._record.saw(invocation).untold:
            self._record.violate("I9", f"{invocation.label}: tells {event.event_id}, which it saw told")

    def told(self, _invocation: Invocation, _result: None, event: Event) -> None:
        """An event was told, perhaps once more."""
        told, owed = self._told[event.connection_id], self._owed[event.connection_id]
        if event.event_id not in told:
            told.append(event.event_id)
        number = told.index(event.event_id)
        about = frozenset(event.permissions) if event.kind == "connection.permissions_changed" else frozenset()
        news = event.kind.value, event.status, event.reason, about
        if number >= len(owed) or owed[number] != news:
            self._record.violate("I9", f"{event.event_id} is told as {news}, which is not what happened then")

    def buried(self, invocation: Invocation, result: None, event: Event) -> None:
        self.told(invocation, result, event)
        if self._record.now < event.at + TRIED - self._record.skew:
            self._record.violate("I9", f"{event.event_id} is buried before its time")

    def execution_ended(self, execution: Execution) -> None:
        """An execution came to its end, which may be that it cannot tell its outcome."""
        assert execution.ended
        if execution.ended.status == "SUCCEEDED":
            return
        tried = execution.state == "TellEvents" and self._record.kernel.now > execution.since + TELLING
        if not tried:
            self._record.violate("I9", f"{execution.label} failed: {execution.ended.error}")

    # ---- At the end --------------------------------------------------------------------------------------------------

    def check_end(self, executions: Collection[Execution], *, untroubled: bool) -> None:
        """Nothing moves any more. untroubled: nothing befell."""
        for execution in executions:
            if execution.ended is None:
                self._record.violate("I9", f"{execution.label} has not ended")
        for connection in self._record.latest.values():
            self._check_end(connection)
        if untroubled and not self._record.plan.wild:
            self._check_untroubled()

    def _check_end(self, connection: Connection) -> None:
        connection_id, violate = connection.connection_id, self._record.violate
        if connection.status not in SETTLED:
            violate("I9", f"{connection_id} is still {connection.status}")
        kept = self._record.held(connection_id) or connection.escrow or connection.tokens
        if connection.status in ENDS and kept:
            violate("I14", f"{connection_id} is {connection.status}, and something of its key is kept")
        if len(self._told[connection_id]) < len(self._owed[connection_id]) or connection.untold:
            violate("I9", f"{connection_id} is {connection.status}, and nobody was told")

    def _check_untroubled(self) -> None:
        """Where nothing befell, whoever did nothing unusual and shares the account with nobody is connected."""
        conduct = self._record.conduct
        accounts = Counter(one.account for one in conduct.values())
        for connection_id, shown in self._record.latest.items():
            mine = conduct[connection_id]
            is_alone = accounts[mine.account] == 1 and not self._record.is_unwanted(mine.grants)
            if mine.straightforward and is_alone and connection_id not in self._connected:
                self._record.violate("I9", f"{connection_id} is {shown.status} ({shown.reason}) for no reason")
