"""Whether a connection asks for more where there are many others."""

from datetime import timedelta

from bench.report import Goal, Report, Section, Table
from fastkey.domain.connection import CHECK_PERIOD
from fastkey.usecases.guard_keys import guard_keys
from fastkey.usecases.tell_events import tell_events
from tests.fakes.interruptions import Interruptible
from tests.fakes.world import FakeWorld
from tests.unit.journey import Journey

LIMIT = 1.01  # times as many calls as where there are few

_RUN = timedelta(hours=1)

_EXPLANATION = """\
Calls of the ports (a read or a write of a connection, a seal, a look into the vault, a call of WhiteBIT's) in the
world of the unit tests, which is in memory: the local world would take hours for ten thousand. What these ask of AWS
does not depend on how many connections there are; what KeepTokens asks, which is not here, does: each minute it counts
those whose tokens are kept, a megabyte of an index at a time. Held: a week in which the guardian runs each hour and
tries every key, without what runs take that find nothing."""


def measure(largest: int) -> Report:
    """Connects ten users, a tenth of `largest` and `largest`, each number in a world of its own, and guards their keys
    for a week.
    """
    sizes = sorted({10, max(1, largest // 10), largest})
    seen = {size: _calls(size) for size in sizes}
    header = ("connections", "calls of each", "calls of each key in a week")
    rows = [[f"{size:,}", f"{connected:.2f}", f"{held:.2f}"] for size, (connected, held) in seen.items()]
    (few, few_held), (many, many_held) = seen[min(sizes)], seen[max(sizes)]
    compared = f"among {max(sizes):,}, as times of those among {min(sizes):,}"
    return Report(
        "Growth",
        [Section("Calls, by how many connections there are", _EXPLANATION, Table(header, rows))],
        [
            Goal(f"a connection's calls {compared}", many / few, LIMIT),
            Goal(f"a held key's calls {compared}", many_held / few_held, LIMIT),
        ],
    )


def _calls(size: int) -> tuple[float, float]:
    """The calls that each of so many connections takes, and each key to be guarded for a week."""
    world = FakeWorld()
    for number in range(size):
        journey = Journey(world, user_id=f"user-{number}", account=f"account-{number}").activate()
        tell_events(world, journey.connection_id)
    connected = _made(world)
    runs = CHECK_PERIOD // _RUN
    for _ in range(runs):
        world.clock.advance(_RUN)
        guard_keys(world, world.clock.now() + timedelta(minutes=1))
    guarded = _made(world)
    idle = FakeWorld()
    guard_keys(idle, idle.clock.now() + timedelta(minutes=1))
    return connected / size, (guarded - connected - runs * _made(idle)) / size


def _made(world: FakeWorld) -> int:
    return sum(len(part.calls) for part in vars(world).values() if isinstance(part, Interruptible))
