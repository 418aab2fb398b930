"""All connections are revoked, at a rate that AWS bears, and one that cannot be holds up no other."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from fastkey.bootstrap import AwsWorld
from fastkey.domain.connection import Connection
from fastkey.domain.errors import StorageUnavailable
from fastkey.domain.status import Status
from fastkey.ops.cli import FAILED, main
from fastkey.ops.listing import Listed
from fastkey.ops.verbs import revoke_all as verb
from fastkey.ops.verbs.revoke_all import RATE, revoke_all
from tests.contract.given import NOW, active, detecting, start
from tests.fakes.world import FakeWorld
from tests.ops.stacks import STACK
from tests.unit.environment import ENVIRONMENT


def listed(connection: Connection) -> Listed:
    return Listed(
        connection.connection_id,
        connection.user_id,
        connection.status,
        connection.reason,
        connection.created_at,
        connection.updated_at,
    )


def added(world: FakeWorld, *connections: Connection) -> list[Listed]:
    for connection in connections:
        world.connections.add(connection)
    return [listed(connection) for connection in connections]


def statuses(world: FakeWorld, connections: list[Listed]) -> list[str]:
    return [world.connections.get(each.connection_id).status.value for each in connections]


def test_each_is_revoked_wherever_it_is() -> None:
    world = FakeWorld()
    connections = added(world, active(), detecting(), start(), active().revoke(NOW))
    assert revoke_all(world, connections) == []
    assert statuses(world, connections) == ["revoking", "revoking", "revoked", "revoking"]
    assert sorted(world.workflows.revokes) == sorted(each.connection_id for each in connections)


def test_no_more_than_the_rate_begin_in_a_second() -> None:
    world = FakeWorld()
    began = world.clock.now()
    revoke_all(world, added(world, *(active() for _ in range(3 * RATE + 1))))
    assert world.clock.now() - began == timedelta(seconds=3)


def test_one_that_cannot_be_revoked_is_named_and_holds_up_no_other() -> None:
    world = FakeWorld()
    connections = added(world, *(active() for _ in range(3)))
    world.workflows.fail_next("start_revoke", StorageUnavailable)
    ((failed, code),) = revoke_all(world, connections)
    assert code == "storage_unavailable"
    left = [each.connection_id for each in connections if statuses(world, [each]) == ["active"]]
    assert left == [failed]
    # Once more, and nobody is left.
    assert revoke_all(world, connections) == []
    assert statuses(world, connections) == ["revoking"] * 3


def test_one_that_the_table_has_forgotten_needs_nothing() -> None:
    assert revoke_all(FakeWorld(), [listed(start())]) == []


# ---- The command -----------------------------------------------------------------------------------------------------


@pytest.fixture
def begun(world: AwsWorld, monkeypatch: pytest.MonkeyPatch) -> list[Listed]:
    """What the command would revoke, which it does not: four connections are there, of which two have not ended."""
    now = datetime.now(UTC)
    for connection in (
        replace(active(), user_id="ada", created_at=now - timedelta(days=1)),
        replace(active(), user_id="bob", created_at=now),
        active().revoke(NOW),
        start().revoke(NOW),
    ):
        world.connections.add(connection)
    asked: list[Listed] = []

    def note_down(_: object, connections: list[Listed]) -> list[tuple[str, str]]:
        asked.extend(connections)
        return []

    monkeypatch.setattr(verb, "revoke_all", note_down)
    return asked


def type_in(monkeypatch: pytest.MonkeyPatch, text: str | None) -> None:
    def typed() -> str:
        if text is None:
            raise EOFError
        return text

    monkeypatch.setattr("builtins.input", typed)


def test_the_stacks_name_confirms_and_the_newest_come_first(
    begun: list[Listed], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    type_in(monkeypatch, STACK)
    assert main(["revoke-all"]) == 0
    assert [each.user_id for each in begun] == ["bob", "ada"]
    printed = capsys.readouterr()
    assert printed.err.startswith("have not ended: 2 active, 1 revoking\n")
    assert printed.out.startswith("2 of 2 begun to be revoked, in ")


@pytest.mark.parametrize("typed", ["yes", "", None])
def test_anything_else_revokes_nothing(
    begun: list[Listed],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    typed: str | None,
) -> None:
    type_in(monkeypatch, typed)
    assert main(["revoke-all"]) == FAILED
    assert begun == []
    assert capsys.readouterr().err.endswith("nothing was revoked\n")


def test_whoever_says_yes_before_is_not_asked(begun: list[Listed], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", None)
    assert main(["revoke-all", "--yes", "--user", "ada"]) == 0
    assert [(each.user_id, each.status) for each in begun] == [("ada", Status.ACTIVE)]


def test_what_could_not_be_revoked_is_not_waited_for(
    world: AwsWorld, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # moto has no state machine here: no revocation can begin.
    connection = active()
    world.connections.add(connection)
    assert main(["revoke-all", "--yes", "--wait"]) == 1
    out = capsys.readouterr().out.splitlines()
    assert out[1:] == [f"not revoked: {connection.connection_id} storage_unavailable", "ended: none"]


def test_what_cannot_be_read_was_not_revoked(
    begun: list[Listed], world: AwsWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    item = {name: {"S": "of another program"} for name in ("connection_id", "user_id", "created", "status")}
    boto3.client("dynamodb").put_item(TableName=ENVIRONMENT["CONNECTIONS_TABLE"], Item=item)
    assert main(["revoke-all", "--yes"]) == 1
    assert [each.user_id for each in begun] == ["bob", "ada"]
    assert capsys.readouterr().out.splitlines()[1:] == ["not revoked: of another program unreadable"]
