"""A connection is revoked: its user disconnects, or whoever operates the deployment revokes it."""

from fastkey.domain.connection import Connection
from fastkey.ports import Registry
from fastkey.usecases.change import change_and_resume
from fastkey.usecases.get_connection import get_connection


def revoke_connection(world: Registry, connection_id: str, user_id: str) -> Connection:
    """Puts up the fence, and has RevokeKey do the rest.

    A second time changes nothing. Raises ConnectionNotFound, also for somebody else's.
    """
    connection = get_connection(world, connection_id, user_id)
    if connection.status.is_end:
        return connection
    # First the workflow, then the fence: RevokeKey puts up the fence too, so that it finishes even if this function
    # dies here.
    world.workflows.start_revoke(connection_id)
    return change_and_resume(world, connection_id, lambda c: c.revoke(world.clock.now()))
