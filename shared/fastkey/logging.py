"""What is logged: an event's name, and a few fields that can hold no secret. The signatures are the allow-list."""

import logging
import time
import traceback
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger

# Lambda takes a line's time and level from the line itself only where its time is of this form:
# https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
_logger = Logger(use_rfc3339=True)

# They quote what they could not read, and Lambda keeps whatever is logged.
for _library in ("aws_encryption_sdk", "botocore", "urllib3"):
    logging.getLogger(_library).setLevel(logging.CRITICAL + 1)


def begin(function: str, invocation_id: str) -> None:
    """An invocation begins: what it logs names it, by the id that Lambda has for it, and no connection yet."""
    _logger.append_keys(function=function, invocation_id=invocation_id)
    about(None)


def about(connection_id: str | None) -> None:
    """What is logged from here on, whoever logs it, is about this connection, or about none."""
    _logger.append_keys(connection_id=connection_id)


def is_about(connection_id: str) -> bool:
    """Whether what is logged from here on is about this connection."""
    return bool(_logger.get_current_keys().get("connection_id") == connection_id)


def log(
    event: str,
    *,
    request_id: str | None = None,
    status: str | None = None,
    code: str | None = None,
    version: int | None = None,
    event_id: str | None = None,
    counts: Mapping[str, float] | None = None,
) -> None:
    """Logs an event as one line of JSON.

    request_id: API Gateway's. code: an error's, from the catalogue. version: the connection's. event_id: of what
    partners are told. counts: what CloudWatch makes metrics of, by their names.
    """
    fields = {"request_id": request_id, "status": status, "code": code, "version": version, "event_id": event_id}
    _logger.info(event, extra=_present(fields) | _metrics(counts or {}))


def log_defect(error: BaseException) -> None:
    """Logs the class and the place of an error that nobody foresaw.

    Neither its message nor any value, which may be a secret.
    """
    frames = [
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    _logger.error("defect", extra={"error": type(error).__name__, "frames": frames, **_metrics({"defects": 1})})


def _present(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _metrics(counts: Mapping[str, float]) -> dict[str, Any]:
    """The counts, and beside them what makes CloudWatch read them as metrics: the embedded metric format, whose one
    dimension is the deployment.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    if not counts:
        return {}
    definitions = [{"Name": name, "Unit": "Seconds" if name.endswith("seconds") else "Count"} for name in counts]
    directive = {"Namespace": "fastkey", "Dimensions": [["service"]], "Metrics": definitions}
    return {"_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}, **counts}
