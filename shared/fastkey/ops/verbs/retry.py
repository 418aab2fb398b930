"""Has a connection go on whose workflow was broken off, and tells what nobody has told.

A workflow goes on with the state that it was at, and every fence holds: nothing is done that it would not have done.
What waits, or is tried again by itself, is left alone; what cannot go on is said, with exit status 1.
"""

import argparse
from collections.abc import Iterator

from fastkey.domain.connection import Connection
from fastkey.domain.status import AWAITING_CONSENT
from fastkey.ops.executions import Executions
from fastkey.ops.operator import Operator
from fastkey.ops.output import note, say
from fastkey.ops.redrive import Stuck, go_on, workflow_of
from fastkey.ports import Registry
from fastkey.usecases.tell_events import tell_events


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("connection_id")


def run(operator: Operator, chosen: argparse.Namespace) -> int:
    try:
        for done in retry(operator.registry, operator.executions, chosen.connection_id):
            say(done)
    except Stuck as stuck:
        note(str(stuck))
        return 1
    return 0


def retry(registry: Registry, executions: Executions, connection_id: str) -> Iterator[str]:
    """Each thing once it is done, or why there was nothing to do.

    Raises Stuck where something would have to be done, and cannot.
    """
    connection = registry.connections.get(connection_id)
    yield from _tell(registry, connection)
    went_on = go_on(executions, connection)
    if went_on:
        yield went_on
    elif not connection.untold:
        yield f"nothing to retry: {_why(connection)}"


def _tell(registry: Registry, connection: Connection) -> Iterator[str]:
    if connection.untold:
        now = registry.clock.now()
        tell_events(registry, connection.connection_id)
        for each in connection.untold:
            yield f"{'put into the queue' if each.is_given_up(now) else 'told'}: {each.kind}"


def _why(connection: Connection) -> str:
    if connection.status in AWAITING_CONSENT:
        return f"it waits for its user until {connection.expires_at:%H:%M:%S} UTC, and is given up then"
    if workflow := workflow_of(connection):
        return f"{workflow} is under way, and tries again by itself what fails"
    return f"it is {connection.status}, and everything of it is told"
