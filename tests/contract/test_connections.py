"""The port Connections, and Authorizations beside it."""

from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from fastkey.domain import errors
from fastkey.domain.authorization import Authorization
from fastkey.domain.connection import CHECK_AGAIN, CHECK_PERIOD, SHARDS, Connection
from fastkey.domain.secret import Secret
from fastkey.domain.status import Status
from fastkey.domain.tokens import SealedTokens
from fastkey.entry.http import describe
from fastkey.ports import World
from tests.contract.given import COMPLETION, NOW, TICKET, active, claimed, detecting, settle, start, unique


def kept(world: World, connection: Connection) -> Connection:
    """The connection, as stored."""
    world.connections.add(connection)
    return connection


def saved(world: World, before: Connection, after: Connection) -> Connection:
    world.connections.save(before, after)
    return after


def test_a_connection_comes_back_as_it_was_stored(world: World) -> None:
    connection = kept(world, start())
    assert world.connections.get(connection.connection_id) == connection


def test_every_field_comes_back_as_it_was_stored(world: World) -> None:
    dead = replace(active(), refused_at=NOW).refuse_key(NOW + CHECK_AGAIN)
    assert [event.reason for event in dead.untold] == [None, "key_dead"]
    full = replace(
        dead,
        reason="secret_lost",
        ticket_digest="digest",
        task_token="task-token",
        refresh_until=NOW,
        refresh_again_at=NOW,
        busy_until=NOW + timedelta(microseconds=1),
        escrow=b"\x00\xff",
        keep_token=True,
        checked_by="balances/spot",
    )
    assert [name for name in Connection.__slots__ if getattr(full, name) is None] == []
    kept(world, full)
    assert world.connections.get(full.connection_id) == full


def test_a_connection_is_added_once(world: World) -> None:
    connection = kept(world, start())
    with pytest.raises(errors.StorageUnavailable):
        world.connections.add(replace(connection, user_id="another"))
    assert world.connections.get(connection.connection_id) == connection


@pytest.mark.parametrize("connection_id", ["unknown", "", "x" * 3000, "é/../%00"])
def test_what_is_not_there_is_not_found(world: World, connection_id: str) -> None:
    with pytest.raises(errors.ConnectionNotFound):
        world.connections.get(connection_id)


def test_a_change_is_stored(world: World) -> None:
    before = kept(world, start())
    after = saved(world, before, before.consent(TICKET, COMPLETION.digest(), NOW))
    assert world.connections.get(before.connection_id) == after


def test_of_two_writers_one_wins(world: World) -> None:
    before = kept(world, start())
    first = saved(world, before, before.consent(TICKET, COMPLETION.digest(), NOW))
    with pytest.raises(errors.Conflict):
        world.connections.save(before, before.revoke(NOW))
    assert world.connections.get(before.connection_id) == first


def test_a_change_of_what_is_not_there_is_a_conflict(world: World) -> None:
    before = start()
    with pytest.raises(errors.Conflict):
        world.connections.save(before, before.revoke(NOW))


# ---- Keys ------------------------------------------------------------------------------------------------------------


def test_a_key_is_held_by_one_connection(world: World) -> None:
    key, first, second = unique("key"), kept(world, detecting()), kept(world, detecting())
    saved(world, first, claimed(first, key))
    with pytest.raises(errors.AccountAlreadyConnected):
        world.connections.save(second, claimed(second, key))
    assert world.connections.get(second.connection_id) == second


def test_a_key_stays_held_while_its_connection_goes_on(world: World) -> None:
    key, first, second = unique("key"), kept(world, detecting()), kept(world, detecting())
    holding = saved(world, first, claimed(first, key))
    saved(world, holding, holding.verify(NOW))
    with pytest.raises(errors.AccountAlreadyConnected):
        world.connections.save(second, claimed(second, key))


def test_a_key_is_let_go_at_the_end(world: World) -> None:
    key, first, second = unique("key"), kept(world, detecting()), kept(world, detecting())
    holding = saved(world, first, claimed(first, key))
    revoking = saved(world, holding, holding.revoke(NOW))
    with pytest.raises(errors.AccountAlreadyConnected):
        world.connections.save(second, claimed(second, key))
    saved(world, revoking, revoking.end(Status.REVOKED, errors.Revoked, NOW))
    assert saved(world, second, claimed(second, key)).held_key == key


def test_a_closing_connection_takes_hold_of_the_key_that_it_deletes(world: World) -> None:
    key, first, second = unique("key"), kept(world, detecting()), kept(world, detecting())
    closing = saved(world, first, first.close(errors.CompletionMissing, NOW))
    saved(world, closing, closing.hold(key, NOW))
    with pytest.raises(errors.AccountAlreadyConnected):
        world.connections.save(second, claimed(second, key))


