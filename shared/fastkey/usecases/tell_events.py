"""Partners are told what has happened to a connection."""

from fastkey.domain.connection import Connection
from fastkey.ports import Registry
from fastkey.usecases.change import change


def tell_events(world: Registry, connection_id: str) -> Connection:
    """Tells what is untold, oldest first. A second time tells nothing.

    Whoever dies in between leaves it to the next, who tells it again: partners hear everything at least once, and know
    what they have heard by the event's id. What could not be told for long goes to the dead-letter queue.
    """
    connection = world.connections.get(connection_id)
    for event in connection.untold:
        if event.is_given_up(world.clock.now()):
            world.events.bury(event)
        else:
            world.events.tell(event)
    return change(world, connection_id, lambda c: c.told(connection.untold))
