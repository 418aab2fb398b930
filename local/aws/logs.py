"""CloudWatch Logs, as far as Lambda fills it: what functions write lies in their log groups."""

import json
from datetime import UTC, datetime
from threading import Lock

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.logs.models import logs_backends

from local.functions import FunctionSpec


class LogGroups:
    """Log groups of moto in this process, a stream for each function."""

    def __init__(self, region: str) -> None:
        self._region = region
        self._lock = Lock()

    def write(self, spec: FunctionSpec, line: str) -> None:
        """Keeps a line that a function has written. Nothing is kept where its group is not there (any more)."""
        with self._lock:
            groups = logs_backends[DEFAULT_ACCOUNT_ID][self._region].groups
            if (group := groups.get(spec.log_group)) is None:
                return
            if spec.name not in group.streams:
                group.create_log_stream(spec.name)
            group.put_log_events(spec.name, [{"timestamp": round(_time(line).timestamp() * 1000), "message": line}])


def _time(line: str) -> datetime:
    """When it was logged, as a line of JSON says, or now.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
    """
    try:
        return datetime.fromisoformat(json.loads(line)["timestamp"])
    except (KeyError, TypeError, ValueError):
        return datetime.now(UTC)
