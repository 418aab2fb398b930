"""Captured keys that were needed a moment ago, in the memory of this execution environment."""

from datetime import datetime, timedelta

from fastkey.domain.key import CapturedKey
from fastkey.ports import Clock, KeyVault


class CachedKeys:
    """Keeps what the vault gave for a minute. What it did not give is asked for again each time."""

    MAX_AGE = timedelta(seconds=60)

    # A minute's worth of one environment, which answers one request at a time; a key is about a kilobyte.
    MAX_KEYS = 500

    def __init__(self, vault: KeyVault, clock: Clock) -> None:
        self._vault = vault
        self._clock = clock
        self._kept: dict[str, tuple[datetime, CapturedKey]] = {}

    def find(self, connection_id: str) -> CapturedKey | None:
        now = self._clock.now()
        self._kept = {name: kept for name, kept in self._kept.items() if now < kept[0]}
        if connection_id in self._kept:
            return self._kept[connection_id][1]
        key = self._vault.find(connection_id)
        if key is not None:
            if len(self._kept) >= self.MAX_KEYS:
                del self._kept[next(iter(self._kept))]
            self._kept[connection_id] = (now + self.MAX_AGE, key)
        return key

    def forget(self, connection_id: str) -> None:
        self._kept.pop(connection_id, None)
