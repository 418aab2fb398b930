"""How long a connection takes in the local world, next to what the world itself takes to answer."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from time import perf_counter, sleep, time

from bench.process import children, cpu_ms
from bench.report import Goal, Report, Section, Table
from local.whitebit import Revision
from local.world import World
from tests.e2e.journey import Journey

LIMIT = 1.25  # times what the world takes
DETECTION_LIMIT = 1.0  # seconds

_WAY = """\
From the click on WhiteBIT's consent page to `active`, in milliseconds; the key is there when the workflow first looks.
Of that, what the functions' processes computed is ours, and everything else is the world's: the answers of AWS and of
the sandbox, the steps of the state machine, the gateway. Times: all of it, as times of the world's."""
_DETECTION = """\
From the key's birth, or from the completion where that is later, to the answer of WhiteBIT that shows it, in
milliseconds. In revision 2026-08 the person confirms at various times after the completion."""


def measure(runs: int) -> Report:
    """Connects so many users in each revision, one after the other, when all functions are warm."""
    ways: dict[str, list[tuple[float, float]]] = {}
    births: dict[str, list[float]] = {}
    for revision in Revision:
        with World(revision) as world:
            _connect(world, revision)
            ways[revision.value] = [_connect(world, revision) for _ in range(runs)]
            births[revision.value] = [_detect(world, revision, 2 * number / runs) for number in range(runs)]
    ratios = {revision: median(taken / (taken - own) for taken, own in seen) for revision, seen in ways.items()}
    return Report(
        "A whole connection",
        [
            Section("The way", _WAY, Table(("", "median", "ours", "times"), [*_way_rows(ways, ratios)])),
            Section("Detection", _DETECTION, Table(("", "min", "median", "max"), [*_detection_rows(births)])),
        ],
        [
            *(
                Goal(f"the way in {revision}, as times of the world's", ratio, LIMIT)
                for revision, ratio in ratios.items()
            ),
            *(
                Goal(f"detection in {revision}, median", median(seen), DETECTION_LIMIT, "s")
                for revision, seen in births.items()
            ),
        ],
    )


def _connect(world: World, revision: Revision) -> tuple[float, float]:
    """The milliseconds of a connection, and of our processes' CPU in it."""
    journey = Journey(world, revision).start().visit()
    before, begun = _own_cpu_ms(), perf_counter()
    journey.consent().create_key().complete()
    _await_active(journey)
    taken, own = (perf_counter() - begun) * 1000, _own_cpu_ms() - before
    journey.await_told()
    return taken, own


def _detect(world: World, revision: Revision, late: float) -> float:
    """Seconds until a key is seen. late: how many after the completion the person confirms."""
    journey = Journey(world, revision).consented()
    journey.sandbox.forget_calls()
    completed = time()
    journey.complete()
    sleep(late)
    journey.create_key()
    _await_active(journey)
    journey.await_told()
    (key,) = journey.whitebit_keys()
    from_then_on = max(completed, key["created_at"])
    looks = [call["at"] for call in journey.sandbox.ask("/calls") if call["path"] == "/oauth2/api-key/info"]
    seconds: float = min(at for at in looks if at >= from_then_on) - from_then_on
    return seconds


def _await_active(journey: Journey) -> None:
    while journey.item()["status"]["S"] != "active":
        sleep(0.02)


def _own_cpu_ms() -> float:
    return sum(map(cpu_ms, children()))


def _way_rows(ways: Mapping[str, Sequence[tuple[float, float]]], ratios: Mapping[str, float]) -> Iterator[list[str]]:
    for revision, seen in ways.items():
        taken, own = (median(each) for each in zip(*seen, strict=True))
        yield [revision, f"{taken:.0f}", f"{own:.0f}", f"{ratios[revision]:.2f}"]


def _detection_rows(births: Mapping[str, Sequence[float]]) -> Iterator[list[str]]:
    for revision, seen in births.items():
        yield [revision, *(f"{of(seen) * 1000:.0f}" for of in (min, median, max))]
