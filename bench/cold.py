"""How long a function takes to start, what it holds then, and what it leaves to its first request."""

import io
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import sleep
from unittest.mock import patch

from bench.built import built, clients
from bench.events import USUAL, event
from bench.imports import largest
from bench.process import Process
from bench.report import Goal, Report, Section, Table
from fastkey import logging
from local.aws.server import ADMINISTRATOR
from local.functions import FunctionSpec
from local.partner import DEFAULT_PORT
from local.sam_local.cases import CASES
from local.sam_local.environments import aws_environment
from local.sam_local.journey import travel
from local.world import Ports, World

LIMIT = 1.15  # times boto3 with the same clients

_REQUESTS = 10  # starts that are followed by requests

_NUMBERS = count(1)

_EXPLANATION = """\
From the start of `python -m awslambdaric` to its first question for an event, for what `sam build` made, in turns with
an empty handler and with boto3 and the clients that a function's policy lets it use; and the most memory held by then.
Each start of a function is compared to the one of boto3 in the same round, because a machine has slower minutes: times
boto3 is the median of that, and not one median divided by the other.
The requests are CPU of the process alone, its waiting left out: the first one, a second one about another connection,
and what the first took longer, which is what the start has left to it."""
_HEADER = ("", "init, min", "median", "its CPU", "times boto3", "by CPU", "MiB", "1st request", "2nd", "late")
_IMPORTS = "By package, without what each imports in turn; with `-X importtime`, which makes all of them slower."

# A call that each service answers to anybody, for what a client leaves to its first one.
_CALLS = {
    "dynamodb": "list_tables",
    "events": "list_event_buses",
    "kms": "list_keys",
    "secretsmanager": "list_secrets",
    "sqs": "list_queues",
    "stepfunctions": "list_state_machines",
}

_EMPTY = "an empty handler"
_NOTHING = "def handler(event, context):\n    return {}\n"

_BOTO3 = """
import boto3

CALLS = [getattr(boto3.client(service), call) for service, call in %r]


def handler(event, context):
    for call in CALLS:
        call()
    return {}
"""


@dataclass(slots=True)
class Starts:
    """What was seen of one target. invocations: milliseconds of CPU of the first request and the second."""

    init_ms: list[float] = field(default_factory=list)
    init_cpu_ms: list[float] = field(default_factory=list)
    peak_mib: list[float] = field(default_factory=list)
    invocations: list[tuple[float, float]] = field(default_factory=list)
    imports: str = ""

    def init_row(self) -> list[str]:
        return [f"{min(self.init_ms):.0f}", f"{median(self.init_ms):.0f}", f"{median(self.init_cpu_ms):.0f}"]

    def rest(self) -> list[str]:
        first, second = (median(each) for each in zip(*self.invocations, strict=True))
        return [f"{median(self.peak_mib):.0f}", f"{first:.0f}", f"{second:.0f}", f"{first - second:.0f}"]


Seen = Mapping[str, Starts]


def measure(runs: int) -> Report:
    """Starts every function so often, in turns with what it is compared to."""
    uses = clients()
    # What the library logs here, on the way to a request, is nobody's.
    quiet = patch.object(logging._logger.registered_handler, "stream", io.StringIO())
    with (
        TemporaryDirectory() as folder,
        patch.dict(os.environ),
        World(ports=Ports(partner=DEFAULT_PORT)) as world,
        quiet,
    ):
        os.environ |= aws_environment(world)
        targets = {**_functions(world), **_baselines(world, Path(folder), set(uses.values()))}
        seen = _start_all(world, targets, runs)
    return _report(seen, uses)


def _functions(world: World) -> dict[str, FunctionSpec]:
    return {name: built(spec) for name, spec in world.functions.specs().items()}


def _baselines(world: World, folder: Path, uses: set[tuple[str, ...]]) -> dict[str, FunctionSpec]:
    """An empty handler; and boto3, with each set of clients that some function has."""
    sources = {_EMPTY: _NOTHING} | {
        _name(services): _BOTO3 % [(service, _CALLS[service]) for service in services] for services in uses
    }
    # The same layers and settings as everywhere: what differs is the code.
    like = built(world.functions.specs()["GetConnection"])
    made = {}
    for number, (name, source) in enumerate(sorted(sources.items())):
        (folder / f"baseline{number}.py").write_text(source)
        made[name] = replace(like, task_root=folder, handler=f"baseline{number}.handler", role=ADMINISTRATOR)
    return made


def _name(services: Sequence[str]) -> str:
    return f"boto3: {', '.join(services)}"


def _start_all(world: World, targets: Mapping[str, FunctionSpec], runs: int) -> Seen:
    """Rounds of starts alone, so that all begin alike: what is asked of one leaves the machine busy for the next."""
    seen: defaultdict[str, Starts] = defaultdict(Starts)
    region = world.client("sts").meta.region_name
    for _ in range(runs):
        for name, spec in targets.items():
            with Process(spec, region, world.aws) as process:
                seen[name].init_ms.append(process.init_ms)
                seen[name].init_cpu_ms.append(process.cpu_ms)
                seen[name].peak_mib.append(process.peak_mib)
    for _ in range(min(runs, _REQUESTS)):
        for name, spec in targets.items():
            with Process(spec, region, world.aws) as process:
                requests = process.invoke(_event(world, name)), process.invoke(_event(world, name))
                seen[name].invocations.append(requests)
    for name, spec in targets.items():
        seen[name].imports = largest(Process(spec, region, world.aws, "-X", "importtime").end())
    return seen


def _event(world: World, function: str) -> str:
    """The usual request of a function, about a connection of its own."""
    if function not in USUAL:
        return "{}"
    if "refresh" in USUAL[function]:
        sleep(1)  # WhiteBIT takes one a second
    return event(function, travel(world, f"user-{next(_NUMBERS)}@example.com", CASES[USUAL[function]].given))


def _report(seen: Seen, uses: Mapping[str, tuple[str, ...]]) -> Report:
    baselines = {name: seen[_name(services)] for name, services in uses.items()}
    ratios = {name: _times(seen[name].init_ms, baselines[name].init_ms) for name in sorted(uses)}
    of_cpu = {name: _times(seen[name].init_cpu_ms, baselines[name].init_cpu_ms) for name in uses}
    others = [[name, *starts.init_row(), "", "", *starts.rest()] for name, starts in seen.items() if name not in uses]
    functions = [
        [name, *seen[name].init_row(), f"{ratio:.2f}", f"{of_cpu[name]:.2f}", *seen[name].rest()]
        for name, ratio in ratios.items()
    ]
    imports = [[name, ", ".join(uses.get(name, ())), starts.imports] for name, starts in seen.items()]
    worst = max(ratios, key=ratios.__getitem__)
    return Report(
        "Cold start",
        [
            Section("Starting, in milliseconds", _EXPLANATION, Table(_HEADER, [*others, *functions])),
            Section("The largest imports", _IMPORTS, Table(("", "clients", "milliseconds"), imports)),
        ],
        [Goal(f"init of {worst}, the largest of all, as times of boto3 with its clients", ratios[worst], LIMIT)],
    )


def _times(starts: Sequence[float], baseline: Sequence[float]) -> float:
    """How many times what the baseline took in the same round, on the median."""
    return median(one / other for one, other in zip(starts, baseline, strict=True))
