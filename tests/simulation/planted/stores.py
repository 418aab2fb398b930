"""What can be wrong with how things are stored: test doubles that do it wrong."""

from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

from fastkey.domain.connection import ABANDONED_LIFE, Connection
from fastkey.domain.errors import StorageUnavailable
from fastkey.domain.key import CapturedKey
from tests.fakes.stores import FakeConnections, FakeVault


def vault_updates_secrets() -> AbstractContextManager[Any]:
    """The vault uses UpdateSecret, for which a token that exists is an error, for the same bytes too."""
    store = FakeVault.store

    def update(self: FakeVault, connection_id: str, key: CapturedKey) -> None:
        if self.truth(connection_id):
            raise StorageUnavailable
        store(self, connection_id, key)

    return patch.object(FakeVault, "store", update)


def vault_keeps_what_is_shredded() -> AbstractContextManager[Any]:
    """Shredding leaves the secret in its recovery window, from where it can be had back."""
    return patch.object(FakeVault, "shred", lambda self, connection_id: self.exists(connection_id))


def holders_not_checked() -> AbstractContextManager[Any]:
    """Two connections may hold one key."""
    return patch.object(FakeConnections, "_hold", lambda self, before, after: None)


def last_writer_wins() -> AbstractContextManager[Any]:
    """A connection is written whatever its version is meanwhile."""

    def save(self: FakeConnections, before: Connection, after: Connection) -> None:
        kept = self._kept[before.connection_id]
        if after.held_key != before.held_key:
            self._hold(before, after)
        kept.record(self._clock.now(), after)

    return patch.object(FakeConnections, "save", save)


def connections_with_keys_forgotten() -> AbstractContextManager[Any]:
    """The table's TTL may remove any connection, one that holds a key too."""
    return patch.object(Connection, "remove_at", property(lambda self: self.expires_at + ABANDONED_LIFE))
