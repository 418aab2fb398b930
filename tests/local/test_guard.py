"""Roles may ask of AWS what their policies allow; what a request asks for is read as IAM reads it."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws.policy import Call, Permission
from local.aws.server import Aws
from local.functions import Functions

REGION = "eu-central-1"
ROLE = "shopkeeper"


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:123456789012:{resource}"


TABLE, OTHER, KEY = arn("dynamodb", "table/shelves"), arn("dynamodb", "table/till"), arn("kms", "key/1")
RETURNS, QUEUE = arn("sqs", "returns"), {"QueueUrl": "http://127.0.0.1/123456789012/returns"}
MACHINE, SECRET = arn("states", "stateMachine:order"), arn("secretsmanager", "secret:shop/till")
ID, ITEM = {"id": {"S": "1"}}, {"TableName": "shelves", "Key": {"id": {"S": "1"}}}
CONTEXT = frozenset({("kms:EncryptionContext:purpose", "token"), ("kms:EncryptionContext:id", "1")})


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    server = Aws("127.0.0.1", 0, REGION, Functions(REGION).invoke)
    yield server
    server.close()


def ask(aws: Aws, service: str, operation: str, parameters: dict[str, Any]) -> str:
    """Ask as the role; the code of the error, if it is one."""
    try:
        getattr(aws.client(service, ROLE), operation)(**parameters)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "calls"),
    [
        ("dynamodb", "get_item", ITEM, [Call("dynamodb:GetItem", TABLE)]),
        ("dynamodb", "get_item", {**ITEM, "TableName": TABLE}, [Call("dynamodb:GetItem", TABLE)]),
        ("dynamodb", "put_item", {"TableName": "shelves", "Item": ID}, [Call("dynamodb:PutItem", TABLE)]),
        ("dynamodb", "update_item", ITEM, [Call("dynamodb:UpdateItem", TABLE)]),
        ("dynamodb", "delete_item", ITEM, [Call("dynamodb:DeleteItem", TABLE)]),
        ("dynamodb", "scan", {"TableName": "shelves"}, [Call("dynamodb:Scan", TABLE)]),
        (
            "dynamodb",
            "query",
            {"TableName": "shelves", "IndexName": "by_owner", "KeyConditionExpression": "a = b"},
            [Call("dynamodb:Query", f"{TABLE}/index/by_owner")],
        ),
        (
            "dynamodb",
            "transact_write_items",
            {
                "TransactItems": [
                    {"Put": {"TableName": "shelves", "Item": ID}},
                    {"Delete": {"TableName": "till", "Key": ID}},
                    {"Update": {"TableName": "till", "Key": ID, "UpdateExpression": "SET a = b"}},
                    {"ConditionCheck": {"TableName": "shelves", "Key": ID, "ConditionExpression": "a = b"}},
                ]
            },
            [
                Call("dynamodb:PutItem", TABLE),
                Call("dynamodb:DeleteItem", OTHER),
                Call("dynamodb:UpdateItem", OTHER),
                Call("dynamodb:ConditionCheckItem", TABLE),
            ],
        ),
        ("dynamodb", "list_tables", {}, [Call("dynamodb:ListTables", "*")]),
        (
            "dynamodb",
            "batch_get_item",
            {"RequestItems": {"shelves": {"Keys": [ID]}}},
            [Call("dynamodb:BatchGetItem", "*")],
        ),
        (
            "kms",
            "encrypt",
            {"KeyId": "1", "Plaintext": b"x", "EncryptionContext": {"purpose": "token", "id": "1"}},
            [Call("kms:Encrypt", KEY, CONTEXT)],
        ),
        ("kms", "decrypt", {"KeyId": KEY, "CiphertextBlob": b"x"}, [Call("kms:Decrypt", KEY)]),
        ("kms", "decrypt", {"CiphertextBlob": b"x"}, [Call("kms:Decrypt", "*")]),
        (
            "secretsmanager",
            "get_secret_value",
            {"SecretId": SECRET},
            [Call("secretsmanager:GetSecretValue", SECRET)],
        ),
        # What is not there has no ARN.
        (
            "secretsmanager",
            "get_secret_value",
            {"SecretId": "shop/till"},
            [Call("secretsmanager:GetSecretValue", "shop/till")],
        ),
        (
            "secretsmanager",
            "create_secret",
            {"Name": "shop/till", "SecretString": "x", "Tags": [{"Key": "a", "Value": "b"}]},
            [Call("secretsmanager:CreateSecret", SECRET), Call("secretsmanager:TagResource", SECRET)],
        ),
        ("secretsmanager", "list_secrets", {}, [Call("secretsmanager:ListSecrets", "*")]),
        ("stepfunctions", "start_execution", {"stateMachineArn": MACHINE}, [Call("states:StartExecution", MACHINE)]),
        (
            "stepfunctions",
            "send_task_success",
            {"taskToken": "forged", "output": "{}"},
            [Call("states:SendTaskSuccess", "*")],
        ),
        (
            "events",
            "put_events",
            {"Entries": [{"Source": "a"}, {"Source": "a", "EventBusName": "shop"}]},
            [Call("events:PutEvents", arn("events", f"event-bus/{bus}")) for bus in ("default", "shop")],
        ),
        (
            "lambda",
            "invoke",
            {"FunctionName": arn("lambda", "function:echo")},
            [Call("lambda:InvokeFunction", arn("lambda", "function:echo"))],
        ),
        ("lambda", "invoke", {"FunctionName": "echo"}, [Call("lambda:InvokeFunction", arn("lambda", "function:echo"))]),
        ("logs", "describe_log_groups", {}, [Call("logs:DescribeLogGroups", "*")]),
        (
            "logs",
            "filter_log_events",
            {"logGroupName": "shop"},
            [Call("logs:FilterLogEvents", arn("logs", "log-group:shop:*"))],
        ),
        ("sqs", "send_message", {**QUEUE, "MessageBody": "x"}, [Call("sqs:SendMessage", RETURNS)]),
        ("sqs", "receive_message", QUEUE, [Call("sqs:ReceiveMessage", RETURNS)]),
        ("sqs", "delete_message", {**QUEUE, "ReceiptHandle": "x"}, [Call("sqs:DeleteMessage", RETURNS)]),
        ("sqs", "list_queues", {}, [Call("sqs:ListQueues", "*")]),
    ],
)
def test_each_thing_that_a_request_asks_for_has_to_be_allowed(
    aws: Aws, service: str, operation: str, parameters: dict[str, Any], calls: list[Call]
) -> None:
    for allowed, call in enumerate(calls):
        aws.guard.roles = {ROLE: tuple(Permission("", each.action, each.resource) for each in calls[:allowed])}
        assert ask(aws, service, operation, parameters) == "AccessDeniedException"
        assert [judgement.call for judgement in aws.guard.judgements[-allowed - 1 :]] == calls[: allowed + 1]
        assert aws.guard.denied()[-1].call == call


def test_a_secret_that_is_there_has_six_more_characters(aws: Aws) -> None:
    created = aws.client("secretsmanager").create_secret(Name="shop/safe", SecretString="gold")["ARN"]
    safe = arn("secretsmanager", "secret:shop/safe")
    for resource, code in ((safe, "AccessDeniedException"), (f"{safe}-??????", ""), (created, "")):
        aws.guard.roles = {ROLE: (Permission("", "secretsmanager:GetSecretValue", resource),)}
        for name in ("shop/safe", created):
            assert ask(aws, "secretsmanager", "get_secret_value", {"SecretId": name}) == code


def test_what_is_asked_by_the_query_protocol_is_denied_under_its_name(aws: Aws) -> None:
    aws.guard.roles = {ROLE: ()}
    assert ask(aws, "iam", "list_roles", {}) == "AccessDenied"
    assert aws.guard.denied()[-1].call == Call("iam:ListRoles", "*")
    # Of a stack that is not there nobody knows the ARN.
    assert ask(aws, "cloudformation", "describe_stacks", {"StackName": "shop"}) == "AccessDenied"
    assert aws.guard.denied()[-1].call == Call("cloudformation:DescribeStacks", "shop")


def test_everybody_may_ask_who_they_are(aws: Aws) -> None:
    aws.guard.roles = {ROLE: ()}
    assert ask(aws, "sts", "get_caller_identity", {}) == ""


def test_what_is_allowed_is_done(aws: Aws) -> None:
    aws.guard.roles = {ROLE: (Permission("", "secretsmanager:CreateSecret", "*"),)}
    assert ask(aws, "secretsmanager", "create_secret", {"Name": "shop/box", "SecretString": "silver"}) == ""
    assert aws.client("secretsmanager").get_secret_value(SecretId="shop/box")["SecretString"] == "silver"
    assert aws.guard.judgements[-1].allowed


def test_whoever_is_no_role_is_the_administrator(aws: Aws) -> None:
    aws.guard.roles = {ROLE: ()}
    before = len(aws.guard.judgements)
    assert aws.client("dynamodb").list_tables()["TableNames"] == []
    assert len(aws.guard.judgements) == before
