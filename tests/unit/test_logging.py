"""What is logged: the names of things, and never what a caller or an error brought along."""

import io
import re
import time
from typing import Any

import pytest

from fastkey import logging
from tests.logged import entries

CANARY = "canary-9f2c"


def only(lines: io.StringIO) -> dict[str, Any]:
    (entry,) = entries(lines.getvalue())
    return entry


def test_an_event_is_one_line_of_json(lines: io.StringIO) -> None:
    logging.log("GET /connections", request_id="request-1", status="200")
    entry = only(lines)
    assert (entry["level"], entry["message"]) == ("INFO", "GET /connections")
    assert (entry["request_id"], entry["status"]) == ("request-1", "200")
    assert not {"code", "version", "event_id", "_aws"} & set(entry)


def test_a_line_has_its_time_in_the_form_in_which_lambda_takes_time_and_level_from_it(lines: io.StringIO) -> None:
    """RFC 3339, section 5.6."""
    logging.log("GET /connections")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d", only(lines)["timestamp"])


def test_a_line_names_its_invocation_and_the_connection_that_it_is_about(lines: io.StringIO) -> None:
    logging.begin("function", "invocation-1")
    logging.log("before")
    logging.about("connection-1")
    logging.log("meanwhile")
    logging.begin("function", "invocation-2")
    logging.log("after")
    told = [(entry["invocation_id"], entry.get("connection_id")) for entry in entries(lines.getvalue())]
    assert told == [("invocation-1", None), ("invocation-1", "connection-1"), ("invocation-2", None)]


def test_what_is_counted_is_read_by_cloudwatch_as_metrics_of_the_deployment(lines: io.StringIO) -> None:
    """The embedded metric format:
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    before = time.time()
    logging.log("stored", counts={"connection.capturing": 1, "connection.detected_seconds": 2.5})
    entry = only(lines)
    (directive,) = entry["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "fastkey"
    assert directive["Metrics"] == [
        {"Name": "connection.capturing", "Unit": "Count"},
        {"Name": "connection.detected_seconds", "Unit": "Seconds"},
    ]
    assert (entry["connection.capturing"], entry["connection.detected_seconds"]) == (1, 2.5)
    assert {name for names in directive["Dimensions"] for name in names} <= set(entry)
    assert int(before * 1000) <= entry["_aws"]["Timestamp"] <= time.time() * 1000


def test_nothing_can_be_logged_that_is_not_on_the_list() -> None:
    with pytest.raises(TypeError):
        logging.log("event", token=CANARY)  # type: ignore[call-arg]


def fail_with(secret: str) -> None:
    raise ValueError(secret)


def test_a_defect_tells_its_class_and_its_place_and_no_value(lines: io.StringIO) -> None:
    try:
        try:
            fail_with(CANARY)
        except ValueError as error:
            raise KeyError(CANARY) from error
    except KeyError as error:
        logging.log_defect(error)
    entry = only(lines)
    assert (entry["level"], entry["error"], entry["defects"]) == ("ERROR", "KeyError", 1)
    assert [frame.partition(":")[0] for frame in entry["frames"]] == ["test_logging.py"]
    assert CANARY not in lines.getvalue()
