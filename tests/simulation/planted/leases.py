"""What can be wrong where attempts meet."""

from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from typing import Any
from unittest.mock import patch

from fastkey.domain.connection import Connection
from fastkey.domain.status import Status

_lease = Connection.lease


def no_lease() -> AbstractContextManager[Any]:
    """Two attempts at the same step may be under way at once."""

    def regardless(self: Connection, status: Status, until: datetime, now: datetime) -> Connection:
        return _lease(replace(self, busy_until=None), status, until, now)

    return patch.object(Connection, "lease", regardless)
