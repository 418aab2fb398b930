"""Between an operator's command and a use case."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import Any

from fastkey.domain.errors import FastkeyError, Unexpected
from fastkey.logging import about, begin, log, log_defect


@dataclass(frozen=True, slots=True)
class Order:
    """What a command asks for. cursor: where to go on, if it is not the beginning. remaining: as a step's."""

    to: str
    cursor: str | None
    remaining: timedelta


def ordered(run: Callable[[Order], dict[str, Any]]) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """Makes a Lambda handler of a function from a command to its answer. Errors leave as they do from a step."""

    @wraps(run)
    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        begin(context.function_name, context.aws_request_id)
        remaining = timedelta(milliseconds=context.get_remaining_time_in_millis())
        try:
            answer = run(Order(str(event["to"]), event.get("cursor"), remaining))
        except FastkeyError as error:
            log(context.function_name, code=error.code)
            raise error.with_traceback(None) from None
        except Exception as error:  # noqa: BLE001 - a message and a traceback may quote what they were given
            log_defect(error)
            raise Unexpected from None
        about(None)
        log(context.function_name)
        return answer

    return handler
