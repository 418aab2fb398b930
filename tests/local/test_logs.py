"""What functions write lies in the log groups that the template gives them."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from local.aws.logs import LogGroups
from local.aws.server import Aws
from local.aws.stack import Stack
from tests.local.conftest import REGION


def test_a_functions_lines_lie_in_its_group_in_a_stream_of_its_own(stack: Stack, aws: Aws) -> None:
    logs, client = LogGroups(REGION), aws.client("logs")
    client.create_log_group(logGroupName="lines")
    for logical_id, spec in stack.functions.items():
        logs.write(replace(spec, log_group="lines"), f"a line of {logical_id}")
    lines = client.filter_log_events(logGroupName="lines")["events"]
    assert {line["logStreamName"]: line["message"] for line in lines} == {
        spec.name: f"a line of {logical_id}" for logical_id, spec in stack.functions.items()
    }


def test_a_line_of_json_lies_there_under_its_own_time(stack: Stack, aws: Aws) -> None:
    logs, client = LogGroups(REGION), aws.client("logs")
    client.create_log_group(logGroupName="times")
    spec = replace(next(iter(stack.functions.values())), log_group="times")
    said = datetime.now(UTC).replace(microsecond=619000) - timedelta(minutes=1)
    logs.write(spec, json.dumps({"timestamp": said.isoformat(timespec="milliseconds")}))
    (line,) = client.filter_log_events(logGroupName="times")["events"]
    assert datetime.fromtimestamp(line["timestamp"] / 1000, UTC) == said


def test_a_line_for_a_group_that_is_not_there_is_lost(stack: Stack) -> None:
    spec = replace(next(iter(stack.functions.values())), log_group="of-nobody")
    LogGroups(REGION).write(spec, "said after the end")
