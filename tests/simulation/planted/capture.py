"""What can be wrong around the one read."""

from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from unittest.mock import patch

from fastkey.domain.connection import Connection
from fastkey.domain.key import CapturedKey
from fastkey.domain.secret import Secret
from fastkey.usecases import capture_secret
from fastkey.usecases.change import change
from tests.simulation.shipped import shipped


def bytes_not_canonical() -> AbstractContextManager[Any]:
    """The same key is written with other bytes in each attempt, under the same token."""
    to_json, attempts = CapturedKey.to_json, count(1)
    return patch.object(CapturedKey, "to_json", lambda self: Secret(to_json(self).reveal() + " " * next(attempts)))


def escrow_not_written() -> AbstractContextManager[Any]:
    """Where the vault does not answer, the secret that was read is dropped."""

    def store(world: Any, connection_id: str, key: CapturedKey) -> None:
        world.vault.store(connection_id, key)

    return patch.object(capture_secret, "_store", store)


def read_without_the_time_to_store() -> AbstractContextManager[Any]:
    """The secret is read although Lambda may stop the function before it is stored."""
    return patch.object(capture_secret, "TIME_TO_READ_AND_STORE", timedelta())


def activated_without_being_verified() -> AbstractContextManager[Any]:
    """A connection is active as soon as its key is stored: nobody has tried it."""

    def verify_key(world: Any, connection_id: str, _deadline: datetime) -> Connection:
        return change(world, connection_id, lambda c: c.activate(world.clock.now()))

    return patch.object(shipped().functions["VerifyKey"].module, "verify_key", verify_key)
