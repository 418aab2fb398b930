"""A connection goes on where its workflow was broken off."""

from fastkey.domain.connection import Connection
from fastkey.domain.status import AWAITING_CONSENT, PENDING, Status
from fastkey.ops.executions import Executions, Workflow

# Step Functions takes up again what ended within 14 days, and takes a name again after 90.
_WAY_OUT = {
    Workflow.PROVISION_KEY: "revoke the connection",
    Workflow.REVOKE_KEY: "revoke the connection again when that is 90 days old",
}


class Stuck(Exception):
    """The connection cannot go on by itself."""


def go_on(executions: Executions, connection: Connection) -> str | None:
    """Has its workflow go on where it was broken off, and says so; None where nothing is to be done.

    Raises Stuck where it cannot go on.
    """
    workflow = workflow_of(connection)
    if workflow is None:
        return None
    execution = executions.find(workflow, connection.connection_id)
    if execution is None:
        raise Stuck(f"{connection.status}, and Step Functions has forgotten {workflow}: revoke the connection")
    if not execution.has_ended:
        return None
    if execution.was_broken_off and executions.redrive(execution):
        return f"{workflow} goes on: it was {execution.status}"
    raise Stuck(f"{connection.status}, and {workflow} has {execution.status} for good: {_WAY_OUT[workflow]}")


def workflow_of(connection: Connection) -> Workflow | None:
    """The workflow that has to bring the connection on from here."""
    if connection.status is Status.REVOKING:
        return Workflow.REVOKE_KEY
    return Workflow.PROVISION_KEY if connection.status in PENDING - AWAITING_CONSENT else None
