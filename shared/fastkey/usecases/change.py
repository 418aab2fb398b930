"""Read, decide, write; again if somebody else wrote in between."""

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from fastkey.domain.connection import Connection
from fastkey.domain.errors import Conflict, StorageUnavailable
from fastkey.ports import Registry

Result = TypeVar("Result")

# A connection has few writers (a browser, a frontend, two workflows): more rounds than this mean that something else is
# wrong.
ROUNDS = 5


def change(world: Registry, connection_id: str, decide: Callable[[Connection], Connection]) -> Connection:
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


def insist(act: Callable[[], Result]) -> Result:
    """Does what may be done again, up to three times, where giving up costs more than the time: what nobody else has is
    kept, or a lease is taken that would stay if only its answer was lost.
    """
    for _ in range(2):
        with suppress(StorageUnavailable, Conflict):
            return act()
    return act()


def change_and_resume(world: Registry, connection_id: str, decide: Callable[[Connection], Connection]) -> Connection:
    """As `change`; then lets the workflow go on that waits for a decision about the connection.

    A workflow that has not begun to wait sees the decision by itself: it leaves its task token on condition that nobody
    has decided.
    """
    changed = change(world, connection_id, decide)
    if changed.task_token:
        world.workflows.resume(changed.task_token)
    return changed
