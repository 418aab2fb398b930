"""The port Workflows; and how a workflow begins to wait."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

import boto3
import pytest

from fastkey.adapters.stepfunctions import StepFunctionsWorkflows
from fastkey.domain.errors import Conflict
from fastkey.domain.status import Status
from fastkey.ports import Workflows, World
from local.whitebit import Revision
from tests.contract.aws import aws_world, running_machines
from tests.contract.given import COMPLETION, NOW, TICKET, detecting, start, unique
from tests.fakes.workflows import FakeWorkflows
from tests.fakes.world import FakeWorld
from tests.simulation.asl import Call
from tests.simulation.dice import Dice
from tests.simulation.executions import Workflows as SimulatedWorkflows
from tests.simulation.executions import update
from tests.simulation.plan import Told
from tests.simulation.shipped import shipped
from tests.simulation.world import Simulation
from tests.unit.environment import ENVIRONMENT
from tests.until import until

# Waits for its task token, and leaves it in a table, as AwaitCompletion does.
WAITING = {
    "StartAt": "Await",
    "States": {
        "Await": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:dynamodb:putItem.waitForTaskToken",
            "Parameters": {
                "TableName": "tokens",
                "Item": {"connection_id": {"S.$": "$.connection_id"}, "token": {"S.$": "$$.Task.Token"}},
            },
            "End": True,
        }
    },
}


class Subject(Protocol):
    """Workflows, and how to see what became of them."""

    @property
    def workflows(self) -> Workflows: ...

    def connection(self) -> str:
        """The id of a connection that has nobody's decision yet."""
        ...

    def provisions(self) -> list[str]:
        """The connections whose ProvisionKey was started."""
        ...

    def revokes(self) -> list[str]:
        """The connections whose RevokeKey was started."""
        ...

    def task_token(self, connection_id: str) -> str:
        """The token with which the connection's ProvisionKey waits."""
        ...

    def went_on(self, connection_id: str) -> bool:
        """Whether the connection's ProvisionKey waits no longer."""
        ...


class Fake:
    def __init__(self) -> None:
        self.workflows = FakeWorkflows()

    def connection(self) -> str:
        return unique("connection")

    def provisions(self) -> list[str]:
        return self.workflows.provisions

    def revokes(self) -> list[str]:
        return self.workflows.revokes

    def task_token(self, connection_id: str) -> str:
        return f"token of {connection_id}"

    def went_on(self, connection_id: str) -> bool:
        return self.task_token(connection_id) in self.workflows.resumed


