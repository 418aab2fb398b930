"""Keys are moved run by run of a function, until there is nothing to move; and a copy is seen in either vault."""

import json
import shlex
from argparse import Namespace
from collections.abc import Mapping
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from fastkey.bootstrap import AwsWorld
from fastkey.ops.operator import Operator
from fastkey.ops.trouble import Trouble
from fastkey.ops.vault import Copy, find_copy
from fastkey.ops.verbs.migrate_vault import Migration, run
from fastkey.ports import KeyVault
from tests.contract.given import captured, start
from tests.ops.stacks import STACK

Answer = dict[str, Any]


class Function:
    """Answers as it was told to, and remembers what it was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.asked: list[Mapping[str, Any]] = []
        self._answers = iter(answers)

    def __call__(self, event: Mapping[str, Any]) -> Answer:
        self.asked.append(event)
        return next(self._answers)


def answer(moved: int, *left: str, cursor: str | None = None) -> Answer:
    return {"moved": moved, "left": dict.fromkeys(left, "conflict"), "cursor": cursor}


def migrated(function: Function, cursor: str | None = None) -> tuple[int, dict[str, str]]:
    """How many keys were moved, and which were left."""
    migration = Migration(function, "dynamodb")
    migration.run(cursor)
    return migration.moved, migration.left


def test_runs_go_on_where_the_last_one_ended_until_a_pass_moves_nothing() -> None:
    function = Function(answer(700, "connection-1", cursor="3 "), answer(20), answer(1), answer(0))
    assert migrated(function) == (721, {})
    assert [event["cursor"] for event in function.asked] == [None, "3 ", None, None]
    assert {event["to"] for event in function.asked} == {"dynamodb"}


def test_what_cannot_be_moved_is_named() -> None:
    function = Function(answer(2, "connection-1"), answer(0, "connection-2", cursor="3 "), answer(0, "connection-3"))
    assert migrated(function) == (2, {"connection-2": "conflict", "connection-3": "conflict"})


def test_a_command_that_was_stopped_goes_on_where_it_was_and_then_looks_at_all() -> None:
    function = Function(answer(0), answer(0, cursor="3 "), answer(0))
    assert migrated(function, "5 ") == (0, {})
    assert [event["cursor"] for event in function.asked] == ["5 ", None, "3 "]


def test_where_it_goes_on_is_said_as_a_shell_takes_it(capsys: pytest.CaptureFixture[str]) -> None:
    migrated(Function(answer(7, cursor='3 {"a": "b"}'), answer(0), answer(0)))
    (line,) = capsys.readouterr().err.splitlines()
    assert shlex.split(line)[-2:] == ["--from", '3 {"a": "b"}']


def test_runs_that_come_no_further_are_not_repeated_for_ever() -> None:
    stuck = answer(0, "connection-1", cursor="3 ")
    with pytest.raises(Trouble, match="connection-1: conflict"):
        migrated(Function(answer(1, cursor="3 "), answer(1, cursor="3 "), stuck))


@pytest.mark.parametrize("vault", ["chosen_vault", "other_vault"])
def test_a_copy_is_seen_in_either_vault_and_not_read(world: AwsWorld, vault: str) -> None:
    operator, connection = Operator(boto3.Session(), STACK), start()
    stored: KeyVault = getattr(world, vault)
    assert find_copy(operator, connection.connection_id) is Copy.NONE
    stored.prepare(connection)
    assert find_copy(operator, connection.connection_id) is Copy.EMPTY
    stored.store(connection.connection_id, captured())
    assert find_copy(operator, connection.connection_id) is Copy.THERE


def migrate(*answers: Mapping[str, Any], cursor: str | None = None) -> int:
    """The exit status of the command. answers: of Lambda, each with what the function says."""
    calls = iter({**said, "Payload": BytesIO(json.dumps(said["Payload"]).encode())} for said in answers)
    client = SimpleNamespace(invoke=lambda **_: next(calls))
    operator: Any = SimpleNamespace(client=lambda _: client, deployment=SimpleNamespace(vault_migration="migrate"))
    return run(operator, Namespace(to="dynamodb", cursor=cursor))


# Of a function that ran out of time Lambda may say no errorType: what it says of such a run is not described.
KILLED = {"FunctionError": "Unhandled", "Payload": {"errorMessage": "Task timed out after 240.00 seconds"}}
REFUSED = {"FunctionError": "Unhandled", "Payload": {"errorType": "InvalidRequest"}}


def test_a_function_that_was_killed_is_named_trouble() -> None:
    with pytest.raises(Trouble, match="can be run again: Unhandled"):
        migrate(KILLED)


def test_what_was_moved_before_trouble_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert migrate({"Payload": answer(7, cursor="3 ")}, KILLED) == 1
    printed = capsys.readouterr()
    assert printed.out == "7 moved; more may be left in the other vault\n"
    assert printed.err.splitlines()[-1] == "moving keys failed, and can be run again: Unhandled"


def test_a_refusal_names_what_may_be_wrong() -> None:
    with pytest.raises(Trouble, match=r"Vault=dynamodb first$"):
        migrate(REFUSED)
    with pytest.raises(Trouble, match=r"Vault=dynamodb first; or --from is not what a run has said$"):
        migrate(REFUSED, cursor="3")
