"""What can be wrong where there are two vaults, and keys are moved."""

from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from fastkey.adapters.vaults import BothVaults
from fastkey.domain.connection import Connection
from fastkey.domain.status import CHECKED
from fastkey.usecases import migrate_vault
from fastkey.usecases.lease import lease


def found_in_the_chosen_vault_alone() -> AbstractContextManager[Any]:
    """A key that was stored before the vault was changed is not looked for where it lies."""
    return patch.object(BothVaults, "find", lambda self, connection_id: self._vaults.chosen_vault.find(connection_id))


def shredded_in_the_chosen_vault_alone() -> AbstractContextManager[Any]:
    """Whoever disconnects leaves a copy in the vault of before."""
    return patch.object(BothVaults, "shred", lambda self, connection_id: self._vaults.chosen_vault.shred(connection_id))


def moved_by_shredding_first() -> AbstractContextManager[Any]:
    """The old copy goes before the new one is there."""

    def copy(world: Any, connection_id: str, deadline: datetime) -> None:
        key, connection = world.other_vault.find(connection_id), world.connections.get(connection_id)
        if key and connection.status in CHECKED:
            with lease(world, connection_id, deadline, connection.status) as held:
                world.other_vault.shred(connection_id)
                world.chosen_vault.prepare(connection)
                world.chosen_vault.store(connection_id, key)
                held.change(lambda c: c.release(world.clock.now()))

    return patch.object(migrate_vault, "_copy", copy)


def old_copy_shredded_unseen() -> AbstractContextManager[Any]:
    """The old copy goes whether or not the new one is there still, and whoever has written in between."""

    def clear(world: Any, copied: Connection, deadline: datetime) -> bool:
        with lease(world, copied.connection_id, deadline, copied.status) as held:
            world.other_vault.shred(copied.connection_id)
            held.change(lambda c: c.release(world.clock.now()))
        return True

    return patch.object(migrate_vault, "_clear", clear)


def old_copy_shredded_at_once() -> AbstractContextManager[Any]:
    """The old copy goes before the new one shows."""
    return patch.object(migrate_vault, "SETTLING", timedelta(0))


def moved_whatever_became_of_it() -> AbstractContextManager[Any]:
    """Keys are read first and stored two minutes later, and those of users who disconnected meanwhile are back."""

    def copy(world: Any, connection_id: str, deadline: datetime) -> Any:
        key = world.other_vault.find(connection_id)
        return (world.connections.get(connection_id), key) if key else None

    def clear(world: Any, read: Any, deadline: datetime) -> bool:
        connection, key = read
        world.chosen_vault.prepare(connection)
        world.chosen_vault.store(connection.connection_id, key)
        world.other_vault.shred(connection.connection_id)
        return True

    return patch.multiple(migrate_vault, _copy=copy, _clear=clear, SETTLING=timedelta(minutes=2))


def key_that_is_moved_not_shredded() -> AbstractContextManager[Any]:
    """The old copy stays."""
    return patch.object(migrate_vault, "_clear", lambda world, copied, deadline: True)
