"""What is counted of connections, when a change of one has been stored.

A change that is stored is counted once; a count is lost with its line, and nobody relies on more.
"""

from collections.abc import Mapping

from fastkey.domain.connection import Connection
from fastkey.domain.errors import Revoked, by_code
from fastkey.domain.status import Status

# Each step that is done and each end: the others begin what one of these ends.
_COUNTED = (
    Status.STARTED,
    Status.AUTHORIZED,
    Status.CAPTURING,
    Status.VERIFYING,
    Status.ACTIVE,
    Status.DENIED,
    Status.EXPIRED,
    Status.FAILED,
    Status.NEEDS_CONSENT,
    Status.NEEDS_USER_ACTION,
    Status.REVOKED,
    Status.DEAD,
)

_UNDONE = (Status.FAILED, Status.NEEDS_CONSENT, Status.NEEDS_USER_ACTION)

ARRIVALS = {status: f"connection.{status}" for status in _COUNTED}
DETECTED_SECONDS = "connection.detected_seconds"
COMPENSATED = "connection.compensated"
UNHELD = "connection.unheld"
IN_ESCROW = "connection.in_escrow"

# Alarms set the first against the second, and CloudWatch does not say what it makes of a metric of which there is
# nothing at all, as in an outage that nothing survives.
_COMPARED = {COMPENSATED: ARRIVALS[Status.ACTIVE], "guard_keys.refused": "guard_keys.alive"}


def comparable(counts: Mapping[str, float]) -> dict[str, float]:
    """The counts, and as zero what is not among them and an alarm sets one of them against."""
    return {_COMPARED[name]: 0 for name in counts if name in _COMPARED} | dict(counts)


def counts_of(before: Connection | None, after: Connection) -> dict[str, float]:
    """What there is to count of a change, by the names of metrics. before: None where it begins."""
    counts: dict[str, float] = {IN_ESCROW: 1} if after.escrow else {}
    if before is None or before.status is not after.status:
        counts |= _of_arrival(before, after)
    return comparable(counts)


def _of_arrival(before: Connection | None, after: Connection) -> dict[str, float]:
    counts: dict[str, float] = {ARRIVALS[after.status]: 1} if after.status in ARRIVALS else {}
    if before is None:
        return counts
    if before.status is Status.DETECTING and after.issued_at and after.completed_at:
        counts[DETECTED_SECONDS] = (after.issued_at - after.completed_at).total_seconds()
    if before.status is Status.CLOSING and after.status in _UNDONE:
        counts[COMPENSATED] = 1
    if after.status is Status.NEEDS_USER_ACTION and _leaves_key(before, after):
        counts[UNHELD] = 1
    return counts


def _leaves_key(before: Connection, after: Connection) -> bool:
    """Whether a key is left at WhiteBIT that fastkey was to delete and could not.

    Not where nobody has seen a key, and the reason itself asks the user to look; nor where a user disconnects for whom
    no tokens were kept, which is known to be so.
    """
    reason = by_code(after.reason or "")
    if reason is Revoked:
        tokens, now = before.tokens, after.updated_at
        return tokens is not None and (tokens.access_lives(now) or tokens.refresh_lives(now))
    return after.external_id is not None or reason.ends is not Status.NEEDS_USER_ACTION
