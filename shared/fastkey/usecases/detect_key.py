"""The workflow looks whether WhiteBIT has issued the key."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastkey.domain.errors import KeyDisabled, PermissionsExceeded
from fastkey.domain.key import KeyState
from fastkey.domain.pace import seconds_until_next_look
from fastkey.domain.permissions import exceeds
from fastkey.domain.status import Status
from fastkey.ports import World
from fastkey.usecases.change import change
from fastkey.usecases.refresh_token import live_token

# Where the next look is so near, a function that waits for it is paid less than the three state transitions to another.
_AWAKE = timedelta(seconds=1)

# A look with every limit used up: a refresh, in its turn, and the question for the key.
TIME_TO_LOOK = timedelta(seconds=40)


@dataclass(frozen=True, slots=True)
class Detection:
    """Whether the key is there, and otherwise how many seconds to wait before looking again."""

    found: bool
    wait_seconds: int = 0


def detect_key(world: World, connection_id: str, deadline: datetime, counts: Counter[str]) -> Detection:
    """Looks for the key until it is there, or until the next look is a while off. When it is there, the connection
    takes hold of it.

    deadline: when Lambda stops this attempt. counts: where each look is counted as it is made, so that those of an
    attempt that fails are, too. Raises what ends the connection: CompletionMissing, CompletionRefused,
    ExchangeRefused, ExchangeLost, ConsentLost, KeyNotCreated, KeyDisabled, PermissionsExceeded,
    AccountAlreadyConnected; ConnectionClosed if it went another way; and what passes.
    """
    while True:
        detection = _look(world, connection_id, deadline, counts)
        pause = timedelta(seconds=detection.wait_seconds)
        if detection.found or pause > _AWAKE or world.clock.now() + pause + TIME_TO_LOOK > deadline:
            return detection
        world.clock.wait(pause)


def _look(world: World, connection_id: str, deadline: datetime, counts: Counter[str]) -> Detection:
    connection = change(world, connection_id, lambda c: c.detect(world.clock.now()))
    if connection.status is Status.CAPTURING:
        return Detection(found=True)
    waited = world.clock.now() - (connection.completed_at or connection.updated_at)
    later = Detection(found=False, wait_seconds=seconds_until_next_look(waited))
    if connection.status is not Status.DETECTING:
        return later
    with live_token(world, connection_id, deadline) as token:
        counts["looks"] += 1
        key = world.whitebit.key_info(token)
    match key.state:
        case KeyState.ABSENT:
            connection.await_key(world.clock.now())
            return later
        case KeyState.DISABLED:
            raise KeyDisabled
        case KeyState.ACTIVE if exceeds(key.permissions, world.policy.maximum_permissions):
            # Before the secret is read: a key that the partner does not want is never held.
            raise PermissionsExceeded
        case KeyState.ACTIVE:
            change(world, connection_id, lambda c: c.detect(world.clock.now()).claim(key, world.clock.now()))
            return Detection(found=True)
