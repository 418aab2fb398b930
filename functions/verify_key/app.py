"""VerifyKey, a step of ProvisionKey: a call signed with the stored key makes the connection active."""

from typing import Any

from fastkey import bootstrap
from fastkey.entry.task import Task, outcome, task
from fastkey.usecases.verify_key import verify_key

world = bootstrap.start("chosen_vault", "connections", "whitebit")


@task
def handler(step: Task) -> dict[str, Any]:
    return outcome(verify_key(world, step.connection_id, step.deadline(world.clock)))
