"""DeleteKey, a step of ProvisionKey and of RevokeKey: our copy of the key is shredded, and WhiteBIT deletes the key."""

from typing import Any

from fastkey import bootstrap
from fastkey.entry.task import Task, outcome, task
from fastkey.usecases.delete_key import delete_key

world = bootstrap.start("chosen_vault", "connections", "limits", "sealer", "whitebit")


@task
def handler(step: Task) -> dict[str, Any]:
    return outcome(
        delete_key(world, step.connection_id, step.cause, step.deadline(world.clock), leave_to_user=step.leave_to_user)
    )
