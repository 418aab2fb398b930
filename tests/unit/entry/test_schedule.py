"""Between EventBridge Scheduler and a use case."""

import json
from collections.abc import Mapping
from datetime import timedelta

import pytest

from fastkey.entry.schedule import scheduled
from tests.unit.entry.events import LambdaContext


def test_a_run_has_the_time_that_lambda_gives() -> None:
    given: list[timedelta] = []

    @scheduled
    def handler(remaining: timedelta) -> Mapping[str, int]:
        given.append(remaining)
        return {"number": 1}

    handler({}, LambdaContext)
    assert given == [timedelta(seconds=240)]


def test_what_was_counted_is_the_answer_and_a_metric_of_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """The embedded metric format:
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """

    @scheduled
    def handler(_: timedelta) -> Mapping[str, int]:
        return {"guard_keys.alive": 3, "guard_keys.dead": 0}

    assert handler({}, LambdaContext) == {"guard_keys.alive": 3, "guard_keys.dead": 0}
    (line,) = capsys.readouterr().out.splitlines()
    entry = json.loads(line)
    (directive,) = entry["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "fastkey"
    assert directive["Metrics"] == [
        {"Name": "guard_keys.alive", "Unit": "Count"},
        {"Name": "guard_keys.dead", "Unit": "Count"},
    ]
    assert (entry["guard_keys.alive"], entry["guard_keys.dead"]) == ([3.0], [0.0])
    assert {name for names in directive["Dimensions"] for name in names} <= set(entry)


def test_runs_of_one_environment_are_counted_apart(capsys: pytest.CaptureFixture[str]) -> None:
    counts = iter((1, 2))

    @scheduled
    def handler(_: timedelta) -> Mapping[str, int]:
        return {"number": next(counts)}

    for _ in range(2):
        handler({}, LambdaContext)
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["number"] for line in lines] == [[1.0], [2.0]]
