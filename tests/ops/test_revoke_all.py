"""All connections are revoked, at a rate that AWS bears, and one that cannot be holds up no other."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.exceptions import ClientError

from fastkey.adapters.system import SystemClock
from fastkey.bootstrap import AwsWorld
from fastkey.domain.connection import Connection
from fastkey.domain.errors import Revoked, StorageUnavailable
from fastkey.domain.status import Status
from fastkey.ops import registry
from fastkey.ops.cli import FAILED, main
from fastkey.ops.executions import Executions, Workflow
from fastkey.ops.listing import Listed
from fastkey.ops.operator import Operator
from fastkey.ops.verbs import revoke_all as verb
from fastkey.ops.verbs.revoke_all import PROGRESS, RATE, help_on, revoke_all
from tests.contract.given import NOW, active, detecting, start
from tests.fakes.system import FakeClock
from tests.fakes.world import FakeWorld
from tests.ops.executions import FakeExecutions
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


def revocations(status: str, *, late: bool = False) -> FakeExecutions:
    """What became of each RevokeKey."""
    return FakeExecutions({Workflow.REVOKE_KEY: status}, late)


def test_a_revocation_that_was_broken_off_goes_on() -> None:
    world, executions = FakeWorld(), revocations("ABORTED")
    assert help_on(world, executions, added(world, active().revoke(NOW))) == []
    assert executions.redriven == [Workflow.REVOKE_KEY]


def test_one_that_ended_since_it_was_listed_is_left_alone() -> None:
    world, executions = FakeWorld(), revocations("SUCCEEDED")
    (ended,) = added(world, start().revoke(NOW))
    assert help_on(world, executions, [replace(ended, status=Status.REVOKING), listed(start())]) == []
    assert executions.redriven == []


class Throttled(FakeExecutions):
    def find(self, workflow: Workflow, connection_id: str) -> None:
        raise ClientError({"Error": {"Code": "ThrottlingException"}}, "DescribeExecution")


@pytest.mark.parametrize(
    ("executions", "why"),
    [
        (FakeExecutions(), "forgotten RevokeKey"),
        (revocations("FAILED", late=True), "FAILED for good"),
        (Throttled(), "ThrottlingException"),
    ],
    ids=["forgotten", "late", "throttled"],
)
def test_each_that_cannot_go_on_is_named_with_why(executions: Executions, why: str) -> None:
    world = FakeWorld()
    stuck = added(world, active().revoke(NOW), active().revoke(NOW))
    failed = help_on(world, executions, stuck)
    assert [connection_id for connection_id, _ in failed] == [each.connection_id for each in stuck]
    assert all(why in said for _, said in failed)


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
    monkeypatch.setattr(Operator, "executions", revocations("RUNNING"))
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
    failed, ended = out[1:]
    assert failed == f"not revoked: {connection.connection_id} storage_unavailable"
    assert ended.startswith("ended: none, in ")


def test_what_cannot_be_read_was_not_revoked(
    begun: list[Listed], world: AwsWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    item = {name: {"S": "of another program"} for name in ("connection_id", "user_id", "created", "status")}
    boto3.client("dynamodb").put_item(TableName=ENVIRONMENT["CONNECTIONS_TABLE"], Item=item)
    assert main(["revoke-all", "--yes"]) == 1
    assert [each.user_id for each in begun] == ["bob", "ada"]
    assert capsys.readouterr().out.splitlines()[1:] == ["not revoked: of another program unreadable"]


@pytest.mark.parametrize(("late", "status"), [(False, 0), (True, 1)])
def test_what_was_broken_off_before_goes_on_or_is_named(
    begun: list[Listed],
    world: AwsWorld,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    late: bool,
    status: int,
) -> None:
    revoking = replace(active(), user_id="carol").revoke(NOW)
    world.connections.add(revoking)
    monkeypatch.setattr(Operator, "executions", revocations("ABORTED", late=late))
    assert main(["revoke-all", "--yes", "--user", "carol"]) == status
    began, said = capsys.readouterr().out.splitlines()
    assert began.startswith("0 of 0 begun")
    assert revoking.connection_id in said
    assert ("not revoked" in said) is late


def test_those_that_are_waited_for_are_named(
    begun: list[Listed], world: AwsWorld, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    revoking = [replace(active(), user_id="carol").revoke(NOW + n * timedelta(minutes=1)) for n in (1, 0)]
    for connection in revoking:
        world.connections.add(connection)

    def end(*_: object) -> None:
        for connection in revoking:
            world.connections.save(connection, connection.end(Status.REVOKED, Revoked, NOW + timedelta(hours=1)))

    monkeypatch.setattr(SystemClock, "wait", end)
    assert main(["revoke-all", "--yes", "--wait", "--user", "carol"]) == 0
    printed = capsys.readouterr()
    longest, shorter = (connection.connection_id for connection in revoking[::-1])
    assert printed.err.splitlines()[1] == f"2 revoking; unchanged for longest: {longest}, {shorter}"
    assert printed.out.splitlines()[1].startswith("ended: 2 revoked, in ")


# ---- Until they have ended -------------------------------------------------------------------------------------------


class EventfulClock(FakeClock):
    """Each time that somebody waits, the next thing happens; when there is nothing left, nobody may wait."""

    def __init__(self, *happens: Callable[[datetime], None]) -> None:
        super().__init__(NOW)
        self._happens = iter(happens)

    def wait(self, time: timedelta) -> None:
        super().wait(time)
        next(self._happens)(self.now())


def test_whoever_waits_is_told_how_many_ended_in_which_time_and_when_the_last(
    world: AwsWorld, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, left_to_user = revoking = [active().revoke(NOW) for _ in range(3)]
    for connection in (*revoking, start().revoke(NOW)):
        world.connections.add(connection)

    def end(connection: Connection, status: Status) -> Callable[[datetime], None]:
        return lambda now: world.connections.save(connection, connection.end(status, Revoked, now))

    clock = EventfulClock(
        end(first, Status.REVOKED),
        end(second, Status.REVOKED),
        # Who connects meanwhile is not waited for.
        lambda now: world.connections.add(active()),
        end(left_to_user, Status.NEEDS_USER_ACTION),
    )
    monkeypatch.setattr(registry, "SystemClock", lambda: clock)
    monkeypatch.setattr(Operator, "executions", revocations("RUNNING"))
    assert main(["revoke-all", "--yes", "--wait"]) == 0
    assert clock.now() == NOW + 4 * PROGRESS
    assert capsys.readouterr().out.splitlines()[1:3] == [
        "ended: 2 revoked, 1 needs_user_action, in 40.0 s at most",
        f"the last of the 2 that are revoked ended at {NOW + 2 * PROGRESS:%Y-%m-%d %H:%M:%S} UTC",
    ]
