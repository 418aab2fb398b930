"""What a world has used so far, in the units that AWS bills."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bench.built import functions
from bench.invocations import hearing
from bench.prices import Counts
from bench.recorder import Recorder
from local.world import World
from tests.logged import entries
from tests.operations.cloudwatch import Metric, Metrics

_MIB_IN_GIB = 1024
_BYTES_IN_GB = 1e9


class Meter:
    """Counts what is asked of a world, until the block ends. `recorder` counts the calls of AWS."""

    def __init__(self, world: World) -> None:
        self.recorder = Recorder(world)
        self.invocations: defaultdict[str, int] = defaultdict(int)
        self._world = world
        self._milliseconds = self._gb_seconds = 0.0

    def hear(self, function: str, milliseconds: float) -> None:
        """Hears of an invocation that has ended. Starts are not counted: see "Cold start"."""
        self.invocations[function] += 1
        self._milliseconds += milliseconds
        memory = self._world.functions.specs()[function].memory_mb / _MIB_IN_GIB
        self._gb_seconds += milliseconds / 1000 * memory

    def counts(self) -> Counts:
        """All so far, by the names of the price list."""
        calls = self.recorder.calls
        behind_api = [name for name, properties in functions().items() if _has_route(properties)]
        return {
            "state transitions": self._transitions(),
            "lambda requests": sum(self.invocations.values()),
            "lambda milliseconds": self._milliseconds,
            "lambda gb-seconds": self._gb_seconds,
            "api requests": sum(self.invocations[name] for name in behind_api),
            "write units": calls["write units"],
            "read units": calls["read units"],
            "kms requests": calls["kms requests"],
            "secret calls": sum(number for call, number in calls.items() if call.startswith("secretsmanager.")),
            "events": calls["AWSEvents.PutEvents"],
            "log gb": sum(len(line.encode()) for line in self.lines()) / _BYTES_IN_GB,
        }

    def lines(self) -> Iterator[str]:
        """The functions' own lines. Lambda's own, of a start and an end, are not here."""
        functions = self._world.functions
        return (line for name in functions.specs() for line in functions.logs(name))

    def _transitions(self) -> int:
        """A state that is entered is one, and each repetition of its task is another.

        https://aws.amazon.com/step-functions/pricing/
        """
        kinds = [str(event["type"]) for event in self._history()]
        repeated = sum(kind.endswith("Scheduled") for kind in kinds) - kinds.count("TaskStateEntered")
        return sum(kind.endswith("StateEntered") for kind in kinds) + repeated

    def _history(self) -> Iterator[Mapping[str, Any]]:
        workflows = self._world.client("stepfunctions")
        history = workflows.get_paginator("get_execution_history")
        for machine in self._world.state_machines.values():
            for page in workflows.get_paginator("list_executions").paginate(stateMachineArn=machine):
                for execution in page["executions"]:
                    for part in history.paginate(executionArn=execution["executionArn"]):
                        yield from part["events"]


@contextmanager
def metering(world: World) -> Iterator[Meter]:
    """Counts what is asked of the world in the block."""
    meter, services = Meter(world), world.guard.services
    world.guard.services = meter.recorder
    try:
        with hearing(meter.hear):
            yield meter
    finally:
        world.guard.services = services


def metrics(lines: Iterable[str]) -> set[Metric]:
    """Those that are written in lines of a log."""
    written = Metrics()
    written.read(entries("\n".join(lines)))
    return written.names()


def less(after: Counts, before: Counts) -> Counts:
    """What has been used between the two."""
    return {name: number - before.get(name, 0) for name, number in after.items()}


def times(counts: Counts, factor: float) -> Counts:
    return {name: number * factor for name, number in counts.items()}


def plus(*each: Counts) -> Counts:
    return {name: sum(counts.get(name, 0) for counts in each) for name in {name for counts in each for name in counts}}


def _has_route(properties: Mapping[str, Any]) -> bool:
    return any(event["Type"] == "HttpApi" for event in properties.get("Events", {}).values())