class StepFunctions:
    def __init__(self) -> None:
        self._client = boto3.client("stepfunctions", region_name="eu-west-1")
        self._dynamodb = boto3.client("dynamodb", region_name="eu-west-1")
        self._dynamodb.create_table(
            TableName="tokens",
            AttributeDefinitions=[{"AttributeName": "connection_id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "connection_id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self._provision, self._revoke = (
            self._client.create_state_machine(
                name=name, definition=json.dumps(WAITING), roleArn="arn:aws:iam::123456789012:role/any"
            )["stateMachineArn"]
            for name in ("provision", "revoke")
        )
        self.workflows = StepFunctionsWorkflows(self._client, self._provision, self._revoke)

    def connection(self) -> str:
        return unique("connection")

    def provisions(self) -> list[str]:
        return self._names(self._provision)

    def revokes(self) -> list[str]:
        return self._names(self._revoke)

    def task_token(self, connection_id: str) -> str:
        key = {"connection_id": {"S": connection_id}}
        return until(lambda: self._dynamodb.get_item(TableName="tokens", Key=key).get("Item"))["token"]["S"]

    def went_on(self, connection_id: str) -> bool:
        arn = f"{self._provision.replace('stateMachine', 'execution')}:{connection_id}"
        return until(lambda: self._client.describe_execution(executionArn=arn)["status"] == "SUCCEEDED")

    def _names(self, arn: str) -> list[str]:
        executions = self._client.list_executions(stateMachineArn=arn)["executions"]
        return [execution["name"] for execution in executions]


class Simulated:
    """The machines that ship, as the simulator runs them."""

    def __init__(self) -> None:
        self._simulation = Simulation(Revision.AUGUST_2026, Dice(0), Told({}))
        self.workflows = SimulatedWorkflows(self._simulation)

    def connection(self) -> str:
        connection = start(now=self._simulation.fakes.clock.now())
        self._simulation.fakes.connections.add(connection)
        consenting = connection.consent(TICKET, COMPLETION.digest(), connection.created_at)
        self._simulation.fakes.connections.save(connection, consenting)
        return connection.connection_id

    def provisions(self) -> list[str]:
        return self._entered("ProvisionKey", "AwaitCompletion")

    def revokes(self) -> list[str]:
        return self._entered("RevokeKey", "DeleteKey")

    def task_token(self, connection_id: str) -> str:
        self._simulation.run(self._simulation.kernel.now)
        return self._simulation.fakes.connections.get(connection_id).task_token or ""

    def went_on(self, connection_id: str) -> bool:
        went_on = connection_id in self._entered("ProvisionKey", "DetectKey")
        self._simulation.run(self._simulation.kernel.now + 86400)
        return went_on and self._simulation.executions[f"{connection_id}.ProvisionKey"].ended is not None

    def _entered(self, machine: str, state: str) -> list[str]:
        """The connections whose machine has entered the state by now."""
        self._simulation.run(self._simulation.kernel.now)
        names = [who.rpartition(".") for _, who, what in self._simulation.trace if what == state]
        return [connection_id for connection_id, _, entered in names if entered == machine]


@pytest.fixture(scope="module", params=["fake", "simulated", "aws"])
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    match request.param:
        case "fake":
            yield Fake()
        case "simulated":
            yield Simulated()
        case _:
            with running_machines():
                yield StepFunctions()


def test_a_start_twice_is_a_start_once(subject: Subject) -> None:
    connection_id = subject.connection()
    subject.workflows.start_provision(connection_id)
    subject.workflows.start_provision(connection_id)
    assert subject.provisions().count(connection_id) == 1
    assert connection_id not in subject.revokes()


def test_a_connection_is_provisioned_and_revoked_under_the_same_name(subject: Subject) -> None:
    connection_id = subject.connection()
    subject.workflows.start_provision(connection_id)
    subject.workflows.start_revoke(connection_id)
    subject.workflows.start_revoke(connection_id)
    assert subject.provisions().count(connection_id) == 1
    assert subject.revokes().count(connection_id) == 1


def test_a_workflow_that_waits_goes_on_once(subject: Subject) -> None:
    connection_id = subject.connection()
    subject.workflows.start_provision(connection_id)
    token = subject.task_token(connection_id)
    subject.workflows.resume(token)
    subject.workflows.resume(token)
    assert subject.went_on(connection_id)


def test_a_workflow_that_has_ended_is_not_started_again(subject: Subject) -> None:
    connection_id = subject.connection()
    subject.workflows.start_provision(connection_id)
    token = subject.task_token(connection_id)
    subject.workflows.resume(token)
    assert subject.went_on(connection_id)
    subject.workflows.start_provision(connection_id)
    subject.workflows.resume(token)
    assert subject.provisions().count(connection_id) == 1


def test_a_token_that_nobody_waits_with_is_of_no_consequence(subject: Subject) -> None:
    subject.workflows.resume("unknown")


# ---- AwaitCompletion leaves its task token ---------------------------------------------------------------------------


def waiting_for(connection_id: str) -> dict[str, Any]:
    """The request by which the machine that ships leaves a task token with this connection."""
    call = next(shipped().machines["ProvisionKey"].run({"connection_id": connection_id}, lambda: "a token"))
    assert isinstance(call, Call)
    return {**call.payload, "TableName": ENVIRONMENT["CONNECTIONS_TABLE"]}


@pytest.fixture(scope="module")
def aws() -> Iterator[World]:
    with aws_world() as world:
        yield world


@pytest.mark.parametrize("task_token", [None, "an earlier token"])
@pytest.mark.parametrize("completed_at", [None, NOW])
@pytest.mark.parametrize("status", Status)
def test_a_task_token_is_left_as_dynamodb_leaves_it(
    aws: World, status: Status, completed_at: datetime | None, task_token: str | None
) -> None:
    connection = replace(detecting(), status=status, completed_at=completed_at, task_token=task_token)
    fake = FakeWorld()
    for world in (aws, fake):
        world.connections.add(connection)
    request = waiting_for(connection.connection_id)
    assert left_by_dynamodb(request) == left_by_the_simulator(fake, request)
    stored, simulated = (world.connections.get(connection.connection_id) for world in (aws, fake))
    assert stored == simulated


def left_by_dynamodb(request: dict[str, Any]) -> bool:
    client = boto3.client("dynamodb")
    try:
        client.update_item(**request)
    except client.exceptions.ConditionalCheckFailedException:
        return False
    return True


def left_by_the_simulator(world: FakeWorld, request: dict[str, Any]) -> bool:
    try:
        update(world.connections, request)
    except Conflict:
        return False
    return True
