"""A function makes at its start what its requests use, and imports nothing else."""

import json
import subprocess
import sys
from typing import Any

import pytest

from bench.built import clients
from local.sam_local.cases import CASES
from tests.template import ROOT, WRITTEN
from tests.unit.environment import ENVIRONMENT

FUNCTIONS = clients()

# boto3's clients are replaced: it is seen which are made, and not waited for.
PROGRAM = """
import json, sys
from unittest.mock import Mock
import boto3
boto3.client = Mock(wraps=lambda *_, **__: Mock())
__import__(sys.argv[1])
print(json.dumps({"clients": sorted(call.args[0] for call in boto3.client.mock_calls), "modules": list(sys.modules)}))
"""


def started(function: str) -> dict[str, Any]:
    """What a function has made and imported once it has started."""
    module = WRITTEN["Resources"][function]["Properties"]["Handler"].removesuffix(".handler").replace("/", ".")
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, f"functions.{module}"],
        env={**ENVIRONMENT, "PYTHONPATH": f"{ROOT}:{ROOT / 'shared'}"},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def calls_whitebit(function: str) -> bool:
    return any(
        case.asked for name, case in CASES.items() if name.partition("/")[0].title().replace("_", "") == function
    )


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_a_function_starts_with_what_its_requests_use_and_nothing_else(function: str) -> None:
    seen = started(function)
    modules = set(seen["modules"])
    assert tuple(seen["clients"]) == FUNCTIONS[function]
    assert ("fastkey.adapters.whitebit" in modules) == calls_whitebit(function)
    # Models, where it reads what others wrote.
    assert ("msgspec" in modules) == (calls_whitebit(function) or function in ("StartConnection", "CompleteConnection"))
    assert not modules & {"pydantic", "requests", "aws_lambda_powertools.utilities.data_classes", "fastkey.client"}
