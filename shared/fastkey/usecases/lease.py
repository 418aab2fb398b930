"""One attempt at a time is at a step whose result counts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastkey.domain.connection import Connection
from fastkey.domain.errors import ConnectionClosed, FastkeyError
from fastkey.domain.status import Status
from fastkey.ports import World
from fastkey.usecases.change import change, insist

# A lease has to outlive its holder: Lambda's clocks may differ by this much.
CLOCK_SKEW = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Lease:
    """What an attempt may do to its connection, as long as no other attempt has taken over.

    connection: as it was leased.
    """

    world: World
    connection: Connection

    def change(self, decide: Callable[[Connection], Connection]) -> Connection:
        """As `change`. Raises StepInProgress, and writes nothing, where the lease has been lost."""
        return change(self.world, self.connection.connection_id, lambda c: decide(c.under(self.connection.busy_until)))

    def check(self) -> None:
        """Raises StepInProgress where the lease has been lost, and what `Connection.expect` raises where the status is
        another by now.

        For the line before what cannot be done on a condition, as nothing can in Secrets Manager and at WhiteBIT. To
        lose the lease in between takes more than a slow call: it outlasts the function that holds it.
        """
        now = self.world.connections.get(self.connection.connection_id)
        now.under(self.connection.busy_until).expect(self.connection.status)


def overtaken(world: World, connection_id: str, *steps: Status) -> Connection:
    """The connection, where another attempt has brought it to one of these steps: Lambda may have been started twice,
    and the workflow goes on. Raises ConnectionClosed where it went another way.
    """
    connection = world.connections.get(connection_id)
    if connection.status not in steps:
        raise ConnectionClosed
    return connection


@contextmanager
def lease(world: World, connection_id: str, deadline: datetime, status: Status) -> Iterator[Lease]:
    """Leases the connection, in this status, until whoever holds it has surely been stopped.

    deadline: when Lambda stops this attempt. The step's own last write ends the lease; an error ends it too, and only
    death lets the next attempt wait. Raises StepInProgress while another may be at work, and what `Connection.lease`
    raises.
    """
    until = deadline + CLOCK_SKEW + world.entropy.moment()
    leased = insist(lambda: change(world, connection_id, lambda c: c.lease(status, until, world.clock.now())))
    held = Lease(world, leased)
    try:
        yield held
    except Exception:
        with suppress(FastkeyError):
            held.change(lambda c: c.release(world.clock.now()))
        raise
