"""Who was at work in a local world, and when: functions, and those who answer them."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from time import perf_counter
from unittest.mock import patch

from werkzeug.serving import WSGIRequestHandler

from bench.invocations import hearing
from local.aws.server import ADMINISTRATOR

# Step Functions invokes functions by HTTP: while that is answered, the function is at work.
_INVOCATION = "/2015-03-31/functions/"

Span = tuple[float, float]


class Timeline:
    """Hears of every invocation, and of every answer of a server to anybody but the bench. `forget` begins anew."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self._invoked: list[Span] = []
        self._answered: dict[int, list[Span]] = {}

    def hear_work(self, _: str, milliseconds: float) -> None:
        """Hears of an invocation that has ended."""
        ended = perf_counter()
        self._invoked.append((ended - milliseconds / 1000, ended))

    def hear_answer(self, handler: WSGIRequestHandler, begun: float) -> None:
        """Hears of an answer that has been given."""
        # What the bench itself asks, it asks as the administrator.
        own = f"Credential={ADMINISTRATOR}/" in handler.headers.get("Authorization", "")
        if not own and not handler.path.startswith(_INVOCATION):
            self._answered.setdefault(handler.server.port, []).append((begun, perf_counter()))

    def unanswered_ms(self, *ports: int) -> float:
        """Milliseconds in which a function was at work, and none of these servers was answering."""
        return uncovered(self._invoked, [span for port in ports for span in self._answered.get(port, ())]) * 1000


@contextmanager
def watching() -> Iterator[Timeline]:
    """Watches all that happens in the block."""
    timeline, handle = Timeline(), WSGIRequestHandler.handle

    def handle_and_tell(handler: WSGIRequestHandler) -> None:
        begun = perf_counter()
        handle(handler)
        timeline.hear_answer(handler, begun)

    with hearing(timeline.hear_work), patch.object(WSGIRequestHandler, "handle", handle_and_tell):
        yield timeline


def uncovered(spans: Iterable[Span], others: Iterable[Span]) -> float:
    """Seconds that are in one of the spans and in none of the others."""
    mine, theirs = _merged(spans), _merged(others)
    both = sum(max(0.0, min(one[1], other[1]) - max(one[0], other[0])) for one in mine for other in theirs)
    return sum(ended - begun for begun, ended in mine) - both


def _merged(spans: Iterable[Span]) -> list[Span]:
    """The same time, in spans that do not overlap."""
    merged: list[Span] = []
    for begun, ended in sorted(spans):
        if merged and begun <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(ended, merged[-1][1]))
        else:
            merged.append((begun, ended))
    return merged
