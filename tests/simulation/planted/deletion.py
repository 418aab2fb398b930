"""What can be wrong when what was made is undone."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest.mock import patch

from fastkey.domain.connection import Connection
from fastkey.domain.errors import by_code
from fastkey.domain.status import Status
from fastkey.usecases import capture_secret, delete_key


@contextmanager
def escrow_not_read() -> Iterator[None]:
    """A copy is looked for in the vault alone, before a read as before a deletion."""

    def find_copy(world: Any, connection: Connection) -> Any:
        return world.vault.find(connection.connection_id)

    with patch.object(capture_secret, "find_copy", find_copy), patch.object(delete_key, "find_copy", find_copy):
        yield


def another_connections_key_deleted() -> AbstractContextManager[Any]:
    """Whichever key the account has is deleted, though another connection may hold it."""
    return patch.object(Connection, "hold", lambda self, external_id, now: self)


def key_left_behind() -> AbstractContextManager[Any]:
    """WhiteBIT is not asked to delete the key, and nobody is told."""
    return patch.object(delete_key, "_delete", lambda world, leased, deadline, *, leave_to_user: _said(leased))


def user_not_told() -> AbstractContextManager[Any]:
    """Where WhiteBIT cannot be made to delete the key, the connection ends as if it had."""
    delete = delete_key._delete

    def silent(world: Any, leased: Connection, deadline: Any, *, leave_to_user: bool) -> Status:
        delete(world, leased, deadline, leave_to_user=leave_to_user)
        return _said(leased)

    return patch.object(delete_key, "_delete", silent)


def _said(leased: Connection) -> Status:
    return by_code(leased.reason or "").ends
