"""Moves captured keys into the vault that the deployment has chosen, while everything else goes on.

A function of the deployment moves them, and none comes to this machine. It can be stopped and run again at any time,
and goes on with --from where it said that it was. What cannot be moved now, because something else is being done with
it, is tried again at the end; exit status 1 says that some is left, which is named.
"""

import argparse
import json
import shlex
from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fastkey.domain.errors import InvalidRequest
from fastkey.ops.operator import Operator
from fastkey.ops.output import note, say
from fastkey.ops.trouble import Trouble
from fastkey.ports import Vault

Answer = Mapping[str, Any]
Invoke = Callable[[Mapping[str, Any]], Answer]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", required=True, choices=list(Vault), help="the stack's parameter Vault, to be sure")
    parser.add_argument("--from", dest="cursor", help="where a command that was stopped goes on, as it said")


def run(operator: Operator, chosen: argparse.Namespace) -> int:
    moved, left = migrate_vault(lambda event: _invoke(operator, event), chosen.to, chosen.cursor)
    for connection_id, code in left.items():
        note(f"{connection_id} is left: {code}")
    found = f"{len(left)} left" if left else "no more were found"
    say(f"{moved} moved; {found} in the other vault")
    return 1 if left else 0


def migrate_vault(invoke: Invoke, to: str, cursor: str | None = None) -> tuple[int, Mapping[str, str]]:
    """Goes through all connections, first from the cursor on, and again as long as that moves keys.

    Gives how many were moved, and which are left: the error's code by the connection's id.
    """
    moved = 0
    while True:
        runs = list(_pass(invoke, to, cursor))
        moved += sum(run["moved"] for run in runs)
        if cursor is None and not any(run["moved"] for run in runs):
            return moved, dict(ChainMap(*(run["left"] for run in runs)))
        cursor = None


def _pass(invoke: Invoke, to: str, cursor: str | None) -> Iterator[Answer]:
    """Raises Trouble where the same connections use up all of a run's time, and none of their keys is moved."""
    while True:
        answer = invoke({"to": to, "cursor": cursor})
        yield answer
        if answer["cursor"] is None:
            return
        note(f"{answer['moved']} moved; goes on with --from {shlex.quote(answer['cursor'])}")
        if answer["cursor"] == cursor and not answer["moved"]:
            left = ", ".join(f"{connection_id}: {code}" for connection_id, code in answer["left"].items())
            raise Trouble(f"a run moved nothing and came no further ({left or 'nothing was left'})")
        cursor = answer["cursor"]


def _invoke(operator: Operator, event: Mapping[str, Any]) -> Answer:
    """Raises Trouble where the function fails, or another vault is chosen."""
    called = operator.client("lambda").invoke(
        FunctionName=operator.deployment.vault_migration, Payload=json.dumps(event).encode()
    )
    answer: Answer = json.loads(called["Payload"].read())
    if "FunctionError" not in called:
        return answer
    # Of a function that was killed, Lambda may have a message alone.
    error = answer.get("errorType", called["FunctionError"])
    if error == InvalidRequest.__name__:
        raise Trouble(f"keys are not stored in {event['to']}: deploy the stack with Vault={event['to']} first")
    raise Trouble(f"moving keys failed, and can be run again: {error}")
