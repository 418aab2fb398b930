"""The limits of time: what the clients are told, how long a call can take by that, and what is reckoned from it."""

import json
import socket
from collections.abc import Callable
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.client import BaseClient
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from botocore.retries.standard import ExponentialBackoff, RetryContext, RetryEventAdapter, ThrottlingErrorDetector

from fastkey.adapters.aws import CONFIG
from fastkey.adapters.secretsmanager import SecretsManagerVault
from fastkey.adapters.whitebit import LAST_READ, TIMEOUT
from fastkey.bootstrap import AwsWorld
from fastkey.domain.connection import EXCHANGE_LIFE
from fastkey.domain.errors import StorageUnavailable
from fastkey.settings import Settings
from fastkey.usecases.callback import TIME_TO_EXCHANGE
from fastkey.usecases.capture_secret import TIME_TO_READ_AND_STORE
from fastkey.usecases.lease import CLOCK_SKEW
from fastkey.usecases.read_account import TIME_TO_READ
from fastkey.usecases.refresh_token import MARGIN
from tests.contract.aws import aws_world, secret_name
from tests.contract.given import captured, start
from tests.simulation.faults import AWS_ENDED, BEGUN, CONNECTED, ENDED
from tests.template import WRITTEN
from tests.unit.environment import ENVIRONMENT

# Its type leaves out what it was made with.
AWS: Any = CONFIG

# ---- What the clients of AWS are told --------------------------------------------------------------------------------

PARTS = [name for name, part in vars(AwsWorld).items() if isinstance(part, cached_property)]


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> list[BaseClient]:
    """All that a world makes."""
    made: list[BaseClient] = []
    create: Callable[..., BaseClient] = boto3.client

    def client(*names: str, **options: Any) -> BaseClient:
        made.append(create(*names, **options))
        return made[-1]

    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setattr(boto3, "client", client)
    world = AwsWorld(Settings.read(ENVIRONMENT))
    for part in PARTS:
        getattr(world, part)
    return made


def test_every_client_of_aws_has_the_same_short_limits(clients: list[BaseClient]) -> None:
    services = [client.meta.service_model.service_name for client in clients]
    assert sorted(services) == ["dynamodb", "events", "kms", "secretsmanager", "sqs", "stepfunctions"]
    for client in clients:
        config: Any = client.meta.config
        assert (config.connect_timeout, config.read_timeout) == (2, 5)
        assert config.retries == {"mode": "standard", "total_max_attempts": 3}


CALLS: dict[str, Callable[[Any], object]] = {
    "dynamodb": lambda client: client.list_tables(),
    "events": lambda client: client.list_event_buses(),
    "kms": lambda client: client.list_keys(),
    "secretsmanager": lambda client: client.list_secrets(),
    "sqs": lambda client: client.list_queues(),
    "stepfunctions": lambda client: client.list_state_machines(),
}


def test_every_client_of_aws_connects_three_times_with_keep_alive(
    clients: list[BaseClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    connects: list[tuple[float, bool]] = []

    def refuse(_: object, timeout: float, *, socket_options: list[object], **__: object) -> None:
        connects.append((timeout, (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1) in socket_options))
        raise ConnectionRefusedError

    monkeypatch.setattr("urllib3.util.connection.create_connection", refuse)
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))  # the back-off
    for client in clients:
        connects.clear()
        with pytest.raises(EndpointConnectionError):
            CALLS[client.meta.service_model.service_name](client)
        assert connects == [(2, True)] * 3


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_a_key_whose_storing_is_repeated_is_one_version(monkeypatch: pytest.MonkeyPatch, lost: int) -> None:
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
    bodies: list[Any] = []

    def lose(event_name: str, request: AWSPreparedRequest, **_: Any) -> None:
        if event_name.endswith(".PutSecretValue"):
            bodies.append(request.body)
            if len(bodies) <= lost:
                raise ReadTimeoutError(endpoint_url="x")

    with aws_world() as world:
        connection, key, secrets = start(), captured(), boto3.client("secretsmanager", config=CONFIG)
        world.vault.prepare(connection)
        # moto answers the same event, and is asked before the last: the request has had its effect.
        secrets.meta.events.register_last("before-send", lose)
        vault = SecretsManagerVault(secrets, world.policy.keys_arn, world.policy.sealing_key_arn)
        if lost < 3:
            vault.store(connection.connection_id, key)
        else:
            with pytest.raises(StorageUnavailable):
                vault.store(connection.connection_id, key)
        assert len(bodies) == min(lost + 1, 3)
        assert {json.loads(body)["ClientRequestToken"] for body in bodies} == {key.version}
        assert len(set(bodies)) == 1
        name = secret_name(connection.connection_id)
        versions = secrets.list_secret_version_ids(SecretId=name, IncludeDeprecated=True)["Versions"]
        assert [version["VersionId"] for version in versions] == [key.version]


