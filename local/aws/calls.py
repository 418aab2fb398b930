"""What a request asks of AWS, in IAM's terms.

The actions and resources are those of https://docs.aws.amazon.com/service-authorization/latest/reference/. An action
whose resource is not known here is one on `*`, which no policy allows that names its resources.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from moto.cloudformation.models import cloudformation_backends
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.secretsmanager.models import secretsmanager_backends
from moto.stepfunctions.parser.models import stepfunctions_parser_backends
from werkzeug import Request

from local.aws.policy import Call
from local.aws.template import Value

# The key, the region and the service.
_CREDENTIAL = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/")
_INVOCATION = re.compile(r"/2015-03-31/functions/(.+)/invocations")

Parameters = Mapping[str, Value]


def caller(request: Request) -> str:
    """The access key id by which a request is signed; empty if it is not."""
    credential = _CREDENTIAL.search(request.headers.get("Authorization", ""))
    return credential[1] if credential else ""


def calls(request: Request) -> list[Call]:
    """What a signed request asks for, each of which has to be allowed."""
    credential = _CREDENTIAL.search(request.headers["Authorization"])
    _, region, service = credential.groups() if credential else ("", "", "")
    if invocation := _INVOCATION.fullmatch(request.path):
        return [Call("lambda:InvokeFunction", _arn("lambda", region, "function", invocation[1]))]
    target, _, operation = request.headers.get("X-Amz-Target", "").rpartition(".")
    if not target:
        # The query protocol, which services speak that are older than the header.
        action = f"{service}:{request.form.get('Action')}"
        return [] if action in _EVERYBODYS else [Call(action, _stack(request.form.get("StackName"), region))]
    if target not in _SERVICES:
        return [Call(f"{target}:{operation}", "*")]
    return _SERVICES[target](operation, json.loads(request.get_data()), region)


def _stack(name: str | None, region: str) -> str:
    """The ARN of a stack; where there is none what it was asked for by."""
    stacks = cloudformation_backends[DEFAULT_ACCOUNT_ID][region].stacks.values()
    return next((stack.stack_id for stack in stacks if stack.name == name), name or "*")


def _dynamodb(operation: str, parameters: Parameters, region: str) -> list[Call]:
    if operation == "TransactWriteItems":
        items = (item for each in parameters["TransactItems"] for item in each.items())
        return [_table_call(_TRANSACTED[kind], request, region) for kind, request in items]
    return [_table_call(operation, parameters, region)]


def _table_call(operation: str, parameters: Parameters, region: str) -> Call:
    action = f"dynamodb:{operation}"
    if "TableName" not in parameters:
        return Call(action, "*")
    table = _arn("dynamodb", region, "table", parameters["TableName"], separator="/")
    return Call(action, f"{table}/index/{parameters['IndexName']}" if "IndexName" in parameters else table)


def _kms(operation: str, parameters: Parameters, region: str) -> list[Call]:
    key = _arn("kms", region, "key", parameters["KeyId"], separator="/") if "KeyId" in parameters else "*"
    context = parameters.get("EncryptionContext", {})
    named = frozenset((f"kms:EncryptionContext:{name}", value) for name, value in context.items())
    return [Call(f"kms:{operation}", key, named)]


def _secretsmanager(operation: str, parameters: Parameters, region: str) -> list[Call]:
    action = f"secretsmanager:{operation}"
    if "SecretId" in parameters:
        return [Call(action, _secret(parameters["SecretId"], region))]
    if "Name" not in parameters:
        return [Call(action, "*")]
    # Secrets Manager adds six characters to the name of a secret that it makes.
    made = _arn("secretsmanager", region, "secret", parameters["Name"])
    tagging = [Call("secretsmanager:TagResource", made)] if parameters.get("Tags") else []
    return [Call(action, made), *tagging]


def _secret(named: str, region: str) -> str:
    """The ARN of a secret; where there is none what it was asked for by: no policy allows an unknown name."""
    known = dict.get(secretsmanager_backends[DEFAULT_ACCOUNT_ID][region].secrets, named.rpartition(":secret:")[2])
    return known.arn if known else named


def _stepfunctions(operation: str, parameters: Parameters, region: str) -> list[Call]:
    action = f"states:{operation}"
    if "taskToken" in parameters:
        return [Call(action, _waiting(parameters["taskToken"], region))]
    return [Call(action, parameters.get("stateMachineArn", parameters.get("executionArn", "*")))]


def _waiting(token: str, region: str) -> str:
    """The state machine of the execution that gave a task token."""
    backend: Any = stepfunctions_parser_backends[DEFAULT_ACCOUNT_ID][region]
    machines = (
        machine.arn
        for machine in backend.state_machines
        for execution in list(machine.executions)
        if execution.exec_worker and execution.exec_worker.env.callback_pool_manager.get(token)
    )
    return next(machines, "*")


def _logs(operation: str, parameters: Parameters, region: str) -> list[Call]:
    group = parameters.get("logGroupName")
    return [Call(f"logs:{operation}", _arn("logs", region, "log-group", f"{group}:*") if group else "*")]


def _events(operation: str, parameters: Parameters, region: str) -> list[Call]:
    buses = {entry.get("EventBusName", "default") for entry in parameters.get("Entries", [])}
    resources = [_arn("events", region, "event-bus", bus, separator="/") for bus in sorted(buses)] or ["*"]
    return [Call(f"events:{operation}", resource) for resource in resources]


def _sqs(operation: str, parameters: Parameters, region: str) -> list[Call]:
    queue = parameters.get("QueueUrl", "").rpartition("/")[2]
    return [Call(f"sqs:{operation}", f"arn:aws:sqs:{region}:{DEFAULT_ACCOUNT_ID}:{queue}" if queue else "*")]


def _arn(service: str, region: str, kind: str, name: str, separator: str = ":") -> str:
    if name.startswith("arn:"):
        return name
    return f"arn:aws:{service}:{region}:{DEFAULT_ACCOUNT_ID}:{kind}{separator}{name}"


# https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html: no permission is asked for.
_EVERYBODYS = {"sts:GetCallerIdentity"}

_TRANSACTED = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}

# By the first half of the header X-Amz-Target.
_SERVICES: Mapping[str, Callable[[str, Parameters, str], list[Call]]] = {
    "AWSEvents": _events,
    "AWSStepFunctions": _stepfunctions,
    "AmazonSQS": _sqs,
    "DynamoDB_20120810": _dynamodb,
    "Logs_20140328": _logs,
    "TrentService": _kms,
    "secretsmanager": _secretsmanager,
}
