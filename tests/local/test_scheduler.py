"""Schedules: which are known, how one fires, and how all of them do by themselves."""

import logging
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws.policy import Call, Permission
from local.aws.schedule import Schedule
from local.aws.server import Aws
from local.aws.stack import Stack
from local.aws.template import TemplateError
from local.scheduler import FiringError, firing, invoke
from tests.until import until

FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:shop-Echo"
SOON = Schedule(FUNCTION, "shop-EchoEveryRole", "{}", 0.001)


def properties(target: dict[str, Any] | None = None, **others: Any) -> dict[str, Any]:
    return {
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "ScheduleExpression": "rate(1 minute)",
        "Target": {"Arn": FUNCTION, "RoleArn": "arn:aws:iam::123456789012:role/shop-EchoEveryRole", **(target or {})},
        **others,
    }


@pytest.mark.parametrize(("rate", "seconds"), [("rate(1 minute)", 60), ("rate(5 minutes)", 300)])
def test_a_rate_is_in_minutes(rate: str, seconds: int) -> None:
    assert Schedule.parse("Every", properties(ScheduleExpression=rate)).seconds == seconds


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"ScheduleExpression": "rate(1 hour)"}, r"rate\(1 hour\)"),
        ({"ScheduleExpression": "rate(0 minutes)"}, r"rate\(0 minutes\)"),
        ({"ScheduleExpression": "cron(0 8 * * ? *)"}, "cron"),
        ({"ScheduleExpression": "at(2026-05-01T08:00:00)"}, "at"),
        ({"State": "DISABLED"}, "State"),
        ({"StartDate": "2026-05-01T08:00:00Z"}, "StartDate"),
        ({"FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 5}}, "FLEXIBLE"),
        ({"target": {"DeadLetterConfig": {}}}, "DeadLetterConfig"),
        ({"target": {"RetryPolicy": {"Backoff": 2}}}, "Backoff"),
    ],
)
def test_a_schedule_that_the_local_world_would_not_keep_is_an_error(changed: dict[str, Any], named: str) -> None:
    with pytest.raises(TemplateError, match=f"Every: .*{named}"):
        Schedule.parse("Every", properties(**changed))


def test_the_templates_schedules_are_known_by_their_functions(stack: Stack) -> None:
    schedules = {name: (schedule.event, schedule.seconds) for name, schedule in stack.schedules.items()}
    assert schedules == {"Echo": ("{}", 300), "Misbehave": ('{"do": "raise"}', 60)}


def test_a_schedule_fires_by_a_role_that_may_invoke_its_function_and_nothing_else(stack: Stack, aws: Aws) -> None:
    schedule = stack.schedules["Echo"]
    assert invoke(schedule, aws.client) == {"event": {}}
    judgement = aws.guard.judgements[-1]
    assert (judgement.role, judgement.call) == (schedule.role, Call("lambda:InvokeFunction", schedule.function))
    assert aws.guard.roles[schedule.role] == (Permission("", "lambda:InvokeFunction", schedule.function),)


def test_a_schedule_does_not_fire_by_a_role_that_may_not(stack: Stack, aws: Aws) -> None:
    with pytest.raises(ClientError, match="not authorized to perform: lambda:InvokeFunction"):
        invoke(replace(stack.schedules["Echo"], role=stack.schedules["Misbehave"].role), aws.client)


def test_a_function_that_fails_when_it_is_fired_is_an_error_that_is_named(stack: Stack, aws: Aws) -> None:
    with pytest.raises(FiringError, match="shop-Misbehave: ValueError: "):
        invoke(stack.schedules["Misbehave"], aws.client)


def test_nothing_fires_by_itself_before_its_time() -> None:
    fired: list[str] = []
    with firing({"later": replace(SOON, seconds=3600), "soon": SOON}, fired.append):
        until(lambda: len(fired) > 1)
    assert set(fired) == {"soon"}


def test_every_schedule_fires_again_and_again_also_after_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    fired: Counter[str] = Counter()

    def fire(name: str) -> None:
        fired[name] += 1
        raise FiringError(f"{name} has failed")

    with caplog.at_level(logging.ERROR, "local.scheduler"), firing({"one": SOON, "other": SOON}, fire):
        until(lambda: min(fired["one"], fired["other"]) > 2)
    assert {"one has failed", "other has failed"} <= set(caplog.messages)
