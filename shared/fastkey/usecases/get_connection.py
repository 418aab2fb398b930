"""A user looks at connections: one, or all, a page at a time."""

from fastkey.domain.connection import Connection
from fastkey.domain.errors import ConnectionNotFound
from fastkey.ports import Page, Registry


def get_connection(world: Registry, connection_id: str, user_id: str) -> Connection:
    """The user's connection. Raises ConnectionNotFound, also for somebody else's: nobody learns that it exists."""
    connection = world.connections.get(connection_id)
    if connection.user_id != user_id:
        raise ConnectionNotFound
    return connection.as_of(world.clock.now())


def list_connections(world: Registry, user_id: str, cursor: str | None) -> Page:
    """A page of the user's connections, newest first, from the cursor that the page before gave.

    Raises InvalidRequest for another cursor.
    """
    page = world.connections.page(user_id, cursor)
    now = world.clock.now()
    return Page([connection.as_of(now) for connection in page.connections], page.next_cursor)
