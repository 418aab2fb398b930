"""The port Workflows."""

import json
from collections.abc import Iterator
from typing import Protocol

import boto3
import pytest
from moto import mock_aws

from fastkey.adapters.stepfunctions import StepFunctionsWorkflows
from fastkey.ports import Workflows
from tests.contract.given import unique
from tests.fakes.workflows import FakeWorkflows
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


@pytest.fixture(scope="module", params=["fake", "aws"])
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    if request.param == "fake":
        yield Fake()
    else:
        with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
            yield StepFunctions()


def test_a_start_twice_is_a_start_once(subject: Subject) -> None:
    connection_id = unique("connection")
    subject.workflows.start_provision(connection_id)
    subject.workflows.start_provision(connection_id)
    assert subject.provisions().count(connection_id) == 1
    assert connection_id not in subject.revokes()


def test_a_connection_is_provisioned_and_revoked_under_the_same_name(subject: Subject) -> None:
    connection_id = unique("connection")
    subject.workflows.start_provision(connection_id)
    subject.workflows.start_revoke(connection_id)
    subject.workflows.start_revoke(connection_id)
    assert subject.provisions().count(connection_id) == 1
    assert subject.revokes().count(connection_id) == 1


def test_a_workflow_that_waits_goes_on_once(subject: Subject) -> None:
    connection_id = unique("connection")
    subject.workflows.start_provision(connection_id)
    token = subject.task_token(connection_id)
    subject.workflows.resume(token)
    subject.workflows.resume(token)
    assert subject.went_on(connection_id)


def test_a_workflow_that_has_ended_is_not_started_again(subject: Subject) -> None:
    connection_id = unique("connection")
    subject.workflows.start_provision(connection_id)
    subject.workflows.resume(subject.task_token(connection_id))
    assert subject.went_on(connection_id)
    subject.workflows.start_provision(connection_id)
    assert subject.provisions().count(connection_id) == 1


def test_a_token_that_nobody_waits_with_is_of_no_consequence(subject: Subject) -> None:
    subject.workflows.resume("unknown")
