"""The point of no return: WhiteBIT gives the key's secret once, ever."""

from datetime import datetime, timedelta

from fastkey.domain.connection import Connection
from fastkey.domain.errors import ConnectionClosed, NoTimeLeft, SecretLost, StorageUnavailable
from fastkey.domain.key import CapturedKey
from fastkey.domain.secret import Secret
from fastkey.domain.status import Status
from fastkey.ports import Purpose, World
from fastkey.usecases.change import change, insist
from fastkey.usecases.lease import Lease, lease, overtaken
from fastkey.usecases.refresh_token import live_token

# With every limit and retry of the clients used up: 16 s for the read, 30 s for the vault and, if that fails, 30 s for
# each of the escrow's three calls.
TIME_TO_READ_AND_STORE = timedelta(seconds=136)


def capture_secret(world: World, connection_id: str, deadline: datetime) -> Connection:
    """Reads the key's secret and stores it. May be run again after any end, its own death included.

    deadline: when Lambda stops this attempt. Raises SecretLost when WhiteBIT has given the secret before and no copy of
    it is here; ConsentLost, KeyGone; SecretLocked, StepInProgress, NoTimeLeft and others that pass; ConnectionClosed if
    the connection went another way.
    """
    try:
        with lease(world, connection_id, deadline, Status.CAPTURING) as held:
            world.vault.prepare(held.connection)
            key = find_copy(world, held.connection) or _read(world, held, deadline)
            _store(world, connection_id, key)
            return held.change(lambda c: c.verify(world.clock.now()))
    except ConnectionClosed:
        return overtaken(world, connection_id, Status.VERIFYING, Status.ACTIVE)


def find_copy(world: World, connection: Connection) -> CapturedKey | None:
    """The key as an earlier attempt stored it, in the vault or in escrow."""
    if stored := world.vault.find(connection.connection_id):
        return stored
    if connection.escrow:
        return _key(connection, world.sealer.open(connection.escrow, connection.connection_id, Purpose.ESCROW))
    return None


def _read(world: World, held: Lease, deadline: datetime) -> CapturedKey:
    """The one read. Everything that can fail without it is tried before; it is neither repeated nor cut off."""
    leased, connection_id = held.connection, held.connection.connection_id
    try:
        with live_token(world, connection_id, deadline) as token:
            world.sealer.seal(Secret("may this function seal?"), connection_id, Purpose.ESCROW)
            # Last, because all of that takes time: does the connection still want it, and is there time left?
            held.check()
            if world.clock.now() + TIME_TO_READ_AND_STORE > deadline:
                raise NoTimeLeft
            return _key(leased, world.whitebit.read_secret(token, leased.external_id or ""))
    except SecretLost:
        # Given before: to an earlier attempt, perhaps, whose copy shows up only now.
        if copy := find_copy(world, world.connections.get(connection_id)):
            return copy
        raise


def _store(world: World, connection_id: str, key: CapturedKey) -> None:
    """The first durable write wins: the vault, or else the escrow, from which the next attempt moves it over.

    Neither looks at the lease: this may be the only copy that there will ever be, and each attempt stores the same. A
    place that was shredded takes nothing, and a connection that was revoked no escrow.
    """
    try:
        world.vault.store(connection_id, key)
    except Exception:  # noqa: BLE001 - whatever the reason, this is the only copy there will ever be
        sealed = insist(lambda: world.sealer.seal(key.secret, connection_id, Purpose.ESCROW))
        insist(lambda: change(world, connection_id, lambda c: c.keep_in_escrow(sealed, world.clock.now())))
        raise StorageUnavailable from None


def _key(connection: Connection, secret: Secret) -> CapturedKey:
    """The key with its secret: the same in every attempt, because all else comes from the connection."""
    if connection.external_id is None or connection.issued_at is None:
        raise ConnectionClosed
    return CapturedKey(connection.external_id, secret, connection.permissions, connection.issued_at)
