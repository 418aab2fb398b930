"""What is kept, watched: whoever reads or writes a connection works on it, and what is stored is logged and counted.

In one place, because all that happens to a connection comes by here, and a line about a change follows what is stored.
"""

from collections.abc import Iterator
from datetime import datetime

from fastkey.domain.authorization import Authorization
from fastkey.domain.connection import Connection
from fastkey.domain.secret import Secret
from fastkey.logging import about, is_about, log
from fastkey.metrics import counts_of
from fastkey.ports import Authorizations, Connections, Due, Page


class WatchedAuthorizations:
    """Authorization requests: a browser that is not the right one is about the connection, too."""

    def __init__(self, authorizations: Authorizations) -> None:
        self._authorizations = authorizations

    def add(self, authorization: Authorization) -> None:
        self._authorizations.add(authorization)

    def find(self, state: Secret) -> Authorization | None:
        found = self._authorizations.find(state)
        about(found.connection_id if found else None)
        return found


class WatchedConnections:
    """Connections. Only an id under which there is one is ever logged: any other may be anything."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def add(self, connection: Connection) -> None:
        self._connections.add(connection)
        about(connection.connection_id)
        _tell(None, connection)

    def get(self, connection_id: str) -> Connection:
        # While this one is read, nothing is about the one before. Of a step's own connection, the workflow has told.
        if not is_about(connection_id):
            about(None)
        connection = self._connections.get(connection_id)
        about(connection_id)
        return connection

    def page(self, user_id: str, cursor: str | None) -> Page:
        return self._connections.page(user_id, cursor)

    def save(self, before: Connection, after: Connection) -> None:
        self._connections.save(before, after)
        _tell(before, after)

    def due(self, shard: int, now: datetime, cursor: str | None) -> Due:
        about(None)
        return self._connections.due(shard, now, cursor)

    def kept(self, until: datetime) -> Iterator[str]:
        about(None)
        return self._connections.kept(until)

    def count_kept(self) -> int:
        about(None)
        return self._connections.count_kept()


def _tell(before: Connection | None, after: Connection) -> None:
    counts = counts_of(before, after)
    log("stored", status=after.status, code=after.reason, version=after.version, counts=counts)
