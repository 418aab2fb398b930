"""Between EventBridge Scheduler and a use case."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import wraps
from typing import Any

from fastkey.entry.invocation import Invocation
from fastkey.logging import about, log
from fastkey.metrics import comparable


def scheduled(run: Callable[[timedelta], Mapping[str, int]]) -> Callable[[dict[str, Any], Any], dict[str, int]]:
    """Makes a Lambda handler of a function from the time that it has to what it counted, by the names of metrics.

    The counts are logged, and come back as the answer.
    """

    @wraps(run)
    def handler(_: dict[str, Any], context: Any) -> dict[str, int]:
        with Invocation(context) as remaining:
            counts = run(remaining)
            about(None)
            # What is nothing is not counted: a metric is paid for by the hours in which it is written.
            counted = {name: number for name, number in counts.items() if number}
            log(context.function_name, counts=comparable(counted))
            return dict(counts)

    return handler
