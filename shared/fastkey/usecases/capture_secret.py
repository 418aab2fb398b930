"""The point of no return: WhiteBIT gives the key's secret once, ever."""

from datetime import datetime, timedelta

from fastkey.domain.connection import Connection
from fastkey.domain.errors import ConnectionClosed, FastkeyError, NoTimeLeft, SecretLost, StorageUnavailable
from fastkey.domain.key import CapturedKey
from fastkey.domain.secret import Secret
from fastkey.domain.status import Status
from fastkey.ports import Purpose, World
from fastkey.usecases.change import change
from fastkey.usecases.refresh_token import live_token

# At most 12 s for the read, 24 s for the vault, and 54 s for the escrow where the vault fails: every limit and retry of
# the clients used up.
TIME_TO_READ_AND_STORE = timedelta(seconds=90)

_CAPTURED = (Status.VERIFYING, Status.ACTIVE)


def capture_secret(world: World, connection_id: str, deadline: datetime) -> Connection:
    """Reads the key's secret and stores it. May be run again after any end, its own death included.

    deadline: when this attempt will have been stopped. It holds a lease until then, so that no two attempts overlap.
    Raises SecretLost when WhiteBIT has given the secret before and no copy of it is here; ConsentLost, KeyGone;
    SecretLocked, StepInProgress, NoTimeLeft and others that pass; ConnectionClosed if the connection went another way.
    """
    now = world.clock.now
    leased = change(world, connection_id, lambda c: c if c.status in _CAPTURED else c.lease_capture(deadline, now()))
    if leased.status in _CAPTURED:
        return leased
    try:
        world.vault.prepare(leased)
        key = find_copy(world, leased) or _read(world, leased, deadline)
        _store(world, connection_id, key)
        return change(world, connection_id, lambda c: c.verify(now()))
    except FastkeyError:
        change(world, connection_id, lambda c: c.release_capture(deadline, now()))
        raise


def find_copy(world: World, connection: Connection) -> CapturedKey | None:
    """The key as an earlier attempt stored it, in the vault or in escrow."""
    if stored := world.vault.find(connection.connection_id):
        return stored
    if connection.escrow:
        return CapturedKey.from_json(world.sealer.open(connection.escrow, connection.connection_id, Purpose.ESCROW))
    return None


def _read(world: World, connection: Connection, deadline: datetime) -> CapturedKey:
    """The one read. Everything that can fail without it has been tried before; it is neither repeated nor cut off."""
    connection_id, external_id, issued_at = connection.connection_id, connection.external_id, connection.issued_at
    if external_id is None or issued_at is None:
        raise ConnectionClosed
    token = live_token(world, connection_id)
    world.sealer.seal(Secret("may this function seal?"), connection_id, Purpose.ESCROW)
    if world.clock.now() + TIME_TO_READ_AND_STORE > deadline:
        raise NoTimeLeft
    try:
        secret = world.whitebit.read_secret(token, external_id)
    except SecretLost:
        # Given before: to an earlier attempt, perhaps, whose copy shows up only now.
        if copy := find_copy(world, world.connections.get(connection_id)):
            return copy
        raise
    return CapturedKey(external_id, secret, connection.permissions, issued_at)


def _store(world: World, connection_id: str, key: CapturedKey) -> None:
    """The first durable write wins: the vault, or else the escrow, from which the next attempt moves it over."""
    try:
        world.vault.store(connection_id, key)
    except Exception:  # noqa: BLE001 - whatever the reason, this is the only copy there will ever be
        sealed = world.sealer.seal(key.to_json(), connection_id, Purpose.ESCROW)
        change(world, connection_id, lambda c: c.keep_in_escrow(sealed, world.clock.now()))
        raise StorageUnavailable from None
