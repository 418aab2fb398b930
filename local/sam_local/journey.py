"""Takes a connection as far as an event needs it, by the library's own use cases; no workflow takes it further."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from fastkey.bootstrap import AwsWorld
from fastkey.domain.authorization import AuthorizationResponse, completion
from fastkey.domain.connection import CHECK_AGAIN
from fastkey.domain.secret import Secret
from fastkey.ports import Vault
from fastkey.settings import Settings
from fastkey.usecases.authorize import authorize
from fastkey.usecases.callback import callback
from fastkey.usecases.capture_secret import capture_secret
from fastkey.usecases.change import change
from fastkey.usecases.complete_connection import complete_connection
from fastkey.usecases.detect_key import detect_key
from fastkey.usecases.keep_tokens import KEEP_MARGIN
from fastkey.usecases.start_connection import start_connection
from fastkey.usecases.verify_key import verify_key
from local.whitebit.user import UserAgent
from local.world import World

USER = "user-1"
_PASSWORD = "sandbox"
_SECOND_FACTOR = "123456"


class Stage(Enum):
    """How far a connection has come."""

    STARTED = auto()
    CONSENTED = auto()
    AUTHORIZED = auto()
    COMPLETED = auto()
    DETECTED = auto()
    CAPTURED = auto()
    ACTIVE = auto()
    EXPIRED_TOKEN = auto()
    CHECK_DUE = auto()
    REFRESH_DUE = auto()
    REFUSED = auto()


class _NoWorkflows:
    """Nothing happens to a connection but what its journey does."""

    def start_provision(self, connection_id: str) -> None: ...
    def start_revoke(self, connection_id: str) -> None: ...
    def resume(self, task_token: str) -> None: ...


class _NoStarts:
    """One user makes all journeys, more than a user may start in an hour."""

    def count(self, user_id: str, now: datetime) -> None: ...


class _Library(AwsWorld):
    workflows = _NoWorkflows()  # type: ignore[assignment]  # instead of Step Functions
    starts = _NoStarts()  # type: ignore[assignment]  # instead of the table


def travel(world: World, email: str, goal: Stage) -> Mapping[str, str]:
    """A new connection of `USER` at the stage `goal`, whose account at WhiteBIT is `email`.

    Gives what an event may speak of, by name: `connection_id`, `ticket`, `vault`, `other_vault`, `state`, `code`,
    `cookie`, `completion`.
    boto3 must find the local AWS in this process's environment.
    """
    return next(known for stage, known in _journey(world, email) if stage is goal)


def _journey(world: World, email: str) -> Iterator[tuple[Stage, Mapping[str, str]]]:
    library = _Library(Settings.read(world.functions.specs()["StartConnection"].variables))
    started = start_connection(library, USER, world.return_url)
    connection_id = started.connection.connection_id
    ticket = Secret(parse_qs(urlsplit(started.authorize_url.reveal()).query)["ticket"][0])
    (other_vault,) = set(Vault) - {library.policy.vault}
    vaults = {"vault": library.policy.vault, "other_vault": other_vault}
    known = {"connection_id": connection_id, "ticket": ticket.reveal(), **vaults}
    yield Stage.STARTED, known

    departure = authorize(library, ticket)
    browser = _consenting_browser(world, email, departure.url.reveal())
    state, code = (Secret(parse_qs(urlsplit(browser.url).query)[name][0]) for name in ("state", "code"))
    done = completion(departure.cookie, state)
    cookie = f"{departure.cookie_name}={departure.cookie.reveal()}"
    known |= {"state": state.reveal(), "code": code.reveal(), "cookie": cookie, "completion": done.reveal()}
    yield Stage.CONSENTED, known

    deadline = library.clock.now() + timedelta(minutes=5)
    callback(library, AuthorizationResponse(state, code), departure.cookie, deadline)
    yield Stage.AUTHORIZED, known

    complete_connection(library, connection_id, USER, done)
    browser.create_key(["trade_balance"], _SECOND_FACTOR)
    yield Stage.COMPLETED, known

    detect_key(library, connection_id, deadline, Counter())
    yield Stage.DETECTED, known

    capture_secret(library, connection_id, deadline)
    yield Stage.CAPTURED, known

    verify_key(library, connection_id, deadline)
    yield Stage.ACTIVE, known

    now = library.clock.now()

    def become(**fields: Any) -> None:
        change(library, connection_id, lambda c: replace(c, version=c.version + 1, **fields))

    tokens = library.connections.get(connection_id).tokens
    if tokens:
        become(tokens=replace(tokens, access_expires_at=now))
    yield Stage.EXPIRED_TOKEN, known

    become(untold=(), check_at=now)
    yield Stage.CHECK_DUE, known

    become(check_at=None, keep_token=True, tokens=tokens and replace(tokens, refresh_expires_at=now + KEEP_MARGIN))
    yield Stage.REFRESH_DUE, known

    become(check_at=now, refused_at=now - CHECK_AGAIN, keep_token=False)
    external_id = library.connections.get(connection_id).external_id
    requests.post(f"{world.sandbox_control}/keys/{external_id}/disable", json={}, timeout=10).raise_for_status()
    yield Stage.REFUSED, known


def _consenting_browser(world: World, email: str, authorization_url: str) -> UserAgent:
    """The browser of a new user, on its way back with a code."""
    account = {"email": email, "password": _PASSWORD, "second_factor": _SECOND_FACTOR}
    requests.post(f"{world.sandbox_control}/users", json=account, timeout=10).raise_for_status()
    browser = UserAgent(world.whitebit, stop_at=f"{world.gateway}/callback")
    browser.open(authorization_url)
    browser.log_in(email, _PASSWORD)
    browser.consent()
    return browser
