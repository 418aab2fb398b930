"""Workflows on Step Functions."""

import json
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from fastkey.adapters.aws import code_of, storage

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

# https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html
_WENT_ON = ("TaskTimedOut", "TaskDoesNotExist", "InvalidToken")


class StepFunctionsWorkflows:
    """Starts executions under their connection's id, a name that Step Functions takes once in 90 days."""

    def __init__(self, client: "SFNClient", provision_key_arn: str, revoke_key_arn: str) -> None:
        self._client = client
        self._provision_key_arn = provision_key_arn
        self._revoke_key_arn = revoke_key_arn

    def start_provision(self, connection_id: str) -> None:
        self._start(self._provision_key_arn, connection_id)

    def start_revoke(self, connection_id: str) -> None:
        self._start(self._revoke_key_arn, connection_id)

    def resume(self, task_token: str) -> None:
        with storage():
            try:
                self._client.send_task_success(taskToken=task_token, output="{}")
            except ClientError as error:
                if code_of(error) not in _WENT_ON:
                    raise

    def _start(self, arn: str, connection_id: str) -> None:
        with storage():
            try:
                self._client.start_execution(
                    stateMachineArn=arn, name=connection_id, input=json.dumps({"connection_id": connection_id})
                )
            except self._client.exceptions.ExecutionAlreadyExists:
                return
