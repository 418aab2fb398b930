"""What is logged: the names of things, and never what a caller or an error brought along."""

import io
import json
from typing import Any

import pytest

from fastkey import logging

CANARY = "canary-9f2c"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    stream = io.StringIO()
    monkeypatch.setattr(logging._logger.registered_handler, "stream", stream)
    return stream


def only(lines: io.StringIO) -> dict[str, Any]:
    (line,) = lines.getvalue().splitlines()
    entry: dict[str, Any] = json.loads(line)
    return entry


def test_an_event_is_one_line_of_json(lines: io.StringIO) -> None:
    logging.log("GET /connections", request_id="request-1", status="200")
    entry = only(lines)
    assert (entry["level"], entry["message"]) == ("INFO", "GET /connections")
    assert (entry["request_id"], entry["status"]) == ("request-1", "200")
    assert not {"connection_id", "code"} & set(entry)


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
    assert (entry["level"], entry["error"]) == ("ERROR", "KeyError")
    assert [frame.partition(":")[0] for frame in entry["frames"]] == ["test_logging.py"]
    assert CANARY not in lines.getvalue()
