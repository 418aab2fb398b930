"""The runbook and what operators are given: each names what there is, and all of it."""

import re
from collections import Counter
from dataclasses import fields
from html import escape
from inspect import signature

import pytest

from fastkey import metrics
from fastkey.logging import log
from fastkey.usecases.guard_keys import Finding
from fastkey.usecases.keep_tokens import Kept
from tests.operations.alarms import STACK, alarms
from tests.operations.cloudwatch import Metric
from tests.operations.dashboard import Line, widgets
from tests.operations.filters import filters
from tests.template import ROOT, WRITTEN

RUNBOOK = (ROOT / "docs/runbook.md").read_text()

METRICS = {
    *metrics.ARRIVALS.values(),
    metrics.DETECTED_SECONDS,
    "detect_key.looks",
    metrics.COMPENSATED,
    metrics.UNHELD,
    metrics.IN_ESCROW,
    *(f"guard_keys.{finding}" for finding in Finding),
    *(f"keep_tokens.{field.name}" for field in fields(Kept)),
    "defects",
    "functions.broken",
}

# What AWS counts, by the dimensions by which it does.
OF_AWS: dict[tuple[str, tuple[str, ...]], set[str]] = {
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html
    ("AWS/ApiGateway", ("ApiId",)): {"4xx", "5xx", "Count", "IntegrationLatency", "Latency"},
    # https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    ("AWS/Lambda", ()): {"ConcurrentExecutions", "Errors", "Invocations", "Throttles"},
    ("AWS/Lambda", ("FunctionName",)): {"Duration", "Errors", "Invocations", "Throttles"},
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    ("AWS/SQS", ("QueueName",)): {"ApproximateNumberOfMessagesVisible"},
    # https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html
    ("AWS/States", ("StateMachineArn",)): {"ExecutionsFailed", "ExecutionsStarted", "ExecutionsSucceeded"},
}

# What CloudWatch, Lambda and Step Functions add to lines.
OF_OTHERS = {"@timestamp", "message", "type", "execution_arn", "_aws.Timestamp"}
OF_EACH_LINE = {"function", "invocation_id", "connection_id"}


# What CloudWatch counts of lines that others write.
FILTERED = {each.metric for each in filters()}


def is_written(metric: Metric) -> bool:
    """Whether somebody writes it: fastkey for the deployment, or AWS."""
    if metric in FILTERED:
        return True
    if metric.namespace == "fastkey":
        return metric.name in METRICS and metric.dimensions == {("service", STACK)}
    return metric.name in OF_AWS[metric.namespace, tuple(name for name, _ in metric.dimensions)]


def section(heading: str) -> str:
    """What is under a heading, down to the next of its level."""
    level = "#" * (len(heading) - len(heading.lstrip("#")))
    return RUNBOOK.split(f"\n{heading}\n")[1].split(f"\n{level} ")[0]


def test_every_metric_is_explained_and_every_one_that_is_explained_there_is() -> None:
    rows = [line.split("|")[1] for line in section("## What is counted").splitlines() if line.startswith("| `")]
    named = [name for row in rows for name in re.findall(r"`([a-z_.]+)`", row)]
    assert sorted(named) == sorted(METRICS)


QUERIES = {
    name: body["Properties"]["QueryString"]
    for name, body in WRITTEN["Resources"].items()
    if body["Type"] == "AWS::Logs::QueryDefinition"
}


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_asks_for_what_lines_have(name: str) -> None:
    made = {"connections"}
    words = set(re.findall(r"[@_a-zA-Z.]+", re.sub(r'"[^"]*"', "", QUERIES[name])))
    language = {"fields", "filter", "sort", "limit", "stats", "count", "as", "by", "asc", "desc", "or", "and", "like"}
    language |= {"ispresent"}
    assert words - language - made <= OF_OTHERS | OF_EACH_LINE | set(signature(log).parameters)


def test_the_story_of_a_connection_is_asked_for_as_the_runbook_shows_it() -> None:
    assert f"```\n{QUERIES['ConnectionStory']}```" in RUNBOOK


ALARMS = alarms()
ENTRIES = dict(re.findall(r"### (\w+)\n\n(.*?)(?=\n##|\Z)", section("## Alarms"), re.DOTALL))

PARTS = ["It means", "Look", "Do", "It is over"]


def test_every_alarm_has_an_entry_and_every_entry_an_alarm() -> None:
    assert sorted(ENTRIES) == sorted(ALARMS)


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_says_where_to_read_and_there_it_says_what_to_do(name: str) -> None:
    assert ALARMS[name].properties["AlarmDescription"].endswith(f"docs/runbook.md#{name.lower()}")
    assert re.findall(r"^- \*\*(.*?)\*\*", ENTRIES[name], re.MULTILINE) == PARTS


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_looks_at_what_is_written(name: str) -> None:
    for metric in ALARMS[name].metrics():
        assert is_written(metric), metric


SHOWN = [(widget.title, line) for widget in widgets() for line in widget.lines if line.metric]


@pytest.mark.parametrize(("title", "line"), SHOWN, ids=lambda value: value if isinstance(value, str) else value.label)
def test_the_dashboard_shows_what_is_written(title: str, line: Line) -> None:
    assert line.metric
    assert is_written(line.metric), title


def test_the_dashboard_shows_every_alarm_and_no_widget_covers_another() -> None:
    assert sorted(name for widget in widgets() for name in widget.alarms) == sorted(ALARMS)
    places = [widget.place for widget in widgets()]
    covered = [(x + across, y + down) for x, y, w, h in places for across in range(w) for down in range(h)]
    assert len(covered) == len(set(covered))


def test_the_picture_is_of_the_dashboard_that_there_is() -> None:
    words = re.findall(r"<text[^>]*>([^<]+)</text>", (ROOT / "docs/dashboard.svg").read_text())
    titles = [widget.title for widget in widgets()]
    labels = [line.label for widget in widgets() for line in widget.lines if line.is_visible]
    assert Counter(map(escape, [*titles, *labels, *ALARMS])) - Counter(words) == Counter()


def test_what_it_costs_is_counted() -> None:
    looked_at = sum(1 for alarm in ALARMS.values() for _ in alarm.metrics())
    costs = section("## What this costs")
    assert f"There are {len(METRICS)} metrics" in costs
    assert f"The {len(ALARMS)} alarms look at {looked_at} metrics: ${looked_at * 0.1:.2f}." in costs
