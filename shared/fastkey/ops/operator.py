"""Whoever operates a deployment."""

import sys
from contextlib import redirect_stdout
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from fastkey.ops.deployment import Deployment
from fastkey.ops.executions import Executions

if TYPE_CHECKING:
    from fastkey.ops.registry import AwsRegistry

# Threads that share a client: see `revoke-all`.
CONNECTIONS = 16

_CONFIG = Config(
    connect_timeout=5,
    read_timeout=30,
    max_pool_connections=CONNECTIONS,
    retries={"mode": "standard", "total_max_attempts": 5},
)
# A function answers when it is done, after four minutes at most, and is not to be started once more meanwhile.
_PATIENT = Config(read_timeout=260, retries={"mode": "standard", "total_max_attempts": 1})


class Operator:
    """A deployment, seen with somebody's AWS credentials. Nothing is asked of AWS before it is needed."""

    def __init__(self, session: boto3.Session, stack: str) -> None:
        self.stack = stack
        self._session = session
        self.client = cache(self._client)

    @cached_property
    def deployment(self) -> Deployment:
        """Raises Trouble where the stack is none of fastkey's."""
        return Deployment.find(self.client("cloudformation"), self.stack)

    @cached_property
    def executions(self) -> Executions:
        return Executions(self.client("stepfunctions"), self.deployment.provision_key, self.deployment.revoke_key)

    @cached_property
    def registry(self) -> "AwsRegistry":
        # The adapters' log goes where standard output leads when they are imported: to Lambda's log there. Here, that
        # is for what was asked for.
        with redirect_stdout(sys.stderr):
            from fastkey.ops.registry import AwsRegistry
        return AwsRegistry(self.client, self.deployment)

    def _client(self, service: str) -> Any:
        config = _CONFIG.merge(_PATIENT) if service == "lambda" else _CONFIG
        return self._session.client(service, config=config)  # type: ignore[call-overload]  # any service's name
