"""What the functions have logged of one connection."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fastkey.ops.timeline import Happened

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

# Of a line's fields, what is shown after its message.
_SHOWN = ("status", "code", "error")


def logged(client: "CloudWatchLogsClient", group: str, connection_id: str, since: datetime) -> Iterator[Happened]:
    """The lines that name the connection. connection_id: of one that there is, because it becomes part of a pattern."""
    pages = client.get_paginator("filter_log_events").paginate(
        logGroupName=group, filterPattern=f'"{connection_id}"', startTime=int(since.timestamp() * 1000)
    )
    for event in pages.search("events[]"):
        line = _parse(event["message"])
        if line.get("connection_id") == connection_id:
            shown = [str(line[name]) for name in ("message", *_SHOWN) if line.get(name)]
            yield Happened(datetime.fromtimestamp(event["timestamp"] / 1000, UTC), "log", " ".join(shown))


def _parse(message: str) -> dict[str, Any]:
    """The line's JSON, or nothing where it is none of fastkey's."""
    try:
        line = json.loads(message)
    except ValueError:
        return {}
    return line if isinstance(line, dict) else {}
