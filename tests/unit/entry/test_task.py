"""Between a state machine and a use case."""

import io
from datetime import timedelta
from typing import Any

import pytest

from fastkey.domain.errors import FastkeyError, KeyGone, Unexpected
from fastkey.entry.task import Task, outcome, task
from tests.fakes.system import FakeClock
from tests.logged import entries
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


def test_what_is_no_step_is_a_defect_that_is_counted(lines: io.StringIO) -> None:
    with pytest.raises(Unexpected):
        seen({"connection": "of another form"})
    (entry,) = entries(lines.getvalue())
    assert (entry["message"], entry["error"], entry["defects"]) == ("defect", "KeyError", 1)
    assert entry["invocation_id"] == LambdaContext.aws_request_id
    assert "another form" not in lines.getvalue()


def test_an_error_leaves_without_the_lines_that_it_came_through() -> None:
    @task
    def handler(_: Task) -> dict[str, Any]:
        raise KeyGone

    with pytest.raises(KeyGone) as raised:
        handler({"connection_id": "connection-1"}, LambdaContext)
    assert [frame.name for frame in raised.traceback][1:] == ["handler", "__exit__"]


def test_a_state_machine_learns_of_a_connection_how_it_stands(journey: Journey) -> None:
    assert outcome(journey.activate().connection) == {"status": "active", "reason": None}
