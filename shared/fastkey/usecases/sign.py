"""A call is signed with a captured key."""

from fastkey.domain.account import Data, Query
from fastkey.domain.errors import Conflict, WhiteBitBusy
from fastkey.domain.key import CapturedKey
from fastkey.domain.pace import NONCE_LIFE, milliseconds, nonces_of, pace_of
from fastkey.domain.status import CHECKED
from fastkey.ports import World


def read_by_key(world: World, connection_id: str, key: CapturedKey, query: Query) -> Data:
    """One signed read, in its turn and with a nonce of its own.

    Raises Conflict where the connection has ended meanwhile, and what `WhiteBit.read_signed` and `Limits.take` raise.
    """
    take_turn(world, query.read.signed_path)
    moment = world.limits.take(nonces_of(key.external_id), world.clock.now())
    # The last line before the call: what came before takes time, and nothing signs once the user disconnects.
    if world.connections.get(connection_id).status not in CHECKED:
        raise Conflict
    if world.clock.now() > moment + NONCE_LIFE:
        raise WhiteBitBusy
    return world.whitebit.read_signed(key, milliseconds(moment), query.read, query.filters)


def take_turn(world: World, path: str) -> None:
    """Waits for nobody: raises WhiteBitBusy where the deployment has called WhiteBIT as often as it may."""
    world.limits.take(pace_of(path), world.clock.now())
