"""What must hold, checked after every step. The numbers are those of docs/guarantees.md.

Nothing here asks the code under test what it thinks: what a person did, what WhiteBIT gave and what was stored is seen
by watching the calls.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from fastkey.domain.authorization import code_challenge
from fastkey.domain.connection import Connection
from fastkey.domain.errors import ConsentLost, ExchangeRefused, FastkeyError, KeyGone, KeyUnusable, SecretLost
from fastkey.domain.status import Status
from fastkey.entry.http import describe
from fastkey.ports import Page
from tests.fakes.system import CANARY
from tests.fakes.whitebit import IssuedKey
from tests.fakes.world import FakeWorld
from tests.simulation.asl import Failure
from tests.simulation.kernel import BEGINNING, Kernel
from tests.simulation.lambdas import Invocation
from tests.simulation.plan import OFF, WILDLY_OFF, Plan

if TYPE_CHECKING:
    from tests.simulation.executions import Execution

# What looked at the time in time may act a little later: a function behind the gateway has 29 s.
REQUEST = timedelta(seconds=30)

# So long it is shown as pending, because a request that came in time may still be under way.
UNDER_WAY = timedelta(seconds=35)

# Reading a secret and storing it takes no longer, with every limit and retry used up.
TIME_TO_KEEP = timedelta(seconds=136)

# Where a connection has a key, or is on its way to one or from one.
LIVE = {Status.CAPTURING, Status.VERIFYING, Status.CLOSING, Status.ACTIVE, Status.REVOKING}
ENDS = {Status.REVOKED, Status.DENIED, Status.EXPIRED, Status.FAILED, Status.NEEDS_CONSENT, Status.NEEDS_USER_ACTION}
REVOKED = {Status.REVOKING, Status.REVOKED}

# What WhiteBIT says for good.
FINAL = ConsentLost, ExchangeRefused, KeyGone, KeyUnusable, SecretLost

# For so many seconds PutEvents is asked again, before an execution fails because of it.
TELLING = 3600

# Where a key may be left, its user reads one of these.
REMOVE = re.compile(r"\bremove (it|that)\b", re.I)

# A copy of the secret may be given up for these: nobody wants it, or it opens nothing.
WORTHLESS = {"revoked", "key_gone", "key_unusable"}

# How often a connection may ask WhiteBIT: twice as often as any did in 10,000 seeds. It looks for the key every second
# for half a minute and every five for ten minutes; a read is tried seven times; when nobody answers, a key is tried
# eleven times every eleven minutes for a day, and a revocation asks for the deletion and for new tokens eighty times.
BUDGET = {
    "whitebit.exchange_code": 1,
    "whitebit.key_info": 320,
    "whitebit.read_secret": 16,
    "whitebit.refresh_token": 150,
    "whitebit.try_key": 2000,
    "whitebit.delete_key": 130,
}


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant that did not hold. at: seconds since the beginning."""

    invariant: str
    what: str
    at: float


@dataclass(slots=True)
class Followed:
    """What is known of a connection from outside.

    latest: as it was last stored, also when the table has forgotten it. forwarded: whether another user than its own
    consented; visitor_told: what whoever consented was told when completing. looked: who looked for its key last, and
    when. settled_at: since when nobody looks any more. given: who got its secret, and was not kept from storing it by
    anything that befell. outcomes: each status and reason to which it came, and whether a workflow owes an event; told:
    those of which one was told. untellable: whether no event could be.
    """

    latest: Connection | None = None
    account: str = ""
    forwarded: bool = False
    visitor_told: list[str] = field(default_factory=list)
    straightforward: bool = False
    completed: bool = False
    refused: bool = False
    authorized_at: datetime | None = None
    looked: tuple[Invocation, datetime] | None = None
    settled_at: datetime | None = None
    durable: bool = False
    signed: bool = False
    useless: bool = False
    generation: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    final: set[tuple[str, str]] = field(default_factory=set)
    reading: set[Invocation] = field(default_factory=set)
    given: set[Invocation] = field(default_factory=set)
    refreshing: Invocation | None = None
    outcomes: dict[tuple[Status, str | None], bool] = field(default_factory=dict)
    told: set[tuple[str, str | None]] = field(default_factory=set)
    untellable: bool = False


