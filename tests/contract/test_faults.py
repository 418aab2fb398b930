"""The simulator's table of faults, row by row: the real adapter meets the fault as it happens on the wire, and raises
that error. A row whose fault nobody has put on the wire here fails.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from inspect import getmembers_static
from types import SimpleNamespace
from typing import Any, get_type_hints

import boto3
import pytest
import urllib3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectionClosedError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from moto.core.botocore_stubber import MockRawResponse
from moto.core.models import botocore_stubber

from fastkey.adapters import whitebit
from fastkey.adapters.whitebit import ANSWER_LIMIT, WhiteBitClient
from fastkey.bootstrap import AwsWorld
from fastkey.domain.authorization import Authorization
from fastkey.domain.connection import Connection
from fastkey.domain.errors import (
    Conflict,
    ConnectionNotFound,
    UnexpectedAnswer,
    WhiteBitBusy,
    WhiteBitUnavailable,
)
from fastkey.domain.event import Event
from fastkey.domain.pace import Pace
from fastkey.domain.secret import Secret
from fastkey.ports import Purpose, World
from tests.contract.aws import aws_world, running_machines, secret_name
from tests.contract.given import COMPLETION, NOW, TICKET, active, captured, claimed, detecting, start, unique
from tests.contract.scripted_server import Instead, answer, scripted_server
from tests.contract.test_workflows import WAITING
from tests.contract.whitebit_calls import CALLS
from tests.fakes.system import FakeClock
from tests.simulation.faults import FAULTS, Fault
from tests.until import until

ROWS = [
    (port, method, fault) for port, methods in FAULTS.items() for method, faults in methods.items() for fault in faults
]
ON_WHITEBITS_WIRE = (WhiteBitBusy, WhiteBitUnavailable, UnexpectedAnswer)

# The parts of a world that ask nobody, or by another part alone.
NEVER_FAIL = {"policy", "clock", "entropy", "keys", "vault"}


def test_the_table_has_every_call_of_every_port() -> None:
    parts = getmembers_static(World, lambda member: isinstance(member, property))
    ports = {name: get_type_hints(part.fget)["return"] for name, part in parts}
    calls = {name: {call for call in vars(port) if call[0] != "_"} for name, port in ports.items()}
    assert {port: set(methods) for port, methods in FAULTS.items()} == {
        name: calls[name] for name in ports.keys() - NEVER_FAIL
    }


# ---- WhiteBIT --------------------------------------------------------------------------------------------------------

_BAD_GATEWAY = b"<html>Bad gateway</html>"
_SERVER_ERRORS = (
    answer(500, {}),
    answer(502, body=_BAD_GATEWAY),
    answer(503, body=_BAD_GATEWAY, headers="Retry-After: 0\r\n"),
)

WHITEBIT_FAULTS: Mapping[str, Sequence[bytes | Instead]] = {
    "refused": (Instead.RESET,),
    "throttled": (answer(429, {}), answer(429, body=_BAD_GATEWAY, headers="Retry-After: 0\r\n")),
    "redirect": tuple(answer(status, {}, headers="Location: /elsewhere\r\n") for status in (301, 302, 307, 308)),
    "server_error": _SERVER_ERRORS,
    "server_error_after_effect": _SERVER_ERRORS,
    "answer_lost": (Instead.DROP,),
    "silent": (Instead.SILENCE,),
    "truncated": (
        answer(200, body=b'{"data": {', length=1000),
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{"data": {',
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n{"data": {\r\n',
    ),
    "slow": (Instead.DRIP,),
    "html": (answer(200, body=b"<html>Hello</html>"),),
    "not_json": (
        answer(200, body=b""),
        answer(200, body=b"\xff\xfe"),
        answer(200, body=b"[" * 60_000),
        b'HTTP/1.1 200 OK\r\n\r\n{"data": {',
        b"HTTP/1.1 200 OK\r\nContent-Le",
    ),
    "too_large": (answer(200, body=b'{"data": []}' + b" " * ANSWER_LIMIT), answer(200, body=b"x" * (ANSWER_LIMIT + 1))),
    "null": (answer(200, None),),
}

# For what ends by a limit of time: that limit, for a test.
LIMITS: Mapping[bytes | Instead, tuple[str, Any]] = {
    Instead.SILENCE: ("TIMEOUT", urllib3.Timeout(connect=5, read=0.05)),
    Instead.DRIP: ("LAST_READ", 0.1),
}


@pytest.mark.parametrize(
    ("method", "fault", "came"),
    [
        pytest.param(method, fault, came, id=f"{method}-{fault.name}-{n}")
        for port, method, fault in ROWS
        if port == "whitebit" and fault.error in ON_WHITEBITS_WIRE
        for n, came in enumerate(WHITEBIT_FAULTS[fault.name])
    ],
)
def test_whitebit_fails_as_the_table_says_after_one_request(
    monkeypatch: pytest.MonkeyPatch, method: str, fault: Fault, came: bytes | Instead
) -> None:
    if came in LIMITS:
        monkeypatch.setattr(whitebit, *LIMITS[came])
    with scripted_server() as server:
        server.answer = came
        with pytest.raises(fault.error) as raised:
            CALLS[method](WhiteBitClient(server.url, "client", lambda: Secret("client-secret"), FakeClock()))
    assert raised.type is fault.error
    (request,) = server.requests
    # Whether WhiteBIT did it cannot be seen from here; where it may have, it had been asked.
    assert request or not fault.effect


# ---- AWS -------------------------------------------------------------------------------------------------------------


def _says(status: int, code: str, **more: Any) -> Callable[[], AWSResponse]:
    """AWS's answer of an error, in the JSON protocols that all of our services speak."""
    body = json.dumps({"__type": code, "message": "Any words.", **more})
    return lambda: AWSResponse("https://aws.example", status, HTTPHeaders(), MockRawResponse(body))


