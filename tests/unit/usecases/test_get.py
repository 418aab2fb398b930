"""A user looks at connections."""

from datetime import timedelta

import pytest

from fastkey.domain.errors import ConnectionNotFound, InvalidRequest
from fastkey.domain.status import Status
from fastkey.usecases.get_connection import get_connection, list_connections
from tests.fakes.stores import PAGE_SIZE
from tests.fakes.world import FakeWorld
from tests.unit.journey import Journey


def test_a_user_sees_an_own_connection(journey: Journey) -> None:
    journey.start()
    assert get_connection(journey.world, journey.connection_id, "user-1") == journey.connection


@pytest.mark.parametrize("connection_id", ["connection-1", "connection-9", ""])
def test_somebody_elses_connection_is_as_one_that_is_not_there(journey: Journey, connection_id: str) -> None:
    journey.start()
    with pytest.raises(ConnectionNotFound):
        get_connection(journey.world, connection_id, "user-2")


@pytest.mark.parametrize(("minutes", "status"), [(5, Status.STARTED), (6, Status.EXPIRED)])
def test_what_nobody_came_for_is_shown_as_expired_though_nobody_wrote_that(
    journey: Journey, minutes: int, status: Status
) -> None:
    journey.start().wait(minutes=minutes)
    assert get_connection(journey.world, journey.connection_id, "user-1").status is status
    assert list_connections(journey.world, "user-1", None).connections[0].status is status
    assert journey.connection.status is Status.STARTED


def test_a_list_has_the_users_own_connections_newest_first(world: FakeWorld) -> None:
    mine = [Journey(world).start().wait(seconds=1).connection_id for _ in range(3)]
    Journey(world, "user-2").start()
    page = list_connections(world, "user-1", None)
    assert [connection.connection_id for connection in page.connections] == mine[::-1]
    assert page.next_cursor is None


def test_a_user_without_connections_has_an_empty_list(world: FakeWorld) -> None:
    page = list_connections(world, "user-1", None)
    assert (page.connections, page.next_cursor) == ([], None)


def test_a_long_list_comes_in_pages(world: FakeWorld) -> None:
    for _ in range(PAGE_SIZE + 1):
        Journey(world).start()
        world.clock.advance(timedelta(minutes=3))
    first = list_connections(world, "user-1", None)
    second = list_connections(world, "user-1", first.next_cursor)
    assert (len(first.connections), len(second.connections), second.next_cursor) == (PAGE_SIZE, 1, None)


def test_a_made_up_cursor_is_refused(world: FakeWorld) -> None:
    with pytest.raises(InvalidRequest):
        list_connections(world, "user-1", "made-up")
