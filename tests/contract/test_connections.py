"""The port Connections, and Authorizations beside it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from fastkey.domain import errors
from fastkey.domain.authorization import Authorization
from fastkey.domain.connection import Connection
from fastkey.domain.secret import Secret
from fastkey.domain.status import Status
from fastkey.entry.http import describe
from fastkey.ports import World
from tests.contract.given import COMPLETION, NOW, TICKET, claimed, detecting, settle, start, unique


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
    full = replace(
        claimed(detecting(), unique("key")),
        reason="secret_lost",
        ticket_digest="digest",
        task_token="task-token",
        refresh_until=NOW,
        busy_until=NOW + timedelta(microseconds=1),
        escrow=b"\x00\xff",
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


@pytest.mark.parametrize("cursor", ["x", "é", "2026", "MjAyNg==", "AAAA", "/w==", "2026-01-01", "x" * 5000])
def test_a_made_up_cursor_is_refused(world: World, cursor: str) -> None:
    with pytest.raises(errors.InvalidRequest):
        world.connections.page("user-1", cursor)


# ---- Authorization requests ------------------------------------------------------------------------------------------


def test_an_authorization_request_is_found_by_its_state(world: World) -> None:
    state = Secret(unique("state"))
    authorization = Authorization(state.digest(), "connection-1", b"\x00\xff", "cookie-digest", NOW)
    world.authorizations.add(authorization)
    assert world.authorizations.find(state) == authorization


@pytest.mark.parametrize("state", ["unknown", "", "x" * 10_000])
def test_an_unknown_state_finds_nothing(world: World, state: str) -> None:
    assert world.authorizations.find(Secret(state)) is None
