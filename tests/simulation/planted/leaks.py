"""How a secret can get out."""

from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

from fastkey.domain.connection import Connection
from fastkey.domain.key import CapturedKey
from fastkey.logging import log
from fastkey.usecases import capture_secret
from tests.simulation.world import shipped


def secret_logged() -> AbstractContextManager[Any]:
    """The secret is logged when it is stored."""
    store = capture_secret._store

    def telling(world: Any, connection_id: str, key: CapturedKey) -> None:
        log("stored", connection_id=connection_id, status=key.secret.reveal())
        store(world, connection_id, key)

    return patch.object(capture_secret, "_store", telling)


def secret_in_the_history() -> AbstractContextManager[Any]:
    """A step gives the secret to the next one, and the execution history keeps it for 90 days."""
    module = shipped().functions["CaptureSecret"].module

    def outcome(connection: Connection) -> dict[str, Any]:
        key = module.world.vault.find(connection.connection_id)
        return {"status": connection.status, "secret": key.secret.reveal() if key else None}

    return patch.object(module, "outcome", outcome)


def secret_in_the_event() -> AbstractContextManager[Any]:
    """The event that tells how it went says with what key."""
    module = shipped().functions["VerifyKey"].module

    def outcome(connection: Connection) -> dict[str, Any]:
        key = module.world.vault.find(connection.connection_id)
        return {"status": connection.status, "reason": key.secret.reveal() if key else None}

    return patch.object(module, "outcome", outcome)
