"""DetectKey, a step of ProvisionKey: has WhiteBIT issued the key?"""

from dataclasses import asdict
from typing import Any

from fastkey import bootstrap
from fastkey.entry.task import Task, task
from fastkey.usecases.detect_key import detect_key

world = bootstrap.start("connections", "limits", "sealer", "whitebit")


@task
def handler(step: Task) -> dict[str, Any]:
    return asdict(detect_key(world, step.connection_id, step.deadline(world.clock)))
