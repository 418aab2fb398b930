"""The documentation has an order, and names everything that a partner meets, as the template and the errors have it."""

import re
from argparse import ArgumentParser
from collections.abc import Iterator
from itertools import pairwise
from os.path import relpath
from pathlib import Path
from typing import Any

import pytest

import fastkey.client
from fastkey.client import Client
from fastkey.domain.errors import CATALOGUE, FastkeyError, by_name
from fastkey.domain.status import PENDING, Status
from fastkey.ops.cli import VERBS
from fastkey.usecases.keep_tokens import CAPACITY
from tests.template import ROOT, WRITTEN

DOCS = ROOT / "docs"
REFERENCE = (DOCS / "reference.md").read_text()
USE = (DOCS / "use.md").read_text()
PROGRAMS = (DOCS / "programs.md").read_text()

READ = [DOCS / page for page in re.findall(r"^- \[.+?\]\((.+?)\)", (DOCS / "README.md").read_text(), re.MULTILINE)]

FUNCTIONS = {
    name: body["Properties"]
    for name, body in WRITTEN["Resources"].items()
    if body["Type"] == "AWS::Serverless::Function"
}


def row(name: str, page: str = REFERENCE) -> str:
    """The row of a table whose first cell names this."""
    (found,) = [line for line in page.splitlines() if re.match(rf"\| [^|]*`{re.escape(name)}[` ]", line)]
    return found


def actions(function: str) -> Iterator[str]:
    for policy in FUNCTIONS[function]["Policies"]:
        for written in policy["Statement"]:
            # Some are there only if a parameter says so, and some as it says.
            for statement in written["Fn::If"][1:] if "Fn::If" in written else [written]:
                named = statement.get("Action", [])
                yield from named if isinstance(named, list) else [named]


def trigger(event: dict[str, Any]) -> str:
    """As the template words it: a route, or a rate."""
    properties = event["Properties"]
    return properties.get("ScheduleExpression") or f"{properties['Method']} {properties['Path']}"


def test_every_page_is_there_to_be_read_once() -> None:
    assert sorted(READ) == sorted({*DOCS.glob("*.md"), DOCS / "decisions/README.md"} - {DOCS / "README.md"})


@pytest.mark.parametrize(("page", "following"), [*pairwise(READ)], ids=lambda page: page.stem)
def test_a_page_ends_with_where_to_go_on(page: Path, following: Path) -> None:
    last = page.read_text().splitlines()[-1]
    assert re.fullmatch(rf"Next: \[.+\]\({re.escape(relpath(following, page.parent))}\)", last)


@pytest.mark.parametrize("parameter", WRITTEN["Parameters"])
def test_every_parameter_is_explained(parameter: str) -> None:
    assert row(parameter)


@pytest.mark.parametrize("output", WRITTEN["Outputs"])
def test_every_output_is_explained(output: str) -> None:
    assert row(output)


@pytest.mark.parametrize("program", sorted((ROOT / "examples").glob("*.py")), ids=lambda program: program.name)
def test_the_examples_are_shown_as_they_are(program: Path) -> None:
    _, _, code = program.read_text().partition("\n\n")
    assert f"```python\n{code}```" in PROGRAMS


CLIENT = [*fastkey.client.__all__, *(name for name in vars(Client) if not name.startswith("_"))]


@pytest.mark.parametrize("name", CLIENT)
def test_the_client_is_explained(name: str) -> None:
    assert f"`{name}" in PROGRAMS


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_is_there_with_its_trigger_and_its_permissions(function: str) -> None:
    explained = row(function)
    for event in FUNCTIONS[function].get("Events", {}).values():
        assert f"`{trigger(event)}`" in explained
    assert {action.partition(":")[2] for action in actions(function)} == set(
        re.findall(r"\b(?:[a-z]+:)?([A-Z][a-z]+[A-Z]\w+|Encrypt|Decrypt|Query)\b`", explained)
    ) - {function}


@pytest.mark.parametrize("status", [status for status in Status if status not in PENDING | {Status.REVOKING}])
def test_every_end_says_what_to_do(status: Status) -> None:
    assert f"`{status.value}`" in USE


def test_how_many_tokens_can_be_kept_is_said() -> None:
    assert f"at most {CAPACITY} connections" in (DOCS / "life-of-a-key.md").read_text()


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_of_the_operators_is_explained_with_what_it_takes(verb: str) -> None:
    its_own = ArgumentParser(add_help=False)
    VERBS[verb].add_arguments(its_own)
    explained = row(verb, (DOCS / "operations.md").read_text())
    assert all(f"`{option}" in explained for action in its_own._actions for option in action.option_strings)
    positional = [action.dest for action in its_own._actions if not action.option_strings]
    assert f"`{' '.join([verb, *positional])}`" in explained


# What is neither the reason of an end nor a problem is a turn of the workflow, which nobody outside meets.
MET = [error for name, error in CATALOGUE.items() if by_name(name) is error or error.http_status != 500]


@pytest.mark.parametrize("error", MET, ids=lambda error: error.code)
def test_every_error_is_explained(error: type[FastkeyError]) -> None:
    assert f"`{error.code}`" in USE