class Watch:
    """Sees every call, answer and event of a run. violations: what did not hold."""

    def __init__(self, fakes: FakeWorld, kernel: Kernel, plan: Plan) -> None:
        self.violations: list[Violation] = []
        self.connections: defaultdict[str, Followed] = defaultdict(Followed)
        self._fakes = fakes
        self._kernel = kernel
        self._plan = plan
        self._skew = timedelta(seconds=2 * (WILDLY_OFF if plan.wild else OFF))  # between any two clocks
        self._codes: Counter[str] = Counter()
        self._departures: dict[str, tuple[str, str, datetime]] = {}
        self._completions: set[str] = set()
        self._leases: dict[tuple[Invocation, str], datetime] = {}
        self._seen: dict[tuple[Invocation, str], Connection] = {}
        self._calling: Mapping[str, Callable[..., None]] = {
            "vault.shred": self._shredding,
            "whitebit.exchange_code": self._exchanging,
            "whitebit.read_secret": self._reading,
            "whitebit.refresh_token": self._refreshing,
            "whitebit.try_key": self._signing,
        }
        self._after: Mapping[str, Callable[..., None]] = {
            "authorizations.find": self._found,
            "connections.add": self._added,
            "connections.get": self._got,
            "connections.page": self._paged,
            "connections.save": self._saved,
            "vault.store": self._stored,
            "vault.shred": self._shredded,
            "whitebit.delete_key": self._deleted,
            "whitebit.try_key": self._signed,
        }

    # ---- What the simulation tells -----------------------------------------------------------------------------------

    def calling(self, call: str, invocation: Invocation, args: tuple[Any, ...]) -> None:
        """A call begins."""
        followed = self._of(invocation)
        if call not in _STORING:
            followed.reading.discard(invocation)
        if call in BUDGET:
            self._within_budget(call, invocation, followed, args)
        if handle := self._calling.get(call):
            handle(invocation, followed, *args)

    def after(
        self, call: str, invocation: Invocation, args: tuple[Any, ...], result: Any, error: FastkeyError | None
    ) -> None:
        """A call had its effect, or was refused."""
        if call in _LOOKING:
            self._of(invocation).looked = (invocation, self._now)
        if error is not None:
            self._refused(call, invocation, args, error)
        elif handle := self._after.get(call):
            handle(invocation, result, *args)

    def told(self, call: str, invocation: Invocation, args: tuple[Any, ...]) -> None:
        """An answer reached the function."""
        if call == "whitebit.read_secret":
            self._of(invocation).given.add(invocation)
        elif call == "connections.save":
            _, after = args
            self._seen[invocation, after.connection_id] = after

    def failed(self, call: str, invocation: Invocation) -> None:
        """What befell a call reached the function. Where the vault fails, the escrow can still keep a secret."""
        if call != "vault.store":
            self._of(invocation).given.discard(invocation)

    def told_no(self, call: str, invocation: Invocation, args: tuple[Any, ...], error: FastkeyError) -> None:
        """A refusal reached the function."""
        if isinstance(error, FINAL):
            invocation.refusals[call, _who(invocation, call, args)] = type(error).__name__

    def heard(self, invocation: Invocation) -> None:
        """An invocation's answer reached the state machine: what WhiteBIT refused may not be asked again.

        But for a function that failed otherwise, which may not have been able to say or to keep what it was told.
        """
        failure = invocation.answer.error if isinstance(invocation.answer, Failure) else None
        kept = (asked for asked, error in invocation.refusals.items() if failure in (None, error))
        self._of(invocation).final.update(kept)

    def crashed(self, failure: Failure) -> None:
        """A function told its invoker that it failed."""
        self._no_secret("an error", failure.cause)

    def answer(self, invocation: Invocation, answer: Mapping[str, Any]) -> None:
        """A browser or a frontend got an answer."""
        name, body, cookies = invocation.function.name, answer["body"], answer["cookies"]
        headers = dict(answer["headers"])
        # What the protocol has to hand over travels there, and nowhere else.
        match name, answer["statusCode"]:
            case "StartConnection", 201:
                body = "".join(value for field, value in json.loads(body).items() if field != "authorize_url")
            case "Authorize", 302:
                headers["Location"] = self._departed(headers["Location"], cookies[0])
                cookies = ()
            case "Callback", 303:
                headers["Location"] = self._returned(headers["Location"])
            case ("GetConnection", 200) | ("CompleteConnection" | "RevokeConnection", 202):
                document = json.loads(body)
                for shown in document.get("connections", [document]):
                    self._shown(invocation, shown)
        self._no_secret(f"the answer of {name}", body, *headers.values(), *cookies)

    def history(self, payload: Any, answer: Any) -> None:
        """An execution history has a new entry."""
        self._no_secret("a history", str(payload), str(answer))

    def event(self, payload: Any, *, heard: bool) -> None:
        """An event was told. heard: whether the execution knows that."""
        self._no_secret("an event", str(payload))
        entry = payload["Entries"][0]
        told = entry["Detail"]
        connection_id, outcome = told["connection_id"], (told["status"], told["reason"])
        followed = self.connections[connection_id]
        if outcome not in followed.outcomes or entry["DetailType"] != f"connection.{told['status']}":
            self.violate("I9", f"{connection_id} is told to be {outcome}, which it is not")
        if outcome in followed.told:
            self.violate("I9", f"{connection_id} is told once more to be {outcome}")
        if heard:
            followed.told.add(outcome)

    def execution_ended(self, execution: "Execution") -> None:
        """An execution came to its end, which may be that it cannot tell its outcome."""
        assert execution.ended
        if execution.ended.status == "SUCCEEDED":
            return
        since, error = execution.untold_since, execution.ended.error or ""
        if error.startswith("EventBridge.") and since is not None and self._kernel.now > since + TELLING:
            self.connections[execution.connection_id].untellable = True
        else:
            self.violate("I9", f"{execution.label} failed: {error}")

    def violate(self, invariant: str, what: str) -> None:
        """Notes that an invariant did not hold."""
        self.violations.append(Violation(invariant, what, self._kernel.now))

    # ---- Before a call -----------------------------------------------------------------------------------------------

    def _within_budget(self, call: str, invocation: Invocation, followed: Followed, args: tuple[Any, ...]) -> None:
        followed.calls[call] += 1
        if followed.calls[call] > BUDGET[call]:
            self.violate("I13", f"{invocation.label}: {call} for the {followed.calls[call]}th time")
        if (call, _who(invocation, call, args)) in followed.final:
            self.violate("I13", f"{invocation.label}: {call} again after a final answer")

    def _exchanging(self, invocation: Invocation, _: Followed, code: Any, verifier: Any) -> None:
        self._codes[code.reveal()] += 1
        if self._codes[code.reveal()] > 1:
            self.violate("I1", f"{invocation.label}: a code is sent again")
        sent = parse_qs(invocation.event["rawQueryString"])
        state = sent["state"][0]
        departed = self._departures.get(state)
        if departed is None:
            self.violate("I2", f"{invocation.label}: an exchange for a state that nobody left with")
            return
        cookie, challenge, at = departed
        if cookie not in invocation.event.get("cookies", ()):
            self.violate("I2", f"{invocation.label}: an exchange without the browser's cookie")
        if code_challenge(verifier) != challenge:
            self.violate("I2", f"{invocation.label}: an exchange with another's verifier")
        if self._now > at + timedelta(minutes=10) + REQUEST + self._skew:
            self.violate("I11", f"{invocation.label}: an exchange for a state that had expired")

    def _reading(self, invocation: Invocation, followed: Followed, _token: Any, _external_id: str) -> None:
        if not followed.completed or followed.refused:
            self.violate("I2", f"{invocation.label}: a capture that the user who started did not complete")
        if others := self._reading_still(invocation, followed):
            self.violate("I6", f"{invocation.label}: reads while {others} may yet store what they read")
        followed.reading.add(invocation)
        self._check_lease(invocation, "reads", self._saw(invocation))
        if self._saw(invocation).status in (*REVOKED, *ENDS):
            self.violate("I14", f"{invocation.label}: reads for a connection that it saw revoked")
        left = timedelta(seconds=invocation.deadline - self._kernel.now)
        if left < TIME_TO_KEEP - self._skew:
            self.violate("I4", f"{invocation.label}: reads with {left} left to store it")

    def _reading_still(self, invocation: Invocation, followed: Followed) -> list[str]:
        """Who else may have the secret and store it yet. Where clocks are wild, leases do not tell."""
        if self._plan.wild:
            return []
        return [other.label for other in followed.reading if other is not invocation and other.answer is None]

    def _refreshing(self, invocation: Invocation, followed: Followed, _token: Any) -> None:
        other = followed.refreshing
        if other not in (None, invocation) and other.answer is None and not self._plan.wild:
            self.violate("I12", f"{invocation.label}: refreshes while {other.label} does")
        followed.refreshing = invocation

    def _signing(self, invocation: Invocation, _: Followed, _key: Any) -> None:
        self._check_lease(invocation, "signs", self._saw(invocation))
        if self._saw(invocation).status in (*REVOKED, *ENDS):
            self.violate("I14", f"{invocation.label}: signs for a connection that it saw revoked")

    def _shredding(self, invocation: Invocation, _: Followed, _connection_id: str) -> None:
        seen = self._saw(invocation)
        # Once it has ended, anybody may.
        if seen.status not in ENDS:
            self._check_lease(invocation, "shreds", seen)

    def _check_lease(self, invocation: Invocation, what: str, seen: Connection) -> None:
        """Whoever has lost its lease stops when it sees that: at WhiteBIT and in Secrets Manager nothing is done on a
        condition.
        """
        mine = self._leases.get((invocation, seen.connection_id))
        if mine is None or seen.busy_until != mine:
            self.violate("I6", f"{invocation.label}: {what}, though it saw that it has not got the lease")

    # ---- After it ----------------------------------------------------------------------------------------------------

    def _refused(self, call: str, invocation: Invocation, args: tuple[Any, ...], error: FastkeyError) -> None:
        followed = self._of(invocation)
        if call == "whitebit.try_key" and isinstance(error, KeyUnusable):
            followed.useless = True
        if call in ("whitebit.read_secret", "whitebit.delete_key") and isinstance(error, KeyGone):
            followed.useless = True

    def _found(self, invocation: Invocation, authorization: Any, _state: Any) -> None:
        if authorization is not None:
            invocation.connection_id = authorization.connection_id

    def _added(self, _invocation: Invocation, _result: Any, connection: Connection) -> None:
        self.connections[connection.connection_id].latest = connection

    def _got(self, invocation: Invocation, connection: Connection, connection_id: str) -> None:
        if invocation.connection_id is None:
            invocation.connection_id = connection_id
        self._seen[invocation, connection_id] = connection

    def _paged(self, invocation: Invocation, page: Page, _user_id: str, _cursor: str | None) -> None:
        for connection in page.connections:
            self._seen[invocation, connection.connection_id] = connection

    def _saved(self, invocation: Invocation, _result: Any, before: Connection, after: Connection) -> None:
        connection_id, followed = after.connection_id, self.connections[after.connection_id]
        followed.latest = after
        self._check_moves(invocation, before, after)
        self._check_write(invocation, before, after)
        if after.busy_until is None:
            # Whoever gives the lease back has stored what it read.
            followed.reading.discard(invocation)
            self._leases.pop((invocation, connection_id), None)
        if after.external_id and after.status in LIVE:
            self._check_holders(after)
        if after.tokens is not before.tokens and after.tokens is not None:
            self._check_tokens(after, followed)
        if after.refresh_until is None and followed.refreshing is invocation:
            followed.refreshing = None
        if after.escrow is not None:
            followed.durable = True
        if after.escrow is not before.escrow:
            self._check_copy(invocation, after)
        if after.status is Status.ACTIVE and before.status is not Status.ACTIVE:
            self._check_active(after, followed)
        if before.status is Status.STARTED and after.status is Status.CONSENTING:
            self._check_ticket(invocation, before)
        if after.status in (*ENDS, Status.ACTIVE) and followed.settled_at is None:
            # What appears after the last look, and before it is written that it was the last, is not seen either.
            by, at = followed.looked or (None, self._now)
            followed.settled_at = at if by is invocation else self._now
        if after.status in (*ENDS, Status.ACTIVE):
            followed.outcomes[after.status, after.reason] = invocation.function.name != "Callback"
        self._no_secret("a connection", after.ticket_digest, after.completion_digest, after.task_token, after.reason)

    def _check_moves(self, invocation: Invocation, before: Connection, after: Connection) -> None:
        if before.status in ENDS:
            self.violate("I14", f"{invocation.label}: an end ({before.status}) was changed to {after.status}")
        if before.status is Status.REVOKING and after.status not in (*REVOKED, Status.NEEDS_USER_ACTION):
            self.violate("I14", f"{invocation.label}: from revoking to {after.status}")

    def _check_write(self, invocation: Invocation, before: Connection, after: Connection) -> None:
        mine = self._leases.get((invocation, after.connection_id))
        if after.busy_until is not None and after.busy_until != before.busy_until:
            self._leases[invocation, after.connection_id] = after.busy_until
            if before.busy_until is not None and before.busy_until > self._now + self._skew:
                self.violate("I6", f"{invocation.label}: takes a lease that another has")
        elif mine is not None and before.busy_until != mine and not _needs_no_lease(before, after):
            self.violate("I6", f"{invocation.label}: writes to the connection, though it has lost its lease")

    def _check_ticket(self, invocation: Invocation, started: Connection) -> None:
        if self._now > started.created_at + timedelta(minutes=5) + REQUEST + self._skew:
            self.violate("I11", f"{invocation.label}: a ticket that had expired was taken")

    def _check_holders(self, connection: Connection) -> None:
        for other in self._fakes.connections.all():
            same = other.external_id == connection.external_id and other.connection_id != connection.connection_id
            if same and other.status in LIVE:
                self.violate("I7", f"{connection.connection_id} and {other.connection_id} both hold a key")

    def _check_tokens(self, connection: Connection, followed: Followed) -> None:
        assert connection.tokens
        followed.authorized_at = followed.authorized_at or self._now
        access = self._fakes.sealer.content(connection.tokens.access).reveal()
        generation = self._fakes.whitebit.granted[access].generation
        if generation < followed.generation:
            self.violate("I12", f"{connection.connection_id}: an older pair was stored over a newer one")
        followed.generation = generation

    def _check_active(self, connection: Connection, followed: Followed) -> None:
        held = self._fakes.vault.truth(connection.connection_id)
        issued = self._fakes.whitebit.issued.get(connection.external_id or "")
        if held is None or issued is None or held.external_id != issued.external_id:
            self.violate("I3", f"{connection.connection_id} is active without a stored key")
        elif held.secret.reveal() != issued.secret:
            self.violate("I3", f"{connection.connection_id} is active with another secret than WhiteBIT's")
        if not followed.signed:
            self.violate("I3", f"{connection.connection_id} is active, and its key has never signed")

    def _stored(self, _invocation: Invocation, _result: Any, connection_id: str, _key: Any) -> None:
        self.connections[connection_id].durable = True

    def _shredded(self, invocation: Invocation, _result: Any, connection_id: str) -> None:
        self._check_copy(invocation, self._connection(connection_id))

    def _check_copy(self, invocation: Invocation, connection: Connection) -> None:
        """A secret that was once stored is still there, unless it may be given up."""
        followed = self.connections[connection.connection_id]
        if not followed.durable or connection.escrow or self._fakes.vault.truth(connection.connection_id):
            return
        if not self._may_be_given_up(connection, followed):
            self.violate("I4", f"{invocation.label}: the secret is lost ({connection.status}, {connection.reason})")

    def _may_be_given_up(self, connection: Connection, followed: Followed) -> bool:
        if connection.reason == "revoked" or connection.status in REVOKED:
            return True
        if connection.reason in WORTHLESS:
            return followed.useless
        outage, issued = self._kernel.now < self._plan.until + 3600, connection.issued_at
        return outage and issued is not None and self._now > issued + timedelta(hours=24) - self._skew

    def _deleted(self, invocation: Invocation, _result: Any, _token: Any, external_id: str) -> None:
        connection_id = invocation.connection_id or ""
        connection, followed = self._connection(connection_id), self.connections[connection_id]
        if connection.status not in (Status.CLOSING, Status.REVOKING):
            self.violate("I5", f"{invocation.label}: deletes the key of a connection that is {connection.status}")
        if connection.reason == "unexpected_answer":
            self.violate("I5", f"{invocation.label}: deletes a key because of an answer that nobody knows")
        held = connection.escrow or self._fakes.vault.truth(connection_id)
        if held and not self._may_be_given_up(connection, followed):
            self.violate("I5", f"{invocation.label}: deletes a key whose secret is held")
        if others := self._reading_still(invocation, followed):
            self.violate("I5", f"{invocation.label}: deletes a key whose secret {others} may have")
        for other in self._fakes.connections.all():
            holds = other.external_id == external_id and other.status in LIVE
            if holds and other.connection_id != connection_id:
                self.violate("I5", f"{invocation.label}: deletes a key that {other.connection_id} holds")

    def _signed(self, invocation: Invocation, _result: Any, _key: Any) -> None:
        connection_id = invocation.connection_id or ""
        self.connections[connection_id].signed = True
        is_mine = self._connection(connection_id).busy_until == self._leases.get((invocation, connection_id))
        if self._connection(connection_id).status in (*REVOKED, *ENDS) and not is_mine:
            self.violate("I14", f"{invocation.label}: signs after the revocation began its work")

    # ---- Answers -----------------------------------------------------------------------------------------------------

    def _departed(self, location: str, cookie: str) -> str:
        """Gives the rest of the location."""
        sent = parse_qs(urlsplit(location).query)
        state = sent["state"][0]
        self._departures[state] = (cookie.partition(";")[0], sent["code_challenge"][0], self._now)
        return location.replace(state, "")

    def _returned(self, location: str) -> str:
        """Gives the rest of the location."""
        completion = parse_qs(urlsplit(location).query).get("completion", [""])[0]
        if not completion:
            return location
        self._completions.add(completion)
        return location.replace(completion, "")

    def _shown(self, invocation: Invocation, shown: Mapping[str, Any]) -> None:
        connection = self._seen[invocation, shown["connection_id"]]
        self._check_shown_status(connection, shown["status"])
        may_live = connection.status in (Status.REVOKING, Status.NEEDS_USER_ACTION)
        lives_until = shown["key_lives_until"]
        if may_live is not (lives_until is not None):
            self.violate("I10", f"{connection.connection_id} is {connection.status}: its key lives until {lives_until}")
        key = self._fakes.whitebit.issued.get(connection.external_id or "")
        if key and lives_until and self._fakes.whitebit.lives(key.external_id):
            end = datetime.fromisoformat(lives_until) + UNDER_WAY + self._skew
            if key.is_active(end):
                self.violate("I10", f"{connection.connection_id}: its key lives longer than until {lives_until}")

    def _check_shown_status(self, connection: Connection, status: str) -> None:
        is_pending = connection.status not in (*ENDS, *REVOKED, Status.ACTIVE)
        waits = connection.status in (Status.STARTED, Status.CONSENTING)
        over_at = connection.expires_at + UNDER_WAY
        if waits and status == "pending" and self._now > over_at + self._skew:
            self.violate("I11", f"{connection.connection_id} is shown as pending after its time")
        has_expired = waits and status == "expired" and self._now > over_at - self._skew
        if status != ("pending" if is_pending else connection.status) and not has_expired:
            self.violate("I9", f"{connection.connection_id} is {connection.status}, and shown as {status}")

    def _no_secret(self, where: str, *texts: str | None) -> None:
        told = "\n".join(text for text in texts if text)
        if CANARY in told or any(completion in told for completion in self._completions):
            self.violate("I8", f"a secret in {where}")

    # ---- How ---------------------------------------------------------------------------------------------------------

    @property
    def _now(self) -> datetime:
        return BEGINNING + timedelta(seconds=self._kernel.now)

    def _of(self, invocation: Invocation) -> Followed:
        return self.connections[invocation.connection_id or "nobody's"]

    def _connection(self, connection_id: str) -> Connection:
        latest = self.connections[connection_id].latest
        assert latest
        return latest

    def _saw(self, invocation: Invocation) -> Connection:
        """Its connection, as this invocation knows it."""
        return self._seen[invocation, invocation.connection_id or ""]

    # ---- At the end --------------------------------------------------------------------------------------------------

    def check_end(
        self, log: list[str], defects: list[str], executions: Collection["Execution"], *, untroubled: bool
    ) -> None:
        """Faults are long over, and nothing moves any more. untroubled: there were none."""
        self._no_secret("the log", *log, *defects)
        for defect in defects:
            self.violate("defect", defect)
        for execution in executions:
            if execution.ended is None:
                self.violate("I9", f"{execution.label} has not ended")
        accounts = Counter(followed.account for followed in self.connections.values())
        for followed in self.connections.values():
            if followed.latest is not None:
                shown = followed.latest.as_of(self._now)
                self._check_outcome(shown, followed)
                alone = accounts[followed.account] == 1
                plain = untroubled and alone and followed.straightforward and not self._plan.wild
                if plain and shown.status is not Status.ACTIVE:
                    self.violate("I9", f"{shown.connection_id} is {shown.status} ({shown.reason}) for no reason")
        for account in list(self._fakes.whitebit.keys):
            self._check_key(account)

    def _check_outcome(self, shown: Connection, followed: Followed) -> None:
        held = self._fakes.vault.truth(shown.connection_id)
        if shown.status not in ENDS and shown.status is not Status.ACTIVE:
            self.violate("I9", f"{shown.connection_id} is still {shown.status}")
        if shown.status in ENDS and (held or shown.escrow or shown.tokens):
            self.violate("I14", f"{shown.connection_id} is {shown.status}, and something of its key is kept")
        if shown.status is Status.ACTIVE and not held:
            self.violate("I4", f"{shown.connection_id} is active, and its secret is gone")
        outcome = shown.status, shown.reason
        if followed.outcomes.get(outcome) and outcome not in followed.told and not followed.untellable:
            self.violate("I9", f"{shown.connection_id} is {shown.status}, and nobody was told")
        for invocation in followed.given:
            is_wanted = self._seen[invocation, shown.connection_id].status not in (*REVOKED, *ENDS)
            if is_wanted and not followed.durable and not invocation.killed:
                self.violate("I4", f"{invocation.label}: the secret that WhiteBIT gave was not kept")

    def _check_key(self, account: str) -> None:
        """A key that lives is held by a connection, or whoever has its account was told."""
        key = self._fakes.whitebit.keys[account]
        mine = [followed for followed in self.connections.values() if followed.account == account and followed.latest]
        held = Status.ACTIVE, key.external_id
        if any((kept.status, kept.external_id) == held for kept in self._fakes.connections.all()):
            return
        able = [followed for followed in mine if self._could_see(followed, key.created_at)]
        if not any(self._is_told(followed, key, knew=bool(able)) for followed in able or mine):
            ends = [f"{f.latest.status} ({f.latest.reason})" for f in mine if f.latest]
            self.violate("I10", f"{account} has a key that nobody holds; the connections ended as {', '.join(ends)}")

    def _is_told(self, followed: Followed, key: IssuedKey, *, knew: bool) -> bool:
        """Whether whoever has the account was told to remove the key. knew: there was somebody who could see it."""
        assert followed.latest
        connection = followed.latest.as_of(self._now)
        # Where another user looks at the connection, who has the account is met when completing, or never.
        texts = followed.visitor_told if followed.forwarded else [describe(connection)["detail"] or ""]
        # Where the connection had a key, its text may tell of one that was made in the place of that.
        is_another = connection.external_id not in (None, key.external_id)
        is_honest = not knew or is_another or connection.status is Status.NEEDS_USER_ACTION
        return is_honest and (not texts or any(REMOVE.search(text) for text in texts))

    def _could_see(self, followed: Followed, created_at: datetime) -> bool:
        """Whether there was a token to see the key with, and somebody who looked: else nothing can be known of it."""
        return followed.authorized_at is not None and (followed.settled_at is None or created_at < followed.settled_at)


_LOOKING = {"whitebit.key_info", "whitebit.delete_key"}
_STORING = {"vault.store", "sealer.seal", "connections.get", "connections.save"}


def _needs_no_lease(before: Connection, after: Connection) -> bool:
    """Whether nothing was changed that the lease of a step guards.

    Tokens have a lease of their own; and the escrow takes a secret from everybody, because it may be the only copy.
    """
    leased = replace(
        before,
        tokens=after.tokens,
        refresh_until=after.refresh_until,
        escrow=after.escrow or before.escrow,
        version=after.version,
        updated_at=after.updated_at,
    )
    return leased == after


def _who(invocation: Invocation, call: str, args: tuple[Any, ...]) -> str:
    """Who may not ask again: a workflow, for a secret that was given or a key that does not sign; a workflow with the
    same code or token, for the rest.

    A function that Step Functions started twice is in no workflow, for nobody hears its answer.
    """
    match call:
        case "whitebit.read_secret":
            _, asked_with = args
        case "whitebit.try_key":
            asked_with = args[0].external_id
        case _:
            asked_with = args[0].digest()
    return f"{invocation.execution} {asked_with}"
