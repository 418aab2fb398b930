"""DetectKey, a step of ProvisionKey: has WhiteBIT issued the key?"""

from collections import Counter
from dataclasses import asdict
from typing import Any

from fastkey import bootstrap
from fastkey.entry.task import Task, task
from fastkey.logging import log
from fastkey.usecases.detect_key import detect_key

world = bootstrap.start("connections", "limits", "sealer", "whitebit")


@task
def handler(step: Task) -> dict[str, Any]:
    deadline = step.deadline(world.clock)
    counts: Counter[str] = Counter()
    try:
        return asdict(detect_key(world, step.connection_id, deadline, counts))
    finally:
        log("looked", counts={f"detect_key.{name}": number for name, number in counts.items()})
