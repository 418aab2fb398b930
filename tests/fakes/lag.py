"""What a store shows of the past: readers that are not consistent see what was true a moment ago."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Generic, TypeVar

Lag = Callable[[], timedelta]

# No store is behind by more than this.
LONGEST_LAG = timedelta(minutes=1)

State = TypeVar("State")


def no_lag() -> timedelta:
    """The lag of a store that shows everything at once."""
    return timedelta(0)


class History(Generic[State]):
    """What one thing was, and since when. latest: what it is; None where it is not there."""

    __slots__ = ("_states", "latest")

    def __init__(self) -> None:
        self.latest: State | None = None
        self._states: list[tuple[datetime, State | None]] = []

    def record(self, now: datetime, state: State | None) -> None:
        """It changes."""
        self.latest = state
        self._states.append((now, state))

    def states(self, now: datetime) -> Iterator[State]:
        """What a reader may still see. What none can is forgotten."""
        while len(self._states) > 1 and self._states[1][0] <= now - LONGEST_LAG:
            del self._states[0]
        return filter(None, (state for _, state in self._states))

    def as_of(self, moment: datetime) -> State | None:
        """What it was at that moment."""
        for since, state in reversed(self._states):
            if since <= moment:
                return state
        return None
