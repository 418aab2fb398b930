"""Whoever leaves, and wherever: the connection ends by itself, says why, and leaves no key that nobody holds."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import pytest

from fastkey.domain import errors
from fastkey.domain.authorization import AuthorizationResponse
from fastkey.domain.connection import Connection
from fastkey.domain.secret import Secret
from fastkey.domain.status import Status
from fastkey.usecases.callback import callback
from fastkey.usecases.complete_connection import complete_connection
from fastkey.usecases.get_connection import get_connection
from local.whitebit import Revision
from tests.fakes.world import FakeWorld
from tests.unit.journey import Journey

MAY, AUGUST = Revision.MAY_2026, Revision.AUGUST_2026


def come_to_its_end(journey: Journey) -> Connection:
    """Time passes, and ProvisionKey runs as its state machine has it, where somebody has started it.

    Gives the connection as its user sees it then.
    """
    if journey.connection_id in journey.world.workflows.provisions:
        provision(journey)
    journey.wait(minutes=11)
    return get_connection(journey.world, journey.connection_id, journey.user_id)


def provision(journey: Journey) -> None:
    if journey.await_completion("task-token"):
        journey.wait(minutes=9)
    try:
        while not (look := journey.detect()).found:
            journey.wait(seconds=look.wait_seconds)
        journey.capture()
        journey.verify()
    except errors.ConnectionClosed:
        return
    except errors.FastkeyError as cause:
        journey.delete(type(cause))


def assert_nothing_left(journey: Journey) -> None:
    """Neither a copy here, nor a hold on a key."""
    assert not journey.world.chosen_vault.exists(journey.connection_id)
    assert (journey.connection.tokens, journey.connection.escrow) == (None, None)
    assert journey.connection_id not in journey.world.connections.holders.values()


# ---- Where people leave ----------------------------------------------------------------------------------------------


def never_appear(journey: Journey) -> None:
    journey.start()


def leave_at_whitebit(journey: Journey) -> None:
    journey.start().visit()


def consent_and_close_the_browser(journey: Journey) -> None:
    journey.come_to_consent()


def decline(journey: Journey) -> None:
    journey.start().visit()
    denied = AuthorizationResponse(journey.state, error=Secret("access_denied"))
    callback(journey.world, denied, journey.departure.cookie, journey.deadline)


def come_back_and_never_complete(journey: Journey) -> None:
    journey.authorize()


def create_the_key_and_never_complete(journey: Journey) -> None:
    journey.authorize()
    if journey.account not in journey.world.whitebit.keys:
        journey.create_key()


def forward_the_link(journey: Journey) -> None:
    """The victim, another user of the partner, comes back and completes."""
    create_the_key_and_never_complete(journey)
    with pytest.raises(errors.CompletionRefused):
        complete_connection(journey.world, journey.connection_id, "user-2", journey.completion)


def complete_and_never_create_the_key(journey: Journey) -> None:
    journey.authorize().complete()


def lose_the_exchange(journey: Journey) -> None:
    """WhiteBIT has taken the code, and its answer is lost."""
    journey.come_to_consent().world.whitebit.fail_next("exchange_code", errors.WhiteBitUnavailable, after_effect=True)
    journey.come_back()


def die_before_the_exchange(journey: Journey) -> None:
    """The function dies when it has started ProvisionKey, and the browser does not try again."""
    journey.come_to_consent().world.workflows.fail_next("start_provision", KeyboardInterrupt, after_effect=True)
    with suppress(KeyboardInterrupt):
        journey.come_back()


def die_in_the_exchange(journey: Journey) -> None:
    journey.come_to_consent().world.whitebit.fail_next("exchange_code", KeyboardInterrupt, after_effect=True)
    with suppress(KeyboardInterrupt):
        journey.come_back()


@dataclass(frozen=True, slots=True)
class Case:
    """Who leaves where, and the end. In revision: the only one in which it can happen, None for both."""

    leave: Callable[[Journey], None]
    status: Status
    reason: str
    revision: Revision | None = None

    def __str__(self) -> str:
        return self.leave.__name__


EXPIRED, USERS = Status.EXPIRED, Status.NEEDS_USER_ACTION

LEAVES_NO_KEY = [
    Case(never_appear, EXPIRED, "consent_missing"),
    Case(leave_at_whitebit, EXPIRED, "consent_missing"),
    Case(consent_and_close_the_browser, EXPIRED, "consent_missing", AUGUST),
    Case(decline, Status.DENIED, "consent_denied"),
    Case(come_back_and_never_complete, EXPIRED, "completion_missing"),
    Case(create_the_key_and_never_complete, EXPIRED, "completion_missing"),
    Case(forward_the_link, Status.FAILED, "completion_refused"),
    Case(complete_and_never_create_the_key, EXPIRED, "key_not_created", AUGUST),
    Case(lose_the_exchange, USERS, "exchange_lost", AUGUST),
    Case(die_before_the_exchange, USERS, "completion_missing", AUGUST),
    Case(die_in_the_exchange, USERS, "completion_missing", AUGUST),
]

# Revision 2026-05 makes the key during consent. Where fastkey never had a token, only the user can remove it.
LEAVES_A_KEY_THAT_FASTKEY_NEVER_HAD_A_TOKEN_FOR = [
    Case(consent_and_close_the_browser, EXPIRED, "consent_missing", MAY),
    Case(lose_the_exchange, USERS, "exchange_lost", MAY),
    Case(die_before_the_exchange, USERS, "completion_missing", MAY),
    Case(die_in_the_exchange, USERS, "completion_missing", MAY),
]


def in_its_revisions(cases: list[Case]) -> list[tuple[Revision, Case]]:
    return [(revision, case) for case in cases for revision in Revision if case.revision in (None, revision)]


@pytest.mark.parametrize(("revision", "case"), in_its_revisions(LEAVES_NO_KEY), ids=str)
def test_what_is_left_ends_by_itself_with_no_key(revision: Revision, case: Case) -> None:
    journey = Journey(FakeWorld(revision))
    case.leave(journey)
    ended = come_to_its_end(journey)
    assert (ended.status, ended.reason) == (case.status, case.reason)
    assert journey.world.whitebit.keys == {}
    assert_nothing_left(journey)


@pytest.mark.parametrize(
    ("revision", "case"), in_its_revisions(LEAVES_A_KEY_THAT_FASTKEY_NEVER_HAD_A_TOKEN_FOR), ids=str
)
def test_a_key_for_which_there_never_was_a_token_is_the_users_to_remove(revision: Revision, case: Case) -> None:
    """Its secret has not been read, and nobody but the user knows of it."""
    journey = Journey(FakeWorld(revision))
    case.leave(journey)
    ended = come_to_its_end(journey)
    assert (ended.status, ended.reason) == (case.status, case.reason)
    assert not journey.key.given
    assert_nothing_left(journey)


@pytest.mark.parametrize(
    ("revision", "case"), in_its_revisions(LEAVES_NO_KEY + LEAVES_A_KEY_THAT_FASTKEY_NEVER_HAD_A_TOKEN_FOR), ids=str
)
def test_what_was_left_does_not_stand_in_the_way_of_the_next_try(revision: Revision, case: Case) -> None:
    """Of the same user, with the same WhiteBIT account. Whose secret nobody has read is as good as a new key."""
    journey = Journey(FakeWorld(revision))
    case.leave(journey)
    come_to_its_end(journey)
    assert Journey(journey.world, journey.user_id).activate().connection.status is Status.ACTIVE


def test_the_gate_refuses_and_the_connection_expires_while_the_key_lives_on() -> None:
    world = FakeWorld(AUGUST)
    first = Journey(world, "user-1").activate()
    second = Journey(world, "user-2").start().visit()
    assert world.whitebit.refuses(second.account)
    ended = come_to_its_end(second)
    assert (ended.status, ended.reason) == (EXPIRED, "consent_missing")
    assert_nothing_left(second)
    assert first.connection.held_key == first.key.external_id
    assert world.chosen_vault.truth(first.connection_id)


@pytest.mark.parametrize("revision", Revision)
@pytest.mark.parametrize("leave", [never_appear, leave_at_whitebit, decline])
def test_what_never_had_a_key_is_forgotten_one_day(revision: Revision, leave: Callable[[Journey], None]) -> None:
    journey = Journey(FakeWorld(revision))
    leave(journey)
    come_to_its_end(journey)
    journey.wait(days=31).world.connections.expire(journey.world.clock.now())
    assert journey.world.connections.all() == []


def test_who_comes_back_when_it_is_over_changes_nothing() -> None:
    """The browser was left open at the last step, and everything else has ended."""
    journey = Journey(FakeWorld(MAY)).authorize()
    ended = come_to_its_end(journey)
    with pytest.raises(errors.ConnectionClosed):
        journey.complete()
    with pytest.raises(errors.AuthorizationInvalid):
        journey.come_back()
    assert journey.connection == ended
