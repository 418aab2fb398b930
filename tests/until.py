"""Waiting for something that another thread or process does."""

from collections.abc import Callable
from time import monotonic, sleep
from typing import TypeVar

Found = TypeVar("Found")


def until(look: Callable[[], Found | None], seconds: float = 30) -> Found:
    """What `look` finds, once it finds something true. Raises TimeoutError if it does not in this many seconds."""
    deadline = monotonic() + seconds
    while not (found := look()):
        if monotonic() > deadline:
            raise TimeoutError(f"nothing in {seconds} s")
        sleep(0.02)
    return found
