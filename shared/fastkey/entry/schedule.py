"""Between EventBridge Scheduler and a use case."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import wraps
from typing import Any

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from fastkey.domain.errors import FastkeyError, Unexpected
from fastkey.logging import log, log_defect


def scheduled(run: Callable[[timedelta], Mapping[str, int]]) -> Callable[[dict[str, Any], Any], dict[str, int]]:
    """Makes a Lambda handler of a function from the time that it has to what it counted, by the names of metrics.

    The counts go to CloudWatch with the log (the embedded metric format), and come back as the answer. Errors leave as
    they do from a step of a workflow.
    """

    @wraps(run)
    def handler(_: dict[str, Any], context: Any) -> dict[str, int]:
        try:
            counts = run(timedelta(milliseconds=context.get_remaining_time_in_millis()))
        except FastkeyError as error:
            log(context.function_name, code=error.code)
            raise error.with_traceback(None) from None
        except Exception as error:  # noqa: BLE001 - a message and a traceback may quote what they were given
            log_defect(error)
            raise Unexpected from None
        _measure(context.function_name, counts)
        return dict(counts)

    return handler


def _measure(function: str, counts: Mapping[str, int]) -> None:
    metrics = EphemeralMetrics(namespace="fastkey")
    # Its name begins with the stack's: two deployments in one account are counted apart.
    metrics.add_dimension("function", function)
    for name, number in counts.items():
        metrics.add_metric(name, MetricUnit.Count, number)
    metrics.flush_metrics()
