"""The README names everything that a partner meets, as the template and the catalogue of errors have it."""

import re
from collections.abc import Iterator

import pytest

from fastkey.domain.errors import CATALOGUE, FastkeyError, by_name
from fastkey.domain.status import PENDING, Status
from tests.template import ROOT, WRITTEN

README = (ROOT / "README.md").read_text()
FUNCTIONS = {
    name: body["Properties"]
    for name, body in WRITTEN["Resources"].items()
    if body["Type"] == "AWS::Serverless::Function"
}


def row(name: str) -> str:
    """The row of a table whose first cell names this."""
    (found,) = [line for line in README.splitlines() if re.match(rf"\| [^|]*`{re.escape(name)}`", line)]
    return found


def actions(function: str) -> Iterator[str]:
    for policy in FUNCTIONS[function]["Policies"]:
        for written in policy["Statement"]:
            # Some are there only if a parameter says so.
            statement = written["Fn::If"][1] if "Fn::If" in written else written
            named = statement["Action"]
            yield from named if isinstance(named, list) else [named]


@pytest.mark.parametrize("parameter", WRITTEN["Parameters"])
def test_every_parameter_is_explained(parameter: str) -> None:
    assert row(parameter)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_is_there_with_its_trigger_and_its_permissions(function: str) -> None:
    explained = row(function)
    for event in FUNCTIONS[function].get("Events", {}).values():
        assert f"`{event['Properties']['Method']} {event['Properties']['Path']}`" in explained
    assert {action.partition(":")[2] for action in actions(function)} == set(
        re.findall(r"\b(?:[a-z]+:)?([A-Z][a-z]+[A-Z]\w+|Encrypt|Decrypt|Query)\b`", explained)
    ) - {function}


@pytest.mark.parametrize("status", [status for status in Status if status not in PENDING | {Status.REVOKING}])
def test_every_end_says_what_to_do(status: Status) -> None:
    assert f"`{status.value}`" in README


# What is neither the reason of an end nor a problem is a turn of the workflow, which nobody outside meets.
MET = [error for name, error in CATALOGUE.items() if by_name(name) is error or error.http_status != 500]


@pytest.mark.parametrize("error", MET, ids=lambda error: error.code)
def test_every_error_is_explained(error: type[FastkeyError]) -> None:
    assert f"`{error.code}`" in README
