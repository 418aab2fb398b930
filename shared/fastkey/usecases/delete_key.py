"""What was made is undone: our copy of the key is shredded, and WhiteBIT deletes the key."""

from datetime import datetime

from fastkey.domain.connection import Connection
from fastkey.domain.errors import (
    AccountAlreadyConnected,
    ConnectionClosed,
    ConsentLost,
    FastkeyError,
    KeyGone,
    KeyUnusable,
    Revoked,
    SecretHeld,
    StorageUnavailable,
    by_code,
)
from fastkey.domain.key import KeyState
from fastkey.domain.status import Status
from fastkey.ports import World
from fastkey.usecases.capture_secret import find_copy
from fastkey.usecases.change import change
from fastkey.usecases.lease import Lease, lease
from fastkey.usecases.refresh_token import live_token

# A copy of the secret is worth more than whatever else went wrong, but for these: nobody wants it, or it opens nothing.
_COPY_IS_WORTHLESS = (Revoked, KeyGone, KeyUnusable)


def delete_key(
    world: World, connection_id: str, cause: type[FastkeyError], deadline: datetime, *, leave_to_user: bool = False
) -> Connection:
    """Brings the connection to the end that its cause asks for, with no key left that nobody holds.

    A second time changes nothing. deadline: when Lambda stops this attempt. leave_to_user: WhiteBIT is not asked; the
    user will have to remove the key. Raises SecretHeld if a copy of the secret is found, and the connection captures
    again; StepInProgress while somebody may yet be given tokens or the secret; ConnectionClosed if the connection went
    another way; and what passes.
    """
    now = world.clock.now()
    # The fence comes first, and by itself: whatever is under way finds it at its next write.
    fenced = change(world, connection_id, lambda c: c.revoke(now) if cause is Revoked else c.close(cause, now))
    if (cause is Revoked) is not (fenced.reason == Revoked.code):
        raise ConnectionClosed
    try:
        if not fenced.status.is_end:
            return _undo(world, fenced, deadline, leave_to_user=leave_to_user)
    except ConnectionClosed:
        # Lambda may have been started twice: another attempt came to the end.
        ended = world.connections.get(connection_id)
        if not ended.status.is_end or ended.reason != fenced.reason:
            raise
        fenced = ended
    # Again, because a copy that was stored just before the end may not have shown then.
    world.vault.shred(connection_id)
    return fenced


def _undo(world: World, fenced: Connection, deadline: datetime, *, leave_to_user: bool) -> Connection:
    """Deletes the key and our copy of it, unless the copy is worth more than what went wrong."""
    connection_id, cause, now = fenced.connection_id, by_code(fenced.reason or ""), world.clock.now
    with lease(world, connection_id, deadline, fenced.status) as held:
        leased = held.connection
        if cause not in _COPY_IS_WORTHLESS and not leased.is_overdue(now()) and find_copy(world, leased):
            held.change(lambda c: c.reopen(now()))
            raise SecretHeld
        # Another attempt, if it has taken over, may have found a copy, or stored one.
        held.check()
        try:
            world.vault.shred(connection_id)
        except StorageUnavailable:
            # Without its key our copy opens nothing: that does not wait for Secrets Manager.
            _delete(world, held, deadline, leave_to_user=leave_to_user)
            raise
        end = _delete(world, held, deadline, leave_to_user=leave_to_user)
        return held.change(lambda c: c.end(end, cause, now()))


def _delete(world: World, held: Lease, deadline: datetime, *, leave_to_user: bool) -> Status:
    """Deletes the key at WhiteBIT if it is there, is this connection's, and can be deleted.

    Gives the end to come to.
    """
    leased, reason = held.connection, by_code(held.connection.reason or "")
    end = reason.ends
    # Another connection had the key: it is not the user's to remove, but nobody's if that connection let go meanwhile.
    unable = end if reason is AccountAlreadyConnected else Status.NEEDS_USER_ACTION
    # Whoever comes here had consented: without a token there may be a key, and nothing to delete it with.
    if leave_to_user or leased.tokens is None or end is Status.NEEDS_USER_ACTION:
        return unable
    try:
        with live_token(world, leased.connection_id, deadline) as token:
            key = world.whitebit.key_info(token)
            if key.external_id is None or leased.external_id not in (None, key.external_id):
                return end
            if key.state is KeyState.DISABLED:
                return unable
            external_id = key.external_id
            held.change(lambda c: c.hold(external_id, world.clock.now()))
            world.whitebit.delete_key(token, external_id)
    except ConsentLost:
        return unable
    except (AccountAlreadyConnected, KeyGone):
        return end
    return end
