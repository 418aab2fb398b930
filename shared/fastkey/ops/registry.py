"""The use cases' world, as far as an operator may touch it. Nothing else here knows the adapters."""

from collections.abc import Callable
from typing import Any

from fastkey.adapters.aws import wary
from fastkey.adapters.dynamodb import DynamoConnections
from fastkey.adapters.events import EventBridgeEvents
from fastkey.adapters.stepfunctions import StepFunctionsWorkflows
from fastkey.adapters.system import SystemClock
from fastkey.ops.deployment import Deployment


class AwsRegistry:
    """A `Registry` on AWS: it has neither a vault nor what opens a seal. client: makes a boto3 client of a service."""

    def __init__(self, client: Callable[[str], Any], deployment: Deployment) -> None:
        self.clock = SystemClock()
        self.connections = DynamoConnections(
            wary(client("dynamodb")), deployment.connections_table, deployment.key_holders_table
        )
        self.workflows = StepFunctionsWorkflows(
            wary(client("stepfunctions")), deployment.provision_key, deployment.revoke_key
        )
        self.events = EventBridgeEvents(wary(client("events")), wary(client("sqs")), deployment.untold_events)
