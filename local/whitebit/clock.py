"""The sandbox's clock: real time plus an offset that only grows, so that two weeks can pass in a test."""

import time


class Clock:
    """Seconds since the epoch, movable forward."""

    def __init__(self) -> None:
        self._offset = 0.0

    def now(self) -> float:
        """The sandbox's time, in seconds since the epoch."""
        return time.time() + self._offset

    def advance(self, seconds: float) -> None:
        """Move the clock forward by `seconds`. Raises ValueError when that would turn it back."""
        if seconds < 0:
            raise ValueError("the clock only moves forward")
        self._offset += seconds
