"""The calls that were made, for tests to count. Nothing in it is secret: no query, no body, no header."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Call:
    """One call: `path` is the route's template, `status` what was answered (0: nothing), `at` the sandbox's time."""

    method: str
    path: str
    status: int
    at: float
    milliseconds: int
    fault: str | None


class Journal:
    """All calls since the start, or since the last `clear`."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def add(self, call: Call) -> None:
        self.calls.append(call)

    def clear(self) -> None:
        self.calls.clear()
