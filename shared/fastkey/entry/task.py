"""Between a state machine and a use case."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from fastkey.domain.connection import Connection
from fastkey.domain.errors import FastkeyError, by_name
from fastkey.entry.invocation import Invocation
from fastkey.logging import about, log
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
    """Makes a Lambda handler of a function from a step's input to its output."""

    @wraps(run)
    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        with Invocation(context) as remaining:
            connection_id = str(event["connection_id"])
            about(connection_id)
            cause = by_name(event.get("cause", ""))
            result = run(Task(connection_id, cause, bool(event.get("leave_to_user")), remaining))
            log(context.function_name, status=result.get("status"))
            return result

    return handler


def outcome(connection: Connection) -> dict[str, Any]:
    """What the state machine learns of a connection, and may keep in its history."""
    return {"status": connection.status.value, "reason": connection.reason}
