"""Tokens are kept alive for those connections for which the partner asked for that."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from fastkey.domain.connection import Connection
from fastkey.domain.errors import FastkeyError, WhiteBitBusy
from fastkey.domain.pace import REFRESHES
from fastkey.domain.tokens import REFRESH_TOKEN_LIFE
from fastkey.ports import World
from fastkey.usecases.change import change
from fastkey.usecases.refresh_token import live_token, refresh_token

# How long before its end a refresh token is used. A run comes each minute, and one that dies holds its lease for a
# minute and a half: there is time for another.
KEEP_MARGIN = timedelta(minutes=4)

# With so many, WhiteBIT's limit is reached: each needs one refresh in the rest of its refresh token's life. A tenth is
# left to connections that are being made, and to what a run has missed.
CAPACITY = int((REFRESH_TOKEN_LIFE - KEEP_MARGIN).total_seconds()) * REFRESHES.rate * 9 // 10

# A refresh, with every limit and retry of the clients used up but for the last.
TIME_TO_REFRESH = timedelta(seconds=25)

_TURN = timedelta(seconds=1) / REFRESHES.rate


@dataclass(frozen=True, slots=True)
class Kept:
    """How many connections' tokens are to be kept, how many of them fit WhiteBIT's limit, and what this run did."""

    kept: int
    fit: int
    refreshed: int
    failed: int


def keep_tokens(world: World, deadline: datetime) -> Kept:
    """Refreshes what would die before the next runs, the connection whose tokens die first before the others.

    A connection whose refresh fails is left to the next run; one whose tokens are dead leaves the queue, and takes no
    turn from those that live. deadline: when Lambda stops this run.
    """
    refreshed = failed = 0
    for connection_id in world.connections.kept(world.clock.now() + KEEP_MARGIN):
        try:
            before = change(world, connection_id, lambda c: c.give_up_tokens(world.clock.now()))
            if before.refresh_by is None:
                continue
            after = _refresh_in_turn(world, connection_id, deadline)
            if after.tokens == before.tokens or after.refresh_by is None:
                # No answer came, and to ask again is left to the next run; or it was a no.
                failed += 1
                continue
            _look_at_key(world, connection_id, deadline)
        except WhiteBitBusy:
            break
        except FastkeyError:
            failed += 1
        else:
            refreshed += 1
    kept = world.connections.count_kept()
    return Kept(kept, min(kept, CAPACITY), refreshed, failed)


def _refresh_in_turn(world: World, connection_id: str, deadline: datetime) -> Connection:
    """Refreshes, as soon as nobody else waits. Raises WhiteBitBusy where somebody does for too long."""
    while world.clock.now() + TIME_TO_REFRESH < deadline:
        try:
            return refresh_token(world, connection_id, deadline, early=True)
        except WhiteBitBusy:
            world.clock.wait(_TURN)
    raise WhiteBitBusy


def _look_at_key(world: World, connection_id: str, deadline: datetime) -> None:
    """What the key may do now, because there is a token to ask with: the key itself does not tell."""
    with live_token(world, connection_id, deadline) as token:
        key = world.whitebit.key_info(token)
    change(world, connection_id, lambda c: c.look_at(key, world.clock.now()))
