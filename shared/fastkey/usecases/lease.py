"""One attempt at a time is at a step whose result counts."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta

from fastkey.domain.connection import Connection
from fastkey.domain.errors import FastkeyError
from fastkey.domain.status import Status
from fastkey.ports import World
from fastkey.usecases.change import change

# A lease has to outlive its holder: Lambda's clocks may differ by this much.
CLOCK_SKEW = timedelta(seconds=5)


@contextmanager
def lease(world: World, connection_id: str, deadline: datetime, status: Status) -> Iterator[Connection]:
    """Leases the connection, in this status, until whoever holds it has surely been stopped.

    deadline: when Lambda stops this attempt. The step's own last write ends the lease; an error ends it too, and only
    death lets the next attempt wait. Raises StepInProgress while another may be at work, and what `Connection.lease`
    raises.
    """
    until = deadline + CLOCK_SKEW
    leased = change(world, connection_id, lambda c: c.lease(status, until, world.clock.now()))
    try:
        yield leased
    except Exception:
        with suppress(FastkeyError):
            change(world, connection_id, lambda c: c.release(until, world.clock.now()))
        raise
