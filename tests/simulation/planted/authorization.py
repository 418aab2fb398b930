"""What can be wrong from the click to the completion."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any
from unittest.mock import patch

from fastkey.domain.authorization import AUTHORIZATION_LIFE, AuthorizationResponse
from fastkey.domain.connection import EXCHANGE_LIFE, Connection
from fastkey.domain.errors import AuthorizationInvalid, WhiteBitUnavailable
from fastkey.domain.secret import Secret
from fastkey.domain.status import Status
from fastkey.ports import Purpose
from fastkey.usecases import callback
from fastkey.usecases.change import change
from fastkey.usecases.refresh_token import seal_tokens
from tests.simulation.world import Simulation


def exchange_sent_again() -> AbstractContextManager[Any]:
    """The client sends the code again when the answer was lost."""
    call = Simulation.call

    def repeating(self: Simulation, port: str, method: str, effect: Callable[..., Any], *args: Any) -> Any:
        try:
            return call(self, port, method, effect, *args)
        except WhiteBitUnavailable:
            if method != "exchange_code":
                raise
            return call(self, port, method, effect, *args)

    return patch.object(Simulation, "call", repeating)


def every_return_spends_the_code() -> AbstractContextManager[Any]:
    """A browser that comes back twice has its code sent twice."""

    def pending(world: Any, response: AuthorizationResponse, cookie: Secret) -> Any:
        found = find_pending(world, response, cookie)
        connection = world.connections.get(found.connection_id)
        if connection.status is Status.EXCHANGING:
            world.connections.save(connection, replace(connection, status=Status.CONSENTING))
        return found

    find_pending = callback._pending
    return patch.object(callback, "_pending", pending)


def workflow_started_after_the_code() -> AbstractContextManager[Any]:
    """The code is spent first, and only then the workflow is started that brings the connection to an end."""

    def exchange(world: Any, authorization: Any, code: Secret, _deadline: datetime) -> Connection:
        connection_id, asked_at = authorization.connection_id, world.clock.now()
        verifier = world.sealer.open(authorization.verifier, connection_id, Purpose.VERIFIER)
        lease = asked_at + EXCHANGE_LIFE
        change(world, connection_id, lambda c: c.exchange(lease, world.clock.now()))
        grant = world.whitebit.exchange_code(code, verifier)
        tokens = seal_tokens(world, connection_id, grant, asked_at)
        world.workflows.start_provision(connection_id)
        return change(world, connection_id, lambda c: c.authorize(tokens, lease, world.clock.now()))

    return patch.object(callback, "_exchange", exchange)


def cookie_not_checked() -> AbstractContextManager[Any]:
    """Whoever has the address of the return is taken for the browser that left."""

    def pending(world: Any, response: AuthorizationResponse, _cookie: Secret) -> Any:
        authorization = world.authorizations.find(response.state)
        if authorization is None or world.clock.now() >= authorization.expires_at:
            raise AuthorizationInvalid
        return authorization

    return patch.object(callback, "_pending", pending)


def ticket_ttl_trusted() -> AbstractContextManager[Any]:
    """A ticket is good for as long as the table's TTL leaves it there."""
    consent = Connection.consent
    return patch.object(
        Connection,
        "consent",
        lambda self, ticket, digest, now: consent(self, ticket, digest, min(now, self.created_at)),
    )


@contextmanager
def state_ttl_trusted() -> Iterator[None]:
    """A state is good for as long as the table's TTL leaves it there."""

    def pending(world: Any, response: AuthorizationResponse, cookie: Secret) -> Any:
        authorization = world.authorizations.find(response.state)
        if authorization is None or not cookie.matches(authorization.cookie_digest):
            raise AuthorizationInvalid
        return authorization

    def exchange(self: Connection, until: datetime, now: datetime) -> Connection:
        return in_time(replace(self, expires_at=now + AUTHORIZATION_LIFE), until, now)

    in_time = Connection.exchange
    with patch.object(callback, "_pending", pending), patch.object(Connection, "exchange", exchange):
        yield


def expiry_shown_by_the_ttl() -> AbstractContextManager[Any]:
    """A consent that nobody gave is shown as pending until the table's TTL acts."""
    return patch.object(Connection, "as_of", lambda self, now: self)


def completion_not_checked() -> AbstractContextManager[Any]:
    """The key is looked for although the user who started has not completed."""
    detect = Connection.detect

    def detect_anyway(self: Connection, now: datetime) -> Connection:
        return detect(self if self.completed_at else replace(self, completed_at=now), now)

    return patch.object(Connection, "detect", detect_anyway)


def anybody_completes() -> AbstractContextManager[Any]:
    """Whoever has the completion may complete, as whichever user."""
    complete = Connection.complete
    return patch.object(
        Connection, "complete", lambda self, user_id, completion, now: complete(self, self.user_id, completion, now)
    )
