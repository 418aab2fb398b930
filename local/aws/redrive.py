"""RedriveExecution, which moto does not have: an execution that was broken off goes on with the state that it was at.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_RedriveExecution.html
"""

import json
from datetime import UTC, datetime
from typing import Any

from moto.core.exceptions import AWSError
from moto.core.responses import ActionResult
from moto.stepfunctions.parser.api import ExecutionStatus, HistoryEventType
from moto.stepfunctions.parser.asl.eval.evaluation_details import (
    EvaluationDetails,
    ExecutionDetails,
    StateMachineDetails,
)
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.responses import StepFunctionResponse


class ExecutionNotRedrivable(AWSError):
    TYPE = "ExecutionNotRedrivable"
    STATUS = 400


def make_redrivable() -> None:
    """Has moto know RedriveExecution."""
    StepFunctionResponse.redrive_execution = _redrive_execution  # type: ignore[attr-defined]


def _redrive_execution(response: StepFunctionResponse) -> ActionResult:
    execution: Any = response.stepfunction_backend.describe_execution(response._get_param("executionArn"))
    if execution.status not in ("FAILED", "ABORTED", "TIMED_OUT"):
        raise ExecutionNotRedrivable("the execution cannot be redriven")
    execution.error = execution.cause = execution.stop_date = None
    execution.exec_worker = _Rest(execution)
    execution.exec_status = ExecutionStatus.RUNNING
    execution.exec_worker.start()
    return ActionResult({"redriveDate": datetime.now(UTC)})


class _Rest(ExecutionWorker):
    """Runs the rest of an execution, under its definition of then, and goes on with its history."""

    def __init__(self, execution: Any) -> None:
        self._history: Any = execution.to_history_output()["events"]
        *_, entered = (each["stateEnteredEventDetails"] for each in self._history if "stateEnteredEventDetails" in each)
        definition = json.loads(execution.state_machine.definition) | {"StartAt": entered["name"]}
        machine = execution.state_machine
        details = EvaluationDetails(
            aws_execution_details=execution._get_start_aws_execution_details(),
            execution_details=ExecutionDetails(
                arn=execution.exec_arn,
                name=execution.name,
                role_arn=execution.role_arn,
                inpt=json.loads(entered["input"]),
                start_time=execution.start_date,
            ),
            state_machine_details=StateMachineDetails(
                arn=machine.arn, name=machine.name, typ=machine.sm_type, definition=json.dumps(definition)
            ),
        )
        super().__init__(details, BaseExecutionWorkerCommunication(execution), None, execution._activity_store)
        # Whoever asks for the history meanwhile sees what there was.
        self.env = execution.exec_worker.env

    def _execution_logic(self) -> None:
        program, env = self._get_evaluation_entrypoint(), self._get_evaluation_environment()
        events = env.event_manager
        events._history_event_list.extend(self._history)
        events._event_id_gen._next_id = len(self._history) + 1
        events.add_event(context=env.event_history_context, event_type=HistoryEventType.ExecutionRedriven)
        self.env = env
        program.eval(env)
        self._execution_communication.terminated()
