"""What can be wrong in the life of a captured key, and with what is told of it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from fastkey.domain import connection as domain
from fastkey.domain.account import READS
from fastkey.domain.connection import Connection
from fastkey.domain.errors import FastkeyError, KeyDead
from fastkey.domain.event import KINDS, Event
from fastkey.domain.status import Status
from fastkey.usecases import detect_key, guard_keys, keep_tokens
from fastkey.usecases.change import change
from tests.simulation.shipped import shipped


def dead_at_the_first_no() -> AbstractContextManager[Any]:
    """A key is dead as soon as WhiteBIT has refused it once."""
    return patch.object(Connection, "refuse_key", lambda self, now: _die(self, now))


def dead_because_of_trouble() -> AbstractContextManager[Any]:
    """A key is dead when a try came to nothing, whatever was the reason."""
    return patch.object(Connection, "check_again", lambda self, now: _die(self, now))


def dead_for_good() -> AbstractContextManager[Any]:
    """A key that WhiteBIT refused for a while does not come back."""
    survive = Connection.survive

    def unless_dead(self: Connection, permissions: Any, checked_by: Any, now: datetime) -> Connection:
        return _later(self, now) if self.status is Status.DEAD else survive(self, permissions, checked_by, now)

    return patch.object(Connection, "survive", unless_dead)


def dead_not_noticed() -> AbstractContextManager[Any]:
    """A key that WhiteBIT refuses is tried again and again, and nobody is told."""
    return patch.object(Connection, "refuse_key", lambda self, now: _later(self, now))


def tried_too_seldom() -> AbstractContextManager[Any]:
    """A key is tried each fifteen days, and WhiteBIT disables it after fourteen."""
    return patch.object(domain, "CHECK_PERIOD", timedelta(days=15))


def shredded_when_dead() -> AbstractContextManager[Any]:
    """The copy of a key is shredded as soon as the key is dead, though our address may be the reason."""
    return patch.object(domain, "DEAD_KEY_LIFE", timedelta())


def signed_without_looking() -> AbstractContextManager[Any]:
    """A key is tried without a last look at whether the user has disconnected."""

    def read_by_key(world: Any, _connection_id: str, key: Any, query: Any) -> Any:
        nonce = int(world.clock.now().timestamp() * 1000)
        return world.whitebit.read_signed(key, nonce, query.read, query.filters)

    return patch.object(guard_keys, "read_by_key", read_by_key)


def permission_dropped_on_a_guess() -> AbstractContextManager[Any]:
    """A group that was not tried, because a read of another went well, is taken to be gone."""
    try_key = guard_keys._try_key

    def trying(world: Any, connection: Connection) -> Any:
        lost, checked_by = try_key(world, connection)
        others = [group for group in connection.permissions if checked_by and READS[checked_by].group != group]
        return (others[0] if others else lost), checked_by

    return patch.object(guard_keys, "_try_key", trying)


def most_not_looked_at() -> AbstractContextManager[Any]:
    """A key that may do more than the partner wants is captured like any other."""
    return patch.object(detect_key, "exceeds", lambda groups, most: False)


def kept_too_late() -> AbstractContextManager[Any]:
    """Tokens are refreshed when they have died."""
    return patch.object(keep_tokens, "KEEP_MARGIN", timedelta(seconds=-30))


# ---- The clock -------------------------------------------------------------------------------------------------------


def consents_not_given_up() -> AbstractContextManager[Any]:
    """A consent that nobody gave is shown as expired, and never ends."""
    return patch.object(Connection, "expire", lambda self, now: self)


def consent_given_up_too_soon() -> AbstractContextManager[Any]:
    """A consent is given up while a request that came in time may be under way."""

    def has_expired(self: Connection, now: datetime) -> bool:
        return self.status in (Status.STARTED, Status.CONSENTING) and now >= self.expires_at

    def due_at(self: Connection) -> datetime | None:
        open_ = self.status in (Status.STARTED, Status.CONSENTING) and not self.untold
        return self.expires_at if open_ else due.__get__(self)

    due: property = vars(Connection)["due_at"]
    return patch.multiple(Connection, has_expired=has_expired, due_at=property(due_at))


# ---- Events ----------------------------------------------------------------------------------------------------------


def success_not_told() -> AbstractContextManager[Any]:
    """No event says that a connection is active."""
    kinds = {status: kind for status, kind in KINDS.items() if status is not Status.ACTIVE}
    return patch.object(domain, "KINDS", kinds)


def telling_gives_up() -> AbstractContextManager[Any]:
    """An event that EventBridge does not take is forgotten."""

    def tell(world: Any, connection_id: str) -> Connection:
        connection = world.connections.get(connection_id)
        for event in connection.untold:
            with suppress(FastkeyError):
                world.events.tell(event)
        return change(world, connection_id, lambda c: c.told(connection.untold))

    return _telling(tell)


def told_backwards() -> AbstractContextManager[Any]:
    """The newest event is told first."""

    def tell(world: Any, connection_id: str) -> Connection:
        connection = world.connections.get(connection_id)
        for event in reversed(connection.untold):
            world.events.tell(event)
        return change(world, connection_id, lambda c: c.told(connection.untold))

    return _telling(tell)


def told_before_it_is_so() -> AbstractContextManager[Any]:
    """The event of an end is told before the end is written, which may fail."""
    expire = Connection.expire

    def guard_key(world: Any, connection_id: str) -> Any:
        connection = world.connections.get(connection_id)
        for event in expire(connection, world.clock.now()).untold:
            if event not in connection.untold:
                world.events.tell(event)
        return guarding(world, connection_id)

    guarding = guard_keys.guard_key
    return patch.object(guard_keys, "guard_key", guard_key)


def buried_at_once() -> AbstractContextManager[Any]:
    """What could not be told by whoever made it goes to the dead-letter queue."""
    return patch.object(Event, "is_given_up", lambda self, now: now >= self.at + timedelta(minutes=1))


def hoped_for_end_told() -> AbstractContextManager[Any]:
    """The event tells that the user has disconnected, when the key was left to the user."""
    told_as = Connection._told_as

    def hopeful(self: Connection, kind: Any, now: datetime) -> Connection:
        told = told_as(self, kind, now)
        *others, event = told.untold
        status = Status.REVOKED if event.status is Status.NEEDS_USER_ACTION else event.status
        return replace(told, untold=(*others, replace(event, status=status)))

    return patch.object(Connection, "_told_as", hopeful)


# ---- How -------------------------------------------------------------------------------------------------------------


def _later(connection: Connection, now: datetime) -> Connection:
    return connection._change(now, check_at=now + domain.CHECK_PERIOD)


def _die(connection: Connection, now: datetime) -> Connection:
    if connection.status is not Status.ACTIVE:
        return _later(connection, now)
    return connection._move(Status.DEAD, now, reason=KeyDead.code, refused_at=now, check_at=now + domain.CHECK_PERIOD)


@contextmanager
def _telling(tell: Any) -> Iterator[None]:
    with (
        patch.object(shipped().functions["TellEvents"].module, "tell_events", tell),
        patch.object(guard_keys, "tell_events", tell),
    ):
        yield
