"""What is logged: an event's name, and a few fields that can hold no secret. The signature is the allow-list."""

import logging
import traceback

from aws_lambda_powertools import Logger

_logger = Logger()

# They quote what they could not read, and Lambda keeps whatever is logged.
for _library in ("botocore", "urllib3"):
    logging.getLogger(_library).setLevel(logging.CRITICAL + 1)


def log(
    event: str,
    *,
    connection_id: str | None = None,
    request_id: str | None = None,
    status: str | None = None,
    code: str | None = None,
) -> None:
    """Logs an event as one line of JSON. code: an error's, from the catalogue."""
    fields = {"connection_id": connection_id, "request_id": request_id, "status": status, "code": code}
    _logger.info(event, extra={name: value for name, value in fields.items() if value is not None})


def log_defect(error: BaseException) -> None:
    """Logs the class and the place of an error that nobody foresaw.

    Neither its message nor any value, which may be a secret.
    """
    frames = [
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    _logger.error("defect", extra={"error": type(error).__name__, "frames": frames})
