"""Between EventBridge Scheduler and a use case."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import wraps
from typing import Any

from fastkey.domain.errors import FastkeyError, Unexpected
from fastkey.logging import about, begin, log, log_defect


def scheduled(run: Callable[[timedelta], Mapping[str, int]]) -> Callable[[dict[str, Any], Any], dict[str, int]]:
    """Makes a Lambda handler of a function from the time that it has to what it counted, by the names of metrics.

    The counts are logged, and come back as the answer. Errors leave as they do from a step of a workflow.
    """

    @wraps(run)
    def handler(_: dict[str, Any], context: Any) -> dict[str, int]:
        begin(context.function_name, context.aws_request_id)
        try:
            counts = run(timedelta(milliseconds=context.get_remaining_time_in_millis()))
        except FastkeyError as error:
            log(context.function_name, code=error.code)
            raise error.with_traceback(None) from None
        except Exception as error:  # noqa: BLE001 - a message and a traceback may quote what they were given
            log_defect(error)
            raise Unexpected from None
        about(None)
        # What is nothing is not counted: a metric is paid for by the hours in which it is written.
        log(context.function_name, counts={name: number for name, number in counts.items() if number})
        return dict(counts)

    return handler
