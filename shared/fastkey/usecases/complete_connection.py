"""The frontend completes a connection, as the user who started it."""

from fastkey.domain.connection import Connection
from fastkey.domain.errors import CompletionRefused
from fastkey.domain.secret import Secret
from fastkey.ports import World
from fastkey.usecases.change import change_and_resume


def complete_connection(world: World, connection_id: str, user_id: str, completion: Secret) -> Connection:
    """Lets the provisioning go on. A second time changes nothing.

    Raises CompletionRefused for a right completion by another user, which ends the connection: somebody was made to
    consent with a forwarded link, and their key must not land in the account of whoever forwarded it. Raises
    ConnectionNotFound, CompletionInvalid, ConnectionClosed.
    """
    connection = change_and_resume(world, connection_id, lambda c: c.complete(user_id, completion, world.clock.now()))
    if connection.user_id != user_id:
        raise CompletionRefused
    return connection
