"""The function's own clock and randomness."""

import secrets
from datetime import UTC, datetime, timedelta
from time import sleep
from uuid import uuid4

from fastkey.domain.secret import Secret


class SystemClock:
    """Lambda's clock, which AWS keeps in step."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def wait(self, time: timedelta) -> None:
        sleep(time.total_seconds())


class SystemEntropy:
    """The operating system's randomness."""

    def identifier(self) -> str:
        return str(uuid4())

    def moment(self) -> timedelta:
        return timedelta(microseconds=secrets.randbelow(1_000_000))

    def token(self) -> Secret:
        return Secret(secrets.token_urlsafe(32))
