"""The alarms of the template, as CloudWatch evaluates them.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
"""

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from local.aws.intrinsics import Resolver
from tests.operations.cloudwatch import Metric, Metrics, reckon
from tests.template import PARAMETERS, REGION, WRITTEN, translated

STACK = "fastkey"
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)

_BREACHES: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
}
_MISSING = {"breaching": True, "notBreaching": False}


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm. properties: as the template has them, resolved."""

    name: str
    properties: Mapping[str, Any]

    @property
    def period(self) -> timedelta:
        periods = {each["MetricStat"]["Period"] for each in self._queries()}
        (seconds,) = periods or {self.properties["Period"]}
        return timedelta(seconds=seconds)

    def metrics(self) -> Iterator[Metric]:
        """What it looks at."""
        for each in self._queries():
            yield metric_of(each["MetricStat"]["Metric"])
        if "MetricName" in self.properties:
            yield metric_of(self.properties)

    def is_raised(self, metrics: Metrics, now: datetime) -> bool:
        """Whether it is in ALARM: enough of the last periods that are over breach the threshold."""
        over = EPOCH + (now - EPOCH) // self.period * self.period
        evaluated = self.properties["EvaluationPeriods"]
        breaching = sum(self._breaches(metrics, over - n * self.period) for n in range(1, evaluated + 1))
        return bool(breaching >= self.properties.get("DatapointsToAlarm", evaluated))

    def _breaches(self, metrics: Metrics, start: datetime) -> bool:
        value = self._value(metrics, start)
        if value is None:
            return _MISSING[self.properties["TreatMissingData"]]
        return _BREACHES[self.properties["ComparisonOperator"]](value, self.properties["Threshold"])

    def _value(self, metrics: Metrics, start: datetime) -> float | None:
        if "MetricName" in self.properties:
            return metrics.statistic(metric_of(self.properties), self.properties["Statistic"], start, self.period)
        values = {
            each["Id"]: metrics.statistic(
                metric_of(each["MetricStat"]["Metric"]), each["MetricStat"]["Stat"], start, self.period
            )
            for each in self._queries()
        }
        (result,) = [each for each in self.properties["Metrics"] if each.get("ReturnData", True)]
        return reckon(result["Expression"], values)

    def _queries(self) -> list[Mapping[str, Any]]:
        return [each for each in self.properties.get("Metrics", ()) if "MetricStat" in each]


def metric_of(properties: Mapping[str, Any]) -> Metric:
    """The metric that these properties name."""
    dimensions = {(each["Name"], each["Value"]) for each in properties.get("Dimensions", ())}
    return Metric(properties["Namespace"], properties["MetricName"], frozenset(dimensions))


@cache
def alarms() -> Mapping[str, Alarm]:
    """The alarms of the template, by their logical ids."""
    return {
        name: Alarm(name, resolve(resource.properties))
        for name, resource in translated().items()
        if resource.type == "AWS::CloudWatch::Alarm"
    }


def resolve(properties: Any) -> Any:
    """The properties of a resource of the template in a stack in which each other has its logical id for a name."""
    pseudo = {
        "AWS::AccountId": "123456789012",
        "AWS::Partition": "aws",
        "AWS::Region": REGION,
        "AWS::StackName": STACK,
    }
    given = {**PARAMETERS, "AlarmTopicArn": f"arn:aws:sns:{REGION}:123456789012:alarms"}
    return Resolver({**given, **pseudo}, WRITTEN["Conditions"], str, lambda name, _: name).resolve(properties)
