"""TellEvents, the last step of each workflow: partners are told what has happened to the connection."""

from typing import Any

from fastkey import bootstrap
from fastkey.entry.task import Task, outcome, task
from fastkey.usecases.tell_events import tell_events

world = bootstrap.start("connections", "events")


@task
def handler(step: Task) -> dict[str, Any]:
    return outcome(tell_events(world, step.connection_id))
