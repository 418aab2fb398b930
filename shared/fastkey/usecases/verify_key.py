"""A connection is active when a call that was signed with the stored key has gone well."""

from fastkey.domain.connection import Connection
from fastkey.domain.errors import ConnectionClosed, StorageUnavailable
from fastkey.domain.status import Status
from fastkey.ports import World
from fastkey.usecases.change import change


def verify_key(world: World, connection_id: str) -> Connection:
    """Signs one read with the key as it was stored. A second time changes nothing.

    Raises KeyUnusable if WhiteBIT does not accept the key, ConnectionClosed if the connection went another way, and
    what passes.
    """
    connection = world.connections.get(connection_id)
    if connection.status is Status.ACTIVE:
        return connection
    if connection.status is not Status.VERIFYING:
        raise ConnectionClosed
    key = world.vault.find(connection_id)
    if key is None:
        raise StorageUnavailable
    world.whitebit.try_key(key)
    return change(world, connection_id, lambda c: c.activate(world.clock.now()))
