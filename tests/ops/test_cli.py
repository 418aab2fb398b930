"""Whatever goes wrong, an operator is told on a line, by an exit status, and without a traceback."""

import os
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path

import boto3
import pytest

from fastkey.bootstrap import AwsWorld
from fastkey.ops.cli import FAILED, INTERRUPTED, VERBS, main, parser
from fastkey.ops.verbs import connections
from tests.ops.stacks import OUTPUTS, create_stack

SHARED = Path(__file__).parents[2] / "shared"


def failing(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The line that says why it failed."""
    assert main(arguments) == FAILED
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    return line


def test_a_stack_that_is_not_there(world: AwsWorld, capsys: pytest.CaptureFixture[str]) -> None:
    line = failing(capsys, "--stack", "of-nobody", "connections")
    assert line == "there is no stack of-nobody in eu-west-1, for the credentials that are used"


def test_a_stack_of_something_else(world: AwsWorld, capsys: pytest.CaptureFixture[str]) -> None:
    create_stack("of-another", {"ApiUrl": "https://another.example"})
    line = failing(capsys, "--stack", "of-another", "connections")
    assert line.startswith(f"the stack of-another has no output {', '.join(sorted(OUTPUTS))}:")


def test_a_region_that_nobody_named(
    world: AwsWorld, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    assert "region" in failing(capsys, "connections")
    assert main(["--region", "eu-west-1", "connections"]) == 0


def test_a_profile_that_is_not_there(world: AwsWorld, capsys: pytest.CaptureFixture[str]) -> None:
    assert "of-nobody" in failing(capsys, "--profile", "of-nobody", "connections")


def test_what_aws_refuses(world: AwsWorld, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    boto3.client("dynamodb").delete_table(TableName=OUTPUTS["ConnectionsTable"])
    assert main(["connections"]) == FAILED
    assert "ResourceNotFoundException" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("verb", ["story", "retry", "revoke"])
def test_a_connection_that_is_not_there(world: AwsWorld, capsys: pytest.CaptureFixture[str], verb: str) -> None:
    assert failing(capsys, verb, "of-nobody") == "connection_not_found: There is no such connection."


def test_whoever_stops_it_hears_no_more(world: AwsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(connections, "run", stop)
    assert main(["connections"]) == INTERRUPTED


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["connections", "--status", "lost"],
        ["connections", "--older-than", "5"],
        ["connections", "--older-than", "36501d"],
        ["connections", "--older-than", "999999d"],
        ["story"],
        ["fly"],
    ],
    ids=" ".join,
)
def test_what_it_does_not_understand_is_not_done(world: AwsWorld, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as exited:
        main(arguments)
    assert exited.value.code == FAILED


def test_a_stack_is_named_always(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("FASTKEY_STACK", raising=False)
    with pytest.raises(SystemExit):
        main(["connections"])
    assert "--stack" in capsys.readouterr().err


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_says_what_it_does(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exited:
        main(["--stack", "any", verb, "--help"])
    assert exited.value.code == 0
    assert (VERBS[verb].__doc__ or "").splitlines()[0] in capsys.readouterr().out


def test_the_help_names_every_verb_and_every_exit_status() -> None:
    whole: ArgumentParser = parser()
    assert all(verb in whole.format_help() for verb in VERBS)
    assert whole.epilog
    assert str(FAILED) in whole.epilog


# ---- As a program ----------------------------------------------------------------------------------------------------


def run(script: str, variables: Mapping[str, str] = {}) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SHARED), "AWS_EC2_METADATA_DISABLED": "true"}
    return subprocess.run(
        [sys.executable, "-c", script],
        env={**environment, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_without_credentials_it_says_so_on_a_line() -> None:
    script = "import sys; from fastkey.ops.cli import main; sys.exit(main(['--stack', 'any', 'connections']))"
    nowhere = {"HOME": "/nonexistent", "AWS_DEFAULT_REGION": "eu-west-1"}
    ran = run(script, nowhere)
    assert (ran.returncode, ran.stdout) == (FAILED, "")
    assert "credentials" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


def test_what_the_adapters_log_does_not_come_between_what_was_asked_for() -> None:
    script = """
import boto3
from fastkey.ops.operator import Operator
operator = Operator(boto3.Session(region_name="eu-west-1"), "any")
operator.deployment = type("Deployment", (), {})()
try:
    operator.registry
except AttributeError:
    from fastkey.logging import log
    log("said by an adapter")
"""
    ran = run(script)
    assert ran.stdout == ""
    assert "said by an adapter" in ran.stderr


def test_a_reader_that_has_seen_enough_is_no_trouble() -> None:
    script = """
import sys
from fastkey.ops import cli
def run(operator, chosen):
    while True:
        cli.connections.show([{"a": 1}], {"a": 1}, as_json=True)
cli.connections.run = run
sys.exit(cli.main(["--stack", "any", "connections"]))
"""
    ran = subprocess.run(
        ["/bin/sh", "-c", '"$0" -c "$1" | head -n 1', sys.executable, script],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(SHARED)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ran.stdout, ran.stderr) == ('{"a": 1}\n', "")
