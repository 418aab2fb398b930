"""A program sees the active connections of a user, as fastkey writes them."""

from dataclasses import replace
from datetime import timedelta

import boto3
import pytest

from fastkey.bootstrap import AwsWorld
from fastkey.client import ActiveConnection
from fastkey.client.connections import Connections
from fastkey.domain.connection import Connection
from tests.contract.given import NOW, claimed, detecting, start, unique
from tests.unit.environment import ENVIRONMENT


@pytest.fixture
def connections(world: AwsWorld) -> Connections:
    return Connections(boto3.client("dynamodb"), ENVIRONMENT["CONNECTIONS_TABLE"])


def active(user_id: str, minutes: int = 0) -> Connection:
    verified = claimed(detecting(), unique("external")).verify(NOW).activate(NOW)
    return replace(verified, user_id=user_id, created_at=NOW + timedelta(minutes=minutes))


def test_a_connection_shows_what_a_program_needs(world: AwsWorld, connections: Connections) -> None:
    connection = active(unique("user"))
    world.connections.add(connection)
    assert list(connections.of_user(connection.user_id)) == [
        ActiveConnection(connection.connection_id, connection.user_id, ("trading", "account"), NOW)
    ]


def test_only_active_connections_are_listed(world: AwsWorld, connections: Connections) -> None:
    user_id = unique("user")
    kept = active(user_id)
    for connection in (start(user_id), replace(detecting(), user_id=user_id), active(user_id).revoke(NOW), kept):
        world.connections.add(connection)
    assert [connection.connection_id for connection in connections.of_user(user_id)] == [kept.connection_id]


def test_a_user_has_no_connections_of_others(world: AwsWorld, connections: Connections) -> None:
    world.connections.add(active(unique("user")))
    assert list(connections.of_user(unique("user"))) == []


def test_all_pages_are_read_newest_first(world: AwsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    # A page of DynamoDB's is a megabyte.
    monkeypatch.setattr("moto.dynamodb.models.table.RESULT_SIZE_LIMIT", 2_000)
    pages: list[object] = []
    client = boto3.client("dynamodb")
    client.meta.events.register("after-call.dynamodb.Query", lambda **page: pages.append(page))
    connections = Connections(client, ENVIRONMENT["CONNECTIONS_TABLE"])
    user_id = unique("user")
    written = [active(user_id, minutes) for minutes in range(20)]
    for connection in written:
        world.connections.add(connection)
    listed = [connection.connection_id for connection in connections.of_user(user_id)]
    assert listed == [connection.connection_id for connection in written[::-1]]
    assert len(pages) > 1


def test_all_users_active_connections_are_listed_each_once(world: AwsWorld, connections: Connections) -> None:
    before = {connection.connection_id for connection in connections.of_all_users()}
    written = [active(unique("user")) for _ in range(30)]
    for connection in (*written, start(unique("user")), active(unique("user")).revoke(NOW)):
        world.connections.add(connection)
    listed = [connection for connection in connections.of_all_users() if connection.connection_id not in before]
    assert sorted(listed, key=lambda one: one.connection_id) == sorted(
        (ActiveConnection(c.connection_id, c.user_id, ("trading", "account"), NOW) for c in written),
        key=lambda one: one.connection_id,
    )
