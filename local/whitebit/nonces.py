"""The nonces of one key's signed calls."""

from dataclasses import dataclass, field

WINDOW_MS = 5_000


@dataclass(slots=True)
class Nonces:
    """What has been used. In window mode a nonce is fresh and unique; otherwise it is greater than the last."""

    last: int = 0
    _recent: set[int] = field(default_factory=set)

    @staticmethod
    def is_in_window(nonce: int, now_ms: int) -> bool:
        return abs(now_ms - nonce) <= WINDOW_MS

    def use(self, nonce: int, *, window: bool, now_ms: int) -> bool:
        """Use `nonce` up. False when it was not free to use."""
        self._recent = {used for used in self._recent if self.is_in_window(used, now_ms)}
        if nonce in self._recent or (not window and nonce <= self.last):
            return False
        self._recent.add(nonce)
        self.last = max(self.last, nonce)
        return True
