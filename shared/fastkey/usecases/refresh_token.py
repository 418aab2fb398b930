"""A token is kept alive, where WhiteBIT gave the means to."""

from datetime import datetime, timedelta

from fastkey.domain.connection import Connection
from fastkey.domain.errors import ConsentLost, RefreshInProgress, UnexpectedAnswer, WhiteBitUnavailable
from fastkey.domain.secret import Secret
from fastkey.domain.tokens import REFRESH_TOKEN_LIFE, SealedTokens, TokenGrant
from fastkey.ports import Purpose, World
from fastkey.usecases.change import change

# A token that lives longer than this outlives any step that uses it.
MARGIN = timedelta(seconds=90)

# A refresh is one request, of 12 s at most; whoever holds the lease for longer has died.
LEASE = timedelta(seconds=30)


def live_token(world: World, connection_id: str) -> Secret:
    """An access token that WhiteBIT should accept now, refreshed if need be.

    Raises ConsentLost where there is none and will be none, WhiteBitUnavailable or RefreshInProgress where there may be
    one later.
    """
    tokens, now = refresh_token(world, connection_id).tokens, world.clock.now()
    if tokens is None or not (tokens.access_lives(now) or tokens.refresh_lives(now)):
        raise ConsentLost
    if not tokens.access_lives(now):
        raise WhiteBitUnavailable
    return world.sealer.open(tokens.access, connection_id, Purpose.TOKEN)


def refresh_token(world: World, connection_id: str) -> Connection:
    """Refreshes the connection's tokens if the access token is near its end and there is a refresh token that lives.

    One attempt at a time; a second one uses what still lives, or raises RefreshInProgress. If the answer is lost, the
    pair may be lost with it: what is kept is used for as long as it lives.
    """
    lease = world.clock.now() + LEASE
    try:
        leased = change(
            world,
            connection_id,
            lambda c: c.lease_refresh(lease, world.clock.now()) if _due(c, world.clock.now()) else c,
        )
    except RefreshInProgress:
        connection = world.connections.get(connection_id)
        if connection.tokens and connection.tokens.access_lives(world.clock.now()):
            return connection
        raise
    if leased.refresh_until != lease or leased.tokens is None:
        return leased
    tokens = _ask(world, connection_id, leased.tokens)
    return change(world, connection_id, lambda c: c.renew(tokens, lease, world.clock.now()))


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


def _due(connection: Connection, now: datetime) -> bool:
    tokens = connection.tokens
    return tokens is not None and tokens.refresh_lives(now) and not tokens.access_lives(now + MARGIN)


def _ask(world: World, connection_id: str, tokens: SealedTokens) -> SealedTokens:
    if tokens.refresh is None:
        return tokens
    asked_at = world.clock.now()
    try:
        grant = world.whitebit.refresh_token(world.sealer.open(tokens.refresh, connection_id, Purpose.TOKEN))
    except ConsentLost:
        return tokens.without_refresh()
    except (WhiteBitUnavailable, UnexpectedAnswer):
        return tokens
    return seal_tokens(world, connection_id, grant, asked_at)
