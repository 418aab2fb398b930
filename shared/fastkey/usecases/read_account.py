"""A user's account at WhiteBIT is read."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from typing import TypeVar

from fastkey.domain.account import Account, Data, Query, Source, source_of
from fastkey.domain.errors import (
    AccessMissing,
    Conflict,
    ConsentLost,
    KeyUnusable,
    PermissionMissing,
    RefreshInProgress,
    StorageUnavailable,
    UnexpectedAnswer,
    WhiteBitBusy,
)
from fastkey.domain.pace import pause_after
from fastkey.ports import World
from fastkey.usecases.get_connection import get_connection
from fastkey.usecases.refresh_token import live_token
from fastkey.usecases.sign import read_by_key, take_turn

Result = TypeVar("Result")

# A call of WhiteBIT with every limit used up.
TIME_TO_READ = timedelta(seconds=16)


def read_account(world: World, connection_id: str, user_id: str, query: Query, deadline: datetime) -> Account:
    """Reads with the connection's key or, on the way to one and if the deployment wants it, with its token.

    deadline: when Lambda stops this attempt. Raises ConnectionNotFound, also for somebody else's; PermissionMissing,
    before any call where that is known; AccessMissing where there is nothing to read with; KeyUnusable, which changes
    nothing; InvalidRequest for a filter that WhiteBIT refuses; and what passes.
    """
    connection = get_connection(world, connection_id, user_id)
    match source_of(connection):
        case Source.KEY:
            if not query.read.may_be_granted(connection.permissions):
                raise PermissionMissing
            data = _patiently(world, deadline, lambda: _by_key(world, connection_id, query))
            return Account(Source.KEY, data)
        # WhiteBIT announced that it removes this way on 2026-11-01. Whoever removes it here removes what bears its
        # name: BearerReads, bearer_reads, bearer_path, read_by_token.
        case Source.TOKEN if world.policy.bearer_reads:
            data = _patiently(world, deadline, lambda: _by_token(world, connection_id, query, deadline))
            return Account(Source.TOKEN, data)
        case _:
            world.keys.forget(connection_id)
            raise AccessMissing


def _by_key(world: World, connection_id: str, query: Query) -> Data:
    key = world.keys.find(connection_id)
    if key is None:
        raise StorageUnavailable
    try:
        return read_by_key(world, connection_id, key, query)
    except (Conflict, KeyUnusable, UnexpectedAnswer):
        world.keys.forget(connection_id)
        raise


def _by_token(world: World, connection_id: str, query: Query, deadline: datetime) -> Data:
    try:
        with live_token(world, connection_id, deadline) as token:
            take_turn(world, query.read.bearer_path)
            # What came before takes time.
            if source_of(world.connections.get(connection_id)) is not Source.TOKEN:
                raise Conflict
            return world.whitebit.read_by_token(token, query.read, query.filters)
    except ConsentLost:
        raise AccessMissing from None


def _patiently(world: World, deadline: datetime, act: Callable[[], Result]) -> Result:
    """Does it again, a while later each time, as long as WhiteBIT has no room for it, or somebody else is getting the
    token that it needs, and there is time left.
    """
    for attempt in count():
        try:
            return act()
        except (RefreshInProgress, WhiteBitBusy):
            pause = pause_after(attempt, world.entropy.moment())
            if world.clock.now() + pause + TIME_TO_READ > deadline:
                raise
            world.clock.wait(pause)
    raise AssertionError
