"""What is kept: authorization requests, connections, captured keys."""

from datetime import datetime
from operator import attrgetter

from fastkey.domain.authorization import Authorization
from fastkey.domain.connection import Connection
from fastkey.domain.errors import (
    AccountAlreadyConnected,
    Conflict,
    ConnectionNotFound,
    InvalidRequest,
    StorageUnavailable,
)
from fastkey.domain.key import CapturedKey
from fastkey.domain.secret import Secret
from fastkey.ports import Page
from tests.fakes.interruptions import Interruptible, interruptible

PAGE_SIZE = 25


class FakeAuthorizations(Interruptible):
    """Authorization requests by the digest of their state; none is ever removed."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: dict[str, Authorization] = {}

    @interruptible
    def add(self, authorization: Authorization) -> None:
        self._kept[authorization.state_digest] = authorization

    @interruptible
    def find(self, state: Secret) -> Authorization | None:
        return self._kept.get(state.digest())


class FakeConnections(Interruptible):
    """Connections by id."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: dict[str, Connection] = {}

    def all(self) -> list[Connection]:
        """Every connection, for whoever checks what must always hold."""
        return list(self._kept.values())

    @interruptible
    def add(self, connection: Connection) -> None:
        if connection.connection_id in self._kept:
            raise StorageUnavailable
        self._kept[connection.connection_id] = connection

    @interruptible
    def get(self, connection_id: str) -> Connection:
        if connection_id not in self._kept:
            raise ConnectionNotFound
        return self._kept[connection_id]

    @interruptible
    def page(self, user_id: str, cursor: str | None) -> Page:
        mine = sorted((c for c in self._kept.values() if c.user_id == user_id), key=_position, reverse=True)
        after = _parse(cursor) if cursor else None
        rest = [c for c in mine if after is None or _position(c) < after]
        shown = rest[:PAGE_SIZE]
        return Page(shown, "#".join(_position(shown[-1])) if len(rest) > PAGE_SIZE else None)

    @interruptible
    def save(self, before: Connection, after: Connection) -> None:
        stored = self._kept.get(before.connection_id)
        if stored is None or stored.version != before.version:
            raise Conflict
        others = (c for c in self._kept.values() if c.connection_id != after.connection_id)
        if after.held_key and after.held_key in map(attrgetter("held_key"), others):
            raise AccountAlreadyConnected
        self._kept[after.connection_id] = after


class FakeVault(Interruptible):
    """Keys by connection: None where a place is prepared and still empty."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: dict[str, CapturedKey | None] = {}

    @interruptible
    def prepare(self, connection: Connection) -> None:
        self._kept.setdefault(connection.connection_id, None)

    @interruptible
    def store(self, connection_id: str, key: CapturedKey) -> None:
        if connection_id not in self._kept:
            raise StorageUnavailable
        kept = self._kept[connection_id]
        if kept and kept.version == key.version and kept.to_json() != key.to_json():
            raise StorageUnavailable
        self._kept[connection_id] = key

    @interruptible
    def find(self, connection_id: str) -> CapturedKey | None:
        return self._kept.get(connection_id)

    @interruptible
    def shred(self, connection_id: str) -> None:
        self._kept.pop(connection_id, None)


def _position(connection: Connection) -> tuple[str, str]:
    return connection.created_at.isoformat(timespec="microseconds"), connection.connection_id


def _parse(cursor: str) -> tuple[str, str]:
    try:
        created, connection_id = cursor.split("#")
        datetime.fromisoformat(created)
    except ValueError:
        raise InvalidRequest from None
    return created, connection_id