def test_a_stale_writer_takes_hold_of_nothing(world: World) -> None:
    key, first, second = unique("key"), kept(world, detecting()), kept(world, detecting())
    revoked = saved(world, first, first.revoke(NOW))
    with pytest.raises(errors.Conflict):
        world.connections.save(first, claimed(first, key))
    assert world.connections.get(first.connection_id) == revoked
    assert saved(world, second, claimed(second, key)).held_key == key


def test_a_stale_writer_lets_go_of_nothing(world: World) -> None:
    key, first, second = unique("key"), kept(world, detecting()), kept(world, detecting())
    holding = saved(world, first, claimed(first, key))
    revoking = saved(world, holding, holding.revoke(NOW))
    assert revoking.tokens
    saved(world, revoking, revoking.lease_refresh(revoking.tokens, NOW, NOW))
    with pytest.raises(errors.Conflict):
        world.connections.save(revoking, revoking.end(Status.REVOKED, errors.Revoked, NOW))
    with pytest.raises(errors.AccountAlreadyConnected):
        world.connections.save(second, claimed(second, key))


# ---- Pages -----------------------------------------------------------------------------------------------------------


def test_pages_go_through_a_users_connections_newest_first(world: World) -> None:
    user_id = unique("user")
    mine = [kept(world, start(user_id, NOW + timedelta(microseconds=n))) for n in range(60)]
    kept(world, start())
    settle(world)
    shown: list[Connection] = []
    cursor, pages = None, 0
    while pages == 0 or cursor:
        page = world.connections.page(user_id, cursor)
        shown, cursor, pages = [*shown, *page.connections], page.next_cursor, pages + 1
    assert [connection.connection_id for connection in shown] == [connection.connection_id for connection in mine[::-1]]
    assert pages == 3


def test_a_page_shows_of_each_connection_what_a_user_may_see(world: World) -> None:
    before = kept(world, detecting())
    holding = saved(world, before, claimed(before, unique("key")))
    revoking = saved(world, holding, holding.revoke(NOW))
    ended = saved(world, revoking, revoking.end(Status.NEEDS_USER_ACTION, errors.Revoked, NOW))
    settle(world)
    (shown,) = world.connections.page(ended.user_id, None).connections
    assert describe(shown) == describe(ended)
    assert describe(shown)["key_lives_until"]


def test_connections_of_the_same_moment_do_not_get_lost_between_pages(world: World) -> None:
    user_id = unique("user")
    mine = [kept(world, start(user_id)).connection_id for _ in range(30)]
    settle(world)
    first = world.connections.page(user_id, None)
    second = world.connections.page(user_id, first.next_cursor)
    assert sorted(c.connection_id for c in [*first.connections, *second.connections]) == sorted(mine)


def test_a_user_without_connections_has_an_empty_page(world: World) -> None:
    page = world.connections.page(unique("user"), None)
    assert (list(page.connections), page.next_cursor) == ([], None)


def test_anothers_cursor_shows_nothing_of_the_other(world: World) -> None:
    user_id = unique("user")
    for _ in range(26):
        kept(world, start(user_id))
    settle(world)
    cursor = world.connections.page(user_id, None).next_cursor
    assert cursor
    assert list(world.connections.page(unique("user"), cursor).connections) == []


def made_up(created: str) -> str:
    """A cursor as the store's are encoded."""
    return urlsafe_b64encode(created.encode()).decode()


MADE_UP = [
    *("x", "é", "2026", "MjAyNg==", "AAAA", "/w==", "2026-01-01", "x" * 5000),
    made_up(f"2026-01-01T00:00:00.{'0' * 3000}+00:00#connection-1"),  # longer than DynamoDB's sort keys
    made_up("2026-01-01#connection-1"),
    made_up("2026-01-01T00:00:00.000000+00:00#"),
    made_up(f"2026-01-01T00:00:00.000000+00:00#{'x' * 65}"),
]


@pytest.mark.parametrize("cursor", MADE_UP)
def test_a_made_up_cursor_is_refused(world: World, cursor: str) -> None:
    with pytest.raises(errors.InvalidRequest):
        world.connections.page("user-1", cursor)


# ---- What is due -----------------------------------------------------------------------------------------------------


def due_at(moment: datetime, shard: int = 0) -> Connection:
    """A connection of this shard whose key is to be tried at this moment."""
    return next(
        replace(connection, untold=(), check_at=moment)
        for connection in iter(active, None)
        if connection.shard == shard
    )


def due(world: World, now: datetime, shard: int = 0) -> list[list[str]]:
    """The pages of what is due now."""
    pages: list[list[str]] = []
    cursor = None
    while not pages or cursor:
        page = world.connections.due(shard, now, cursor)
        pages, cursor = [*pages, list(page.connection_ids)], page.next_cursor
    return pages


def ids(connections: Iterator[Connection] | list[Connection]) -> list[str]:
    return [connection.connection_id for connection in connections]


@pytest.mark.parametrize("cursor", ["x", "é", "2026-01-01", '{"shard": {"N"'])
def test_a_made_up_cursor_of_what_is_due_is_refused(world: World, cursor: str) -> None:
    with pytest.raises(errors.InvalidRequest):
        world.connections.due(0, NOW, cursor)


