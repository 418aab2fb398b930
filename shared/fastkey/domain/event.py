"""What partners are told of a connection."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from fastkey.domain.status import Status


class Kind(StrEnum):
    """The kinds of events, as EventBridge's `detail-type` names them. Each has a schema in docs/events.md."""

    ACTIVATED = "connection.activated"
    FAILED = "connection.failed"
    NEEDS_ACTION = "connection.needs_action"
    DEAD = "connection.dead"
    REVOKED = "connection.revoked"
    PERMISSIONS_CHANGED = "connection.permissions_changed"


KINDS: Mapping[Status, Kind] = {
    Status.ACTIVE: Kind.ACTIVATED,
    Status.DENIED: Kind.FAILED,
    Status.EXPIRED: Kind.FAILED,
    Status.FAILED: Kind.FAILED,
    Status.NEEDS_CONSENT: Kind.FAILED,
    Status.NEEDS_USER_ACTION: Kind.NEEDS_ACTION,
    Status.DEAD: Kind.DEAD,
    Status.REVOKED: Kind.REVOKED,
}

# Whoever makes an event tells it at once; what is still untold after this, the schedule tells.
GRACE = timedelta(minutes=1)

# For so long an event is tried. After that something is wrong that does not pass, and it goes to the dead-letter queue.
PATIENCE = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that has happened to a connection.

    event_id: the same however often it is told. status, reason, permissions: as they were then.
    """

    event_id: str
    kind: Kind
    at: datetime
    connection_id: str
    user_id: str
    status: Status
    reason: str | None
    permissions: tuple[str, ...]

    def is_given_up(self, now: datetime) -> bool:
        """Whether it was tried for long enough."""
        return now >= self.at + PATIENCE
