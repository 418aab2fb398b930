"""docs/threat-model.md names tests that there are, and every row says what shows it, or why nothing does."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/threat-model.md").read_text()

NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)

# What a row says that has no test.
WITHOUT = ("does not apply:", "out of reach of local tests:")

# The sections of each specification that ask something of a client.
ASKING = {
    "RFC 6749": "2.3 2.3.1 3.1 3.1.2 3.1.2.1 3.1.2.2 3.1.2.5 3.2 3.3 4.1.1 4.1.2 4.1.2.1 4.1.3 4.2 4.3 4.4 5.1 5.2 6 7"
    " 7.1 9 10.1 10.3 10.4 10.5 10.6 10.8 10.9 10.10 10.12 10.14 10.15 10.16",
    "RFC 7636": "4.1 4.2 4.3 4.5 7.1 7.2 7.5",
    "RFC 9700": "2.1 2.1.1 2.1.2 2.2 2.2.2 2.3 2.4 2.5 2.6 4.1 4.2 4.3 4.4 4.5 4.6 4.7 4.8 4.9 4.10 4.11 4.12 4.13"
    " 4.14 4.15 4.16 4.17",
    "RFC 9207": "2.4",
}


@cache
def functions_of(path: str) -> frozenset[str]:
    """The names of the tests of a file."""
    tree = ast.parse((ROOT / path).read_text())
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def tables() -> Iterator[tuple[str, list[str]]]:
    """The cells of each row of a table with tests, under its heading."""
    heading = ""
    for line in PAGE.splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        if line.startswith("| ") and line.count("|") == 5:
            yield heading, [cell.strip() for cell in line.strip("|").split("|")]


ROWS = [(heading, cells) for heading, cells in tables() if cells[-1] != "shown by"]


@pytest.mark.parametrize(("path", "name"), sorted(set(NAMED)))
def test_a_test_that_is_named_is_there(path: str, name: str) -> None:
    assert name.startswith("test_")
    assert name in functions_of(path)


@pytest.mark.parametrize(("heading", "cells"), ROWS, ids=lambda part: part[0] if isinstance(part, list) else part)
def test_every_row_names_a_test_or_says_why_there_is_none(heading: str, cells: list[str]) -> None:
    assert all(cells[:3])
    shown = cells[-1]
    if not shown or shown.startswith(WITHOUT):
        assert any(cell.startswith(WITHOUT) for cell in cells)
    else:
        assert re.fullmatch(r"(`tests/[\w/]+\.py::test_\w+` ?)+", shown)


@pytest.mark.parametrize("specification", ASKING)
def test_no_section_that_asks_something_of_a_client_is_left_out(specification: str) -> None:
    sections = [cells[0] for heading, cells in ROWS if heading.startswith(specification)]
    assert {section for cell in sections for section in cell.split(", ")} == set(ASKING[specification].split())
