"""The runbook and what operators are given: each names what there is, and all of it."""

import re
from dataclasses import fields
from inspect import signature

import pytest

from fastkey import metrics
from fastkey.logging import log
from fastkey.usecases.guard_keys import Finding
from fastkey.usecases.keep_tokens import Kept
from tests.template import ROOT, WRITTEN

RUNBOOK = (ROOT / "docs/runbook.md").read_text()

METRICS = {
    *metrics.ARRIVALS.values(),
    metrics.DETECTED_SECONDS,
    metrics.COMPENSATED,
    metrics.UNHELD,
    metrics.IN_ESCROW,
    *(f"guard_keys.{finding}" for finding in Finding),
    *(f"keep_tokens.{field.name}" for field in fields(Kept)),
    "defects",
}

# What CloudWatch, Lambda and Step Functions add to lines.
OF_OTHERS = {"@timestamp", "message", "type", "execution_arn", "_aws.Timestamp"}
OF_EACH_LINE = {"function", "invocation_id", "connection_id"}


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
