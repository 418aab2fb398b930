"""What runs by the clock: one run at a time, none of which is tried again, for what was due is due in the next."""

import re
from datetime import timedelta
from typing import Any

import pytest

from fastkey.usecases.guard_keys import TIME_TO_LOOK
from fastkey.usecases.keep_tokens import TIME_TO_REFRESH
from local.aws.template import Resource
from tests.template import WRITTEN, translated

# How long before the end of a run it begins nothing more.
LAST = {"GuardKeys": TIME_TO_LOOK, "KeepTokens": TIME_TO_REFRESH}

DEFAULT = WRITTEN["Globals"]["Function"]["Timeout"]
RESOURCES = translated()
SCHEDULES = {name: body.properties for name, body in RESOURCES.items() if body.type == "AWS::Scheduler::Schedule"}
EACH = pytest.mark.parametrize("schedule", SCHEDULES)


def function_of(schedule: str) -> str:
    """The logical id of the function that it invokes."""
    target: dict[str, Any] = SCHEDULES[schedule]["Target"]
    alias = RESOURCES[target["Arn"]["Ref"]]
    return str(alias.properties["FunctionName"]["Ref"])


def of_invocations(function: str) -> Resource:
    """How Lambda goes about what is invoked by somebody who does not wait for it."""
    ref = {"Ref": function}
    configs = [body for body in RESOURCES.values() if body.type == "AWS::Lambda::EventInvokeConfig"]
    (config,) = [body for body in configs if body.properties["FunctionName"] == ref]
    assert config.properties["Qualifier"] == "live"
    return config


def test_there_are_some() -> None:
    assert {function_of(schedule) for schedule in SCHEDULES} == {"GuardKeys", "KeepTokens"}


@EACH
def test_a_run_begins_nothing_once_the_next_has_begun(schedule: str) -> None:
    minutes = re.fullmatch(r"rate\((\d+) minutes?\)", SCHEDULES[schedule]["ScheduleExpression"])
    assert minutes
    timeout = timedelta(seconds=RESOURCES[function_of(schedule)].properties.get("Timeout", DEFAULT))
    assert timeout - LAST[function_of(schedule)] <= timedelta(minutes=int(minutes[1]))
    # Within a window, one could begin late and the next early.
    assert SCHEDULES[schedule]["FlexibleTimeWindow"] == {"Mode": "OFF"}


@EACH
def test_a_run_is_not_tried_again_neither_by_the_schedule_nor_by_lambda(schedule: str) -> None:
    """EventBridge Scheduler does not wait for a function, and what nobody waits for Lambda tries twice again:
    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
    """
    assert SCHEDULES[schedule]["Target"]["RetryPolicy"]["MaximumRetryAttempts"] == 0
    assert of_invocations(function_of(schedule)).properties["MaximumRetryAttempts"] == 0


@EACH
def test_a_schedule_has_no_name_that_another_deployment_has_as_well(schedule: str) -> None:
    """SAM gives it the name of its logical id, and an account's schedules of a region are in one group."""
    assert "Name" not in SCHEDULES[schedule]
