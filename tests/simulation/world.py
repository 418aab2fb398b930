"""The world in one process: the shipped functions and state machines over the fakes, with a fate for every call."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial
from itertools import count
from typing import Any, cast

import yaml

from fastkey.adapters.dynamodb import _from_item, _to_item
from fastkey.domain.errors import Conflict, ConnectionNotFound, FastkeyError
from fastkey.ports import Connections
from local.whitebit import Revision
from tests.fakes.system import FakeClock
from tests.fakes.world import FakeWorld
from tests.simulation.asl import Call, Ended, Failure, Machine, Sleep
from tests.simulation.dice import Dice
from tests.simulation.faults import FAULTS
from tests.simulation.invariants import Watch
from tests.simulation.kernel import Kernel, Process, SimulatedClock
from tests.simulation.lambdas import ROOT, Function, Invocation, InvocationClock, Killed, Log, Stage, load, logging_to
from tests.simulation.plan import (
    LATEST,
    OFF,
    WILDLY_OFF,
    Die,
    Fail,
    Fate,
    Jump,
    Lost,
    NotStarted,
    Plan,
    Stall,
    Twice,
    When,
)

GATEWAY_PATIENCE = 29.0  # seconds: the longest that an HTTP API waits for a function

# Events in a history, by Step Functions' quota; and how many a state and each attempt at its task make at the most.
HISTORY_LIMIT = 25_000
EVENTS_OF_STATE, EVENTS_OF_ATTEMPT = 2, 4


@dataclass(frozen=True, slots=True)
class Shipped:
    """What ships, as it was read from its files."""

    stage: Stage
    functions: Mapping[str, Function]
    machines: Mapping[str, Machine]


@cache
def shipped() -> Shipped:
    """Reads the template, the handlers and the state machines, once."""
    stage, functions = load()
    files = {"ProvisionKey": "provision_key", "RevokeKey": "revoke_key"}
    definitions = {
        name: yaml.safe_load((ROOT / f"statemachines/{f}.asl.yaml").read_text()) for name, f in files.items()
    }
    return Shipped(stage, functions, {name: Machine.load(definition) for name, definition in definitions.items()})


@dataclass(frozen=True, slots=True)
class Conditions:
    """How well the world does when nothing fails, in seconds: how long a call is on its way or back, how stale a read
    may be, how wrong a function's clock, each at most.
    """

    latency: float
    lag: float
    skew: float

    @classmethod
    def of(cls, dice: Dice) -> "Conditions":
        """The conditions of a seed."""
        return cls(
            latency=dice.choose("latency", (0.002, 0.02, 0.2)),
            lag=dice.choose("lag", (0.0, 0.0, 1.0, 10.0)),
            skew=dice.choose("skew", (0.0, 0.5, OFF)),
        )


class Port:
    """A port, each call of which lets time pass, may meet its fate, and is watched."""

    def __init__(self, name: str, fake: object, simulation: "Simulation") -> None:
        for method in FAULTS[name]:
            # The simulation interrupts in its own way: it goes past what lets a test interrupt the fake.
            effect = getattr(type(fake), method)
            effect = partial(getattr(effect, "__wrapped__", effect), fake)
            setattr(self, method, partial(simulation.call, name, method, effect))


class Ports:
    """The world of the use cases."""

    def __init__(self, simulation: "Simulation") -> None:
        world = simulation.fakes
        self.policy = world.policy
        self.entropy = world.entropy
        self.clock = InvocationClock(simulation.kernel)
        self.sealer = Port("sealer", world.sealer, simulation)
        self.authorizations = Port("authorizations", world.authorizations, simulation)
        self.connections = Port("connections", world.connections, simulation)
        self.vault = Port("vault", world.vault, simulation)
        self.whitebit = Port("whitebit", world.whitebit, simulation)
        self.workflows = Port("workflows", Workflows(simulation), simulation)


class Simulation:
    """One run. trace: what happened, as (seconds, who, what)."""

    def __init__(self, revision: Revision, dice: Dice, plan: Plan) -> None:
        self.kernel = Kernel()
        self.dice = dice
        self.plan = plan
        self.trace: list[tuple[float, str, str]] = []
        self.fates: dict[str, Fate] = {}
        self.points: list[tuple[str, str, str]] = []
        self.fakes = FakeWorld(revision, cast(FakeClock, SimulatedClock(self.kernel)), self._lag)
        self.log: list[str] = []
        self.defects: list[str] = []
        self.executions: dict[str, Execution] = {}
        self.waiting: dict[str, Execution] = {}
        self.watch = Watch(self.fakes, self.kernel, plan)
        self._ports = Ports(self)
        self._labels: Counter[str] = Counter()
        self._conditions = Conditions.of(dice)
        self._skew = WILDLY_OFF if plan.wild else self._conditions.skew

    # ---- Running -----------------------------------------------------------------------------------------------------

    def run(self, horizon: float) -> None:
        """Lets everything happen."""
        with shipped().stage.playing(self._ports), logging_to(Log(self.log, self.defects)):
            self.kernel.run(horizon)

    def check_end(self) -> None:
        """Nothing moves any more."""
        self.watch.check_end(self.log, self.defects, self.executions.values(), untroubled=not self.fates)

    def note(self, who: str, what: str) -> None:
        """Writes down what happened."""
        self.trace.append((self.kernel.now, who, what))

    def label(self, name: str) -> str:
        """The name with its number: the same in every run of the same seed."""
        self._labels[name] += 1
        return f"{name}#{self._labels[name]}"

    def _lag(self) -> timedelta:
        if not self._conditions.lag:
            return timedelta()
        return timedelta(seconds=self.dice.between(f"lag at {self.kernel.now}", 0, self._conditions.lag))

    # ---- Calls of ports ----------------------------------------------------------------------------------------------

    def call(self, port: str, method: str, effect: Callable[..., Any], *args: Any) -> Any:
        """A call of a port by the current invocation."""
        invocation = cast(Invocation, self.kernel.current)
        call = f"{port}.{method}"
        point = invocation.point(call)
        self.points.append((point, port, method))
        self.watch.calling(call, invocation, args)
        fate = self.plan.of_call(point, port, method, self.kernel.now)
        invocation.pass_time(invocation.chance * self._conditions.latency)
        if fate is None:
            result, error = self._act(invocation, call, effect, args)
            invocation.pass_time((1 - invocation.chance) * self._conditions.latency)
        else:
            self.fates[point] = fate
            self.note(point, str(fate))
            result, error = self._suffer(invocation, point, fate, partial(self._act, invocation, call, effect, args))
        if error is not None:
            if isinstance(fate, Fail):
                self.watch.failed(call, invocation)
            else:
                self.watch.told_no(call, invocation, args, error)
            raise error
        self.watch.told(call, invocation, args)
        return result

    def _act(
        self, invocation: Invocation, call: str, effect: Callable[..., Any], args: tuple[Any, ...]
    ) -> tuple[Any, FastkeyError | None]:
        result, error = None, None
        try:
            result = effect(*args)
        except FastkeyError as refusal:
            error = refusal
        self.note(invocation.label, f"{call} -> {type(error).__name__ if error else 'ok'}")
        self.watch.after(call, invocation, args, result, error)
        return result, error

    def _suffer(
        self, invocation: Invocation, point: str, fate: Fate, act: Callable[[], tuple[Any, FastkeyError | None]]
    ) -> tuple[Any, FastkeyError | None]:
        match fate:
            case Die(When.BEFORE):
                raise Killed("Lambda.Unknown")
            case Die(When.IN_FLIGHT):
                self.later(self.dice.between(f"{point} flight", 0, LATEST), act)
                raise Killed("Lambda.Unknown")
            case Die(When.AFTER):
                act()
                raise Killed("Lambda.Unknown")
            case Stall(when, seconds):
                if when is When.BEFORE:
                    invocation.pass_time(seconds)
                answer = act()
                if when is When.AFTER:
                    invocation.pass_time(seconds)
                return answer
            case Jump(off):
                invocation.skew = off
                return act()
            case Fail(fault, late):
                took = self.dice.between(f"{point} took", *fault.seconds)
                if fault.effect and late:
                    self.later(took + late, act)
                elif fault.effect:
                    act()
                invocation.pass_time(took)
                return None, fault.error()
        raise AssertionError(fate)

    def later(self, seconds: float, act: Callable[[], object]) -> None:
        """Something happens by itself, after a while."""
        self.kernel.start(Process("later", act), seconds)

    # ---- Functions ---------------------------------------------------------------------------------------------------

    def start(self, name: str, who: str, event: dict[str, Any], delay: float = 0) -> Invocation:
        """Starts a function. who: in whose name, for the trace."""
        label = self.label(f"{who}.{name}")
        invocation = Invocation(label, shipped().functions[name], event, self.kernel)
        invocation.skew = self.dice.between(f"{label} skew", -self._skew, self._skew)
        invocation.chance = self.dice.fraction(f"{label} latency")
        self.kernel.start(invocation, delay)
        return invocation

    def wait_for(self, invocation: Invocation, patience: float | None) -> Any:
        """Waits for an invocation's answer. None if it does not come in time."""
        invocation.invoker = self.kernel.current
        self.kernel.wait(patience)
        invocation.invoker = None
        self.note(invocation.label, f"answers {invocation.answer}")
        if isinstance(invocation.answer, Failure):
            self.watch.crashed(invocation.answer)
        return invocation.answer

    def request(self, name: str, who: str, event: dict[str, Any]) -> dict[str, Any] | None:
        """A request through the gateway. Gives the answer; None where the gateway gives one of its own."""
        invocation = self.start(name, who, event)
        answer = self.wait_for(invocation, GATEWAY_PATIENCE)
        document: dict[str, Any] | None = json.loads(answer) if isinstance(answer, str) else None
        if document is not None:
            self.watch.answer(invocation, document)
        return document


