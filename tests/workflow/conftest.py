"""The shipped state machines, run by moto, with functions that answer as a test says."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml
from moto.stepfunctions.parser.asl.component.common.error_name import custom_error_name
from moto.stepfunctions.parser.asl.component.common.retry.jitter_strategy_decl import JitterStrategyDecl
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.eval.environment import Environment

from local.aws.resources import CREATORS
from local.aws.server import Aws
from local.aws.stack import Stack
from local.aws.template import load
from local.functions import Outcome
from tests.template import PARAMETERS, PATH, REGION
from tests.until import until

Definition = Mapping[str, Any]

FOLDER = Path(__file__).parents[2] / "statemachines"
SHIPPED: dict[str, Definition] = {
    "ProvisionKey": yaml.safe_load((FOLDER / "provision_key.asl.yaml").read_text()),
    "RevokeKey": yaml.safe_load((FOLDER / "revoke_key.asl.yaml").read_text()),
}

# What a state machine is told: what a function answers with, or the name of the error that it ends with.
Answer = dict[str, Any] | str


@dataclass
class Run:
    """An execution that has ended: its history, the states that it went through, its calls; how many seconds it would
    have let pass each time.
    """

    status: str
    history: list[dict[str, Any]]
    states: list[str]
    calls: list[tuple[str, dict[str, Any]]]
    waits: list[float]


@dataclass
class Machines:
    """The machines, and what the functions answer to the execution that was started last: the last one ever after."""

    aws: Aws
    stack: Stack
    waits: Mapping[str, list[float]]
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def invoke(self, arn: str, event: Any) -> Outcome:
        name = next(spec.logical_id for spec in self.stack.functions.values() if spec.is_named_by(arn))
        self.calls.append((name, event))
        answers = self.answers[name]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, dict):
            return Outcome(json.dumps(answer).encode(), failed=False)
        return Outcome(cause(answer).encode(), failed=True)

    def run(self, machine: str, answers: dict[str, list[Answer]], **item: object) -> Run:
        """Starts a machine for a connection with these attributes, and waits for its end."""
        connection_id, execution = self.start(machine, answers, **item)
        return self.end(connection_id, execution)

    def start(self, machine: str, answers: dict[str, list[Answer]], **item: object) -> tuple[str, str]:
        connection_id = f"connection-{next(self._numbers)}"
        self.answers, self.calls = {name: list(each) for name, each in answers.items()}, []
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
        return Run(status, history, states, self.calls, self.waits[connection_id])

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
    def table(self) -> str:
        return self.stack.created("AWS::DynamoDB::Table")["Connections"]


def rule_for(error: str, rules: list[Definition]) -> int | None:
    return next((n for n, rule in enumerate(rules) if {error, "States.ALL"} & set(rule["ErrorEquals"])), None)


def too_often(machine: str, state: str, error: str) -> list[Answer]:
    """The error as often as the state is tried."""
    rules = SHIPPED[machine]["States"][state]["Retry"]
    return [error] * (1 + next(rule["MaxAttempts"] for rule in rules if rule_for(error, [rule]) is not None))


def cause(error: str) -> str:
    """What Lambda says of a function that ends with an error."""
    return json.dumps({"errorType": error, "errorMessage": "constant"}, separators=(",", ":"))


@pytest.fixture(scope="module")
def machines() -> Iterator[Machines]:
    held: list[Machines] = []
    aws = Aws("127.0.0.1", 0, REGION, lambda arn, event: held[0].invoke(arn, event))
    stack = Stack("fastkey", load(PATH, PARAMETERS, REGION), CREATORS, aws.client, REGION, "https://api.example")
    stack.create()
    with _nothing_waited_for() as waits:
        held.append(Machines(aws, stack, waits))
        yield held[0]
    aws.close()


@contextmanager
def _nothing_waited_for() -> Iterator[Mapping[str, list[float]]]:
    """The machines as shipped, in no time: the seconds that an execution would have waited are noted by its name."""
    waits: dict[str, list[float]] = defaultdict(list)

    def wait(_: object, env: Environment, wait_seconds: float) -> None:
        waits[env.states.context_object.context_object_data["Execution"]["Name"]].append(wait_seconds)

    def wait_before_an_attempt(retrier: object, env: Environment) -> None:
        """The last step in which moto works out how long to sleep."""
        wait(retrier, env, env.stack.pop())
        env.stack.append(0)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WaitFunction, "_wait_interval", wait)
        patch.setattr(JitterStrategyDecl, "_eval_body", wait_before_an_attempt)
        # Nobody may say States.Timeout but Step Functions; tests do, in order not to wait for it.
        patch.setattr(custom_error_name, "ILLEGAL_CUSTOM_ERROR_PREFIX", "-")
        yield waits
