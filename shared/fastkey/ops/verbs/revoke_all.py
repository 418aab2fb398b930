"""Revokes all connections that have not ended, or those of one user: for the day on which keys have leaked.

The newest come first, because their tokens live, and without a live token WhiteBIT deletes no key. It can be stopped
and run again at any time: what is being revoked goes on by itself, and is helped on where somebody broke it off. Read
docs/operations.md before you need it.
"""

import argparse
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta

from botocore.exceptions import BotoCoreError, ClientError

from fastkey.domain.errors import ConnectionNotFound, FastkeyError
from fastkey.domain.status import Status
from fastkey.ops.executions import Executions
from fastkey.ops.listing import Listed, Listing
from fastkey.ops.operator import CONNECTIONS, Operator
from fastkey.ops.output import note, say
from fastkey.ops.redrive import Stuck, go_on
from fastkey.ops.trouble import Trouble
from fastkey.ports import Clock, Registry
from fastkey.usecases.revoke_connection import revoke_connection

# Revocations a second. Each shreds its secret twice, a minute apart, and Secrets Manager takes 50 deletions a second:
# https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
# Step Functions' 150 new executions a second are further away, and WhiteBIT names no limit but that of refreshes.
RATE = 20

# How often it is said how far it is.
PROGRESS = timedelta(seconds=10)

# How many of those that are waited for are named each time.
NAMED = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--user", help="only this user's, by the sub of their JWT")
    parser.add_argument("--yes", action="store_true", help="do not ask for the stack's name")
    parser.add_argument(
        "--wait", action="store_true", help="until each has ended: up to hours, where WhiteBIT does not answer"
    )


def run(operator: Operator, chosen: argparse.Namespace) -> int:
    clock = operator.registry.clock
    listing = _listing(operator, chosen.user)
    listed = _open(listing)
    note(f"have not ended: {_by_status(listed)}")
    if listed and not chosen.yes:
        _confirm(operator.stack)
    begun_before = [each for each in listed if each.status is Status.REVOKING]
    to_revoke = [each for each in listed if each.status is not Status.REVOKING]
    began = clock.now()
    failed = revoke_all(operator.registry, to_revoke)
    took = (clock.now() - began).total_seconds()
    say(f"{len(to_revoke) - len(failed)} of {len(to_revoke)} begun to be revoked, in {took:.1f} s")
    failed += help_on(operator.registry, operator.executions, begun_before)
    # Somebody else wrote them, and whether a key lives there is not known.
    failed += [(connection_id, "unreadable") for connection_id in listing.unreadable]
    for connection_id, code in failed:
        say(f"not revoked: {connection_id} {code}")
    if chosen.wait:
        ended = _wait(operator, chosen.user, {each.connection_id for each in listed} - dict(failed).keys())
        _tell(ended, clock.now() - began)
    return 1 if failed else 0


def revoke_all(registry: Registry, connections: Sequence[Listed]) -> list[tuple[str, str]]:
    """Revokes each, RATE a second. Gives those that could not be, with the codes of why."""
    with ThreadPoolExecutor(CONNECTIONS) as workers:
        revoked: list[Future[str | None]] = []
        for connection in _paced(connections, registry.clock):
            revoked.append(workers.submit(_revoke, registry, connection))
            if len(revoked) % (RATE * PROGRESS.seconds) == 0:
                note(f"{len(revoked)} of {len(connections)}")
    codes = ((each.connection_id, future.result()) for each, future in zip(connections, revoked, strict=True))
    return [(connection_id, code) for connection_id, code in codes if code]


def _revoke(registry: Registry, connection: Listed) -> str | None:
    """The code of why it could not be revoked, or None."""
    try:
        revoke_connection(registry, connection.connection_id, connection.user_id)
    except ConnectionNotFound:
        # It never came to a key, and the table has forgotten it.
        return None
    except FastkeyError as error:
        return error.code
    return None


def help_on(registry: Registry, executions: Executions, revoking: Iterable[Listed]) -> list[tuple[str, str]]:
    """Has those go on whose RevokeKey was broken off. Gives those that cannot, or of which it is not known, with why.

    One after the other, so that Step Functions is asked no faster than it answers: they are few, unless this is run
    twice in a row.
    """
    failed = []
    for each in revoking:
        try:
            if went_on := go_on(executions, registry.connections.get(each.connection_id)):
                say(f"{each.connection_id}: {went_on}")
        except ConnectionNotFound:
            continue
        except FastkeyError as error:
            failed.append((each.connection_id, error.code))
        except (Stuck, BotoCoreError, ClientError) as error:
            failed.append((each.connection_id, str(error)))
    return failed


def _paced(connections: Iterable[Listed], clock: Clock) -> Iterator[Listed]:
    turn = clock.now()
    for connection in connections:
        clock.wait(max(turn - clock.now(), timedelta(0)))
        yield connection
        turn = max(turn, clock.now()) + timedelta(seconds=1) / RATE


def _open(listing: Listing) -> list[Listed]:
    """Those that have not ended, the newest first."""
    return sorted((each for each in listing if not each.status.is_end), key=lambda each: each.created_at, reverse=True)


def _listing(operator: Operator, user_id: str | None) -> Listing:
    return Listing(operator.client("dynamodb"), operator.deployment.connections_table, user_id=user_id)


def _confirm(stack: str) -> None:
    """Raises Trouble unless somebody types the stack's name."""
    note(f"Each loses its key for good. Type the name of the stack, {stack}, to revoke them:")
    try:
        typed = input()
    except EOFError:
        typed = ""
    if typed.strip() != stack:
        raise Trouble("nothing was revoked")


# ---- Until they have ended -------------------------------------------------------------------------------------------


def _wait(operator: Operator, user_id: str | None, connection_ids: Collection[str]) -> list[Listed]:
    """Those of these connections that are not forgotten, once they have ended."""
    while True:
        listed = [each for each in _listing(operator, user_id) if each.connection_id in connection_ids]
        under_way = sorted((each for each in listed if not each.status.is_end), key=lambda each: each.updated_at)
        if not under_way:
            return listed
        longest = ", ".join(each.connection_id for each in under_way[:NAMED])
        note(f"{_by_status(listed)}; unchanged for longest: {longest}")
        operator.registry.clock.wait(PROGRESS)


def _tell(ended: Sequence[Listed], took: timedelta) -> None:
    """took: until that was seen, which is up to PROGRESS later than it was so."""
    say(f"ended: {_by_status(ended)}, in {took.total_seconds():.1f} s at most")
    # The change to `revoked` is what comes after WhiteBIT's answer that the key is deleted, where there was one. When
    # that was, Lambda's clock says: this machine's may be wrong by more than it took.
    revoked = [each.updated_at for each in ended if each.status is Status.REVOKED]
    if revoked:
        say(f"the last of the {len(revoked)} that are revoked ended at {max(revoked):%Y-%m-%d %H:%M:%S} UTC")
    if any(each.status is Status.NEEDS_USER_ACTION for each in ended):
        say("some keys live until their users remove them: connections --status needs_user_action")


def _by_status(listed: Iterable[Listed]) -> str:
    counts = Counter(each.status for each in listed)
    return ", ".join(f"{counts[status]} {status}" for status in Status if status in counts) or "none"