# ---- How long a call can take ----------------------------------------------------------------------------------------

# urllib3 gives its limit for connecting to TCP, and then once more to the TLS handshake; its limit for reading to each
# read.


def longest_back_off() -> float:
    """Seconds between the attempts of one call, if AWS throttles it each time and the jitter is at its worst."""
    backoff = ExponentialBackoff(random=lambda: 1.0, throttling_detector=ThrottlingErrorDetector(RetryEventAdapter()))
    throttled = {"Error": {"Code": "ThrottlingException"}}
    attempts = range(1, AWS.retries["total_max_attempts"])
    return sum(backoff.delay_amount(RetryContext(attempt, parsed_response=throttled)) for attempt in attempts)


def test_a_call_of_aws_ends_in_time() -> None:
    attempt = 2 * AWS.connect_timeout + AWS.read_timeout
    assert AWS.retries["total_max_attempts"] * attempt + longest_back_off() == AWS_ENDED


def test_a_call_of_whitebit_ends_in_time() -> None:
    connect, read = TIMEOUT.connect_timeout, TIMEOUT.read_timeout
    assert isinstance(connect, int | float)
    assert isinstance(read, int | float)
    assert 2 * connect == CONNECTED
    assert CONNECTED + read == BEGUN
    # What began in time is read.
    assert BEGUN <= LAST_READ
    assert LAST_READ + read == ENDED


# ---- What is reckoned from it ----------------------------------------------------------------------------------------


def timeout_of(function: str) -> float:
    """Seconds that the function lives."""
    default: float = WRITTEN["Globals"]["Function"]["Timeout"]
    timeout: float = WRITTEN["Resources"][function]["Properties"].get("Timeout", default)
    return timeout


def test_what_was_read_can_be_stored_whatever_fails() -> None:
    """The read, then the vault, and if that fails the escrow: its seal, and its change with a get and a save."""
    assert TIME_TO_READ_AND_STORE.total_seconds() >= ENDED + 4 * AWS_ENDED
    assert timeout_of("CaptureSecret") >= TIME_TO_READ_AND_STORE.total_seconds()


def test_what_was_exchanged_can_be_kept_though_a_call_is_throttled() -> None:
    """Not if all fails: the browser waits, and the function lives for less than two calls of AWS can take."""
    assert TIME_TO_EXCHANGE.total_seconds() >= ENDED + longest_back_off()
    assert timeout_of("Callback") > TIME_TO_EXCHANGE.total_seconds()


def test_an_exchange_is_given_up_after_its_function_is_over_and_no_earlier() -> None:
    assert EXCHANGE_LIFE.total_seconds() >= timeout_of("Callback") + CLOCK_SKEW.total_seconds()


def test_a_read_that_is_tried_again_ends_in_time() -> None:
    assert TIME_TO_READ.total_seconds() >= ENDED
    # One repetition fits at the worst.
    assert timeout_of("ReadAccount") > TIME_TO_READ.total_seconds() + 1


def test_a_token_that_was_chosen_lives_until_it_is_used() -> None:
    """In between lie its opening, a try to seal, a last look at the connection, and the connecting."""
    assert MARGIN.total_seconds() >= 3 * AWS_ENDED + CONNECTED


@pytest.mark.parametrize("stored", ["{}", "no JSON", '{"apiKey": 1}', '"text"'])
def test_a_stored_key_that_was_changed_by_hand_passes_for_one_that_cannot_be_read_now(
    stored: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with aws_world() as world:
        connection = start()
        world.vault.prepare(connection)
        secret_id = f"{ENVIRONMENT['KEYS_ARN']}{connection.connection_id}"
        boto3.client("secretsmanager").put_secret_value(SecretId=secret_id, SecretString=stored)
        with pytest.raises(StorageUnavailable) as caught:
            world.vault.find(connection.connection_id)
    assert caught.value.__cause__ is None
    assert stored not in capsys.readouterr().out
