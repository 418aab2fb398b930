"""What can be wrong where attempts meet."""

from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from typing import Any
from unittest.mock import patch

from fastkey.domain.connection import Connection
from fastkey.domain.status import Status
from fastkey.usecases.lease import Lease

_lease = Connection.lease


def no_lease() -> AbstractContextManager[Any]:
    """Two attempts at the same step may be under way at once."""

    def regardless(self: Connection, status: Status, until: datetime, now: datetime) -> Connection:
        return _lease(replace(self, busy_until=None), status, until, now)

    return patch.object(Connection, "lease", regardless)


def revocation_does_not_wait() -> AbstractContextManager[Any]:
    """A revocation takes the lease of the step that is under way."""

    def regardless(self: Connection, status: Status, until: datetime, now: datetime) -> Connection:
        return _lease(replace(self, busy_until=None) if status is Status.REVOKING else self, status, until, now)

    return patch.object(Connection, "lease", regardless)


def fence_not_checked() -> AbstractContextManager[Any]:
    """Whoever has lost its lease goes on writing."""
    return patch.object(Connection, "under", lambda self, lease: self)


def lease_not_looked_at() -> AbstractContextManager[Any]:
    """Before what cannot be done on a condition nobody looks whether the lease is still its own."""

    def check(self: Lease) -> None:
        self.world.connections.get(self.connection.connection_id).expect(self.connection.status)

    return patch.object(Lease, "check", check)


def revocation_not_looked_at() -> AbstractContextManager[Any]:
    """Steps go on for a connection that is being revoked."""
    expect = Connection.expect

    def unless_revoked(self: Connection, *statuses: Status) -> None:
        if self.status is not Status.REVOKING:
            expect(self, *statuses)

    return patch.object(Connection, "expect", unless_revoked)
