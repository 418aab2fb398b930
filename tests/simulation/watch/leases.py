"""Who may act, and what may become of what: I6, I14."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from fastkey.domain.connection import Connection
from fastkey.domain.status import Status
from tests.simulation.lambdas import Invocation
from tests.simulation.watch.record import ENDS, OVER, REVOKED, Record


class Leases:
    """Knows who has taken which lease, whether or not another has taken it over."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._taken: dict[tuple[Invocation, str], datetime] = {}

    # ---- Before a call -----------------------------------------------------------------------------------------------

    def reading(self, invocation: Invocation, _token: Any, _external_id: str) -> None:
        self._check("reads", invocation)

    def signing(self, invocation: Invocation, _key: Any) -> None:
        self._check("signs", invocation)

    def shredding(self, invocation: Invocation, _connection_id: str) -> None:
        # Once it has ended, anybody may; and of a key that is dead, nobody has a lease.
        if self._record.saw(invocation).status not in (*ENDS, Status.DEAD):
            self._check_lease("shreds", invocation)

    def _check(self, what: str, invocation: Invocation) -> None:
        self._check_lease(what, invocation)
        if self._record.saw(invocation).status in OVER:
            self._record.violate("I14", f"{invocation.label}: {what} for a connection that it saw revoked")

    def _check_lease(self, what: str, invocation: Invocation) -> None:
        """Whoever has lost its lease stops when it sees that: at WhiteBIT and in Secrets Manager nothing is done on a
        condition.
        """
        seen = self._record.saw(invocation)
        mine = self._taken.get((invocation, seen.connection_id))
        if mine is None or seen.busy_until != mine:
            self._record.violate("I6", f"{invocation.label}: {what}, though it saw that it has not got the lease")

    # ---- After it ----------------------------------------------------------------------------------------------------

    def signed(self, invocation: Invocation, _result: Any, _key: Any) -> None:
        connection = self._record.latest[invocation.connection_id or ""]
        is_mine = connection.busy_until == self._taken.get((invocation, connection.connection_id))
        if connection.status in OVER and not is_mine:
            self._record.violate("I14", f"{invocation.label}: signs after the revocation began its work")

    def saved(self, invocation: Invocation, _result: None, before: Connection, after: Connection) -> None:
        if before.status in ENDS and replace(before, untold=after.untold, version=after.version) != after:
            self._record.violate("I14", f"{invocation.label}: an end ({before.status}) was changed to {after.status}")
        if before.status is Status.REVOKING and after.status not in (*REVOKED, Status.NEEDS_USER_ACTION):
            self._record.violate("I14", f"{invocation.label}: from revoking to {after.status}")
        self._check_write(invocation, before, after)
        if after.busy_until is None:
            self._taken.pop((invocation, after.connection_id), None)

    def _check_write(self, invocation: Invocation, before: Connection, after: Connection) -> None:
        record, mine = self._record, self._taken.get((invocation, after.connection_id))
        if after.busy_until is not None and after.busy_until != before.busy_until:
            self._taken[invocation, after.connection_id] = after.busy_until
            if before.busy_until is not None and before.busy_until > record.now + record.skew:
                record.violate("I6", f"{invocation.label}: takes a lease that another has")
        elif mine is not None and before.busy_until != mine and not _needs_no_lease(before, after):
            record.violate("I6", f"{invocation.label}: writes to the connection, though it has lost its lease")


def _needs_no_lease(before: Connection, after: Connection) -> bool:
    """Whether nothing was changed that the lease of a step guards.

    Tokens have a lease of their own; and the escrow takes a secret from everybody, because it may be the only copy.
    """
    leased = replace(
        before,
        tokens=after.tokens,
        refresh_until=after.refresh_until,
        refresh_again_at=after.refresh_again_at,
        escrow=after.escrow or before.escrow,
        untold=after.untold,
        version=after.version,
        updated_at=after.updated_at,
    )
    return leased == after
