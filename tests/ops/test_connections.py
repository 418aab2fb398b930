"""Connections are counted and listed, from an index in which nothing is sealed."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from fastkey.bootstrap import AwsWorld
from fastkey.domain.connection import Connection
from fastkey.ops.cli import main
from tests.contract.given import active, start
from tests.unit.environment import ENVIRONMENT


@pytest.fixture
def connections(world: AwsWorld) -> Sequence[Connection]:
    """Two that have started, an hour and a moment ago, and an active one."""
    now = datetime.now(UTC)
    written = (
        start("ada", now - timedelta(hours=1)),
        start("ada", now),
        replace(active(), user_id="bob", updated_at=now - timedelta(days=2)),
    )
    for connection in written:
        world.connections.add(connection)
    return written


def listed(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    """The ids of those that are listed."""
    assert main(["connections", "--json", *arguments]) == 0
    return [json.loads(line)["connection_id"] for line in capsys.readouterr().out.splitlines()]


def test_they_are_counted_by_status_with_the_longest_unchanged(
    connections: Sequence[Connection], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["connections", "--json"]) == 0
    counts = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert counts == [
        {
            "status": "started",
            "connections": 2,
            "longest_unchanged_since": connections[0].updated_at.isoformat(),
        },
        {"status": "active", "connections": 1, "longest_unchanged_since": connections[2].updated_at.isoformat()},
    ]


def test_a_table_is_for_people(connections: Sequence[Connection], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["connections"]) == 0
    heading, *rows = capsys.readouterr().out.splitlines()
    assert heading.split() == ["STATUS", "CONNECTIONS", "LONGEST_UNCHANGED_SINCE"]
    assert [row.split()[:2] for row in rows] == [["started", "2"], ["active", "1"]]
    # Aligned under their headings.
    assert {row.index(row.split()[1]) for row in rows} == {heading.index("CONNECTIONS")}


def test_they_are_narrowed_to_a_status_a_user_and_an_age(
    connections: Sequence[Connection], capsys: pytest.CaptureFixture[str]
) -> None:
    hour_ago, fresh, of_bob = (connection.connection_id for connection in connections)
    assert listed(capsys, "--status", "active") == [of_bob]
    assert set(listed(capsys, "--status", "started")) == {hour_ago, fresh}
    # The newest first.
    assert listed(capsys, "--user", "ada") == [fresh, hour_ago]
    assert set(listed(capsys, "--older-than", "30m")) == {hour_ago, of_bob}
    assert listed(capsys, "--older-than", "1d") == [of_bob]
    assert listed(capsys, "--user", "ada", "--status", "started", "--older-than", "30m") == [hour_ago]
    assert listed(capsys, "--user", "carol") == []
    assert set(listed(capsys, "--older-than", "0s")) == {hour_ago, fresh, of_bob}
    assert listed(capsys, "--older-than", "36500d") == []


def test_what_was_read_for_it_is_said(connections: Sequence[Connection], capsys: pytest.CaptureFixture[str]) -> None:
    main(["connections", "--status", "active"])
    assert capsys.readouterr().err.startswith("read 3 connections, for ")
    main(["connections", "--user", "bob"])
    assert capsys.readouterr().err.startswith("read 1 connections, for ")


def test_all_pages_are_read(
    world: AwsWorld, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # A page of DynamoDB's is a megabyte.
    monkeypatch.setattr("moto.dynamodb.models.table.RESULT_SIZE_LIMIT", 2_000)
    written = [start() for _ in range(30)]
    for connection in written:
        world.connections.add(connection)
    assert set(listed(capsys, "--status", "started")) == {connection.connection_id for connection in written}
    main(["connections"])
    assert capsys.readouterr().err.startswith("read 30 connections, for ")


def test_a_user_whose_id_would_command_a_terminal_does_not(world: AwsWorld, capsys: pytest.CaptureFixture[str]) -> None:
    world.connections.add(start("ada\x1b[2J\n\u202eadmin"))
    main(["connections", "--status", "started"])
    _, row = capsys.readouterr().out.splitlines()
    assert row.endswith("ada\N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}admin")


def test_an_item_that_is_no_connection_is_named_and_holds_up_no_other(
    connections: Sequence[Connection], capsys: pytest.CaptureFixture[str]
) -> None:
    item = {name: {"S": "of another\x1b[2J program"} for name in ("connection_id", "user_id", "created", "status")}
    boto3.client("dynamodb").put_item(TableName=ENVIRONMENT["CONNECTIONS_TABLE"], Item=item)
    assert main(["connections", "--json"]) == 1
    printed = capsys.readouterr()
    counted = [json.loads(line)["connections"] for line in printed.out.splitlines()]
    assert sum(counted) == len(connections)
    assert printed.err.splitlines()[0] == "the item is no connection: of another\N{REPLACEMENT CHARACTER}[2J program"