def test_pages_go_through_what_is_due_the_longest_due_first(world: World) -> None:
    long_ago = (NOW - timedelta(days=1000)).replace(microsecond=0)
    mine = [due_at(long_ago + timedelta(microseconds=n)) for n in range(60)]
    for connection in mine[::-1]:
        kept(world, connection)
    settle(world)
    pages = due(world, long_ago + timedelta(seconds=1))
    assert [connection_id for page in pages for connection_id in page] == ids(mine)
    assert [len(page) for page in pages if page] == [25, 25, 10]


def test_what_is_due_at_the_same_moment_does_not_get_lost_between_pages(world: World) -> None:
    moment = NOW - timedelta(days=900)
    mine = [kept(world, due_at(moment)) for _ in range(30)]
    settle(world)
    listed = [connection_id for page in due(world, moment) for connection_id in page]
    assert sorted(set(listed) & set(ids(mine))) == sorted(ids(mine))
    assert len(listed) == len(set(listed))


def test_a_connection_is_due_at_its_moment_and_not_before(world: World) -> None:
    moment = NOW - timedelta(days=1100)
    connection = kept(world, due_at(moment))
    settle(world)
    assert due(world, moment - timedelta(microseconds=1)) == [[]]
    assert due(world, moment) == [[connection.connection_id]]


def test_of_other_shards_nothing_is_listed(world: World) -> None:
    moment = NOW - timedelta(days=1200)
    mine = [kept(world, due_at(moment, shard)) for shard in range(SHARDS)]
    settle(world)
    assert [due(world, moment, shard) for shard in range(SHARDS)] == [[[each.connection_id]] for each in mine]


def test_what_was_looked_at_is_listed_no_more(world: World) -> None:
    moment = NOW - timedelta(days=1300)
    before = kept(world, due_at(moment))
    saved(world, before, before.survive(before.permissions, None, moment))
    settle(world)
    assert due(world, moment) == [[]]
    assert due(world, moment + CHECK_PERIOD)[0] == [before.connection_id]


def test_what_has_nothing_to_do_by_the_clock_is_in_no_queue(world: World) -> None:
    """In the far future everything else is due."""
    idle = [kept(world, connection) for connection in (detecting(), replace(due_at(NOW), check_at=None))]
    settle(world)
    far = NOW + timedelta(days=10_000)
    listed = {connection_id for shard in range(SHARDS) for page in due(world, far, shard) for connection_id in page}
    assert listed
    assert not listed & set(ids(idle))


# ---- Tokens that are kept --------------------------------------------------------------------------------------------


def refreshed_by(moment: datetime) -> Connection:
    """A connection whose tokens are to be refreshed until this moment."""
    tokens = SealedTokens(b"access", moment - timedelta(minutes=5), b"refresh", moment)
    return replace(active(), keep_token=True, tokens=tokens)


def test_tokens_that_are_to_be_kept_come_in_the_order_in_which_they_die(world: World) -> None:
    before, now = world.connections.count_kept(), NOW.replace(microsecond=0)
    mine = [refreshed_by(now + timedelta(microseconds=n)) for n in range(40)]
    for connection in mine[::-1]:
        kept(world, connection)
    settle(world)
    assert list(world.connections.kept(now + timedelta(microseconds=30))) == ids(mine[:30])
    assert world.connections.count_kept() == before + 40


def test_what_is_not_active_or_not_to_be_kept_or_has_no_refresh_token_is_not_listed(world: World) -> None:
    moment = NOW - timedelta(days=1)
    wanted = refreshed_by(moment)
    assert wanted.tokens
    before = world.connections.count_kept()
    for connection in (
        replace(refreshed_by(moment), keep_token=False),
        replace(refreshed_by(moment), tokens=wanted.tokens.without_refresh()),
        replace(refreshed_by(moment), tokens=None),
        replace(refreshed_by(moment), status=Status.DEAD),
    ):
        kept(world, connection)
    kept(world, wanted)
    settle(world)
    assert list(world.connections.kept(NOW - timedelta(hours=1))) == [wanted.connection_id]
    assert world.connections.count_kept() == before + 1
    saved(world, wanted, wanted.revoke(NOW))
    settle(world)
    assert list(world.connections.kept(NOW - timedelta(hours=1))) == []
    assert world.connections.count_kept() == before


# ---- Authorization requests ------------------------------------------------------------------------------------------


def test_an_authorization_request_is_found_by_its_state(world: World) -> None:
    state = Secret(unique("state"))
    authorization = Authorization(state.digest(), "connection-1", b"\x00\xff", "cookie-digest", NOW)
    world.authorizations.add(authorization)
    assert world.authorizations.find(state) == authorization


@pytest.mark.parametrize("state", ["unknown", "", "x" * 10_000])
def test_an_unknown_state_finds_nothing(world: World, state: str) -> None:
    assert world.authorizations.find(Secret(state)) is None
