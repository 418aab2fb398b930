"""Moves captured keys into the vault that the deployment has chosen, while everything else goes on.

A function of the deployment moves them, and none comes to this machine. It can be stopped and run again at any time,
and goes on with --from where it said that it was. What cannot be moved now, because something else is being done with
it, is tried again at the end; exit status 1 says that some is left, which is named, or that trouble came after some
were moved.
"""

import argparse
import json
import shlex
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

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
    migration = Migration(lambda event: _invoke(operator, event), chosen.to)
    try:
        migration.run(chosen.cursor)
    except (BotoCoreError, ClientError, Trouble) as error:
        if not migration.moved:
            raise
        note(str(error))
        say(f"{migration.moved} moved; more may be left in the other vault")
        return 1
    for connection_id, code in migration.left.items():
        note(f"{connection_id} is left: {code}")
    found = f"{len(migration.left)} left" if migration.left else "no more were found"
    say(f"{migration.moved} moved; {found} in the other vault")
    return 1 if migration.left else 0


class Migration:
    """moved: how many keys were. left: those that were found last, and could not be: the error's code by the
    connection's id.
    """

    def __init__(self, invoke: Invoke, to: str) -> None:
        self.moved = 0
        self.left: dict[str, str] = {}
        self._invoke = invoke
        self._to = to

    def run(self, cursor: str | None = None) -> None:
        """Goes through all connections, first from the cursor on, and again as long as that moves keys.

        Raises Trouble where the same connections use up all of a run's time, and none of their keys is moved.
        """
        while self._pass(cursor) or cursor is not None:
            cursor = None

    def _pass(self, cursor: str | None) -> int:
        """How many keys were moved by it."""
        before, self.left = self.moved, {}
        while True:
            answer = self._invoke({"to": self._to, "cursor": cursor})
            self.moved += answer["moved"]
            self.left |= answer["left"]
            if answer["cursor"] is None:
                return self.moved - before
            note(f"{answer['moved']} moved; goes on with --from {shlex.quote(answer['cursor'])}")
            if answer["cursor"] == cursor and not answer["moved"]:
                left = ", ".join(f"{connection_id}: {code}" for connection_id, code in answer["left"].items())
                raise Trouble(f"a run moved nothing and came no further ({left or 'nothing was left'})")
            cursor = answer["cursor"]


def _invoke(operator: Operator, event: Mapping[str, Any]) -> Answer:
    """Raises Trouble where the function fails, another vault is chosen, or no run gave the cursor."""
    called = operator.client("lambda").invoke(
        FunctionName=operator.deployment.vault_migration, Payload=json.dumps(event).encode()
    )
    answer: Answer = json.loads(called["Payload"].read())
    if "FunctionError" not in called:
        return answer
    # Of a function that was killed, Lambda may have a message alone.
    error = answer.get("errorType", called["FunctionError"])
    if error == InvalidRequest.__name__:
        why = f"keys are not stored in {event['to']}: deploy the stack with Vault={event['to']} first"
        raise Trouble(f"{why}; or --from is not what a run has said" if event["cursor"] else why)
    raise Trouble(f"moving keys failed, and can be run again: {error}")
