"""The metric filters of the template, as CloudWatch applies them to lines of JSON.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.operations.alarms import resolve
from tests.operations.cloudwatch import Metric
from tests.template import translated

# What of a pattern is written otherwise in Python, which reads it here.
_IN_PYTHON = {"&&": "and", "||": "or", " = ": " == ", "$.": "line."}


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter, and what it counts of each line that matches."""

    pattern: str
    metric: Metric
    value: float

    def matches(self, line: Mapping[str, Any]) -> bool:
        """Raises ValueError for a pattern that is not known here."""
        pattern = self.pattern.strip("{ }")
        for theirs, pythons in _IN_PYTHON.items():
            pattern = pattern.replace(theirs, pythons)
        return _matches(ast.parse(pattern, mode="eval").body, line)


def _matches(node: ast.expr, line: Mapping[str, Any]) -> bool:
    match node:
        case ast.BoolOp(op=ast.And(), values=parts):
            return all(_matches(part, line) for part in parts)
        case ast.BoolOp(op=ast.Or(), values=parts):
            return any(_matches(part, line) for part in parts)
        case ast.Compare(left=field, ops=[ast.Eq()], comparators=[ast.Constant(value=value)]):
            return bool(_value(field, line) == value)
        case _:
            raise ValueError(f"{ast.unparse(node)} is not known here")


def _value(field: ast.expr, line: Mapping[str, Any]) -> Any:
    """What a line has there, or None."""
    match field:
        case ast.Name(id="line"):
            return line
        case ast.Attribute(value=outer, attr=name):
            found = _value(outer, line)
            return found.get(name) if isinstance(found, Mapping) else None
        case _:
            raise ValueError(f"{ast.unparse(field)} is not known here")


@cache
def filters() -> tuple[Filter, ...]:
    """Those of the template."""
    return tuple(
        Filter(
            resolved["FilterPattern"],
            Metric(counted["MetricNamespace"], counted["MetricName"]),
            float(counted["MetricValue"]),
        )
        for body in translated().values()
        if body.type == "AWS::Logs::MetricFilter"
        for resolved in [resolve(body.properties)]
        for counted in resolved["MetricTransformations"]
    )
