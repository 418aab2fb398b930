"""A state machine of the fixture, run by moto, with our function processes behind its tasks."""

import json
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws.server import Aws
from local.aws.stack import Stack
from tests.until import until

Execution = dict[str, Any]


def start(stack: Stack, aws: Aws, order: str, do: str) -> str:
    arn = stack.created("AWS::StepFunctions::StateMachine")["Order"]
    client = aws.client("stepfunctions")
    started = client.start_execution(stateMachineArn=arn, name=order, input=json.dumps({"id": order, "do": do}))
    return str(started["executionArn"])


def waiting(aws: Aws, order: str) -> str:
    """The token that the workflow has left in the table; empty where it has left none yet."""
    item = aws.client("dynamodb").get_item(TableName="shop-Shelves", Key={"id": {"S": order}}).get("Item", {})
    return str(item.get("task_token", {}).get("S", ""))


def pay(aws: Aws, order: str) -> None:
    """Send back the token that the workflow has left in the table."""
    token = until(lambda: waiting(aws, order))
    aws.client("stepfunctions").send_task_success(taskToken=token, output='{"paid": true}')


def end(aws: Aws, execution: str) -> Execution:
    client = aws.client("stepfunctions")

    def ended() -> Execution | None:
        description: Execution = client.describe_execution(executionArn=execution)
        return None if description["status"] == "RUNNING" else description

    return until(ended)


def came_to(aws: Aws, execution: str) -> list[str]:
    """The types of the events in its history."""
    history = aws.client("stepfunctions").get_execution_history(executionArn=execution)["events"]
    return [event["type"] for event in history]


@pytest.fixture
def order() -> str:
    return f"order-{uuid.uuid4()}"


def test_a_workflow_waits_for_its_token_and_goes_on(stack: Stack, aws: Aws, order: str) -> None:
    queue = aws.client("sqs").create_queue(QueueName="sold")["QueueUrl"]
    execution = start(stack, aws, order, "nothing")
    pay(aws, order)
    description = end(aws, execution)
    assert (description["status"], json.loads(description["output"])) == ("SUCCEEDED", {"id": order})
    (message,) = aws.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(message["Body"])["detail"] == {"id": order}


def test_a_condition_that_fails_has_the_error_name_of_aws(stack: Stack, aws: Aws, order: str) -> None:
    aws.client("dynamodb").put_item(TableName="shop-Shelves", Item={"id": {"S": order}, "sold": {"BOOL": True}})
    description = end(aws, start(stack, aws, order, "nothing"))
    assert (description["status"], description["error"]) == ("FAILED", "SoldOut")


@pytest.mark.parametrize(
    ("do", "error"), [("raise", "ValueError"), ("exit", "Runtime.ExitError"), ("sleep", "Sandbox.Timedout")]
)
def test_a_workflow_sees_how_a_function_failed(stack: Stack, aws: Aws, order: str, do: str, error: str) -> None:
    execution = start(stack, aws, order, do)
    pay(aws, order)
    assert json.loads(end(aws, execution)["output"])["failure"]["Error"] == error


def test_a_workflow_retries_the_error_that_it_names(stack: Stack, aws: Aws, order: str) -> None:
    execution = start(stack, aws, order, "not yet")
    pay(aws, order)
    assert json.loads(end(aws, execution)["output"])["failure"]["Error"] == "NotYet"
    assert came_to(aws, execution).count("LambdaFunctionFailed") == 2


@pytest.mark.parametrize(
    ("missing", "action"),
    [("Await", "dynamodb:UpdateItem"), ("Pack", "lambda:InvokeFunction"), ("Tell", "events:PutEvents")],
)
def test_a_workflow_may_do_what_its_role_may(
    stack: Stack, aws: Aws, order: str, monkeypatch: pytest.MonkeyPatch, missing: str, action: str
) -> None:
    rest = tuple(permission for permission in stack.roles["shop-OrderRole"] if permission.sid != missing)
    monkeypatch.setattr(aws.guard, "roles", {"shop-OrderRole": rest})
    execution = start(stack, aws, order, "nothing")
    if missing != "Await":
        pay(aws, order)
    description = end(aws, execution)
    assert description["status"] == "FAILED" or "failure" in json.loads(description["output"])
    assert [judgement.call.action for judgement in aws.guard.denied()][-1] == action


def test_the_lambda_api_reaches_the_function_processes(stack: Stack, aws: Aws) -> None:
    client = aws.client("lambda")
    answer = client.invoke(FunctionName="shop-Echo", Payload=b'{"a": 1}')
    failure = client.invoke(FunctionName=stack.functions["Misbehave"].arn, Payload=b'{"do": "raise"}')
    assert (answer.get("FunctionError"), json.load(answer["Payload"])) == (None, {"event": {"a": 1}})
    assert (failure["FunctionError"], json.load(failure["Payload"])["errorType"]) == ("Unhandled", "ValueError")


def test_a_function_that_does_not_exist_is_not_found(aws: Aws) -> None:
    with pytest.raises(ClientError) as raised:
        aws.client("lambda").invoke(FunctionName="nobody", Payload=b"{}")
    assert raised.value.response["Error"]["Code"] == "ResourceNotFoundException"


# ---- What moto does not have -----------------------------------------------------------------------------------------


def test_an_execution_that_was_broken_off_goes_on_where_it_was(stack: Stack, aws: Aws, order: str) -> None:
    client, execution = aws.client("stepfunctions"), start(stack, aws, order, "nothing")
    token = until(lambda: waiting(aws, order))
    client.stop_execution(executionArn=execution)
    assert end(aws, execution)["status"] == "ABORTED"
    before = client.get_execution_history(executionArn=execution)["events"]
    client.redrive_execution(executionArn=execution)
    until(lambda: waiting(aws, order) != token)
    pay(aws, order)
    assert end(aws, execution)["status"] == "SUCCEEDED"
    after = client.get_execution_history(executionArn=execution)["events"]
    assert after[: len(before)] == before
    assert after[len(before)]["type"] == "ExecutionRedriven"
    assert [each["id"] for each in after] == list(range(1, len(after) + 1))


def test_what_is_stopped_is_aborted_though_its_function_fails_afterwards(stack: Stack, aws: Aws, order: str) -> None:
    client, execution = aws.client("stepfunctions"), start(stack, aws, order, "sleep")
    pay(aws, order)
    until(lambda: "LambdaFunctionStarted" in came_to(aws, execution))
    client.stop_execution(executionArn=execution)
    assert end(aws, execution)["status"] == "ABORTED"
    assert came_to(aws, execution)[-2:] == ["LambdaFunctionFailed", "ExecutionAborted"]


def test_what_runs_or_has_succeeded_cannot_be_redriven(stack: Stack, aws: Aws, order: str) -> None:
    client, execution = aws.client("stepfunctions"), start(stack, aws, order, "nothing")
    with pytest.raises(client.exceptions.ExecutionNotRedrivable):
        client.redrive_execution(executionArn=execution)
    pay(aws, order)
    end(aws, execution)
    with pytest.raises(client.exceptions.ExecutionNotRedrivable):
        client.redrive_execution(executionArn=execution)
