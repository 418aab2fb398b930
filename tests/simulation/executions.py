"""The state machines in simulated time: the port that starts them, and what their executions do."""

import json
from collections.abc import Iterator, Mapping
from itertools import count
from typing import TYPE_CHECKING, Any

from fastkey.adapters.dynamodb import _from_item, _to_item
from fastkey.domain.errors import Conflict, ConnectionNotFound
from fastkey.ports import Connections
from tests.simulation.asl import Call, Ended, Failure, Sleep
from tests.simulation.kernel import Process
from tests.simulation.plan import Fate, Lost, NotStarted, Twice
from tests.simulation.shipped import shipped

if TYPE_CHECKING:
    from tests.simulation.world import Simulation

# Events in a history, by Step Functions' quota; and how many a state and each attempt at its task make at the most.
HISTORY_LIMIT = 25_000
EVENTS_OF_STATE, EVENTS_OF_ATTEMPT = 2, 4


class Workflows:
    """The port Workflows: starts executions, and lets them go on."""

    def __init__(self, simulation: "Simulation") -> None:
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
    """An execution of a state machine. state: where it is; since: from when on, in seconds."""

    def __init__(self, name: str, machine: str, connection_id: str, simulation: "Simulation") -> None:
        super().__init__(name, self._run)
        self.machine = machine
        self.connection_id = connection_id
        self.resumed = False
        self.ended: Ended | None = None
        self.state = ""
        self.since = 0.0
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
        self.state, self.since = state, self._simulation.kernel.now
        self._simulation.note(self.label, state)

    def _perform(self, call: Call) -> Any:
        simulation = self._simulation
        self._events += EVENTS_OF_ATTEMPT
        fate = simulation.fate_of_start(f"{self.label}.{call.state}", call.resource)
        if call.token is not None:
            return self._wait_for_token(call, call.token, fate)
        return self._invoke(call, fate)

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
