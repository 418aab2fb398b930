"""The dashboard of the template: its widgets, and what each line of them shows of metrics."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.operations.alarms import resolve
from tests.operations.cloudwatch import Metric, Metrics, reckon
from tests.template import translated


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a graph: a metric's statistic, or an expression over the others."""

    label: str
    id: str
    is_visible: bool
    statistic: str
    metric: Metric | None
    expression: str | None

    @classmethod
    def parse(cls, written: Sequence[Any]) -> "Line":
        """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html"""
        *names, options = written
        metric = None
        if names:
            namespace, name, *pairs = names
            metric = Metric(namespace, name, frozenset(zip(pairs[::2], pairs[1::2], strict=True)))
        return cls(
            options["label"],
            options.get("id", ""),
            options.get("visible", True),
            options.get("stat", ""),
            metric,
            options.get("expression"),
        )


@dataclass(frozen=True, slots=True)
class Widget:
    """A part of the dashboard, at a place of its grid. alarms: the logical ids of those that it shows."""

    place: tuple[int, int, int, int]
    title: str
    lines: tuple[Line, ...]
    alarms: tuple[str, ...]
    is_stacked: bool

    @classmethod
    def parse(cls, written: Mapping[str, Any]) -> "Widget":
        properties = written["properties"]
        x, y, width, height = (written[name] for name in ("x", "y", "width", "height"))
        return cls(
            (x, y, width, height),
            properties["title"],
            tuple(map(Line.parse, properties.get("metrics", ()))),
            tuple(properties.get("alarms", ())),
            properties.get("stacked", False),
        )

    def series(
        self, metrics: Metrics, start: datetime, end: datetime, period: timedelta
    ) -> Iterator[tuple[str, list[float | None]]]:
        """What each visible line shows, period by period: its label and its values."""
        moments = [start + n * period for n in range((end - start) // period)]
        points = [self._values(metrics, moment, period) for moment in moments]
        for number, line in enumerate(self.lines):
            if line.is_visible:
                yield line.label, [values[number] for values in points]

    def _values(self, metrics: Metrics, moment: datetime, period: timedelta) -> list[float | None]:
        known = {
            line: metrics.statistic(line.metric, line.statistic, moment, period) if line.metric else None
            for line in self.lines
        }
        by_id = {line.id: value for line, value in known.items()}
        return [reckon(line.expression, by_id) if line.expression else value for line, value in known.items()]


def widgets() -> list[Widget]:
    """Those of the template's dashboard."""
    (dashboard,) = [body for body in translated().values() if body.type == "AWS::CloudWatch::Dashboard"]
    return [Widget.parse(each) for each in json.loads(resolve(dashboard.properties)["DashboardBody"])["widgets"]]
