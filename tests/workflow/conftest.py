"""The shipped state machines, run by moto, with functions that answer as a test says."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest

from local.aws.resources import CREATORS
from local.aws.server import Aws
from local.aws.stack import Stack
from local.aws.template import load
from local.functions import Outcome
from local.world import TEMPLATE
from tests.events import EventQueue
from tests.until import until

REGION = "eu-central-1"

PARAMETERS = {
    "ClientId": "client",
    "ClientSecretName": "client-secret",
    "WhiteBitBaseUrl": "https://whitebit.example",
    "PublicUrl": "https://api.example",
    "JwtIssuer": "https://issuer.example",
    "JwtAudience": "partner",
    "AllowedOrigins": "https://partner.example",
    "AllowedReturnUrls": "https://partner.example/connected",
}

# What a state machine is told: what a function answers with, or the name of the error that it ends with.
Answer = dict[str, Any] | str


@dataclass
class Run:
    """An execution that has ended: its history, the states that it went through, its calls, the events that it told."""

    status: str
    history: list[dict[str, Any]]
    states: list[str]
    calls: list[tuple[str, dict[str, Any]]]
    events: list[dict[str, Any]]


@dataclass
class Machines:
    """The machines, and for each connection the answers that the functions give, the last one ever after.

    `calls` are those of the execution that was started last.
    """

    aws: Aws
    stack: Stack
    told: EventQueue
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    _answers: dict[str, dict[str, list[Answer]]] = field(default_factory=dict)
    _calls: dict[str, list[tuple[str, dict[str, Any]]]] = field(default_factory=dict)
    _events: list[dict[str, Any]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def invoke(self, arn: str, event: Any) -> Outcome:
        name, connection_id = self.functions[arn], event["connection_id"]
        self._calls[connection_id].append((name, event))
        answer = taken(self._answers[connection_id][name])
        if isinstance(answer, dict):
            return Outcome(json.dumps(answer).encode(), failed=False)
        return Outcome(cause(answer).encode(), failed=True)

    def run(self, machine: str, answers: dict[str, list[Answer]], **item: object) -> Run:
        """Starts a machine for a connection with these attributes, and waits for its end."""
        connection_id, execution = self.start(machine, answers, **item)
        return self.end(connection_id, execution)

    def start(self, machine: str, answers: dict[str, list[Answer]], **item: object) -> tuple[str, str]:
        connection_id = f"connection-{next(self._numbers)}"
        self._answers[connection_id], self._calls[connection_id] = answers, []
        self.calls = self._calls[connection_id]
        attributes = {name: {"S": value} for name, value in item.items()}
        stored = {"connection_id": {"S": connection_id}, "version": {"N": "1"}, **attributes}
        self.aws.client("dynamodb").put_item(TableName=self.table, Item=stored)
        started = self.aws.client("stepfunctions").start_execution(
            stateMachineArn=self.arn(machine),
            name=connection_id,
            input=json.dumps({"connection_id": connection_id}),
        )
        return connection_id, str(started["executionArn"])

    def end(self, connection_id: str, execution: str) -> Run:
        workflows = self.aws.client("stepfunctions")
        until(lambda: workflows.describe_execution(executionArn=execution)["status"] != "RUNNING")
        status = workflows.describe_execution(executionArn=execution)["status"]
        history = workflows.get_execution_history(executionArn=execution, maxResults=1000)["events"]
        states = [e["stateEnteredEventDetails"]["name"] for e in history if "stateEnteredEventDetails" in e]
        self._events += map(json.loads, self.told.drain())
        events = [event for event in self._events if event["detail"]["connection_id"] == connection_id]
        return Run(status, history, states, self._calls[connection_id], events)

    def item(self, connection_id: str) -> dict[str, Any]:
        key = {"connection_id": {"S": connection_id}}
        found: dict[str, Any] = self.aws.client("dynamodb").get_item(TableName=self.table, Key=key)["Item"]
        return found

    def definition(self, machine: str) -> dict[str, Any]:
        """A machine as it runs here."""
        described = self.aws.client("stepfunctions").describe_state_machine(stateMachineArn=self.arn(machine))
        definition: dict[str, Any] = json.loads(described["definition"])
        return definition

    def arn(self, machine: str) -> str:
        return self.stack.created("AWS::StepFunctions::StateMachine")[machine]

    @property
    def functions(self) -> dict[str, str]:
        """The functions' logical ids, by ARN."""
        return {spec.arn: spec.logical_id for spec in self.stack.functions.values()}

    @property
    def table(self) -> str:
        return self.stack.created("AWS::DynamoDB::Table")["Connections"]


def taken(answers: list[Answer]) -> Answer:
    """The next of some answers. The last one stays."""
    return answers.pop(0) if len(answers) > 1 else answers[0]


def cause(error: str) -> str:
    """What Lambda says of a function that ends with an error."""
    return json.dumps({"errorType": error, "errorMessage": "constant"}, separators=(",", ":"))


@pytest.fixture(scope="module")
def machines() -> Iterator[Machines]:
    held: list[Machines] = []
    aws = Aws("127.0.0.1", 0, REGION, lambda arn, event: held[0].invoke(arn, event))
    stack = Stack("fastkey", load(TEMPLATE, PARAMETERS, REGION), CREATORS, aws.client, REGION, "https://api.example")
    stack.create()
    _hurry(aws, stack)
    held.append(Machines(aws, stack, EventQueue(aws.client)))
    yield held[0]
    aws.close()


def _hurry(aws: Aws, stack: Stack) -> None:
    """The machines as shipped, but for how long they wait and how often they repeat a step."""
    workflows = aws.client("stepfunctions")
    for arn in stack.created("AWS::StepFunctions::StateMachine").values():
        definition = json.loads(workflows.describe_state_machine(stateMachineArn=arn)["definition"])
        for state in definition["States"].values():
            if "Seconds" in state:
                state["Seconds"] = 1
            for retry in state.get("Retry", []):
                if retry["MaxAttempts"]:
                    retry |= {"MaxAttempts": 2, "IntervalSeconds": 1, "BackoffRate": 1.0}
                    retry.pop("MaxDelaySeconds", None)
        workflows.update_state_machine(stateMachineArn=arn, definition=json.dumps(definition))
