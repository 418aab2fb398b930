"""Read, decide, write; again if somebody else wrote in between."""

from collections.abc import Callable

from fastkey.domain.connection import Connection
from fastkey.domain.errors import Conflict
from fastkey.ports import World

# A connection has few writers (a browser, a frontend, two workflows): more rounds than this mean that something else is
# wrong.
ROUNDS = 5


def change(world: World, connection_id: str, decide: Callable[[Connection], Connection]) -> Connection:
    """Stores what `decide` makes of the connection, and gives it back. `decide` sees a fresh read each time; what it
    raises is raised.

    Nothing is written if it gives back what it was given. Raises ConnectionNotFound, Conflict, AccountAlreadyConnected.
    """
    for _ in range(ROUNDS):
        before = world.connections.get(connection_id)
        after = decide(before)
        if after is before:
            return before
        try:
            world.connections.save(before, after)
        except Conflict:
            continue
        return after
    raise Conflict


def change_and_resume(world: World, connection_id: str, decide: Callable[[Connection], Connection]) -> Connection:
    """As `change`; then lets the workflow go on that waits for a decision about the connection.

    A workflow that has not begun to wait sees the decision by itself: it leaves its task token on condition that nobody
    has decided.
    """
    changed = change(world, connection_id, decide)
    if changed.task_token:
        world.workflows.resume(changed.task_token)
    return changed
