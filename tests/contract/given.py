"""Connections to store, each with an id of its own; and the time that a store takes to show them."""

from datetime import UTC, datetime, timedelta
from itertools import count

from fastkey.domain.connection import Connection
from fastkey.domain.key import CapturedKey, KeyInfo, KeyState
from fastkey.domain.secret import Secret
from fastkey.domain.tokens import SealedTokens
from fastkey.ports import World
from tests.fakes.world import FakeWorld

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
TICKET, COMPLETION = Secret("ticket"), Secret("completion")
NUMBERS = count(1)
LAG = timedelta(seconds=5)


def start(user_id: str | None = None, now: datetime = NOW) -> Connection:
    """A new connection, of a user of its own unless named."""
    number = next(NUMBERS)
    return Connection.start(f"connection-{number}", user_id or f"user-{number}", "https://partner.example", TICKET, now)


def detecting() -> Connection:
    """A connection that looks for its key."""
    lease = NOW + timedelta(minutes=1)
    exchanging = start().consent(TICKET, COMPLETION.digest(), NOW).exchange(lease, NOW)
    tokens = SealedTokens(b"access", NOW + timedelta(minutes=5), b"refresh", NOW + timedelta(minutes=10))
    return exchanging.authorize(tokens, lease, NOW).complete(exchanging.user_id, COMPLETION, NOW).detect(NOW)


def claimed(connection: Connection, external_id: str) -> Connection:
    """The connection with this key in hand."""
    return connection.claim(KeyInfo(KeyState.ACTIVE, external_id, ("trading", "account")), NOW)


def active() -> Connection:
    """A connection with a key of its own, in use."""
    return claimed(detecting(), unique("key")).verify(NOW).activate(NOW)


def captured(external_id: str = "external-1", secret: str = "secret-1") -> CapturedKey:
    return CapturedKey(external_id, Secret(secret), ("trading",), NOW)


def unique(kind: str) -> str:
    """A name that no other test has."""
    return f"{kind}-{next(NUMBERS)}"


def settle(world: World) -> None:
    """Lets what was written be seen by every call."""
    if isinstance(world, FakeWorld):
        world.clock.advance(LAG)
