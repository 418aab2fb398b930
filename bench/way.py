"""How long a connection takes in the local world, next to what the world itself takes to answer."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter, sleep, time
from urllib.parse import urlsplit

from bench.process import children, cpu_ms
from bench.report import Goal, Report, Section, Table
from bench.timeline import Timeline, watching
from local.whitebit import Revision
from local.world import World
from tests.e2e.journey import Journey

LIMIT = 1.25  # times what the world takes
DETECTION_LIMIT = 1.0  # seconds

_WAY = """\
From the click on WhiteBIT's consent page to `active`, in milliseconds; the key is there when the workflow first looks.
Of that, ours is the time in which a function was at work while neither the local AWS nor the sandbox was answering
anybody: it computed (CPU, with boto3's part), waited for its turn on this machine, which it shares with the world, or a
question or an answer was on its way. The rest is the world's: those answers, the gateway, the steps of the state
machine, of which none is a wait. Times: all of it, as times of the world's."""
_DETECTION = """\
From the key's birth, or from the completion where that is later, to the answer of WhiteBIT that shows it, in
milliseconds. In revision 2026-08 the person confirms at various times after the completion."""


@dataclass(frozen=True, slots=True)
class Way:
    """The milliseconds of a connection, those that are ours, and the CPU of our processes."""

    taken: float
    ours: float
    cpu: float

    @property
    def times(self) -> float:
        return self.taken / (self.taken - self.ours)


def measure(runs: int) -> Report:
    """Connects so many users in each revision, one after the other, when all functions are warm."""
    ways: dict[str, list[Way]] = {}
    births: dict[str, list[float]] = {}
    for revision in Revision:
        with watching() as timeline, World(revision) as world:
            _connect(world, revision, timeline)
            ways[revision.value] = [_connect(world, revision, timeline) for _ in range(runs)]
            births[revision.value] = [_detect(world, revision, 2 * number / runs) for number in range(runs)]
    ratios = {revision: median(way.times for way in seen) for revision, seen in ways.items()}
    return Report(
        "A whole connection",
        [
            Section("The way", _WAY, Table(("", "median", "ours", "CPU", "times"), [*_way_rows(ways, ratios)])),
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


def _connect(world: World, revision: Revision, timeline: Timeline) -> Way:
    journey = Journey(world, revision).start().visit()
    timeline.forget()
    before, begun = _own_cpu_ms(), perf_counter()
    journey.consent().create_key().complete()
    _await_active(journey)
    taken, cpu = (perf_counter() - begun) * 1000, _own_cpu_ms() - before
    ours = timeline.unanswered_ms(*(urlsplit(url).port or 0 for url in (world.aws, world.whitebit)))
    journey.await_told()
    return Way(taken, ours, cpu)


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


def _way_rows(ways: Mapping[str, Sequence[Way]], ratios: Mapping[str, float]) -> Iterator[list[str]]:
    for revision, seen in ways.items():
        medians = (median(each) for each in zip(*((way.taken, way.ours, way.cpu) for way in seen), strict=True))
        yield [revision, *(f"{each:.0f}" for each in medians), f"{ratios[revision]:.2f}"]


def _detection_rows(births: Mapping[str, Sequence[float]]) -> Iterator[list[str]]:
    for revision, seen in births.items():
        yield [revision, *(f"{of(seen) * 1000:.0f}" for of in (min, median, max))]
