"""Executions of the workflows, each under its connection's id."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from fastkey.ops.timeline import Happened

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


class Workflow(StrEnum):
    PROVISION_KEY = "ProvisionKey"
    REVOKE_KEY = "RevokeKey"


@dataclass(frozen=True, slots=True)
class Execution:
    """status: as Step Functions names it."""

    arn: str
    workflow: Workflow
    status: str

    @property
    def was_broken_off(self) -> bool:
        """Whether it has ended before its workflow had."""
        return self.status in ("FAILED", "ABORTED", "TIMED_OUT")

    @property
    def has_ended(self) -> bool:
        """Whether nothing of it runs."""
        return self.was_broken_off or self.status == "SUCCEEDED"


class Executions:
    """Looks at executions, and takes up again what was broken off."""

    def __init__(self, client: "SFNClient", provision_key_arn: str, revoke_key_arn: str) -> None:
        self._client = client
        self._machines = {Workflow.PROVISION_KEY: provision_key_arn, Workflow.REVOKE_KEY: revoke_key_arn}

    def find(self, workflow: Workflow, connection_id: str) -> Execution | None:
        """The connection's execution, or None where there is none: Step Functions forgets them after 90 days."""
        arn = f"{self._machines[workflow].replace(':stateMachine:', ':execution:')}:{connection_id}"
        try:
            return Execution(arn, workflow, self._client.describe_execution(executionArn=arn)["status"])
        except self._client.exceptions.ExecutionDoesNotExist:
            return None

    def history(self, execution: Execution) -> Iterator[Happened]:
        """Which states it came to, what failed in them, and how it ended: names, and nothing of inputs and outputs."""
        state = ""
        pages = self._client.get_paginator("get_execution_history").paginate(
            executionArn=execution.arn, includeExecutionData=False
        )
        for event in pages.search("events[]"):
            details = _details(event)
            if event["type"].endswith("StateEntered"):
                state = details["name"]
                what = state
            elif event["type"].startswith("Execution"):
                what = event["type"].removeprefix("Execution").lower()
            elif "error" in details:
                what = f"{state} failed"
            else:
                continue
            error = f": {details['error']}" if details.get("error") else ""
            yield Happened(event["timestamp"], execution.workflow.value, what + error)

    def redrive(self, execution: Execution) -> bool:
        """Has a broken-off execution go on with the state that it was at; False where it is too late for that.

        https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
        """
        try:
            self._client.redrive_execution(executionArn=execution.arn)
        except self._client.exceptions.ExecutionNotRedrivable:
            return False
        return True


def _details(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """What an event of the history says beside its type and time."""
    return next((value for name, value in event.items() if name.endswith("EventDetails")), {})
