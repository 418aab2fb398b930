"""Many users connect at the same time."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from json import loads
from statistics import fmean, median
from threading import Event, Thread
from time import monotonic, sleep

import requests

from bench.process import children, memory_mib
from bench.report import Goal, Report, Section, Table
from local.items import await_told
from local.whitebit import Revision
from local.whitebit.user import UnexpectedPageError
from local.world import World
from tests.e2e.journey import Journey, Sandbox

AT_ONCE = 50
MEMORY_LIMIT = 1.1  # times what it was when half of the load was done

_SAMPLE_SECONDS = 1.0
_PATIENCE = 600  # seconds
_LOOKS_EVERY = 1.0  # seconds, as frontends do
_STARTS = 10  # of one user, in vain
_REFUSED = (requests.RequestException, UnexpectedPageError)
_FIRST = 10  # connections, by which processes are started

_SECRET_READ = ("GET", "/oauth2/api-key/{external_id}/secret")

_EXPLANATION = """\
Each user has an account at WhiteBIT, consents, completes and makes the key, through the local world, fifty at once,
when functions are warm.
Refused: starts that led to no consent page, because this machine had no time for them; users start again. Lost: a
connection that is not active in the end, or whose stored key is not the one that WhiteBIT issued. Twice: an account
with more than one key, and reads of a secret beyond one for each. Memory is that of a function's process, in MiB, on
average over all of them; the world around them keeps all that has ever happened, and so grows."""


@dataclass(frozen=True, slots=True)
class End:
    """How a user's connection ended. keys: how many the account has at WhiteBIT."""

    seconds: float
    refused: int
    is_held: bool
    keys: int


def measure(connections: int) -> Report:
    """Connects so many users."""
    with World(Revision.AUGUST_2026) as world, ThreadPoolExecutor(AT_ONCE) as users:
        # On a small machine the functions' processes need longer to start, all at once, than a gateway waits.
        list(users.map(lambda _: _connect(world), range(_FIRST)))
        Sandbox(world).forget_calls()
        begun = monotonic()
        with _sampling() as memory:
            ends = list(users.map(lambda _: _connect(world), range(connections)))
        taken = monotonic() - begun
        reads = Sandbox(world).calls(*_SECRET_READ)
    lost = sum(not end.is_held for end in ends)
    twice = sum(end.keys > 1 for end in ends) + max(0, reads - connections)
    half, end = _memory(memory)
    rows = [
        ["connections", f"{connections:,}"],
        ["in all, s", f"{taken:.0f}"],
        ["each, median s", f"{median(each.seconds for each in ends):.1f}"],
        ["each, longest s", f"{max(each.seconds for each in ends):.1f}"],
        ["refused", f"{sum(end.refused for end in ends)}"],
        ["lost", f"{lost}"],
        ["twice", f"{twice}"],
        ["memory at half of the time", f"{half:.1f}"],
        ["memory in the end", f"{end:.1f}"],
    ]
    return Report(
        "Load",
        [Section(f"{connections:,} connections, {AT_ONCE} at once", _EXPLANATION, Table(("", ""), rows))],
        [
            Goal("connections lost", lost, 0),
            Goal("keys or reads twice", twice, 0),
            Goal("memory in the end, as times of that at half of the time", end / half, MEMORY_LIMIT),
        ],
    )


def _connect(world: World) -> End:
    begun = monotonic()
    journey, refused = _start(world)
    is_active = False
    # Whoever is refused from now on, or waits for too long, has lost the connection.
    with suppress(TimeoutError, *_REFUSED):
        journey.consent().complete().create_key()
        end = journey.frontend.await_end(journey.connection_id, _PATIENCE, pause=_LOOKS_EVERY)
        is_active = end["status"] == "active"
        # The world ends when nobody needs it any more.
        await_told(world, journey.connection_id, _PATIENCE, pause=_LOOKS_EVERY)
    keys, stored = journey.whitebit_keys(), journey.stored()
    secret = sha256(loads(stored)["secret"].encode()).hexdigest() if stored else ""
    is_held = is_active and [key["secret_sha256"] for key in keys] == [secret]
    return End(monotonic() - begun, refused, is_held, len(keys))


def _start(world: World) -> tuple[Journey, int]:
    """A user who has come to the consent page, and how often others were refused before.

    Raises TimeoutError where all are.
    """
    for refused in range(_STARTS):
        with suppress(*_REFUSED):
            return Journey(world, Revision.AUGUST_2026).start().visit(), refused
        sleep(_LOOKS_EVERY)
    raise TimeoutError(f"{_STARTS} starts were refused")


@contextmanager
def _sampling() -> Iterator[list[float]]:
    """What a function's process holds on average, once a second, until the block ends."""
    samples: list[float] = []
    stop = Event()

    def sample() -> None:
        while not stop.wait(_SAMPLE_SECONDS):
            # A process may end, and another begin, while one looks.
            with suppress(OSError, StopIteration):
                if held := [memory_mib(pid) for pid in children()]:
                    samples.append(fmean(held))

    sampler = Thread(target=sample, daemon=True)
    sampler.start()
    try:
        yield samples
    finally:
        stop.set()
        sampler.join()


def _memory(samples: Sequence[float]) -> tuple[float, float]:
    """The average about the middle and about the end."""
    few = max(1, len(samples) // 10)
    middle = len(samples) // 2
    return fmean(samples[middle : middle + few]), fmean(samples[-few:])
