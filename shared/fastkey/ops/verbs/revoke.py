"""Revokes one connection, as its user would: our copy of the key is shredded, and WhiteBIT deletes the key if it can.

A second time changes nothing. `story` shows how it goes on.
"""

import argparse

from fastkey.ops.operator import Operator
from fastkey.ops.output import say
from fastkey.usecases.revoke_connection import revoke_connection


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("connection_id")


def run(operator: Operator, chosen: argparse.Namespace) -> int:
    before = operator.registry.connections.get(chosen.connection_id)
    after = revoke_connection(operator.registry, chosen.connection_id, before.user_id)
    say(f"it had ended before: {after.status}" if before.status.is_end else f"{before.status} > {after.status}")
    return 0
