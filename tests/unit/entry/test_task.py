"""Between a state machine and a use case."""

from datetime import timedelta
from typing import Any

import pytest

from fastkey.domain.errors import FastkeyError, KeyGone, Unexpected
from fastkey.entry.task import Task, outcome, task
from tests.fakes.system import FakeClock
from tests.unit.entry.events import LambdaContext
from tests.unit.journey import Journey


def seen(event: dict[str, Any]) -> Task:
    """The step that a handler makes of the event."""
    steps: list[Task] = []

    @task
    def handler(step: Task) -> dict[str, Any]:
        steps.append(step)
        return {}

    handler(event, LambdaContext)
    return steps[0]


def test_a_step_knows_its_connection_and_nothing_else_unless_told() -> None:
    step = seen({"connection_id": "connection-1"})
    assert (step.connection_id, step.cause, step.leave_to_user) == ("connection-1", Unexpected, False)


@pytest.mark.parametrize(("name", "cause"), [("KeyGone", KeyGone), ("Lambda.Unknown", Unexpected)])
def test_a_step_knows_why_it_undoes(name: str, cause: type[FastkeyError]) -> None:
    step = seen({"connection_id": "connection-1", "cause": name, "leave_to_user": True})
    assert (step.cause, step.leave_to_user) == (cause, True)


def test_a_step_has_the_time_that_lambda_gives() -> None:
    clock = FakeClock()
    assert seen({"connection_id": "connection-1"}).deadline(clock) == clock.now() + timedelta(seconds=240)


def test_a_state_machine_learns_of_a_connection_how_it_stands(journey: Journey) -> None:
    assert outcome(journey.activate().connection) == {"status": "active", "reason": None}
