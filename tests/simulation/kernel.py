"""Simulated time, and the processes that live in it: no thread, no real clock, one order of events."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count

from greenlet import getcurrent, greenlet

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


class Process:
    """Something that goes on by itself: a person, an execution of a state machine, an invocation of a function.

    It runs until it lets time pass, and nothing else runs meanwhile.
    """

    def __init__(self, label: str, body: Callable[[], object]) -> None:
        self.label = label
        self.body = body
        # Whatever was planned for it before it last went on is void.
        self.turn = 0
        # What it runs on, from its beginning to its end.
        self.stack: greenlet | None = None
        self.is_over = False


class Kernel:
    """The clock and the queue of what happens next. now: seconds since the beginning."""

    def __init__(self) -> None:
        self.now = 0.0
        self.current: Process | None = None
        self._hub = getcurrent()
        self._queue: list[tuple[float, int, Process, int]] = []
        self._numbers = count()
        # Of processes that are over: to make a new stack takes longer than much of what runs on it.
        self._stacks: list[greenlet] = []

    def start(self, process: Process, delay: float = 0) -> None:
        """Lets a process begin."""
        self._plan(process, delay)

    def pause(self, seconds: float) -> None:
        """The current process lets time pass."""
        until = self.now + seconds
        if not self._queue or until < self._queue[0][0]:
            # Nobody else is due before: it may go on at once, which is what happens most of the time.
            self.now = until
        else:
            self._plan(self._mine, seconds)
            self._hub.switch()

    def wait(self, seconds: float | None = None) -> None:
        """The current process waits until it is woken, or until the time is over."""
        if seconds is not None:
            self._plan(self._mine, seconds)
        self._hub.switch()

    def wake(self, process: Process) -> None:
        """Lets a process that waits go on."""
        self._plan(process, 0)

    def run(self, horizon: float) -> None:
        """Lets everything happen that is planned up to the horizon, in seconds since the beginning."""
        while self._queue and self._queue[0][0] <= horizon:
            self.now, _, process, turn = heappop(self._queue)
            if turn == process.turn and not process.is_over:
                process.turn += 1
                self.current = process
                if process.stack is None:
                    process.stack = self._stacks.pop() if self._stacks else greenlet(self._live)
                process.stack.switch()
        self.current = None
        while self._stacks:
            # Nobody collects a stack that waits.
            self._stacks.pop().throw()

    @property
    def _mine(self) -> Process:
        assert self.current is not None
        return self.current

    def _live(self) -> None:
        """One process after the other, on the same stack."""
        while True:
            process = self._mine
            process.body()
            process.is_over = True
            assert process.stack is not None
            self._stacks.append(process.stack)
            self._hub.switch()

    def _plan(self, process: Process, delay: float) -> None:
        heappush(self._queue, (self.now + delay, next(self._numbers), process, process.turn))


class SimulatedClock:
    """The true time, as the world's services have it."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def now(self) -> datetime:
        return BEGINNING + timedelta(seconds=self._kernel.now)
