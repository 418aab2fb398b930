"""What has happened in a run, as far as more than one check needs it."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from fastkey.domain.authorization import Authorization
from fastkey.domain.connection import Connection
from fastkey.domain.key import CapturedKey
from fastkey.domain.permissions import Ability
from fastkey.domain.status import Status
from fastkey.ports import Page
from tests.fakes.world import FakeWorld
from tests.simulation.kernel import BEGINNING, Kernel
from tests.simulation.lambdas import Invocation
from tests.simulation.plan import OFF, WILDLY_OFF, Plan

# Where a connection has a key, or is on its way to one or from one.
CHECKED = {Status.ACTIVE, Status.DEAD}
LIVE = {Status.CAPTURING, Status.VERIFYING, Status.CLOSING, Status.REVOKING, *CHECKED}
ENDS = {Status.REVOKED, Status.DENIED, Status.EXPIRED, Status.FAILED, Status.NEEDS_CONSENT, Status.NEEDS_USER_ACTION}
REVOKED = {Status.REVOKING, Status.REVOKED}
OVER = REVOKED | ENDS

# Where nobody does anything by himself any more.
SETTLED = {*ENDS, *CHECKED}

# What a partner who wants no more than this does not want, by WhiteBIT's names; and what nobody knows.
UNWANTED = {
    Ability.READ: {"trading", "convert", "withdraw", "new"},
    Ability.TRADE: {"withdraw", "new"},
    Ability.WITHDRAW: set[str](),
}

# What looked at the time in time may act a little later: a function behind the gateway has 29 s.
REQUEST = timedelta(seconds=30)

# So long a consent that has expired is pending, because a request that came in time may still be under way.
UNDER_WAY = timedelta(seconds=35)


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant that did not hold. at: seconds since the beginning."""

    invariant: str
    what: str
    at: float


@dataclass(slots=True)
class Conduct:
    """What people did about a connection, and what they were told, as they say themselves.

    account: at WhiteBIT. grants: what the key may do. forwarded: whether another user than its own consented.
    straightforward: whether it connects, if nothing else goes wrong. completed: whether its own user sent the
    completion; refused: whether one was refused. visitor_told: what whoever consented was told when completing.
    """

    account: str = ""
    grants: tuple[str, ...] = ()
    forwarded: bool = False
    straightforward: bool = False
    completed: bool = False
    refused: bool = False
    visitor_told: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Departure:
    """A browser that left for WhiteBIT. cookie: as the browser sends it back. at: when."""

    cookie: str
    challenge: str
    at: datetime


class Record:
    """What is known from outside, by watching the calls.

    violations: what did not hold. conduct, latest: by the connection's id; latest is the connection as it was last
    stored, also when the table has forgotten it. seen: the connection as an invocation knows it. departures: by their
    state. skew: between any two clocks, at most.
    """

    def __init__(self, fakes: FakeWorld, kernel: Kernel, plan: Plan) -> None:
        self.fakes = fakes
        self.kernel = kernel
        self.plan = plan
        self.skew = timedelta(seconds=2 * (WILDLY_OFF if plan.wild else OFF))
        self.violations: list[Violation] = []
        self.conduct: defaultdict[str, Conduct] = defaultdict(Conduct)
        self.latest: dict[str, Connection] = {}
        self.seen: dict[tuple[Invocation, str], Connection] = {}
        self.departures: dict[str, Departure] = {}

    @property
    def now(self) -> datetime:
        """The true time."""
        return self.at(self.kernel.now)

    def at(self, seconds: float) -> datetime:
        """So long after the beginning."""
        return BEGINNING + timedelta(seconds=seconds)

    def violate(self, invariant: str, what: str) -> None:
        """Notes that an invariant did not hold."""
        self.violations.append(Violation(invariant, what, self.kernel.now))

    def held(self, connection_id: str) -> CapturedKey | None:
        """The key as it is stored, in either vault."""
        return self.fakes.chosen_vault.truth(connection_id) or self.fakes.other_vault.truth(connection_id)

    def is_unwanted(self, permissions: Collection[str]) -> bool:
        """Whether a key with these may do more than the partner wants."""
        return not UNWANTED[self.fakes.policy.maximum_permissions].isdisjoint(permissions)

    def saw(self, invocation: Invocation) -> Connection:
        """Its connection, as this invocation knows it."""
        return self.seen[invocation, invocation.connection_id or ""]

    # ---- Calls that had their effect ---------------------------------------------------------------------------------

    def found(self, invocation: Invocation, authorization: Authorization | None, _state: Any) -> None:
        if authorization is not None:
            invocation.connection_id = authorization.connection_id

    def added(self, _invocation: Invocation, _result: None, connection: Connection) -> None:
        self.latest[connection.connection_id] = connection

    def got(self, invocation: Invocation, connection: Connection, connection_id: str) -> None:
        # Of several, the schedule's functions look at one after the other.
        invocation.connection_id = connection_id
        self.seen[invocation, connection_id] = connection

    def paged(self, invocation: Invocation, page: Page, _user_id: str, _cursor: str | None) -> None:
        for connection in page.connections:
            self.seen[invocation, connection.connection_id] = connection

    def saved(self, _invocation: Invocation, _result: None, _before: Connection, after: Connection) -> None:
        self.latest[after.connection_id] = after

    # ---- And an answer -----------------------------------------------------------------------------------------------

    def heard_of_save(self, invocation: Invocation, _before: Connection, after: Connection) -> None:
        self.seen[invocation, after.connection_id] = after
