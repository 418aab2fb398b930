"""A token is kept alive, where WhiteBIT gave the means to."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from fastkey.domain.connection import Connection
from fastkey.domain.errors import (
    ConsentLost,
    RefreshInProgress,
    UnexpectedAnswer,
    WhiteBitBusy,
    WhiteBitUnavailable,
)
from fastkey.domain.pace import REFRESHES
from fastkey.domain.secret import Secret
from fastkey.domain.tokens import REFRESH_TOKEN_LIFE, SealedTokens, TokenGrant
from fastkey.ports import Purpose, World
from fastkey.usecases.change import change, insist
from fastkey.usecases.lease import CLOCK_SKEW

# A token that lives longer than this outlives what lies between its being chosen and its being used: three calls to AWS
# with all their repetitions, and the connection to WhiteBIT.
MARGIN = timedelta(seconds=100)


@contextmanager
def live_token(world: World, connection_id: str, deadline: datetime) -> Iterator[Secret]:
    """An access token that WhiteBIT should accept now, refreshed if need be, for the calls in the block.

    Raises ConsentLost where there is none and will be none, WhiteBitUnavailable or RefreshInProgress where there may be
    one later: so also where WhiteBIT refuses this one in the block because somebody else has it replaced meanwhile.
    """
    tokens, now = refresh_token(world, connection_id, deadline).tokens, world.clock.now()
    if tokens is None or not (tokens.access_lives(now) or tokens.refresh_lives(now)):
        raise ConsentLost
    if not tokens.access_lives(now):
        raise WhiteBitUnavailable
    try:
        yield world.sealer.open(tokens.access, connection_id, Purpose.TOKEN)
    except ConsentLost:
        change(world, connection_id, lambda c: c.refuse(tokens, world.clock.now()))
        raise RefreshInProgress from None


def refresh_token(world: World, connection_id: str, deadline: datetime, *, early: bool = False) -> Connection:
    """Refreshes the connection's tokens if the access token is near its end and there is a refresh token that lives.

    early: also while the access token lives.

    One attempt at a time; a second one uses what still lives, or raises RefreshInProgress or Conflict. It waits for its
    turn; where others wait already, what lives is used as well, or WhiteBitBusy raised. If the answer is lost, the
    pair may be lost with it: what is kept is used for as long as it lives, and nobody asks again for a while. deadline:
    when Lambda stops this attempt, and its lease ends soon after.
    """
    now, until = world.clock.now(), deadline + CLOCK_SKEW + world.entropy.moment()
    connection = world.connections.get(connection_id)
    tokens = connection.tokens
    if tokens is None or tokens.refresh is None or not (early or tokens.are_due(now, MARGIN)):
        return connection
    if not connection.may_refresh(now):
        return connection
    if connection.is_refreshing(now) and tokens.access_lives(now):
        return connection
    connection.lease_refresh(tokens, until, now)
    # Everything that can fail without using up the refresh token is tried before it is used up.
    world.whitebit.prepare()
    refresh = world.sealer.open(tokens.refresh, connection_id, Purpose.TOKEN)
    world.sealer.seal(refresh, connection_id, Purpose.TOKEN)
    try:
        turn = world.limits.take(REFRESHES, world.clock.now())
    except WhiteBitBusy:
        if early or not tokens.access_lives(world.clock.now()):
            raise
        return connection
    world.clock.wait(max(turn - world.clock.now(), timedelta(0)))
    insist(lambda: change(world, connection_id, lambda c: c.lease_refresh(tokens, until, world.clock.now())))
    newest = _ask(world, connection_id, tokens, refresh)
    return insist(lambda: change(world, connection_id, lambda c: c.renew(newest, until, world.clock.now())))


def seal_tokens(world: World, connection_id: str, grant: TokenGrant, asked_at: datetime) -> SealedTokens:
    """The tokens as they are stored.

    Their lives are counted from the request, the earliest time that they can have begun.
    """
    refresh = grant.refresh_token
    return SealedTokens(
        access=world.sealer.seal(grant.access_token, connection_id, Purpose.TOKEN),
        access_expires_at=asked_at + grant.expires_in,
        refresh=world.sealer.seal(refresh, connection_id, Purpose.TOKEN) if refresh else None,
        refresh_expires_at=asked_at + REFRESH_TOKEN_LIFE if refresh else None,
    )


def _ask(world: World, connection_id: str, tokens: SealedTokens, refresh: Secret) -> SealedTokens:
    asked_at = world.clock.now()
    try:
        grant = world.whitebit.refresh_token(refresh)
    except ConsentLost:
        return tokens.without_refresh()
    except (WhiteBitUnavailable, UnexpectedAnswer):
        return tokens
    return insist(lambda: seal_tokens(world, connection_id, grant, asked_at))
