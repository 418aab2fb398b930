"""A connection goes on where its workflow was broken off, and nothing is done that the workflow would not have done."""

from argparse import Namespace
from types import SimpleNamespace
from typing import Any

import pytest

from fastkey.domain import errors
from fastkey.domain.connection import Connection
from fastkey.domain.event import PATIENCE
from fastkey.ops.executions import Workflow
from fastkey.ops.redrive import Stuck
from fastkey.ops.verbs.retry import retry, run
from tests.contract.given import NOW, active, claimed, detecting, start, unique
from tests.fakes.world import FakeWorld
from tests.ops.executions import FakeExecutions


def capturing() -> Connection:
    return claimed(detecting(), unique("key"))


PROVISIONING = {
    "detecting": detecting(),
    "capturing": capturing(),
    "verifying": capturing().verify(NOW),
    "closing": capturing().close(errors.SecretLost, NOW),
}

BROKEN_OFF = ("FAILED", "ABORTED", "TIMED_OUT")


@pytest.fixture
def world() -> FakeWorld:
    return FakeWorld()


@pytest.mark.parametrize("status", BROKEN_OFF)
@pytest.mark.parametrize("step", PROVISIONING)
def test_a_connection_on_its_way_goes_on(world: FakeWorld, step: str, status: str) -> None:
    connection, executions = PROVISIONING[step], FakeExecutions({Workflow.PROVISION_KEY: status})
    world.connections.add(connection)
    assert list(retry(world, executions, connection.connection_id)) == [f"ProvisionKey goes on: it was {status}"]
    assert executions.redriven == [Workflow.PROVISION_KEY]
    # The fence is as it was.
    assert world.connections.get(connection.connection_id) == connection


@pytest.mark.parametrize("status", BROKEN_OFF)
def test_a_revocation_goes_on_whatever_became_of_the_other_workflow(world: FakeWorld, status: str) -> None:
    revoking = active().revoke(NOW)
    world.connections.add(revoking)
    executions = FakeExecutions({Workflow.PROVISION_KEY: "FAILED", Workflow.REVOKE_KEY: status})
    assert list(retry(world, executions, revoking.connection_id)) == [
        "told: connection.activated",
        f"RevokeKey goes on: it was {status}",
    ]
    assert executions.redriven == [Workflow.REVOKE_KEY]


@pytest.mark.parametrize("status", ["RUNNING", "PENDING_REDRIVE"])
def test_what_is_under_way_is_left_alone(world: FakeWorld, status: str) -> None:
    connection, executions = detecting(), FakeExecutions({Workflow.PROVISION_KEY: status})
    world.connections.add(connection)
    (said,) = retry(world, executions, connection.connection_id)
    assert said.startswith("nothing to retry: ProvisionKey is under way")
    assert executions.redriven == []


@pytest.mark.parametrize(
    ("connection", "executions", "way_out"),
    [
        (detecting(), FakeExecutions(), "revoke the connection"),
        (detecting(), FakeExecutions({Workflow.PROVISION_KEY: "FAILED"}, late=True), "revoke the connection"),
        (detecting(), FakeExecutions({Workflow.PROVISION_KEY: "SUCCEEDED"}), "revoke the connection"),
        (active().revoke(NOW), FakeExecutions(), "revoke the connection"),
        (active().revoke(NOW), FakeExecutions({Workflow.REVOKE_KEY: "FAILED"}, late=True), "90 days"),
    ],
    ids=["forgotten", "late", "ended all the same", "revocation forgotten", "revocation late"],
)
def test_what_cannot_go_on_is_said_with_the_way_out(
    world: FakeWorld, connection: Connection, executions: FakeExecutions, way_out: str
) -> None:
    world.connections.add(connection)
    with pytest.raises(Stuck, match=way_out):
        list(retry(world, executions, connection.connection_id))
    assert executions.redriven == []


def test_what_was_told_is_said_although_the_connection_is_stuck(
    world: FakeWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    revoking = active().revoke(NOW)
    world.connections.add(revoking)
    operator: Any = SimpleNamespace(registry=world, executions=FakeExecutions())
    assert run(operator, Namespace(connection_id=revoking.connection_id)) == 1
    printed = capsys.readouterr()
    assert printed.out == "told: connection.activated\n"
    assert printed.err.startswith("revoking, and Step Functions has forgotten RevokeKey")


def test_what_nobody_told_is_told(world: FakeWorld) -> None:
    connection = active()
    world.connections.add(connection)
    assert list(retry(world, FakeExecutions(), connection.connection_id)) == ["told: connection.activated"]
    assert list(world.events.told) == list(connection.untold)
    (said,) = retry(world, FakeExecutions(), connection.connection_id)
    assert said == "nothing to retry: it is active, and everything of it is told"


def test_what_could_not_be_told_for_a_day_is_kept_for_replay(world: FakeWorld) -> None:
    connection = active()
    world.connections.add(connection)
    world.clock.advance(NOW + PATIENCE - world.clock.now())
    assert list(retry(world, FakeExecutions(), connection.connection_id)) == [
        "put into the queue: connection.activated"
    ]
    assert list(world.events.buried) == list(connection.untold)


def test_a_consent_is_waited_for_by_the_clock(world: FakeWorld) -> None:
    connection = start()
    world.connections.add(connection)
    (said,) = retry(world, FakeExecutions({Workflow.PROVISION_KEY: "FAILED"}), connection.connection_id)
    assert said == "nothing to retry: it waits for its user until 03:09:05 UTC, and is given up then"
