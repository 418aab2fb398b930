"""Between EventBridge Scheduler and a use case."""

import io
from collections.abc import Mapping
from datetime import timedelta

from fastkey.entry.schedule import scheduled
from fastkey.logging import about
from tests.logged import entries
from tests.unit.entry.events import LambdaContext


def test_a_run_has_the_time_that_lambda_gives() -> None:
    given: list[timedelta] = []

    @scheduled
    def handler(remaining: timedelta) -> Mapping[str, int]:
        given.append(remaining)
        return {"number": 1}

    handler({}, LambdaContext)
    assert given == [timedelta(seconds=240)]


def test_what_was_counted_is_the_answer_and_what_is_something_is_a_metric(lines: io.StringIO) -> None:
    @scheduled
    def handler(_: timedelta) -> Mapping[str, int]:
        about("connection-1")
        return {"guard_keys.alive": 3, "guard_keys.dead": 0}

    assert handler({}, LambdaContext) == {"guard_keys.alive": 3, "guard_keys.dead": 0}
    (entry,) = entries(lines.getvalue())
    assert entry["_aws"]["CloudWatchMetrics"][0]["Metrics"] == [{"Name": "guard_keys.alive", "Unit": "Count"}]
    assert entry["guard_keys.alive"] == 3
    assert "connection_id" not in entry


def test_what_an_alarm_compares_with_another_is_a_metric_even_if_it_is_nothing(lines: io.StringIO) -> None:
    @scheduled
    def handler(_: timedelta) -> Mapping[str, int]:
        return {"guard_keys.alive": 0, "guard_keys.refused": 3}

    handler({}, LambdaContext)
    (entry,) = entries(lines.getvalue())
    assert (entry["guard_keys.alive"], entry["guard_keys.refused"]) == (0, 3)
