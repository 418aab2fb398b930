"""RefreshToken, for operators and schedules: the connection's tokens are renewed if they are near their end.

Every step of a workflow does so by itself.
"""

from typing import Any

from fastkey import bootstrap
from fastkey.entry.task import Task, outcome, task
from fastkey.usecases.refresh_token import refresh_token

world = bootstrap.start("connections", "limits", "sealer", "whitebit")


@task
def handler(step: Task) -> dict[str, Any]:
    return outcome(refresh_token(world, step.connection_id, step.deadline(world.clock)))
