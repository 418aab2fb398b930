"""What a connection asks of AWS, counted, and what that costs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import sleep

from bench.built import resources
from bench.dynamodb import size
from bench.meter import Meter, less, metering, metrics, plus, times
from bench.prices import SERVICES, Counts, cost, prices
from bench.report import Goal, Report, Section, Table
from fastkey.domain.connection import CHECK_PERIOD
from fastkey.ports import Vault
from local.items import fall_due, item
from local.whitebit import Revision
from local.world import World
from tests.e2e.journey import Journey
from tests.operations.alarms import alarms

LIMIT = 0.0005  # dollars for a connection

MILLION = 1_000_000
MONTH = timedelta(days=365) / 12

# How long after the consent a person may have confirmed the key, in seconds. The longest is reckoned by that before it.
_WAITS = (0, 10, 20, 30, 60)
_LONG_WAIT = 300
_USUAL_WAIT = 20

_COUNTED = """\
Of one connection, from the click to the told event, on average, in a local world: everything that a role asked of AWS,
and what is billed by other measures. A second awake and a look are parts of the difference between connections whose
keys came more and less late, a trial is what the guardian takes for one key more. Lambda's seconds are those in front
of the local AWS and the sandbox, in functions that were warm; capacity units follow from the sizes of the items. Not
counted: the lines that AWS itself writes into logs, of an invocation, a request and a state, and what DynamoDB asks of
KMS for its tables."""
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
    """What was counted in one world: for a connection by how many seconds its key came late, and for one whose key did
    not, `asked` of AWS call by call; for a look of a frontend, and a trial of the guardian's; for a key that is held
    and a stack that is idle, a month each; and how many metrics were written.
    """

    late: Mapping[int, Counts]
    asked: Counts
    frontend: Counts
    trial: Counts
    held: Counts
    idle: Counts
    metrics: int


def measure(connections: int) -> Report:
    """Connects so many users in each revision, and in the later one with each vault."""
    # In the earlier revision the key is there with the consent.
    may = _see(connections, Revision.MAY_2026, Vault.SECRETS_MANAGER, [0])
    august = _see(connections, Revision.AUGUST_2026, Vault.SECRETS_MANAGER, _WAITS)
    sealed = _see(connections, Revision.AUGUST_2026, Vault.DYNAMODB, [0, _USUAL_WAIT])
    by_way = {"2026-05": may, "2026-08": august, "2026-08, DynamoDB": sealed}
    each = {name: seen.late[0] for name, seen in by_way.items()}
    each |= {"a second awake": _each_second(august, 10, 20), "a look": times(_each_second(august, 30, 60), 5)}
    each |= {"a frontend's look": august.frontend, "a trial": august.trial}
    at_once = _waiting(may, 0)
    waiting = {f"2026-08, {wait} s": _waiting(august, wait) for wait in (*_WAITS, _LONG_WAIT)}
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


def _see(connections: int, revision: Revision, vault: Vault, waits: Sequence[int]) -> Seen:
    with World(revision, Vault=vault.value) as world, metering(world) as meter:
        _connect(world, revision)
        before, calls = meter.counts(), Counter(meter.recorder.calls)
        for _ in range(connections):
            journey = _connect(world, revision)
        late = {0: times(less(meter.counts(), before), 1 / connections)}
        asked = times(less(meter.recorder.calls, calls), 1 / connections)
        for wait in waits[1:]:
            before = meter.counts()
            _connect(world, revision, wait)
            late[wait] = less(meter.counts(), before)
        frontend, trial = _frontend_look(meter, journey), _trial(world, meter, journey)
        held, idle = plus(times(trial, MONTH / CHECK_PERIOD), _stored(world, journey)), _idle(world, meter)
        return Seen(late, asked, frontend, trial, held, idle, len(metrics(meter.lines())))


def _connect(world: World, revision: Revision, late: int = 0) -> Journey:
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
    return _more(less(meter.counts(), nothing_due), less(nothing_due, before))


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


def _each_second(seen: Seen, since: int, until: int) -> Counts:
    """What each second takes between the two in which the key is not there."""
    return times(_more(seen.late[until], seen.late[since]), 1 / (until - since))


def _more(after: Counts, before: Counts) -> Counts:
    """What was used between the two, of which what varies from one to the next may come out as less than nothing."""
    return {name: max(0.0, number) for name, number in less(after, before).items()}


def _waiting(seen: Seen, seconds: int) -> Counts:
    """What a connection takes whose key comes so many seconds after its completion."""
    more = max(0, seconds - _WAITS[-1])
    late = plus(seen.late[_WAITS[-1]], times(_each_second(seen, 30, 60), more)) if more else seen.late[seconds]
    return plus(late, times(seen.frontend, seconds + 1))


def _sum(counts: Counts) -> float:
    return sum(cost(counts).values())


def _counted(columns: Mapping[str, Counts]) -> Table:
    names = sorted({name for counts in columns.values() for name, number in counts.items() if number})
    # Differences of sums are off by what a float cannot hold.
    rows = [[name, *(f"{round(counts.get(name, 0), 15):.4g}" for counts in columns.values())] for name in names]
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
