"""What can be wrong with what users and partners are told."""

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any
from unittest.mock import patch

from fastkey.domain import errors
from fastkey.domain.connection import IDLE_KEY_LIFE, Connection
from fastkey.domain.status import Status


def revocation_shown_as_done() -> AbstractContextManager[Any]:
    """A user who disconnects reads at once that the key is gone."""
    public: property = vars(Status)["public"]

    def hasty(self: Status) -> Any:
        return "revoked" if self is Status.REVOKING else public.__get__(self)

    return patch.object(Status, "public", property(hasty))


def life_of_the_key_counted_from_the_start() -> AbstractContextManager[Any]:
    """A key that was left behind is said to die two weeks after the connection was begun."""
    until: property = vars(Connection)["key_lives_until"]

    def from_the_start(self: Connection) -> datetime | None:
        return self.created_at + IDLE_KEY_LIFE if until.__get__(self) else None

    return patch.object(Connection, "key_lives_until", property(from_the_start))


def late_key_not_mentioned() -> AbstractContextManager[Any]:
    """No text says what to do with a key that a person makes when it is over."""
    return patch.object(errors.Revoked, "text", "The user disconnected.")
