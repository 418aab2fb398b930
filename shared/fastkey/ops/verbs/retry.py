"""Has a connection go on whose workflow was broken off, and tells what nobody has told.

A workflow goes on with the state that it was at, and every fence holds: nothing is done that it would not have done.
What waits, or is tried again by itself, is left alone; what cannot go on is said, with exit status 1.
"""

import argparse

from fastkey.domain.connection import Connection
from fastkey.domain.status import AWAITING_CONSENT, PENDING, Status
from fastkey.ops.executions import Executions, Workflow
from fastkey.ops.operator import Operator
from fastkey.ops.output import note, say
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


class Stuck(Exception):
    """The connection cannot go on by itself."""


def retry(registry: Registry, executions: Executions, connection_id: str) -> list[str]:
    """What was done, or why there was nothing to do. Raises Stuck where something would have to be done, and cannot."""
    connection = registry.connections.get(connection_id)
    done = _tell(registry, connection)
    workflow = _workflow(connection)
    if workflow:
        done.append(_go_on(executions, workflow, connection))
    return done or [f"nothing to retry: {_why(connection)}"]


def _tell(registry: Registry, connection: Connection) -> list[str]:
    if connection.untold:
        now = registry.clock.now()
        tell_events(registry, connection.connection_id)
        return [
            f"{'put into the queue' if each.is_given_up(now) else 'told'}: {each.kind}" for each in connection.untold
        ]
    return []


def _workflow(connection: Connection) -> Workflow | None:
    """The workflow that has to bring the connection on from here."""
    if connection.status is Status.REVOKING:
        return Workflow.REVOKE_KEY
    return Workflow.PROVISION_KEY if connection.status in PENDING - AWAITING_CONSENT else None


def _go_on(executions: Executions, workflow: Workflow, connection: Connection) -> str:
    execution = executions.find(workflow, connection.connection_id)
    if execution is None:
        raise Stuck(f"{connection.status}, and Step Functions has forgotten {workflow}: revoke the connection")
    if not execution.has_ended:
        return f"nothing to retry: {workflow} is under way, and tries again by itself what fails"
    if execution.was_broken_off and executions.redrive(execution):
        return f"{workflow} goes on: it was {execution.status}"
    raise Stuck(f"{connection.status}, and {workflow} has {execution.status} for good: {_WAY_OUT[workflow]}")


# Step Functions takes up again what ended within 14 days, and takes a name again after 90.
_WAY_OUT = {
    Workflow.PROVISION_KEY: "revoke the connection",
    Workflow.REVOKE_KEY: "revoke the connection again when that is 90 days old",
}


def _why(connection: Connection) -> str:
    if connection.status in AWAITING_CONSENT:
        return f"it waits for its user until {connection.expires_at:%H:%M:%S} UTC, and is given up then"
    return f"it is {connection.status}, and everything of it is told"
