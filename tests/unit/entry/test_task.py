"""Between a state machine and a use case."""

import traceback
from datetime import timedelta
from typing import Any

import pytest

from fastkey.domain.errors import CATALOGUE, FastkeyError, KeyGone, Unexpected
from fastkey.entry.task import Task, outcome, task
from tests.fakes.system import FakeClock
from tests.unit.entry.events import LambdaContext
from tests.unit.journey import Journey

CANARY = "canary-9f2c"


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


@pytest.mark.parametrize("error", CATALOGUE.values(), ids=CATALOGUE)
def test_an_error_leaves_under_its_name_with_a_constant_text(error: type[FastkeyError]) -> None:
    @task
    def handler(_: Task) -> dict[str, Any]:
        raise error

    with pytest.raises(error) as caught:
        handler({"connection_id": "connection-1"}, LambdaContext)
    assert (type(caught.value), str(caught.value)) == (error, error.text)


@pytest.mark.parametrize("raised", [ValueError(CANARY), KeyError(CANARY)])
def test_what_nobody_foresaw_leaves_as_unexpected_and_says_nothing_of_itself(raised: Exception) -> None:
    @task
    def handler(_: Task) -> dict[str, Any]:
        raise raised

    with pytest.raises(Unexpected) as caught:
        handler({"connection_id": "connection-1"}, LambdaContext)
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_a_state_machine_learns_of_a_connection_how_it_stands(journey: Journey) -> None:
    assert outcome(journey.activate().connection) == {"status": "active", "reason": None}
