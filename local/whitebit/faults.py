"""Faults that a test orders: what goes wrong, on which path, how many times."""

import itertools
import threading
from dataclasses import asdict, dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any


class Kind(StrEnum):
    """What goes wrong. The request has its effect, except where it says that it has none."""

    STATUS = "status"
    """No effect; `status` and `body` are answered."""
    REDIRECT = "redirect"
    """No effect; `status` (302 unless given) to `location`."""
    DROP_BEFORE = "drop_before"
    """No effect; the connection is closed."""
    LATENCY = "latency"
    """The answer is `seconds` late (real time)."""
    BODY = "body"
    """The answer has this `body` instead of its own (and this `status`, if given)."""
    PADDED = "padded"
    """The answer is followed by `size` spaces, which JSON allows; compressed, if `gzip`."""
    ENDLESS = "endless"
    """The answer is followed by spaces until the client has had enough."""
    ECHO = "echo"
    """The answer (with this `status`, if given) repeats the request, and what would have been answered, as messages."""
    DROP_AFTER = "drop_after"
    """The connection is closed after `truncate` bytes of the body, or before any answer."""


@dataclass(slots=True)
class Fault:
    """An order. `path` is a shell pattern; `times` counts down."""

    path: str
    kind: Kind
    method: str = "*"
    times: int = 1
    status: int | None = None
    body: Any = None
    content_type: str | None = None
    location: str | None = None
    seconds: float = 0.0
    size: int | None = None
    gzip: bool = False
    truncate: int | None = None
    id: int = 0

    def __post_init__(self) -> None:
        """Raises ValueError when the order cannot be carried out."""
        needed = {Kind.STATUS: self.status, Kind.REDIRECT: self.location, Kind.BODY: self.body, Kind.PADDED: self.size}
        if needed.get(self.kind, "") is None:
            raise ValueError(f"the fault {self.kind} needs more: see the documentation")
        if self.times < 1 or self.seconds < 0:
            raise ValueError("times is at least 1, and seconds at least 0")

    def matches(self, method: str, path: str) -> bool:
        return self.method in ("*", method) and fnmatchcase(path, self.path)


class Faults:
    """The orders not yet carried out, first come first served. Safe to use from many threads."""

    def __init__(self) -> None:
        self._orders: list[Fault] = []
        self._ids = itertools.count(1)
        self._lock = threading.Lock()

    def order(self, fault: Fault) -> Fault:
        with self._lock:
            fault.id = next(self._ids)
            self._orders.append(fault)
        return fault

    def take(self, method: str, path: str) -> Fault | None:
        """The fault to carry out on this request, if any; one of its times is used up."""
        with self._lock:
            fault = next((each for each in self._orders if each.matches(method, path)), None)
            if fault is None:
                return None
            fault.times -= 1
            if fault.times <= 0:
                self._orders.remove(fault)
            return fault

    def pending(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(fault) for fault in self._orders]

    def clear(self) -> None:
        with self._lock:
            self._orders.clear()
