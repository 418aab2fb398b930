"""Where the one secret of a key is: I3, I4, I5, I7, I19, and of I6 that nobody reads while another may yet store."""

from datetime import datetime, timedelta
from typing import Any

from fastkey.domain.connection import Connection
from fastkey.domain.errors import FastkeyError, KeyGone, KeyUnusable
from fastkey.domain.status import Status
from tests.fakes.stores import FakeVault
from tests.simulation.lambdas import Invocation
from tests.simulation.watch.record import CHECKED, LIVE, OVER, REVOKED, Record

# Reading a secret and storing it takes no longer, with every limit and retry used up.
TIME_TO_KEEP = timedelta(seconds=136)

# What whoever has read a secret calls to store it.
STORING = {"chosen_vault.store", "sealer.seal", "connections.get", "connections.save"}

# For so many seconds a key that is moved is in both vaults; and after this what was stored shows.
BOTH = 55.0
SHOWN = timedelta(seconds=15)

# A copy of the secret may be given up for these: nobody wants it, or it opens nothing.
WORTHLESS = {"revoked", "key_gone", "key_unusable"}


class Custody:
    """Follows the secrets: read, stored, used, given up.

    The state is kept in sets: of invocations that may yet store what they read, and of those that were given a secret
    and not kept from storing it by anything that befell; of the ids of connections whose secret was stored, whose key
    has signed, and whose key is useless; and by id, since when a connection is active.
    """

    def __init__(self, record: Record) -> None:
        self._record = record
        self._reading: set[Invocation] = set()
        self._given: set[Invocation] = set()
        self._durable: set[str | None] = set()
        self._signed: set[str | None] = set()
        self._useless: set[str | None] = set()
        self._active_at: dict[str, datetime] = {}

    # ---- The read ----------------------------------------------------------------------------------------------------

    def not_storing(self, invocation: Invocation) -> None:
        """A call that stores nothing begins: whatever the function has read, it has given up."""
        self._reading.discard(invocation)

    def reading(self, invocation: Invocation, _token: Any, _external_id: str) -> None:
        record = self._record
        if others := self._reading_still(invocation):
            record.violate("I6", f"{invocation.label}: reads while {others} may yet store what they read")
        self._reading.add(invocation)
        left = timedelta(seconds=invocation.deadline - record.kernel.now)
        if left < TIME_TO_KEEP - record.skew:
            record.violate("I4", f"{invocation.label}: reads with {left} left to store it")

    def _reading_still(self, invocation: Invocation) -> list[str]:
        """Who else may have the secret and store it yet. Where clocks are wild, leases do not tell."""
        if self._record.plan.wild:
            return []
        others = [other for other in self._reading if other is not invocation and other.answer is None]
        return [other.label for other in others if other.connection_id == invocation.connection_id]

    def given(self, invocation: Invocation, _token: Any, _external_id: str) -> None:
        """The secret reached the function."""
        self._given.add(invocation)

    def failed(self, call: str, invocation: Invocation) -> None:
        """What befell a call reached the function. Where the vault fails, the escrow can still keep a secret."""
        if call != "chosen_vault.store":
            self._given.discard(invocation)

    # ---- Copies ------------------------------------------------------------------------------------------------------

    def stored(self, _invocation: Invocation, _result: Any, connection_id: str, _key: Any) -> None:
        self._durable.add(connection_id)

    def saved(self, invocation: Invocation, _result: None, before: Connection, after: Connection) -> None:
        if after.busy_until is None:
            # Whoever gives the lease back has stored what it read.
            self._reading.discard(invocation)
        if after.external_id and after.status in LIVE:
            self._check_holders(after)
        if after.escrow is not None:
            self._durable.add(after.connection_id)
        if after.escrow is not before.escrow:
            self._check_copy(invocation, after)
        if after.status is Status.ACTIVE and before.status is not Status.ACTIVE:
            self._active_at.setdefault(after.connection_id, self._record.now)
            self._check_active(after)

    def shredded(self, invocation: Invocation, _result: Any, connection_id: str) -> None:
        self._check_copy(invocation, self._record.latest[connection_id])

    def _check_holders(self, connection: Connection) -> None:
        for other in self._holders_beside(connection.connection_id, connection.external_id):
            self._record.violate("I7", f"{connection.connection_id} and {other} both hold a key")

    def _holders_beside(self, connection_id: str, external_id: str | None) -> list[str]:
        """The connections that hold this key, but for the one."""
        return [
            other.connection_id
            for other in self._record.fakes.connections.all()
            if other.external_id == external_id and other.status in LIVE and other.connection_id != connection_id
        ]

    def _check_copy(self, invocation: Invocation, connection: Connection) -> None:
        """A secret that was once stored is still there, unless it may be given up."""
        if connection.connection_id not in self._durable or self._has_copy(connection):
            return
        if not self._may_be_given_up(connection):
            what = f"{invocation.label}: the secret is lost ({connection.status}, {connection.reason})"
            self._record.violate("I4", what)

    def _has_copy(self, connection: Connection) -> bool:
        return bool(connection.escrow or self._record.held(connection.connection_id))

    def _may_be_given_up(self, connection: Connection) -> bool:
        record = self._record
        # What becomes of the copy of a dead key is looked at elsewhere.
        if connection.reason == "revoked" or connection.status in (*REVOKED, Status.DEAD):
            return True
        if connection.reason in WORTHLESS:
            return connection.connection_id in self._useless
        outage, issued = record.kernel.now < record.plan.until + 3600, connection.issued_at
        return outage and issued is not None and record.now > issued + timedelta(hours=24) - record.skew

    # ---- Two vaults --------------------------------------------------------------------------------------------------

    def missed(self, connection_id: str, since: float) -> None:
        """Both vaults were looked into, and no key was found. What is to be found took no longer than a copy stays."""
        record, shown = self._record, self._record.latest.get(connection_id)
        if shown is None or shown.status is not Status.ACTIVE or record.kernel.now > since + BOTH:
            return
        if record.held(connection_id) and record.at(since) > self._active_at[connection_id] + SHOWN:
            record.violate("I19", f"the key of {connection_id} is not found, and is there")

    def check_moved(self, former: FakeVault) -> None:
        """The operator was told that there is nothing left to move."""
        for shown in self._record.latest.values():
            if shown.status in CHECKED and not shown.key_given_up and former.truth(shown.connection_id):
                self._record.violate("I19", f"{shown.connection_id} is {shown.status}, and its key was not moved")

    # ---- The key -----------------------------------------------------------------------------------------------------

    def signed(self, invocation: Invocation, _result: Any, _key: Any) -> None:
        self._signed.add(invocation.connection_id)

    def refused(self, invocation: Invocation, error: FastkeyError, *_args: Any) -> None:
        """WhiteBIT has no such key, or does not take it."""
        if isinstance(error, KeyGone | KeyUnusable):
            self._useless.add(invocation.connection_id)

    def _check_active(self, connection: Connection) -> None:
        connection_id, violate = connection.connection_id, self._record.violate
        held = self._record.held(connection_id)
        issued = self._record.fakes.whitebit.issued.get(connection.external_id or "")
        if held is None or issued is None or held.external_id != issued.external_id:
            violate("I3", f"{connection_id} is active without a stored key")
        elif held.secret.reveal() != issued.secret:
            violate("I3", f"{connection_id} is active with another secret than WhiteBIT's")
        if connection_id not in self._signed:
            violate("I3", f"{connection_id} is active, and its key has never signed")

    def deleted(self, invocation: Invocation, _result: Any, _token: Any, external_id: str) -> None:
        connection, violate = self._record.latest[invocation.connection_id or ""], self._record.violate
        if connection.status not in (Status.CLOSING, Status.REVOKING):
            violate("I5", f"{invocation.label}: deletes the key of a connection that is {connection.status}")
        if connection.reason == "unexpected_answer":
            violate("I5", f"{invocation.label}: deletes a key because of an answer that nobody knows")
        if self._has_copy(connection) and not self._may_be_given_up(connection):
            violate("I5", f"{invocation.label}: deletes a key whose secret is held")
        if others := self._reading_still(invocation):
            violate("I5", f"{invocation.label}: deletes a key whose secret {others} may have")
        for other in self._holders_beside(connection.connection_id, external_id):
            violate("I5", f"{invocation.label}: deletes a key that {other} holds")

    # ---- At the end --------------------------------------------------------------------------------------------------

    def check_end(self) -> None:
        """Nothing moves any more."""
        for shown in self._record.latest.values():
            if shown.status is Status.ACTIVE and not self._record.held(shown.connection_id):
                self._record.violate("I4", f"{shown.connection_id} is active, and its secret is gone")
        for invocation in self._given:
            is_wanted = self._record.saw(invocation).status not in OVER
            if is_wanted and invocation.connection_id not in self._durable and not invocation.killed:
                self._record.violate("I4", f"{invocation.label}: the secret that WhiteBIT gave was not kept")
