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
    """An execution that has ended: the states that it went through, the calls that it made, the events that it told."""

    status: str
    states: list[str]
    calls: list[tuple[str, dict[str, Any]]]
    events: list[dict[str, Any]]


@dataclass
class Machines:
    """The machines, and the answers that their functions give, by logical id; the last one is given ever after."""

    aws: Aws
    stack: Stack
    told: EventQueue
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def invoke(self, arn: str, event: Any) -> Outcome:
        name = next(spec.logical_id for spec in self.stack.functions.values() if spec.arn == arn)
        self.calls.append((name, event))
        answers = self.answers[name]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, dict):
            return Outcome(json.dumps(answer).encode(), failed=False)
        return Outcome(json.dumps({"errorType": answer, "errorMessage": "constant"}).encode(), failed=True)

    def run(self, machine: str, answers: dict[str, list[Answer]], **item: object) -> Run:
        """Starts a machine for a connection with these attributes, and waits for its end."""
        connection_id, execution = self.start(machine, answers, **item)
        return self.end(connection_id, execution)

    def start(self, machine: str, answers: dict[str, list[Answer]], **item: object) -> tuple[str, str]:
        connection_id = f"connection-{next(self._numbers)}"
        self.answers, self.calls = answers, []
        attributes = {name: {"S": value} for name, value in item.items()}
        stored = {"connection_id": {"S": connection_id}, "version": {"N": "1"}, **attributes}
        self.aws.client("dynamodb").put_item(TableName=self.table, Item=stored)
        started = self.aws.client("stepfunctions").start_execution(
            stateMachineArn=self.stack.created("AWS::StepFunctions::StateMachine")[machine],
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
        told = map(json.loads, self.told.drain())
        events = [event for event in told if event["detail"]["connection_id"] == connection_id]
        return Run(status, states, self.calls, events)

    def item(self, connection_id: str) -> dict[str, Any]:
        key = {"connection_id": {"S": connection_id}}
        found: dict[str, Any] = self.aws.client("dynamodb").get_item(TableName=self.table, Key=key)["Item"]
        return found

    @property
    def table(self) -> str:
        return self.stack.created("AWS::DynamoDB::Table")["Connections"]


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