class Workflows:
    """The port Workflows: starts executions, and lets them go on."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def start_provision(self, connection_id: str) -> None:
        self._start("ProvisionKey", connection_id)

    def start_revoke(self, connection_id: str) -> None:
        self._start("RevokeKey", connection_id)

    def resume(self, task_token: str) -> None:
        if execution := self._simulation.waiting.pop(task_token, None):
            execution.resumed = True
            self._simulation.kernel.wake(execution)

    def _start(self, machine: str, connection_id: str) -> None:
        name = f"{connection_id}.{machine}"
        if name not in self._simulation.executions:
            execution = Execution(name, machine, connection_id, self._simulation)
            self._simulation.executions[name] = execution
            self._simulation.kernel.start(execution)


class Execution(Process):
    """An execution of a state machine. untold_since: since when, in seconds, no event that it tells has gone well."""

    def __init__(self, name: str, machine: str, connection_id: str, simulation: Simulation) -> None:
        super().__init__(name, self._run)
        self.machine = machine
        self.connection_id = connection_id
        self.resumed = False
        self.ended: Ended | None = None
        self.untold_since: float | None = None
        self._simulation = simulation
        self._tokens = count(1)
        self._events = 0

    def _run(self) -> None:
        simulation = self._simulation
        steps = shipped().machines[self.machine].run({"connection_id": self.connection_id}, self._token, self._entered)
        answer = None
        while self.ended is None:
            try:
                request = steps.send(answer)
            except StopIteration as end:
                self.ended = end.value
                break
            if isinstance(request, Sleep):
                simulation.kernel.pause(request.seconds)
                answer = None
            else:
                answer = self._perform(request)
                simulation.watch.history(request.payload, answer)
            if self._events > HISTORY_LIMIT:
                self.ended = Ended("FAILED", error="its history is too long")
        simulation.watch.execution_ended(self)

    def _token(self) -> str:
        return f"{self.label} token {next(self._tokens)}"

    def _entered(self, state: str, _input: Any) -> None:
        self._events += EVENTS_OF_STATE
        self._simulation.note(self.label, state)

    def _perform(self, call: Call) -> Any:
        simulation = self._simulation
        self._events += EVENTS_OF_ATTEMPT
        point = simulation.label(f"{self.label}.{call.state}")
        simulation.points.append((point, "start", call.resource))
        fate = simulation.plan.of_start(point, call.resource, simulation.kernel.now)
        if fate is not None:
            simulation.fates[point] = fate
            simulation.note(point, str(fate))
        if call.resource.startswith("${"):
            return self._invoke(call, fate)
        if call.token is not None:
            return self._wait_for_token(call, call.token, fate)
        return self._tell(call, fate)

    def _invoke(self, call: Call, fate: Fate | None) -> Any:
        """A function that is invoked."""
        if isinstance(fate, NotStarted):
            return Failure("Lambda.TooManyRequestsException")
        simulation, name = self._simulation, call.resource[2:-1]
        invocation = simulation.start(name, self.connection_id, call.payload)
        invocation.execution = self.label
        if isinstance(fate, Twice):
            simulation.start(name, self.connection_id, call.payload, fate.delay)
        answer = simulation.wait_for(invocation, call.timeout)
        if answer is None:
            return Failure("States.Timeout")
        if isinstance(fate, Lost):
            return Failure("Lambda.Unknown")
        simulation.watch.heard(invocation)
        return json.loads(answer) if isinstance(answer, str) else answer

    def _wait_for_token(self, call: Call, token: str, fate: Fate | None) -> Any:
        """UpdateItem, and then patience."""
        simulation = self._simulation
        if isinstance(fate, NotStarted):
            return Failure("DynamoDb.ThrottlingException")
        try:
            update(simulation.fakes.connections, call.payload)
        except Conflict:
            return Failure("DynamoDb.ConditionalCheckFailedException")
        if isinstance(fate, Lost):
            return Failure("DynamoDb.SdkClientException")
        simulation.waiting[token] = self
        self.resumed = False
        simulation.kernel.wait(call.timeout)
        simulation.waiting.pop(token, None)
        return {} if self.resumed else Failure("States.Timeout")

    def _tell(self, call: Call, fate: Fate | None) -> Any:
        """PutEvents."""
        if fate is None:
            self._simulation.watch.event(call.payload, heard=True)
            return {}
        if self.untold_since is None:
            self.untold_since = self._simulation.kernel.now
        if isinstance(fate, NotStarted):
            return Failure("EventBridge.FailedEntry")
        self._simulation.watch.event(call.payload, heard=False)
        return Failure("EventBridge.SdkClientException")


# ---- DynamoDB's UpdateItem, as far as AwaitCompletion uses it --------------------------------------------------------


def update(connections: Connections, request: Mapping[str, Any]) -> None:
    """Changes a connection's item as the state machine says.

    Raises Conflict where its condition does not hold, which it does for no item that is not there.
    """
    try:
        before = connections.get(request["Key"]["connection_id"]["S"])
    except ConnectionNotFound:
        raise Conflict from None
    item: dict[str, Any] = dict(_to_item(before, "update"))
    names, values = request["ExpressionAttributeNames"], request["ExpressionAttributeValues"]
    for condition in request["ConditionExpression"].split(" AND "):
        if not _holds(condition, item, names, values):
            raise Conflict
    for name, value, added in _changes(request["UpdateExpression"].split(), values):
        item[name] = {"N": str(int(item[name]["N"]) + int(value["N"]))} if added else value
    connections.save(before, _from_item(item))


def _holds(condition: str, item: Mapping[str, Any], names: Mapping[str, str], values: Mapping[str, Any]) -> bool:
    if condition.startswith("attribute_not_exists("):
        return condition[len("attribute_not_exists(") : -1] not in item
    attribute, _, listed = condition.partition(" IN ")
    return item[names[attribute]] in [values[name] for name in listed.strip("()").split(", ")]


def _changes(words: list[str], values: Mapping[str, Any]) -> Iterator[tuple[str, Any, bool]]:
    """The changes of `SET name = :value ADD name :value`: the attribute, the value, whether it is added."""
    match words:
        case ["SET", name, "=", value, "ADD", counter, number]:
            yield name, values[value], False
            yield counter, values[number], True
        case _:
            raise NotImplementedError(words)
