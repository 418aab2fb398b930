"""Goals, prices and imports: what the bench makes of numbers."""

import json
import re
from pathlib import Path

import pytest

from bench import growth
from bench.__main__ import DOCUMENTS, PARTS, main
from bench.built import clients
from bench.events import USUAL, event
from bench.imports import by_package, largest
from bench.meter import less, metrics, plus, times
from bench.prices import SERVICES, cost, prices
from bench.report import Goal, Report, Table
from bench.timeline import uncovered

TOLD = """\
import time: self [us] | cumulative | imported package
import time:      1000 |       1000 |     json.decoder
import time:      2000 |       3000 |   json
noise
import time:      9500 |      12500 | botocore.session
"""


def test_a_goal_says_by_how_much_it_misses() -> None:
    assert str(Goal("init", 1.1, 1.15)) == "GOAL met: init: 1.1 of 1.15"
    assert str(Goal("init", 3, 2, "ms")) == "GOAL missed by 1 ms (1.50 times): init: 3 of 2 ms"
    assert str(Goal("idle", 2, 0, "dollars")) == "GOAL missed by 2 dollars: idle: 2 of 0 dollars"


def test_a_table_is_the_same_for_a_terminal_and_for_a_page() -> None:
    table = Table(("", "ms"), [["empty", "5"], ["all", "10"]])
    assert table.text() == "       ms\nempty   5\nall    10"
    assert table.markdown() == "|  | ms |\n| --- | ---: |\n| empty | 5 |\n| all | 10 |"


def test_imports_are_added_up_by_package_without_what_they_import() -> None:
    assert by_package(TOLD) == {"json": 3, "botocore": 10}
    assert largest(TOLD, 1) == "botocore 10"


def test_ours_is_the_time_of_functions_that_nobody_answers() -> None:
    functions = [(0, 10), (5, 12), (20, 24)]  # two at once
    answers = [(1, 2), (1.5, 3), (11, 22), (30, 40)]
    assert uncovered(functions, answers) == pytest.approx(1 + 8 + 2)
    assert uncovered(functions, []) == pytest.approx(16)
    assert uncovered([], answers) == 0


def test_every_price_is_some_services_and_says_where_it_is_from() -> None:
    assert sorted(prices()) == sorted(name for names in SERVICES.values() for name in names)
    assert all(price.source.startswith("https://aws.amazon.com/") and price.known for price in prices().values())


def test_what_is_counted_costs_its_price_and_nothing_is_left_out() -> None:
    assert cost({"kms requests": 1_000_000, "kms key-months": 1})["KMS"] == pytest.approx(4)
    assert sum(cost({"secret-months": 2, "secret calls": 100_000}).values()) == pytest.approx(1.3)
    with pytest.raises(KeyError):
        cost({"teapots": 1})


def test_a_metric_is_paid_for_once_however_often_it_is_written() -> None:
    about = {
        "Timestamp": 0,
        "CloudWatchMetrics": [{"Namespace": "n", "Dimensions": [["s"]], "Metrics": [{"Name": "m"}]}],
    }
    lines = [json.dumps({"_aws": about, "m": 1, "s": stack}) for stack in ("one", "one", "other")]
    assert len(metrics([*lines, "no JSON", "{}"])) == 2


def test_counts_are_added_and_taken_away_by_name() -> None:
    assert plus({"a": 1, "b": 2}, {"a": 3}) == {"a": 4, "b": 2}
    assert less({"a": 5, "b": 2}, {"a": 3}) == {"a": 2, "b": 2}
    assert times({"a": 2}, 3) == {"a": 6}


def test_every_function_has_a_usual_request() -> None:
    assert sorted(USUAL) == sorted(clients())
    assert "<" not in event("GetConnection", {"connection_id": "connection-1"})


@pytest.mark.parametrize("most", [1, 3, 100])
def test_growth_is_measured_among_few_as_well(most: int) -> None:
    assert all(goal.met for goal in growth.measure(most).goals)


def test_what_is_measured_is_written_though_a_later_part_breaks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    measured = {part: (lambda _, part=part: Report(f"of {part}", [], []), 1) for part in PARTS}
    monkeypatch.setattr("bench.__main__.PARTS", measured | {"load": (lambda _: 1 / 0, 1)})
    monkeypatch.setattr("bench.__main__._DOCS", tmp_path)
    with pytest.raises(ZeroDivisionError):
        main([])
    (document,) = tmp_path.iterdir()
    assert re.findall("^## (.*)$", document.read_text(), re.MULTILINE) == ["of calls", "of growth"]


def test_every_part_is_in_one_document_and_in_its_order() -> None:
    documented = [part for _, parts, _ in DOCUMENTS.values() for part in parts]
    assert sorted(documented) == sorted(PARTS)
    assert all(sorted(parts, key=list(PARTS).index) == list(parts) for _, parts, _ in DOCUMENTS.values())


def test_a_number_is_of_one_part(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--runs", "3"])
    assert "--runs needs a part" in capsys.readouterr().err
