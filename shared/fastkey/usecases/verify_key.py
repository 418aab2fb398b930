"""A connection is active when a call that was signed with the stored key has gone well."""

from datetime import datetime

from fastkey.domain.connection import Connection
from fastkey.domain.errors import ConnectionClosed, StorageUnavailable
from fastkey.domain.status import Status
from fastkey.ports import World
from fastkey.usecases.lease import lease, overtaken


def verify_key(world: World, connection_id: str, deadline: datetime) -> Connection:
    """Signs one read with the key as it was stored. A second time changes nothing.

    deadline: when Lambda stops this attempt. Raises KeyUnusable if WhiteBIT does not accept the key, ConnectionClosed
    if the connection went another way, and what passes.
    """
    try:
        with lease(world, connection_id, deadline, Status.VERIFYING) as held:
            key = world.vault.find(connection_id)
            if key is None:
                raise StorageUnavailable
            # Last, because finding the key takes time: nothing signs once the user disconnects.
            held.check()
            world.whitebit.try_key(key)
            return held.change(lambda c: c.activate(world.clock.now()))
    except ConnectionClosed:
        return overtaken(world, connection_id, Status.ACTIVE)
