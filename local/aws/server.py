"""moto's server in this process; its state machines run, and its Lambda calls reach our own function processes."""

import json
import logging
import os
from collections.abc import Callable, Mapping
from functools import wraps
from threading import Lock, RLock
from typing import Any

import boto3
import requests
from botocore.config import Config
from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda_simple.models import LambdaSimpleBackend
from moto.core.common_models import BaseModel
from moto.core.config import default_user_config
from moto.dynamodb.models import DynamoDBBackend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.exec.state_task.credentials import StateCredentials
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service_aws_sdk,
    state_task_service_events,
)
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped

from local.aws.guard import Guard
from local.aws.redrive import make_redrivable
from local.functions import Outcome
from local.web import QuietHandler, WebServer

Invoke = Callable[[str, object], Outcome]
# boto3 has a class per service, made at run time.
Client = Any

ADMINISTRATOR = "local"

# A function may take longer than boto3 would wait for it, and to ask again would be to invoke it again.
_ONCE = Config(read_timeout=100_000, retries={"total_max_attempts": 1})
# For a state machine's tasks, as moto makes it: what they send is for the service to judge.
_UNCHECKED = _ONCE.merge(Config(parameter_validation=False))


class _QuietMotoHandler(QuietHandler, MotoRequestHandler):
    pass


class Aws:
    """AWS's endpoints on one port of this machine.

    `invoke` is called with a function's name or ARN and the event; it raises KeyError for a function that does not
    exist. `guard` holds roles to their policies; it knows none yet. moto keeps its state and its settings per process,
    so a process holds one Aws at a time; the next one starts empty.
    """

    def __init__(self, host: str, port: int, region: str, invoke: Invoke) -> None:
        default_user_config["stepfunctions"] = {"execute_state_machine": True}
        default_user_config["lambda"] = {"use_docker": False}
        # Errors that a state machine catches are logged too, each with the whole machine.
        logging.getLogger("moto.stepfunctions").setLevel(logging.CRITICAL)
        LambdaSimpleBackend.invoke = _lambda_backend(invoke)  # type: ignore[method-assign]
        _make_models_mortal()
        _make_writes_atomic()
        _make_stops_final()
        make_redrivable()
        _make_state_machines_sign(self._state_machines_client)
        self.guard = Guard(DomainDispatcherApplication(create_backend_app))
        self._region = region
        self._clients: dict[tuple[str, str, Config], Client] = {}
        self._making = Lock()
        self._server = WebServer(host, port)
        os.environ["MOTO_PORT"] = str(self._server.port)  # moto's state machines find the other services by it
        self._server.start(self.guard, _QuietMotoHandler)
        self.url = self._server.url

    def client(self, service: str, role: str = ADMINISTRATOR) -> Client:
        """A boto3 client of one of the services, for a role by its name or, without one, for the administrator."""
        return self._client(service, role, _ONCE)

    def close(self) -> None:
        """Forget everything, end the executions that run, and free the port."""
        machines = self.client("stepfunctions")
        for machine in machines.list_state_machines()["stateMachines"]:
            running = machines.list_executions(stateMachineArn=machine["stateMachineArn"], statusFilter="RUNNING")
            for execution in running["executions"]:
                machines.stop_execution(executionArn=execution["executionArn"])
        requests.post(f"{self.url}/moto-api/reset", timeout=10)
        self._server.close()

    def _state_machines_client(self, region: str, service: str, state_credentials: StateCredentials) -> Client:
        return self._client(service, state_credentials.role_arn.rpartition("/")[2], _UNCHECKED)

    def _client(self, service: str, role: str, config: Config) -> Client:
        which = (service, role, config)
        # A client is for any number of threads, but boto3's session makes one at a time; and it takes long to.
        with self._making:
            if which not in self._clients:
                self._clients[which] = boto3.client(
                    service,  # type: ignore[call-overload]  # any service's name: boto3-stubs knows literals only
                    endpoint_url=self.url,
                    region_name=self._region,
                    aws_access_key_id=role,
                    aws_secret_access_key="local",  # moto asks for one, and takes any
                    config=config,
                )
            return self._clients[which]


def _make_writes_atomic() -> None:
    """One write after the other: moto's threads otherwise come between a condition and the write that depends on it."""
    lock = RLock()

    def alone(write: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(write)
        def locked(*arguments: Any, **named: Any) -> Any:
            with lock:
                return write(*arguments, **named)

        return locked

    for name in ("put_item", "update_item", "delete_item", "transact_write_items"):
        write = getattr(DynamoDBBackend, name)
        setattr(DynamoDBBackend, name, alone(getattr(write, "__wrapped__", write)))


def _make_models_mortal() -> None:
    """moto keeps each model that there ever was, for its dashboard: with each transaction a copy of whole tables."""
    BaseModel.__new__ = lambda model, *_, **__: object.__new__(model)  # type: ignore[method-assign]


def _make_stops_final() -> None:
    """What is stopped is aborted, whatever its task comes to; in moto, a failure after the stop fails the execution."""
    fail = getattr(Environment.set_error, "__wrapped__", Environment.set_error)

    @wraps(fail)
    def fail_unless_stopped(environment: Environment, error: Any) -> None:
        if not isinstance(environment.program_state(), ProgramStopped):
            fail(environment, error)

    Environment.set_error = fail_unless_stopped  # type: ignore[assignment, method-assign]


def _make_state_machines_sign(client: Callable[[str, str, StateCredentials], Client]) -> None:
    """Has moto's state machines use this client for their tasks; by their own, they are nobody in particular."""
    for module in (lambda_eval_utils, state_task_service_aws_sdk, state_task_service_events):
        module.boto_client_for = client  # type: ignore[attr-defined]


def _lambda_backend(invoke: Invoke) -> Callable[..., bytes]:
    """The method by which moto calls a function. https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"""

    def backend_invoke(
        backend: LambdaSimpleBackend,
        function_name: str,
        qualifier: str | None,
        body: str,
        headers: Mapping[str, str],
        response_headers: dict[str, str],
    ) -> bytes:
        try:
            outcome = invoke(function_name, json.loads(body or "{}"))
        except KeyError as unknown:
            raise UnknownFunctionException(function_name) from unknown
        if outcome.failed:
            response_headers["x-amz-function-error"] = "Unhandled"
        return outcome.payload

    return backend_invoke
