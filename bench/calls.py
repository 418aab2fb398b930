"""What a connection asks of AWS, counted, and what that costs."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import accumulate, repeat
from time import sleep

from bench.built import resources
from bench.dynamodb import size
from bench.meter import Counts, Meter, less, metering, metrics, plus, times
from bench.prices import SERVICES, cost, prices
from bench.report import Goal, Report, Section, Table
from fastkey.domain.connection import CHECK_PERIOD
from fastkey.domain.pace import seconds_until_next_look
from fastkey.ports import Vault
from local.items import fall_due, item
from local.whitebit import Revision
from local.world import World
from tests.e2e.journey import Journey
from tests.operations.alarms import alarms

LIMIT = 0.0005  # dollars for a connection

MILLION = 1_000_000
MONTH = timedelta(days=365) / 12

# How long after the consent a person may have confirmed the key, in seconds.
_WAITS = (0, 10, 20, 30, 60, 300)
_USUAL_WAIT = 20

_COUNTED = """\
Of one connection, from the click to the told event, on average, in a local world: everything that a role asked of AWS,
and what is billed by other measures. A look is the difference to a connection whose key came late, a trial what the
guardian takes for one key more. Lambda's seconds are those in front of the local AWS and the sandbox, in functions
that were warm; capacity units follow from the sizes of the items."""
_ASKED = "The same connection, without waiting, call by call. What is read of AWS's own accord is not here."
_COST = """\
US dollars for a million connections, by how long after its consent a person has confirmed the key, with one look of a
frontend each second. In revision 2026-05 the key is there with the consent. Keys are stored in Secrets Manager where
DynamoDB is not named."""
_HELD = """\
US dollars a month. Holding: the guardian tries a million keys every week, and what they take to store. Idle: nobody
connects, and the schedules find nothing, in whichever vault. Metrics in use: those that come on top where connections
are made and keys are tried in each hour; others are paid for in the hours in which something goes wrong."""
_SOURCES = "In US dollars, in us-east-1, without free tiers and taxes."


@dataclass(frozen=True, slots=True)
class Seen:
    """What was counted in one world: for a connection whose key is there with its completion, `asked` of AWS call by
    call; for a look that finds no key, one of a frontend, and a trial of the guardian's; for a key that is held and a
    stack that is idle, a month each; and how many metrics were written.
    """

    at_once: Counts
    asked: Counts
    look: Counts
    frontend: Counts
    trial: Counts
    held: Counts
    idle: Counts
    metrics: int


def measure(connections: int) -> Report:
    """Connects so many users in each revision, and in the later one with each vault."""
    may = _see(connections, Revision.MAY_2026, Vault.SECRETS_MANAGER)
    august = _see(connections, Revision.AUGUST_2026, Vault.SECRETS_MANAGER)
    sealed = _see(connections, Revision.AUGUST_2026, Vault.DYNAMODB)
    by_way = {"2026-05": may, "2026-08": august, "2026-08, DynamoDB": sealed}
    each = {name: seen.at_once for name, seen in by_way.items()}
    each |= {"a look": august.look, "a frontend's look": august.frontend, "a trial": august.trial}
    at_once = plus(may.at_once, may.frontend)
    waiting = {f"2026-08, {wait} s": _waiting(august, wait) for wait in _WAITS}
    ways = {"2026-05": at_once, **waiting, f"2026-08, {_USUAL_WAIT} s, DynamoDB": _waiting(sealed, _USUAL_WAIT)}
    million = {name: times(counts, MILLION) for name, counts in ways.items()}
    month = {
        "a million keys held": times(august.held, MILLION),
        "a million keys held, DynamoDB": times(sealed.held, MILLION),
        "idle": august.idle,
        # Beside those that an idle stack has.
        "metrics in use": {"metric-months": august.metrics - august.idle["metric-months"]},
    }
    usual = _sum(_waiting(august, _USUAL_WAIT))
    return Report(
        "Calls and cost",
        [
            Section("What is counted", _COUNTED, _counted(each)),
            Section("Calls of AWS", _ASKED, _counted({name: seen.asked for name, seen in by_way.items()})),
            Section("A million connections", _COST, _bill(million)),
            Section("A month", _HELD, _bill(month)),
            Section("Prices", _SOURCES, _sources()),
        ],
        [
            Goal("a connection whose key is there at once (2026-05)", _sum(at_once), LIMIT, "dollars"),
            Goal(f"a connection whose key comes after {_USUAL_WAIT} s (2026-08)", usual, LIMIT, "dollars"),
            Goal("idle, a month", _sum(august.idle), 0, "dollars"),
        ],
    )


def _see(connections: int, revision: Revision, vault: Vault) -> Seen:
    with World(revision, Vault=vault.value) as world, metering(world) as meter:
        _connect(world, revision)
        before, calls = meter.counts(), Counter(meter.recorder.calls)
        for _ in range(connections):
            journey = _connect(world, revision)
        at_once = times(less(meter.counts(), before), 1 / connections)
        asked = times(less(meter.recorder.calls, calls), 1 / connections)
        # In the earlier revision the key is there with the consent.
        look = _look(world, meter, at_once) if revision is Revision.AUGUST_2026 else {}
        frontend, trial = _frontend_look(meter, journey), _trial(world, meter, journey)
        held, idle = plus(times(trial, MONTH / CHECK_PERIOD), _stored(world, journey)), _idle(world, meter)
        return Seen(at_once, asked, look, frontend, trial, held, idle, len(metrics(meter.lines())))


def looks(seconds: float) -> int:
    """How often a key that comes after so many seconds is looked for in vain."""
    waits = (float(seconds_until_next_look(timedelta(seconds=waited))) for waited in _moments())
    return next(number for number, moment in enumerate(accumulate(waits, initial=0.0)) if moment >= seconds)


def _moments() -> Iterator[float]:
    """When looks follow each other as the state machine has them, in seconds after the first."""
    moment = 0.0
    for _ in repeat(None):
        yield moment
        moment += seconds_until_next_look(timedelta(seconds=moment))


def _connect(world: World, revision: Revision, late: float = 0) -> Journey:
    """A new user connects. late: how many seconds the key comes after the completion, where it comes by itself."""
    journey = Journey(world, revision).consented()
    if late:
        journey.complete()
        sleep(late)
        journey.create_key()
    else:
        journey.create_key().complete()
    while item(world, journey.connection_id)["status"]["S"] != "active":
        sleep(0.05)
    journey.await_told()
    return journey


def _look(world: World, meter: Meter, at_once: Counts) -> Counts:
    """What a look costs that does not find the key."""
    before, detections = meter.counts(), meter.invocations["DetectKey"]
    _connect(world, Revision.AUGUST_2026, late=5)
    in_vain = meter.invocations["DetectKey"] - detections - 1
    return times(less(less(meter.counts(), before), at_once), 1 / in_vain)


def _frontend_look(meter: Meter, journey: Journey) -> Counts:
    journey.frontend.get(journey.connection_id)
    before = meter.counts()
    journey.frontend.get(journey.connection_id)
    return less(meter.counts(), before)


def _trial(world: World, meter: Meter, journey: Journey) -> Counts:
    """What it costs the guardian to try one key more."""
    world.fire("GuardKeys")
    before = meter.counts()
    world.fire("GuardKeys")
    nothing_due = meter.counts()
    fall_due(world, journey.connection_id)
    more = less(less(meter.counts(), nothing_due), less(nothing_due, before))
    return {name: max(0.0, number) for name, number in more.items()}


def _idle(world: World, meter: Meter) -> Counts:
    """What a month costs in which nothing happens."""
    for function in world.schedules:
        world.fire(function)
    before, lines = meter.counts(), set(meter.lines())
    for function in world.schedules:
        world.fire(function)
    firings = {"schedule firings": float(len(world.schedules))}
    minutes = MONTH / timedelta(minutes=1)
    kinds = Counter(body["Type"] for body in resources().values())
    return plus(
        times(plus(less(meter.counts(), before), firings), minutes),
        {
            "kms key-months": kinds["AWS::KMS::Key"],
            "metric-months": len(metrics(set(meter.lines()) - lines)),
            "alarm metric-months": sum(len(list(alarm.metrics())) for alarm in alarms().values()),
            "dashboard-months": kinds["AWS::CloudWatch::Dashboard"],
            "secret-months": 1,  # the client secret
        },
    )


def _stored(world: World, journey: Journey) -> Counts:
    """What one connection's key takes to be held for a month."""
    named = {"Key": "name", "Values": [world.output("KeyPrefix") + journey.connection_id]}
    secrets = world.client("secretsmanager").list_secrets(Filters=[named])["SecretList"]
    dynamodb = world.client("dynamodb")
    items = [each for table in world.tables.values() for each in dynamodb.scan(TableName=table)["Items"]]
    about = [each for each in items if each.get("connection_id", {}).get("S") == journey.connection_id]
    # 100 bytes are added to each item:
    # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    gigabytes = sum(size(each) + 100 for each in about) / 1e9
    return {"secret-months": len(secrets), "table gb-months": gigabytes, "backup gb-months": gigabytes}


def _waiting(seen: Seen, seconds: int) -> Counts:
    """What a connection takes whose key comes so many seconds after its completion."""
    return plus(seen.at_once, times(seen.look, looks(seconds)), times(seen.frontend, seconds + 1))


def _sum(counts: Counts) -> float:
    return sum(cost(counts).values())


def _counted(columns: Mapping[str, Counts]) -> Table:
    names = sorted({name for counts in columns.values() for name, number in counts.items() if number})
    rows = [[name, *(f"{counts.get(name, 0):.4g}" for counts in columns.values())] for name in names]
    return Table(("", *columns), rows)


def _bill(columns: Mapping[str, Counts]) -> Table:
    bills = [cost(counts) for counts in columns.values()]
    rows = [[service, *(f"{bill[service]:,.2f}" for bill in bills)] for service in SERVICES]
    total = ["all", *(f"{sum(bill.values()):,.2f}" for bill in bills)]
    return Table(("", *columns), [*rows, total])


def _sources() -> Table:
    rows: Sequence[Sequence[str]] = [
        [name, f"{price.price:.10f}".rstrip("0").rstrip("."), str(price.known), price.source, price.note]
        for name, price in prices().items()
    ]
    return Table(("", "one", "known", "page", ""), rows)
