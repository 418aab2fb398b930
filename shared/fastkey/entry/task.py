"""Between a state machine and a use case."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from fastkey.domain.connection import Connection
from fastkey.domain.errors import FastkeyError, Unexpected, by_name
from fastkey.logging import about, begin, log, log_defect
from fastkey.ports import Clock


@dataclass(frozen=True, slots=True)
class Task:
    """A step's input. remaining: how long this invocation may take, when it began."""

    connection_id: str
    cause: type[FastkeyError]
    leave_to_user: bool
    remaining: timedelta

    def deadline(self, clock: Clock) -> datetime:
        """When Lambda stops this invocation. For the first line of a handler: time passes."""
        return clock.now() + self.remaining


def task(run: Callable[[Task], dict[str, Any]]) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """Makes a Lambda handler of a function from a step's input to its output.

    Errors leave as they are: their class name is what the state machine looks at, and they carry constant texts. What
    nobody foresaw leaves as Unexpected, because its message and traceback would stay in the execution history for 90
    days.
    """

    @wraps(run)
    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        connection_id = str(event["connection_id"])
        step = Task(
            connection_id=connection_id,
            cause=by_name(event.get("cause", "")),
            leave_to_user=bool(event.get("leave_to_user")),
            remaining=timedelta(milliseconds=context.get_remaining_time_in_millis()),
        )
        begin(context.function_name, context.aws_request_id)
        about(connection_id)
        try:
            result = run(step)
            log(context.function_name, status=result.get("status"))
        except FastkeyError as error:
            log(context.function_name, code=error.code)
            raise error.with_traceback(None) from None
        except Exception as error:  # noqa: BLE001 - see above
            log_defect(error)
            raise Unexpected from None
        return result

    return handler


def outcome(connection: Connection) -> dict[str, Any]:
    """What the state machine learns of a connection, and may keep in its history."""
    return {"status": connection.status.value, "reason": connection.reason}
