"""What happened, in the order of time."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

# A loop of a workflow has a few states, and a line in the log for each of its steps.
LOOP = 8


@dataclass(slots=True)
class Happened:
    """Something that happened, `times` times from `at` to `until`. where: who says so."""

    at: datetime
    where: str
    what: str
    times: int = 1
    until: datetime | None = None


def in_order(happened: Iterable[Happened]) -> list[Happened]:
    """The earliest first, and what happened at once as it comes. What a loop does again stands once, with how often."""
    return list(_condensed(sorted(happened, key=lambda each: each.at)))


def _condensed(happened: Iterable[Happened]) -> Iterator[Happened]:
    recent: deque[Happened] = deque(maxlen=LOOP)
    for each in happened:
        same = next((one for one in recent if (one.where, one.what) == (each.where, each.what)), None)
        if same:
            same.times, same.until = same.times + 1, each.at
        else:
            recent.append(each)
            yield each
