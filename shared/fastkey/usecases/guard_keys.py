"""What falls due by the clock: events are told, consents that nobody gave are given up, and keys are kept alive."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from enum import StrEnum

from fastkey.domain.account import READS, Query
from fastkey.domain.connection import SHARDS, Connection
from fastkey.domain.errors import (
    AccessMissing,
    Conflict,
    ConnectionClosed,
    ConnectionNotFound,
    FastkeyError,
    KeyUnusable,
    PermissionMissing,
)
from fastkey.domain.status import Status
from fastkey.ports import World
from fastkey.usecases.change import change
from fastkey.usecases.sign import read_by_key
from fastkey.usecases.tell_events import tell_events

# One connection, with every limit and retry of the clients used up but for the last: what is cut off is due again.
TIME_TO_LOOK = timedelta(seconds=25)

# The cheapest of each group first. Any of them keeps the key alive.
_CHECKS = tuple(
    READS[resource] for resource in ("balances/spot", "balances/main", "conversions", "orders", "deals", "transactions")
)


class Finding(StrEnum):
    """What a look at a connection found; and `done`, once: a run has looked at all that was due."""

    TOLD = "told"
    EXPIRED = "expired"
    ALIVE = "alive"
    REFUSED = "refused"
    DEAD = "dead"
    UNKNOWN = "unknown"
    MISSING = "missing"
    CLOSED = "closed"
    DONE = "done"


def guard_keys(world: World, deadline: datetime) -> Counter[Finding]:
    """Looks at each connection that is due, as long as there is time; gives how often it found what.

    A look makes the connection due later, so that whoever stops half-way, or dies, leaves the rest to the next run.
    What fails is due still, and does not hold up the others. deadline: when Lambda stops this run.
    """
    found: Counter[Finding] = Counter()
    for connection_id in _due(world):
        if world.clock.now() + TIME_TO_LOOK > deadline:
            break
        try:
            found[guard_key(world, connection_id)] += 1
        except FastkeyError:
            found[Finding.UNKNOWN] += 1
    else:
        found[Finding.DONE] += 1
    return found


def guard_key(world: World, connection_id: str) -> Finding:
    """Does for one connection what is due. Raises what passes."""
    connection, now = world.connections.get(connection_id), world.clock.now()
    if connection.untold:
        tell_events(world, connection_id)
        return Finding.TOLD
    if connection.has_expired(now):
        _change_and_tell(world, connection_id, lambda c: c.expire(now))
        return Finding.EXPIRED
    if connection.due_at is None or now < connection.due_at:
        return Finding.CLOSED
    try:
        return _check(world, connection)
    except ConnectionClosed:
        return Finding.CLOSED


def _due(world: World) -> Iterator[str]:
    """What is due now, the longest due of each queue first. Each run begins at another queue: none is always last."""
    now = world.clock.now()
    first = int(now.timestamp() // 60)
    for shard in range(first, first + SHARDS):
        after = None
        while True:
            page = world.connections.due(shard % SHARDS, now, after)
            yield from page.connection_ids
            if (after := page.next_cursor) is None:
                break


def _check(world: World, connection: Connection) -> Finding:
    """Tries the key. Nothing but a clear no of WhiteBIT's counts against it."""
    connection_id = connection.connection_id
    if connection.key_given_up:
        # Again: a copy that MigrateVault made just before the first time may not have shown then.
        world.vault.shred(connection_id)
        change(world, connection_id, lambda c: c.forget_key(world.clock.now()))
        return Finding.DEAD
    try:
        lost, checked_by = _try_key(world, connection)
    except KeyUnusable:
        return _refuse(world, connection)
    except (Conflict, ConnectionNotFound):
        raise
    except AccessMissing:
        return _look_again(world, connection_id, Finding.MISSING)
    except FastkeyError:
        return _look_again(world, connection_id, Finding.UNKNOWN)
    _change_and_tell(
        world, connection_id, lambda c: c.survive(c.permissions_without(lost), checked_by, world.clock.now())
    )
    return Finding.ALIVE


def _look_again(world: World, connection_id: str, finding: Finding) -> Finding:
    """In an hour. So it is with a copy that is missing, too: it may not show yet, and who deleted it may restore it."""
    change(world, connection_id, lambda c: c.check_again(world.clock.now()))
    return finding


def _try_key(world: World, connection: Connection) -> tuple[str | None, str | None]:
    """Makes one signed read that was granted. Gives the group of permissions that was taken away, and what went well.

    Something is granted in a group, which need not be this read: a group is gone where one of its reads went well
    before, and none of them does now. Raises KeyUnusable if WhiteBIT does not accept the key, and AccessMissing if we
    have no copy of it.
    """
    key, before = world.vault.find(connection.connection_id), READS.get(connection.checked_by or "")
    if key is None:
        raise AccessMissing
    group = before.group if before else None
    granted = [read for read in _CHECKS if read.group in connection.permissions]
    # What went well before is tried first, and then what else is in its group.
    granted.sort(key=lambda read: (read is not before, read.group != group))
    for read in granted or _CHECKS[:1]:
        try:
            read_by_key(world, connection.connection_id, key, Query(read, {}))
        except PermissionMissing:
            # The signature was accepted: the key is alive.
            continue
        return (group if read.group != group else None), read.resource
    return group, None


def _refuse(world: World, connection: Connection) -> Finding:
    connection_id = connection.connection_id
    refused = _change_and_tell(world, connection_id, lambda c: c.refuse_key(world.clock.now()))
    if refused.key_given_up:
        world.vault.shred(connection_id)
    return Finding.DEAD if refused.status is Status.DEAD else Finding.REFUSED


def _change_and_tell(world: World, connection_id: str, decide: Callable[[Connection], Connection]) -> Connection:
    """As `change`; and what there is to tell of it is told."""
    changed = change(world, connection_id, decide)
    return tell_events(world, connection_id) if changed.untold else changed
