"""How a secret can get out."""

from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from fastkey.domain.authorization import AuthorizationResponse, completion
from fastkey.domain.connection import Connection
from fastkey.domain.key import CapturedKey
from fastkey.domain.secret import Secret
from fastkey.logging import log
from fastkey.usecases import callback, capture_secret
from tests.simulation.shipped import shipped


def secret_logged() -> AbstractContextManager[Any]:
    """The secret is logged when it is stored."""
    store = capture_secret._store

    def telling(world: Any, connection_id: str, key: CapturedKey) -> None:
        log("stored", status=key.secret.reveal())
        store(world, connection_id, key)

    return patch.object(capture_secret, "_store", telling)


def completion_logged() -> AbstractContextManager[Any]:
    """What only the browser that returned should have is logged."""

    def telling(cookie: Secret, state: Secret) -> Secret:
        derived = completion(cookie, state)
        log("returned", status=derived.reveal())
        return derived

    return patch.object(callback, "completion", telling)


def state_passed_on() -> AbstractContextManager[Any]:
    """The browser is sent back with the state in its address, where the partner's page and its logs see it."""
    module = shipped().functions["Callback"].module
    take_back = module.callback

    def passing_on(world: Any, response: AuthorizationResponse, *rest: Any) -> Secret:
        return Secret(f"{take_back(world, response, *rest).reveal()}&state={response.state.reveal()}")

    return patch.object(module, "callback", passing_on)


def secret_in_the_history() -> AbstractContextManager[Any]:
    """A step gives the secret to the next one, and the execution history keeps it for 90 days."""
    module = shipped().functions["CaptureSecret"].module

    def outcome(connection: Connection) -> dict[str, Any]:
        key = module.world.vault.find(connection.connection_id)
        return {"status": connection.status, "secret": key.secret.reveal() if key else None}

    return patch.object(module, "outcome", outcome)


def secret_in_the_event() -> AbstractContextManager[Any]:
    """The event that tells how it went says with what key."""

    def tell(world: Any, connection_id: str) -> Connection:
        connection: Connection = world.connections.get(connection_id)
        key = world.vault.find(connection_id)
        for event in connection.untold:
            world.events.tell(replace(event, reason=key.secret.reveal()) if key else event)
        return connection

    return patch.object(shipped().functions["TellEvents"].module, "tell_events", tell)
