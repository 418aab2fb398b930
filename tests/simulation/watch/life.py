"""The life of a captured key: I16, I17, I18, and of I11 that no consent is given up before its time."""

from datetime import datetime, timedelta
from typing import Any

from fastkey.domain.connection import Connection
from fastkey.domain.errors import FastkeyError, KeyUnusable, PermissionMissing
from fastkey.domain.key import CapturedKey
from fastkey.domain.status import Status
from tests.fakes.whitebit import IssuedKey
from tests.simulation.lambdas import Invocation
from tests.simulation.watch.record import CHECKED, UNDER_WAY, Record

# A key is tried each seven days, and a dead one each day. Where that comes to nothing, or to a no, it is tried again an
# hour later; and a run that finds nobody, or dies, is followed by another one a minute later.
PERIOD, PERIOD_DEAD = timedelta(days=7), timedelta(days=1)
AGAIN, RUNS = timedelta(hours=1), timedelta(minutes=10)

# A key that was refused for so long was refused for twice as long as WhiteBIT lets one be that makes no call.
DISABLED = timedelta(days=28)

# Whose refresh token lives for less than this is not kept in time.
IN_TIME = timedelta(minutes=4)


class Life:
    """Knows what WhiteBIT said of keys, and what has become of them.

    By the connection's id: since when it is active; the refusals that we heard since the key was last accepted. By the
    key's: when something last happened to it there.
    """

    def __init__(self, record: Record, days: float) -> None:
        self._record = record
        self._until = timedelta(days=days)
        self._active_at: dict[str, datetime] = {}
        self._refused: dict[str | None, list[datetime]] = {}
        self._happened: dict[str, datetime] = {}

    def happened(self, key: IssuedKey) -> None:
        """A person removed, disabled or allowed a key, or changed what it may do."""
        self._happened[key.external_id] = self._record.now

    # ---- Calls -------------------------------------------------------------------------------------------------------

    def reading(self, invocation: Invocation, _token: Any, external_id: str) -> None:
        if self._record.is_unwanted(self._record.fakes.whitebit.issued[external_id].permissions):
            self._record.violate("I18", f"{invocation.label}: reads the secret of a key that may do too much")

    def signing(self, invocation: Invocation, _key: CapturedKey, *_args: Any) -> None:
        seen = self._record.saw(invocation).status
        if invocation.latest != "connections.get" or seen not in CHECKED:
            self._record.violate("I14", f"{invocation.label}: signs without having just seen that it may ({seen})")

    def signed(self, invocation: Invocation, *_args: Any) -> None:
        self._refused.pop(invocation.connection_id, None)

    def told_no(self, invocation: Invocation, error: FastkeyError, _key: CapturedKey, *_args: Any) -> None:
        """What WhiteBIT said of the key reached the function."""
        match error:
            case KeyUnusable():
                self._refused.setdefault(invocation.connection_id, []).append(self._record.now)
            case PermissionMissing():
                self.signed(invocation)

    def saved(self, invocation: Invocation, _result: None, before: Connection, after: Connection) -> None:
        record = self._record
        is_given_up = after.status is Status.EXPIRED and before.status in (Status.STARTED, Status.CONSENTING)
        if is_given_up and record.now < before.expires_at + UNDER_WAY - record.skew:
            record.violate("I11", f"{invocation.label}: a consent was given up before its time")
        if after.status is Status.ACTIVE:
            self._active_at.setdefault(after.connection_id, record.now)
        if after.status is Status.DEAD and before.status is not Status.DEAD:
            refused = self._refused.get(after.connection_id, [])
            if not refused or refused[-1] < refused[0] + AGAIN - record.skew:
                record.violate("I16", f"{after.connection_id} is dead, and WhiteBIT did not say so twice")
        lost = set(before.permissions) - set(after.permissions)
        if lost.intersection(self._key(after).permissions if lost else ()):
            record.violate("I16", f"{invocation.label}: drops a permission that the key has")

    def shredded(self, invocation: Invocation, _result: None, connection_id: str) -> None:
        if self._record.latest[connection_id].status in CHECKED and not self._record.held(connection_id):
            refused = self._refused.get(connection_id, [])
            if not refused or self._record.now < refused[0] + DISABLED - self._record.skew:
                self._record.violate("I16", f"{invocation.label}: shreds the copy of a key that may live")

    # ---- At the end --------------------------------------------------------------------------------------------------

    def check_kept(self) -> None:
        """Until now tokens were kept: those for which there was time when nothing befell any more live, or others in
        their place.
        """
        record = self._record
        if record.plan.wild:
            return
        for connection in record.latest.values():
            if connection.status is not Status.ACTIVE or not connection.keep_token or connection.tokens is None:
                continue
            pair = record.fakes.whitebit.granted[record.fakes.sealer.content(connection.tokens.access).reveal()]
            since = max(self._active_at[connection.connection_id], record.at(record.plan.until))
            could_be_kept = pair.refresh and not pair.is_dead and since < pair.refresh_expires_at - IN_TIME
            if could_be_kept and record.now >= pair.refresh_expires_at:
                record.violate("I17", f"{connection.connection_id}: its tokens were to be kept, and are dead")

    def check_end(self) -> None:
        """Keys were tried for their days."""
        if self._until:
            for connection in self._record.fakes.connections.all():
                if connection.status in CHECKED:
                    self._check(connection)

    def _check(self, connection: Connection) -> None:
        record, connection_id = self._record, connection.connection_id
        key, end, troubled = self._key(connection), record.at(0) + self._until, record.at(record.plan.until)
        is_alive = self._is_alive(connection, end)
        happened = self._happened.get(key.external_id)
        period = PERIOD_DEAD if connection.status is Status.DEAD else PERIOD
        known = max(happened or key.created_at, troubled) + period + 2 * AGAIN + RUNS
        is_due = end > known + record.skew
        is_idle = record.fakes.whitebit.lives(key.external_id) and key.enabled and not is_alive
        # Of what a person did, nobody knows before the key is tried next.
        had_time = happened is None or key.last_used_at + DISABLED / 2 > known
        if is_idle and had_time:
            record.violate("I16", f"{connection_id} is {connection.status}: its key died of being left alone")
        elif is_due and (connection.status is Status.ACTIVE) is not is_alive:
            record.violate("I16", f"{connection_id} is {connection.status} for long, and its key is not")

    def _key(self, connection: Connection) -> IssuedKey:
        return self._record.fakes.whitebit.issued[connection.external_id or ""]

    def _is_alive(self, connection: Connection, now: datetime) -> bool:
        key = self._key(connection)
        return self._record.fakes.whitebit.lives(key.external_id) and key.is_active(now)
