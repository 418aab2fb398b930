"""Schedules of EventBridge Scheduler's that invoke a function.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-scheduler-schedule.html
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from local.aws.template import TemplateError, Value, require_known

_RATE = re.compile(r"rate\(([1-9]\d*) minutes?\)")


@dataclass(frozen=True, slots=True)
class Schedule:
    """A function (its ARN) that is invoked by a role (its name) with an event (JSON text), once in so many seconds."""

    function: str
    role: str
    event: str
    seconds: float

    @classmethod
    def parse(cls, where: str, properties: Mapping[str, Value]) -> Self:
        """The schedule of which these are the properties. Raises TemplateError for what the local world does not do."""
        target, rate = properties["Target"], properties["ScheduleExpression"]
        require_known(where, properties, {"FlexibleTimeWindow", "Name", "ScheduleExpression", "Target"})
        require_known(where, [properties["FlexibleTimeWindow"]["Mode"]], {"OFF"})
        require_known(where, target, {"Arn", "Input", "RetryPolicy", "RoleArn"})
        # Every invocation reaches its function here, so none is tried again.
        require_known(where, target.get("RetryPolicy", {}), {"MaximumEventAgeInSeconds", "MaximumRetryAttempts"})
        minutes = _RATE.fullmatch(rate)
        if minutes is None:
            raise TemplateError(f"{where}: the local world knows rates in minutes only, not {rate}")
        role = target["RoleArn"].rpartition("/")[2]
        return cls(target["Arn"], role, target.get("Input", "{}"), int(minutes[1]) * 60)
