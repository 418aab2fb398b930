"""A clock that is moved by hand, randomness that is counted, and seals that are not ciphertext."""

from datetime import UTC, datetime, timedelta
from itertools import count

from fastkey.domain.errors import StorageUnavailable
from fastkey.domain.secret import Secret
from fastkey.ports import Purpose
from tests.fakes.interruptions import Interruptible, interruptible

# Part of every secret that a fake draws, and of nothing else: what contains it has leaked, unless it may hold a secret.
CANARY = "canary"

SEAL_LIMIT = 4096  # bytes, as KMS has it


class FakeClock:
    """Stands still until it is moved."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> None:
        self._now += by

    def wait(self, time: timedelta) -> None:
        self.advance(time)


class FakeEntropy:
    """Counts: every value differs from all others, and the same run draws the same ones."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._moments = count()

    def identifier(self) -> str:
        return f"connection-{next(self._numbers)}"

    def moment(self) -> timedelta:
        return timedelta(microseconds=next(self._moments))

    def token(self) -> Secret:
        return Secret(f"{CANARY}-{next(self._numbers):036d}")


class FakeSealer(Interruptible):
    """Keeps what it seals, and gives out handles: a seal tells nothing, and opens in its context only."""

    def __init__(self) -> None:
        super().__init__()
        self._sealed: dict[bytes, tuple[Secret, str, Purpose]] = {}

    def content(self, sealed: bytes) -> Secret:
        """What was sealed, for whoever checks what must always hold."""
        return self._sealed[sealed][0]

    @interruptible
    def seal(self, secret: Secret, connection_id: str, purpose: Purpose) -> bytes:
        if len(secret.reveal().encode()) > SEAL_LIMIT:
            raise StorageUnavailable
        handle = f"seal-{len(self._sealed) + 1}".encode()
        self._sealed[handle] = (secret, connection_id, purpose)
        return handle

    @interruptible
    def open(self, sealed: bytes, connection_id: str, purpose: Purpose) -> Secret:
        secret, *context = self._sealed.get(sealed, (Secret(""),))
        if context != [connection_id, purpose]:
            raise StorageUnavailable
        return secret
