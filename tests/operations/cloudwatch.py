"""CloudWatch, as far as alarms and the dashboard go: metrics are kept, summed up by periods, and reckoned with.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html
"""

import ast
import operator
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from statistics import fmean
from typing import Any


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric by its whole name: another set of dimensions is another metric."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]] = frozenset()


class Metrics:
    """What was written, by the time at which it was."""

    def __init__(self) -> None:
        self._values: defaultdict[Metric, list[tuple[datetime, float]]] = defaultdict(list)

    def put(self, namespace: str, name: str, value: float, at: datetime, **dimensions: str) -> None:
        written = self._values[Metric(namespace, name, frozenset(dimensions.items()))]
        insort(written, (at, value), key=itemgetter(0))

    def read(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """Takes what is in lines of the embedded metric format; other lines have none."""
        for entry in entries:
            for directive in entry.get("_aws", {}).get("CloudWatchMetrics", ()):
                at = datetime.fromtimestamp(entry["_aws"]["Timestamp"] / 1000, UTC)
                for names in directive["Dimensions"]:
                    dimensions = {name: str(entry[name]) for name in names}
                    for metric in directive["Metrics"]:
                        self.put(directive["Namespace"], metric["Name"], entry[metric["Name"]], at, **dimensions)

    def names(self) -> set[Metric]:
        """The metrics of which something was written."""
        return set(self._values)

    def statistic(self, metric: Metric, statistic: str, start: datetime, period: timedelta) -> float | None:
        """The statistic of what was written in the period that starts then; None where nothing was."""
        written = self._values.get(metric, [])
        first, end = (bisect_left(written, at, key=itemgetter(0)) for at in (start, start + period))
        values = [value for _, value in written[first:end]]
        return _STATISTICS[statistic](values) if values else None


def _percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


_STATISTICS: Mapping[str, Callable[[list[float]], float]] = {
    "Average": fmean,
    "Maximum": max,
    "Minimum": min,
    "SampleCount": len,
    "Sum": sum,
    "p50": lambda values: _percentile(values, 0.5),
    "p95": lambda values: _percentile(values, 0.95),
}


# ---- Metric math -----------------------------------------------------------------------------------------------------

_OPERATORS: Mapping[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.GtE: operator.ge,
}


def reckon(expression: str, values: Mapping[str, float | None]) -> float | None:
    """What an expression makes of the values of one period, by their ids. What is missing makes missing what depends on
    it: of a sum AWS says otherwise, but not whether that holds of a metric of which there is nothing at all; nor what
    FILL makes of such a one, which is not known here. Raises ValueError for what is not known here.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
    """
    return _reckon(ast.parse(expression, mode="eval").body, values)


def _reckon(node: ast.expr, values: Mapping[str, float | None]) -> float | None:
    match node:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.Name(id=name):
            return values[name]
        case ast.BinOp(left=left, op=sign, right=right) | ast.Compare(left=left, ops=[sign], comparators=[right]):
            operands = _reckon(left, values), _reckon(right, values)
            return None if None in operands else _apply(sign, *operands)  # type: ignore[arg-type]
        case ast.Call(func=ast.Name(id="IF"), args=[condition, then, otherwise]):
            decided = _reckon(condition, values)
            return None if decided is None else _reckon(then if decided else otherwise, values)
        case _:
            raise ValueError(f"{ast.unparse(node)} is not known here")


def _apply(sign: ast.operator | ast.cmpop, left: float, right: float) -> float | None:
    # CloudWatch leaves out what is divided by nothing.
    return None if isinstance(sign, ast.Div) and not right else _OPERATORS[type(sign)](left, right)
