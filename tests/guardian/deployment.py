"""A deployment with many keys in use, whose schedule fires by a clock that is moved."""

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from fastkey.domain.account import Data, Read
from fastkey.domain.connection import Connection
from fastkey.domain.errors import WhiteBitUnavailable
from fastkey.domain.key import CapturedKey, KeyInfo, KeyState
from fastkey.domain.pace import Pace, pace_of
from fastkey.domain.secret import Secret
from fastkey.domain.tokens import SealedTokens
from fastkey.ports import Clock
from fastkey.usecases.guard_keys import Finding, guard_keys
from tests.fakes.whitebit import FakeWhiteBit
from tests.fakes.world import RETURN_URL, FakeWorld

MINUTE = timedelta(minutes=1)
# Seldomer than in a deployment: with all of its runs a year takes minutes.
EVERY = 60 * MINUTE
# As long as the function lives.
TIMEOUT = timedelta(seconds=55)
# WhiteBIT's limits are for as long as this.
WINDOW = timedelta(seconds=10)

# What users grant, in turn: a key that reads both, one that reads the main account alone, one that may not be tried.
GRANTED = (("trade_balance", "trading"), ("wallet",), ("trade_balance", "wallet"), ("trading",))

TICKET, COMPLETION = Secret("ticket"), Secret("completion")


class CountedWhiteBit(FakeWhiteBit):
    """Remembers when it was called, by the limit under which the call falls. away_until: before that nobody answers."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.reads: list[tuple[datetime, Pace]] = []
        self.away_until = clock.now()

    def read_signed(self, key: CapturedKey, nonce: int, read: Read, filters: Mapping[str, str | int]) -> Data:
        self.reads.append((self._clock.now(), pace_of(read.signed_path)))
        if self._clock.now() < self.away_until:
            raise WhiteBitUnavailable
        return super().read_signed(key, nonce, read, filters)

    def most_in_a_window(self, pace: Pace) -> int:
        """The most calls under this limit that any ten seconds have seen."""
        window: deque[datetime] = deque()
        most = 0
        for at in (at for at, under in self.reads if under is pace):
            window.append(at)
            while window[0] <= at - WINDOW:
                window.popleft()
            most = max(most, len(window))
        return most


class Deployment:
    """So many users, each with a key in use, and nothing to tell. found: what the runs have found."""

    def __init__(self, size: int) -> None:
        self.world = FakeWorld()
        self.whitebit = CountedWhiteBit(self.world.clock)
        self.world.whitebit = self.whitebit
        self.found: Counter[Finding] = Counter()
        self.connections = [self._connect(f"user-{number}", GRANTED[number % len(GRANTED)]) for number in range(size)]

    def connection(self, connection_id: str) -> Connection:
        return self.world.connections.get(connection_id)

    def run(self) -> None:
        """The schedule fires."""
        self.found += guard_keys(self.world, self.world.clock.now() + TIMEOUT)

    def go_on_until(self, end: datetime) -> None:
        """Fires whenever something is due; at other times it would find nothing."""
        while (due_at := self.world.connections.next_due()) and (at := self._fires_at(due_at)) < end:
            self.go_to(at)
            self.run()
        self.go_to(end)

    def go_to(self, moment: datetime) -> None:
        self.world.clock.advance(moment - self.world.clock.now())

    def _fires_at(self, due_at: datetime) -> datetime:
        """When the schedule fires next, after now, and finds what is due then."""
        return firing(max(due_at, self.world.clock.now() + timedelta(microseconds=1)))

    def _connect(self, user_id: str, permissions: tuple[str, ...]) -> Connection:
        world, now = self.world, self.world.clock.now()
        issued = self.whitebit.create_key(user_id, *permissions)
        connection = _active(user_id, KeyInfo(KeyState.ACTIVE, issued.external_id, permissions), now)
        world.connections.add(connection)
        world.vault.prepare(connection)
        key = CapturedKey(issued.external_id, Secret(issued.secret), permissions, now)
        world.vault.store(connection.connection_id, key)
        return connection


def _active(user_id: str, key: KeyInfo, now: datetime) -> Connection:
    started = Connection.start(f"connection-of-{user_id}", user_id, RETURN_URL, TICKET, now)
    lease = now + MINUTE
    exchanging = started.consent(TICKET, COMPLETION.digest(), now).exchange(lease, now)
    detecting = exchanging.authorize(SealedTokens(b"access", now), lease, now).complete(user_id, COMPLETION, now)
    return replace(detecting.detect(now).claim(key, now).verify(now).activate(now), untold=())


def firing(moment: datetime) -> datetime:
    """When the schedule fires first, not before this moment."""
    since = moment - datetime(2026, 1, 1, tzinfo=UTC)
    return moment + -since % EVERY


def ids(connections: Iterable[Connection]) -> list[str]:
    return [connection.connection_id for connection in connections]
