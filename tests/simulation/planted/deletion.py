"""What can be wrong when what was made is undone."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any
from unittest.mock import patch

from fastkey.domain.connection import Connection
from fastkey.domain.errors import UnexpectedAnswer, by_code
from fastkey.domain.status import Status
from fastkey.usecases import capture_secret, delete_key
from fastkey.usecases.lease import Lease


def deleted_without_looking_for_a_copy() -> AbstractContextManager[Any]:
    """Provisioning fails, and the key is deleted though a copy of its secret may be here."""
    return patch.object(delete_key, "find_copy", lambda world, connection: None)


@contextmanager
def deleted_on_a_409_without_looking() -> Iterator[None]:
    """WhiteBIT is asked whatever is stored, and when it says that it gave the secret before, the key is deleted."""
    nowhere = partial(patch.object, attribute="find_copy", new=lambda world, connection: None)
    with nowhere(capture_secret), nowhere(delete_key):
        yield


def deleted_on_an_unknown_answer() -> AbstractContextManager[Any]:
    """An answer that nobody knows is taken for a reason to delete the key."""
    return patch.object(UnexpectedAnswer, "ends", Status.FAILED)


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
    return patch.object(delete_key, "_delete", lambda world, held, deadline, *, leave_to_user: _said(held))


def user_not_told() -> AbstractContextManager[Any]:
    """Where WhiteBIT cannot be made to delete the key, the connection ends as if it had."""
    delete = delete_key._delete

    def silent(world: Any, held: Lease, deadline: Any, *, leave_to_user: bool) -> Status:
        delete(world, held, deadline, leave_to_user=leave_to_user)
        return _said(held)

    return patch.object(delete_key, "_delete", silent)


def _said(held: Lease) -> Status:
    return by_code(held.connection.reason or "").ends