def _raises(error: Exception) -> Callable[[], AWSResponse]:
    def fail() -> AWSResponse:
        raise error

    return fail


# What a request gets instead of an answer by moto.
Came = Callable[[], AWSResponse]

AWS_FAULTS: Mapping[str, Sequence[Came]] = {
    "refused": (
        _raises(ConnectTimeoutError(endpoint_url="x")),
        _raises(EndpointConnectionError(endpoint_url="x", error="refused")),
    ),
    "throttled": (
        _says(400, "ThrottlingException"),
        _says(400, "ProvisionedThroughputExceededException"),
        _says(429, "TooManyRequestsException"),
    ),
    "outage": (_says(500, "InternalServerError"), _says(503, "ServiceUnavailable")),
    "answer_lost": (
        _raises(ReadTimeoutError(endpoint_url="x")),
        _raises(ConnectionClosedError(endpoint_url="x")),
        _says(500, "InternalServerError"),
    ),
}


# All others are met before the request has reached AWS.
AFTER_EFFECT = {"answer_lost", "conflict_after_effect"}


@dataclass(slots=True)
class Wire:
    """Between the clients and moto, which is AWS. came: to each request, the last one ever after. reaches: whether
    requests come there, before the fault.
    """

    came: Sequence[Came]
    reaches: bool
    spared: str
    requests: list[AWSPreparedRequest] = field(default_factory=list)

    def send(self, event_name: str, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        if event_name.split(".")[1] == self.spared:
            return botocore_stubber(event_name, request)  # type: ignore[return-value]
        self.requests.append(request)
        if self.reaches:
            botocore_stubber(event_name, request)
        return self.came[min(len(self.requests), len(self.came)) - 1]()


@dataclass(frozen=True, slots=True)
class Step:
    """A call for a test, and whether it has had its effect. spared: of its services, the one that fails on its own."""

    run: Callable[[AwsWorld], object]
    applied: Callable[[], bool] = lambda: False
    spared: str = ""


def _count_start(world: AwsWorld) -> Step:
    user_id, starts = unique("user"), boto3.client("dynamodb")

    def is_counted() -> bool:
        mine = {":user_id": {"S": user_id}}
        found = starts.query(
            TableName=world.policy.starts_table,
            KeyConditionExpression="user_id = :user_id",
            ExpressionAttributeValues=mine,
        )
        return bool(found["Items"])

    return Step(lambda broken: broken.starts.count(user_id, NOW), is_counted)


def _take_token(world: AwsWorld) -> Step:
    """From a bucket that is not full: from a full one it is taken by the second of two requests."""
    pace, table = Pace(unique("bucket"), rate=1, burst=2), boto3.client("dynamodb")
    world.limits.take(pace, NOW)

    def full_at() -> str:
        found = table.get_item(TableName=world.policy.limits_table, Key={"name": {"S": pace.name}})
        return str(found["Item"]["full_at"]["N"])

    before = full_at()
    return Step(lambda broken: broken.limits.take(pace, NOW), lambda: full_at() != before)


def _add_authorization(world: AwsWorld) -> Step:
    state, connection_id = Secret(unique("state")), unique("connection")
    request = Authorization(state.digest(), connection_id, b"verifier", "cookie", NOW)
    return Step(lambda broken: broken.authorizations.add(request), lambda: world.authorizations.find(state) is not None)


def _add_connection(world: AwsWorld) -> Step:
    connection = start()
    return Step(lambda broken: broken.connections.add(connection), lambda: _is_stored(world, connection))


def _save(world: AwsWorld) -> Step:
    before = start()
    return _change(world, before, before.consent(TICKET, COMPLETION.digest(), NOW))


def _save_and_hold(world: AwsWorld) -> Step:
    before = detecting()
    return _change(world, before, claimed(before, unique("key")))


def _change(world: AwsWorld, before: Connection, after: Connection) -> Step:
    world.connections.add(before)
    return Step(lambda broken: broken.connections.save(before, after), lambda: _is_stored(world, after))


def _is_stored(world: AwsWorld, connection: Connection) -> bool:
    try:
        return world.connections.get(connection.connection_id) == connection
    except ConnectionNotFound:
        return False


def _prepare_vault(world: AwsWorld) -> Step:
    connection = start()
    secrets, name = boto3.client("secretsmanager"), secret_name(connection.connection_id)
    return Step(
        lambda broken: broken.chosen_vault.prepare(connection),
        lambda: bool(secrets.list_secrets(Filters=[{"Key": "name", "Values": [name]}])["SecretList"]),
    )


def _prepare_item(world: AwsWorld) -> Step:
    connection = start()
    table, key = boto3.client("dynamodb"), {"connection_id": {"S": connection.connection_id}}
    return Step(
        lambda broken: broken.other_vault.prepare(connection),
        lambda: "Item" in table.get_item(TableName=world.policy.keys_table, Key=key),
        spared="kms",
    )


def _store(vault: str, world: AwsWorld) -> Step:
    connection, stored = start(), getattr(world, vault)
    stored.prepare(connection)
    return Step(
        lambda broken: getattr(broken, vault).store(connection.connection_id, captured()),
        lambda: bool(stored.find(connection.connection_id)),
        spared="kms",
    )


def _shred(vault: str, world: AwsWorld) -> Step:
    connection, stored = start(), getattr(world, vault)
    stored.prepare(connection)
    stored.store(connection.connection_id, captured())
    return Step(
        lambda broken: getattr(broken, vault).shred(connection.connection_id),
        lambda: stored.find(connection.connection_id) is None,
    )


def _start(workflow: str, world: AwsWorld) -> Step:
    connection_id, states = unique("connection"), boto3.client("stepfunctions")
    arn = getattr(world.policy, f"{workflow}_key_arn")

    def is_started() -> bool:
        executions = states.list_executions(stateMachineArn=arn)["executions"]
        return connection_id in [execution["name"] for execution in executions]

    return Step(lambda broken: getattr(broken.workflows, f"start_{workflow}")(connection_id), is_started)


def _resume(world: AwsWorld) -> Step:
    connection_id, states, tokens = unique("connection"), boto3.client("stepfunctions"), boto3.client("dynamodb")
    world.workflows.start_provision(connection_id)
    key = {"connection_id": {"S": connection_id}}
    token = until(lambda: tokens.get_item(TableName="tokens", Key=key).get("Item"))["token"]["S"]
    execution = f"{world.policy.provision_key_arn.replace('stateMachine', 'execution')}:{connection_id}"
    return Step(
        lambda broken: broken.workflows.resume(token),
        lambda: states.describe_execution(executionArn=execution)["status"] == "SUCCEEDED",
    )


def _tell(world: AwsWorld) -> Step:
    """To a partner whose rule is for this event alone."""
    event, name, queues, rules = _event(), unique("partner"), boto3.client("sqs"), boto3.client("events")
    url = queues.create_queue(QueueName=name)["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    rules.put_rule(Name=name, EventPattern=json.dumps({"detail": {"event_id": [event.event_id]}}))
    rules.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": arn}])
    return Step(lambda broken: broken.events.tell(event), lambda: _messages(url) > 0)


def _bury(world: AwsWorld) -> Step:
    event, url = _event(), world.policy.untold_events_url
    before = _messages(url)
    return Step(lambda broken: broken.events.bury(event), lambda: _messages(url) > before)


def _event() -> Event:
    return replace(active().untold[0], event_id=unique("event"))


def _messages(queue_url: str) -> int:
    found = boto3.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=["ApproximateNumberOfMessages"])
    return int(found["Attributes"]["ApproximateNumberOfMessages"])


def _without_effect(run: Callable[[AwsWorld], object]) -> Callable[[AwsWorld], Step]:
    return lambda _: Step(run)


STEPS: Mapping[tuple[str, str], Sequence[Callable[[AwsWorld], Step]]] = {
    ("whitebit", "prepare"): (_without_effect(lambda broken: broken.whitebit.prepare()),),
    ("starts", "count"): (_count_start,),
    ("limits", "take"): (_take_token,),
    ("authorizations", "add"): (_add_authorization,),
    ("authorizations", "find"): (_without_effect(lambda broken: broken.authorizations.find(Secret("state"))),),
    ("connections", "add"): (_add_connection,),
    ("connections", "get"): (_without_effect(lambda broken: broken.connections.get("connection-1")),),
    ("connections", "page"): (_without_effect(lambda broken: broken.connections.page("user-1", None)),),
    ("connections", "save"): (_save, _save_and_hold),
    ("connections", "due"): (_without_effect(lambda broken: broken.connections.due(0, NOW, None)),),
    ("connections", "kept"): (_without_effect(lambda broken: list(broken.connections.kept(NOW))),),
    ("connections", "count_kept"): (_without_effect(lambda broken: broken.connections.count_kept()),),
    # In Secrets Manager, and in DynamoDB.
    ("chosen_vault", "prepare"): (_prepare_vault,),
    ("chosen_vault", "store"): (partial(_store, "chosen_vault"),),
    ("chosen_vault", "find"): (_without_effect(lambda broken: broken.chosen_vault.find("connection-1")),),
    ("chosen_vault", "shred"): (partial(_shred, "chosen_vault"),),
    ("other_vault", "prepare"): (_prepare_item,),
    ("other_vault", "store"): (partial(_store, "other_vault"),),
    ("other_vault", "find"): (_without_effect(lambda broken: broken.other_vault.find("connection-1")),),
    ("other_vault", "shred"): (partial(_shred, "other_vault"),),
    ("sealer", "seal"): (_without_effect(lambda broken: broken.sealer.seal(Secret("s"), "c", Purpose.TOKEN)),),
    ("sealer", "open"): (_without_effect(lambda broken: broken.sealer.open(b"sealed", "c", Purpose.TOKEN)),),
    ("workflows", "start_provision"): (partial(_start, "provision"),),
    ("workflows", "start_revoke"): (partial(_start, "revoke"),),
    ("workflows", "resume"): (_resume,),
    ("events", "tell"): (_tell,),
    ("events", "bury"): (_bury,),
}

# AWS says a conflict of the two kinds of a save each in its way.
CONFLICTS: Mapping[Callable[[AwsWorld], Step], Came] = {
    _save: _says(400, "TransactionConflictException"),
    _save_and_hold: _says(
        400,
        "TransactionCanceledException",
        CancellationReasons=[{"Code": "TransactionConflict"}, {"Code": "None"}],
    ),
}


def _ways(fault: Fault, given: Callable[[AwsWorld], Step]) -> Sequence[Sequence[Came]]:
    """How a fault may come: to one request after the other."""
    match fault.name:
        case "conflict":
            return [(CONFLICTS[given],)]
        case "conflict_after_effect":
            return [(lost, CONFLICTS[given]) for lost in AWS_FAULTS["answer_lost"]]
        case name:
            return [(came,) for came in AWS_FAULTS[name]]


@pytest.fixture(scope="module")
def world() -> Iterator[AwsWorld]:
    """AWS without faults, where nobody listens at WhiteBIT's address."""
    with aws_world() as world, running_machines():
        boto3.client("dynamodb").create_table(
            TableName="tokens",
            AttributeDefinitions=[{"AttributeName": "connection_id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "connection_id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        for arn in (world.policy.provision_key_arn, world.policy.revoke_key_arn):
            boto3.client("stepfunctions").create_state_machine(
                name=arn.rpartition(":")[2],
                definition=json.dumps(WAITING),
                roleArn="arn:aws:iam::123456789012:role/any",
            )
        yield AwsWorld(replace(world.policy, whitebit_base_url="http://127.0.0.1:9"))


@pytest.fixture(scope="module")
def session() -> boto3.Session:
    """Makes clients that moto does not answer."""
    session = boto3.Session()
    session.events.unregister("before-send", botocore_stubber)  # type: ignore[arg-type]
    return session


@contextmanager
def broken(world: AwsWorld, session: boto3.Session, wire: Wire) -> Iterator[AwsWorld]:
    """The same world over this wire, by clients of its own: one that has failed often asks fewer times."""
    with pytest.MonkeyPatch.context() as patch:
        # Not the default session: by that one, moto's executions make clients in their threads.
        patch.setattr("fastkey.bootstrap.boto3", session)
        patch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))  # the back-off
        send: Any = wire.send
        session.events.register("before-send", send)
        try:
            yield AwsWorld(world.policy)
        finally:
            session.events.unregister("before-send", send)


@pytest.mark.parametrize(
    ("given", "fault", "came"),
    [
        pytest.param(given, fault, came, id=f"{port}-{method}-{fault.name}-{n}")
        for port, method, fault in ROWS
        if fault.error not in ON_WHITEBITS_WIRE
        for given in STEPS[port, method]
        for n, came in enumerate(_ways(fault, given))
    ],
)
def test_aws_fails_as_the_table_says(
    world: AwsWorld,
    session: boto3.Session,
    given: Callable[[AwsWorld], Step],
    fault: Fault,
    came: Sequence[Came],
) -> None:
    step = given(world)
    wire = Wire(came, fault.name in AFTER_EFFECT, step.spared)
    assert not step.applied()
    with broken(world, session, wire) as subject, pytest.raises(fault.error) as raised:
        step.run(subject)
    assert raised.type is fault.error
    # A conflict is an answer, and is not asked about again.
    assert len(wire.requests) == (len(came) if fault.error is Conflict else 3)
    assert until(step.applied) if fault.effect else not step.applied()
