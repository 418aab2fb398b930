"""Keys are moved from the other vault into the one that is chosen, while everything else goes on."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fastkey.domain.connection import SHARDS, Connection
from fastkey.domain.errors import (
    Conflict,
    ConnectionClosed,
    FastkeyError,
    InvalidRequest,
    NoTimeLeft,
    StorageUnavailable,
)
from fastkey.domain.status import CHECKED
from fastkey.ports import World
from fastkey.usecases.lease import lease

# Before the old copy goes, the new one shows everywhere: docs/decisions/0012-wait-before-concluding.md.
SETTLING = timedelta(minutes=1)

# One connection, with every limit and retry of the clients used up but for the last.
TIME_TO_MOVE = timedelta(seconds=25)

# Each connection with a key is due at some time.
_ANY_TIME = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Migrated:
    """How many keys were moved, and which were left for another time: the error's code by the connection's id.

    cursor: where the next run goes on; None at the end.
    """

    moved: int
    left: Mapping[str, str]
    cursor: str | None


def migrate_vault(world: World, to: str, cursor: str | None, deadline: datetime) -> Migrated:
    """Moves as many keys as there is time for: first all of them are copied, and then the old copies are shredded.

    At whatever point it is stopped, a key is in the one vault, in both, or in the other, and is found and revoked as
    ever. to: the vault that whoever asks has in mind. cursor: what an earlier run gave, or None. deadline: when Lambda
    stops this run. Raises InvalidRequest for what cannot be a cursor, and where another vault is chosen: keys would
    be captured into the one that is to become empty.
    """
    if to != world.policy.vault:
        raise InvalidRequest
    now, goes_on = world.clock.now(), None
    left: dict[str, str] = {}
    copied: dict[str, Connection] = {}
    for page, connection_id in _connections(world, cursor):
        # One half of the time for each.
        if world.clock.now() + TIME_TO_MOVE > now + (deadline - now - SETTLING) / 2:
            goes_on = page
            break
        with _naming(connection_id, left):
            if connection := _copy(world, connection_id, deadline):
                copied[connection_id] = connection
    if copied:
        world.clock.wait(SETTLING)
    for connection_id, connection in copied.items():
        with _naming(connection_id, left):
            _clear(world, connection, deadline)
    return Migrated(len(copied.keys() - left.keys()), left, goes_on)


@contextmanager
def _naming(connection_id: str, left: dict[str, str]) -> Iterator[None]:
    """What cannot be moved is named, and does not hold up the others."""
    try:
        yield
    except FastkeyError as error:
        left[connection_id] = error.code


def _connections(world: World, cursor: str | None) -> Iterator[tuple[str, str]]:
    """All that may have a key, each with the cursor of its page; but for one that becomes due earlier meanwhile."""
    first, _, after = (cursor or "0 ").partition(" ")
    if first not in map(str, range(SHARDS)):
        raise InvalidRequest
    for shard in range(int(first), SHARDS):
        while True:
            page = world.connections.due(shard, _ANY_TIME, after or None)
            yield from ((f"{shard} {after}", connection_id) for connection_id in page.connection_ids)
            after = page.next_cursor or ""
            if not after:
                break


def _copy(world: World, connection_id: str, deadline: datetime) -> Connection | None:
    """The connection, as it is when both vaults have its key; None where there is no key to be moved."""
    # First, because what is logged from here on is about it.
    connection = world.connections.get(connection_id)
    key = world.other_vault.find(connection_id)
    if key is None:
        return None
    if connection.status not in CHECKED or connection.key_given_up:
        raise ConnectionClosed
    # Nobody undoes anything meanwhile: a copy that is made under the lease is there when RevokeKey shreds both.
    with lease(world, connection_id, deadline, connection.status) as held:
        world.chosen_vault.prepare(connection)
        held.check()
        world.chosen_vault.store(connection_id, key)
        return held.change(lambda c: c.release(world.clock.now()))


def _clear(world: World, copied: Connection, deadline: datetime) -> None:
    """Shreds the old copy. copied: the connection, since when both vaults have its key."""
    connection_id = copied.connection_id
    if world.clock.now() + TIME_TO_MOVE > deadline:
        raise NoTimeLeft
    with lease(world, connection_id, deadline, copied.status) as held:
        # Whoever wrote in between may be moving the key the other way: each would shred what the other relies on.
        if held.connection.version != copied.version + 1:
            raise Conflict
        key = world.chosen_vault.find(connection_id)
        if key is None or key != world.other_vault.find(connection_id):
            raise StorageUnavailable
        held.check()
        world.other_vault.shred(connection_id)
        held.change(lambda c: c.release(world.clock.now()))
