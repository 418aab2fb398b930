"""What can be wrong with tokens."""

from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from fastkey.domain.connection import Connection
from fastkey.domain.pace import REFRESHES
from fastkey.domain.tokens import SealedTokens
from fastkey.usecases import refresh_token


def refresh_not_single_flight() -> AbstractContextManager[Any]:
    """Two attempts may refresh the tokens at once."""
    return patch.object(Connection, "is_refreshing", lambda self, now: False)


def refreshed_pair_dropped() -> AbstractContextManager[Any]:
    """The pair that a refresh gave is not stored."""

    def renew(self: Connection, _tokens: SealedTokens, _lease: datetime, now: datetime) -> Connection:
        return self._change(now, refresh_until=None)

    return patch.object(Connection, "renew", renew)


def refreshed_out_of_turn() -> AbstractContextManager[Any]:
    """Refreshes are counted in a bucket that is not that of the whole deployment."""
    return patch.object(refresh_token, "REFRESHES", replace(REFRESHES, name="refreshes of this function"))


def turn_not_waited_for() -> AbstractContextManager[Any]:
    """Whoever has a turn that is yet to come refreshes at once."""
    return patch.object(refresh_token, "max", lambda *_: timedelta(0), create=True)


def refreshed_too_often() -> AbstractContextManager[Any]:
    """The bucket of the whole deployment gives ten refreshes a second, and WhiteBIT takes one."""
    return patch.object(refresh_token, "REFRESHES", replace(REFRESHES, rate=10, burst=10))


def lost_answer_asked_for_each_second() -> AbstractContextManager[Any]:
    """A refresh whose answer was lost is repeated each second, in its turn, until there is another answer."""
    ask = refresh_token._ask

    def asking(world: Any, connection_id: str, tokens: SealedTokens, refresh: Any) -> SealedTokens:
        for _ in range(30):
            newest = ask(world, connection_id, tokens, refresh)
            if newest is not tokens:
                return newest
            world.clock.wait(timedelta(seconds=2))
            world.limits.take(REFRESHES, world.clock.now())
        return tokens

    return patch.object(refresh_token, "_ask", asking)
