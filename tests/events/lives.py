"""Every event that the domain can make, by the changes of real connections."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from uuid import UUID

from fastkey.domain.connection import CHECK_AGAIN, REQUEST_LIFE, TICKET_LIFE, Connection
from fastkey.domain.errors import CATALOGUE, ConsentDenied, ConsentFailed, by_code, by_name
from fastkey.domain.event import Event
from fastkey.domain.key import KeyInfo, KeyState
from fastkey.domain.secret import Secret
from fastkey.domain.status import TRANSITIONS, Status
from fastkey.domain.tokens import SealedTokens

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
# A whole second has no microseconds, and is written otherwise.
LATER = NOW.replace(microsecond=0) + timedelta(hours=2)
TICKET, COMPLETION = Secret("ticket"), Secret("completion")
GRANTED = ("trade_balance", "trading")

_numbers = count(1)


def started() -> Connection:
    connection_id = str(UUID(int=next(_numbers)))
    return Connection.start(connection_id, "user-1", "https://partner.example", TICKET, NOW)


def consenting() -> Connection:
    return started().consent(TICKET, COMPLETION.digest(), NOW)


def capturing() -> Connection:
    lease = NOW + timedelta(minutes=1)
    tokens = SealedTokens(b"access", NOW + timedelta(minutes=5))
    authorized = consenting().exchange(lease, NOW).authorize(tokens, lease, NOW)
    detecting = authorized.complete("user-1", COMPLETION, NOW).detect(NOW)
    return detecting.claim(KeyInfo(KeyState.ACTIVE, "external-1", GRANTED), NOW)


def active() -> Connection:
    return capturing().verify(NOW).activate(NOW)


def dead() -> Connection:
    return active().refuse_key(NOW).refuse_key(NOW + CHECK_AGAIN)


def ends(way: Callable[[], Connection], undo: Callable[[Connection], Connection]) -> Iterator[Connection]:
    """Every end to which a connection that came this way may come, once it is being undone."""
    fenced = undo(way())
    cause = by_code(fenced.reason or "")
    for status in {cause.ends, Status.NEEDS_USER_ACTION} & TRANSITIONS[fenced.status]:
        yield undo(way()).end(status, cause, LATER)


def lives() -> Iterator[Connection]:
    """A connection of its own for each way to an event."""
    yield from (started().expire(NOW + TICKET_LIFE + REQUEST_LIFE), started().revoke(NOW))
    yield from (consenting().deny(error, NOW) for error in (ConsentDenied, ConsentFailed))
    for cause in {by_name(name) for name in CATALOGUE}:
        yield from ends(capturing, partial(Connection.close, cause=cause, now=NOW))
    for way in (capturing, active, dead):
        yield from ends(way, partial(Connection.revoke, now=NOW))
    for way in (active, dead):
        yield from (way().survive(permissions, None, LATER) for permissions in (GRANTED, GRANTED[1:], ()))
        yield way().look_at(KeyInfo(KeyState.ACTIVE, "external-1", GRANTED[1:]), LATER)


EVENTS: tuple[Event, ...] = tuple(event for connection in lives() for event in connection.untold)
