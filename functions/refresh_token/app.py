"""RefreshToken, for a schedule or program of yours: the connection's tokens are renewed if they are near their end.

Nothing of fastkey calls it, and no policy of the stack allows it: whatever needs a token refreshes by itself, and
KeepTokens does for `keep_token`. It is for the tokens of a connection that was started without.
"""

from typing import Any

from fastkey import bootstrap
from fastkey.entry.task import Task, outcome, task
from fastkey.usecases.refresh_token import refresh_token

world = bootstrap.start("connections", "limits", "sealer", "whitebit")


@task
def handler(step: Task) -> dict[str, Any]:
    return outcome(refresh_token(world, step.connection_id, step.deadline(world.clock)))
