"""What can be wrong with tokens."""

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any
from unittest.mock import patch

from fastkey.domain.connection import Connection
from fastkey.domain.tokens import SealedTokens


def refresh_not_single_flight() -> AbstractContextManager[Any]:
    """Two attempts may refresh the tokens at once."""
    return patch.object(Connection, "is_refreshing", lambda self, now: False)


def refreshed_pair_dropped() -> AbstractContextManager[Any]:
    """The pair that a refresh gave is not stored."""

    def renew(self: Connection, _tokens: SealedTokens, _lease: datetime, now: datetime) -> Connection:
        return self._change(now, refresh_until=None)

    return patch.object(Connection, "renew", renew)
