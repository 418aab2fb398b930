"""CaptureSecret, a step of ProvisionKey: the key's secret is read, once, and stored."""

from typing import Any

from fastkey import bootstrap
from fastkey.entry.task import Task, outcome, task
from fastkey.usecases.capture_secret import capture_secret

world = bootstrap.start("chosen_vault", "connections", "limits", "sealer", "whitebit")


@task
def handler(step: Task) -> dict[str, Any]:
    return outcome(capture_secret(world, step.connection_id, step.deadline(world.clock)))
