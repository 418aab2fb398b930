"""What was made is undone: our copy of the key is shredded, and WhiteBIT deletes the key."""

from fastkey.domain.connection import Connection
from fastkey.domain.errors import (
    AccountAlreadyConnected,
    ConnectionClosed,
    ConsentLost,
    FastkeyError,
    KeyGone,
    Revoked,
    SecretHeld,
    SecretLost,
    by_code,
)
from fastkey.domain.key import KeyState
from fastkey.domain.status import Status
from fastkey.ports import World
from fastkey.usecases.capture_secret import find_copy
from fastkey.usecases.change import change
from fastkey.usecases.refresh_token import live_token


def delete_key(
    world: World, connection_id: str, cause: type[FastkeyError], *, leave_to_user: bool = False
) -> Connection:
    """Brings the connection to the end that its cause asks for, with no key left that nobody holds. A second time
    changes nothing.

    leave_to_user: WhiteBIT is not asked; the user will have to remove the key. Raises SecretHeld if a secret that was
    given up turns up, and the connection captures again; StepInProgress while somebody may yet be given tokens or the
    secret; ConnectionClosed if the connection went another way; and what passes.
    """
    now = world.clock.now
    closing = change(world, connection_id, lambda c: c.revoke(now()) if cause is Revoked else c.close(cause, now()))
    if (cause is Revoked and closing.reason != Revoked.code) or (
        cause is not Revoked and closing.reason == Revoked.code
    ):
        raise ConnectionClosed
    if closing.status.is_end:
        return closing
    closing.refuse_while_busy(now())
    if cause is SecretLost and find_copy(world, closing):
        change(world, connection_id, lambda c: c.reopen(now()))
        raise SecretHeld
    world.vault.shred(connection_id)
    status = Status.NEEDS_USER_ACTION if leave_to_user else _delete(world, closing)
    return change(world, connection_id, lambda c: c.end(status, now()))


def _delete(world: World, closing: Connection) -> Status:
    """Deletes the key at WhiteBIT if it is there, is this connection's, and can be deleted.

    Gives the status that the connection ends in.
    """
    end = by_code(closing.reason or "").ends
    if closing.exchange_was_lost(world.clock.now()):
        return Status.NEEDS_USER_ACTION
    if closing.tokens is None or end is Status.NEEDS_USER_ACTION:
        return end
    try:
        token = live_token(world, closing.connection_id)
        key = world.whitebit.key_info(token)
        if key.state is KeyState.DISABLED:
            return Status.NEEDS_USER_ACTION
        if key.external_id is None or closing.external_id not in (None, key.external_id):
            return end
        external_id = key.external_id
        change(world, closing.connection_id, lambda c: c.hold(external_id, world.clock.now()))
        world.whitebit.delete_key(token, external_id)
    except ConsentLost:
        return Status.NEEDS_USER_ACTION
    except (AccountAlreadyConnected, KeyGone):
        return end
    return end
