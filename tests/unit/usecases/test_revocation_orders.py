"""A revocation finishes in every order of events: our copy is gone, one request deletes the key, the end is honest."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import pytest

from fastkey.domain import errors
from fastkey.domain.connection import IDLE_KEY_LIFE, Connection
from fastkey.domain.status import Status
from fastkey.usecases.migrate_vault import migrate_vault
from local.whitebit import Revision
from tests.fakes.interruptions import Interruptible
from tests.fakes.world import FakeWorld
from tests.unit.journey import Journey

Act = Callable[[Journey], object]

FAKES = ("authorizations", "connections", "sealer", "chosen_vault", "other_vault", "whitebit", "workflows")

# As in the state machine: how often RevokeKey asks WhiteBIT, and how long it waits for a step under way.
ATTEMPTS = 15
PAUSE = timedelta(seconds=15)


@pytest.fixture(params=list(Revision))
def world(request: pytest.FixtureRequest) -> FakeWorld:
    return FakeWorld(request.param)


def fake(journey: Journey, name: str) -> Interruptible:
    found: Interruptible = getattr(journey.world, name)
    return found


def asked(journey: Journey, method: str) -> int:
    return journey.world.whitebit.calls.count(method)


def go_on(journey: Journey, step: Act) -> None:
    """A step of ProvisionKey, and the first thing that its state machine does about the step's error."""
    try:
        step(journey)
    except errors.ConnectionClosed:
        return
    except errors.FastkeyError as error:
        with suppress(errors.FastkeyError):
            journey.delete(errors.by_name(type(error).__name__))


def finish(journey: Journey) -> Connection:
    """RevokeKey, as its state machine runs it: what may pass is tried again, and in the end the user is left to it."""
    failures = 0
    while failures < ATTEMPTS:
        try:
            return journey.delete(errors.Revoked)
        except errors.ConnectionClosed:
            return journey.connection
        except (errors.StepInProgress, errors.RefreshInProgress):
            journey.wait_for(PAUSE)
        except (errors.WhiteBitUnavailable, errors.StorageUnavailable):
            failures += 1
            journey.wait_for(PAUSE)
    return journey.delete(errors.Revoked, leave_to_user=True)


def assert_final(journey: Journey) -> None:
    """Nothing of the key is here, and what comes late finds the end: it neither signs, nor reads, nor stores."""
    ended = journey.connection
    assert ended.status.is_end
    assert (ended.tokens, ended.escrow, ended.held_key, ended.busy_until) == (None, None, None, None)
    assert journey.world.connections.holders == {}
    requests = list(journey.world.whitebit.calls)
    for late in (Journey.detect, Journey.capture, Journey.verify):
        with pytest.raises(errors.ConnectionClosed):
            late(journey)
    assert journey.revoke() == ended
    assert finish(journey) == ended
    assert journey.world.whitebit.calls == requests
    for vault in (journey.world.chosen_vault, journey.world.other_vault):
        assert not vault.exists(journey.connection_id)


def assert_revoked(journey: Journey) -> None:
    """WhiteBIT was asked once to delete the key, and has done so before the user was told."""
    assert (journey.connection.status, journey.connection.reason) == (Status.REVOKED, "revoked")
    assert (journey.world.whitebit.keys, asked(journey, "delete_key")) == ({}, 1)
    assert_final(journey)


# ---- How far a connection has come -----------------------------------------------------------------------------------


def have_a_key(journey: Journey) -> None:
    """In revision 2026-05 there is one since the consent."""
    if journey.account not in journey.world.whitebit.keys:
        journey.create_key()


def come_to_consent(journey: Journey) -> None:
    journey.come_to_consent()


def come_to_tokens(journey: Journey) -> None:
    have_a_key(journey.authorize())


def come_to_detection(journey: Journey) -> None:
    have_a_key(journey.authorize().complete())


def come_to_capture(journey: Journey) -> None:
    journey.claim()


def come_to_escrow(journey: Journey) -> None:
    journey.claim().world.chosen_vault.fail_next("store", errors.StorageUnavailable)
    with pytest.raises(errors.StorageUnavailable):
        journey.capture()


def come_to_verification(journey: Journey) -> None:
    journey.claim().capture()


def become_active(journey: Journey) -> None:
    journey.activate()


def become_active_before_the_vault_is_changed(journey: Journey) -> None:
    journey.activate().world.choose_other_vault()


def migrate(journey: Journey) -> None:
    migrate_vault(journey.world, journey.world.policy.vault, None, journey.deadline)


def begin_to_close(journey: Journey) -> None:
    journey.claim().key.given = True
    journey.world.whitebit.fail_next("key_info", errors.WhiteBitUnavailable)
    with pytest.raises(errors.WhiteBitUnavailable):
        journey.delete(errors.SecretLost)


# ---- At every call of every step -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Moment:
    """Before or after the effect of a call that a step makes: of which fake, which method, the how-manieth."""

    fake: str
    method: str
    number: int
    after_effect: bool

    def __str__(self) -> str:
        return f"{self.fake}.{self.method}#{self.number}-{'after' if self.after_effect else 'before'}"

    def when(self, journey: Journey, act: Callable[[], object]) -> None:
        """Has `act` done at this moment of what comes next."""
        for earlier in range(self.number + 1):
            now = act if earlier == self.number else lambda: None
            fake(journey, self.fake).meanwhile(self.method, now, after_effect=self.after_effect)


def with_an_old_token(come_there: Act) -> Act:
    """So that in revision 2026-08 the step refreshes it."""

    def come(journey: Journey) -> None:
        come_there(journey)
        journey.wait(minutes=4)

    return come


def close(journey: Journey) -> Connection:
    return journey.delete(errors.SecretLost)


def revoke_and_finish(journey: Journey) -> Connection:
    journey.revoke()
    return finish(journey)


# The step that the user's revocation falls into, and how far the connection has come before it.
STEPS: dict[str, tuple[Act, Act]] = {
    "exchanging": (come_to_consent, Journey.come_back),
    "detecting": (come_to_detection, Journey.detect),
    "refreshing": (with_an_old_token(come_to_detection), Journey.detect),
    "capturing": (with_an_old_token(come_to_capture), Journey.capture),
    "moving over": (come_to_escrow, Journey.capture),
    "verifying": (come_to_verification, Journey.verify),
    "closing": (with_an_old_token(begin_to_close), close),
    "revoking": (become_active, revoke_and_finish),
    "moving": (become_active_before_the_vault_is_changed, migrate),
    "refreshing and revoking": (with_an_old_token(become_active), revoke_and_finish),
}


def calls(journey: Journey) -> Counter[tuple[str, str]]:
    return Counter((name, method) for name in FAKES for method in fake(journey, name).calls)


def moments(step: str, revision: Revision) -> Iterator[Moment]:
    """The moments of the step when nothing disturbs it."""
    come_there, run = STEPS[step]
    journey = Journey(FakeWorld(revision))
    come_there(journey)
    before = calls(journey)
    run(journey)
    for (name, method), times in (calls(journey) - before).items():
        for number in range(times):
            yield Moment(name, method, number, after_effect=False)
            yield Moment(name, method, number, after_effect=True)


MOMENTS = [(revision, step, moment) for revision in Revision for step in STEPS for moment in moments(step, revision)]


def interrupt(revision: Revision, step: str, moment: Moment) -> Journey:
    """The user revokes at this moment, and RevokeKey's first attempt comes at once; then everything goes on."""
    come_there, run = STEPS[step]
    journey = Journey(FakeWorld(revision))
    come_there(journey)
    happened: list[Moment] = []

    def revoke() -> None:
        happened.append(moment)
        journey.revoke()
        with suppress(errors.StepInProgress, errors.RefreshInProgress):
            journey.delete(errors.Revoked)

    moment.when(journey, revoke)
    go_on(journey, run)
    assert happened
    assert journey.connection.status is Status.REVOKING or journey.connection.status.is_end, "the fence came down"
    finish(journey)
    return journey


def during(*steps: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("revision", "step", "moment"), [m for m in MOMENTS if m[1] in steps], ids=str)


@during(
    "detecting", "refreshing", "capturing", "moving over", "verifying", "revoking", "refreshing and revoking", "moving"
)
def test_a_revocation_at_any_moment_deletes_the_key_once(revision: Revision, step: str, moment: Moment) -> None:
    assert_revoked(interrupt(revision, step, moment))


@during("closing")
def test_a_revocation_of_what_is_closing_deletes_the_key_once(revision: Revision, step: str, moment: Moment) -> None:
    journey = interrupt(revision, step, moment)
    # Whoever writes the end first gives it its name.
    assert journey.connection.status in (Status.REVOKED, Status.NEEDS_CONSENT)
    assert (journey.world.whitebit.keys, asked(journey, "delete_key")) == ({}, 1)
    assert_final(journey)


@during("exchanging")
def test_a_revocation_while_the_browser_comes_back_leaves_a_key_only_where_no_code_was_sent(
    revision: Revision, step: str, moment: Moment
) -> None:
    """Without a code there is no token, and without a token nobody but the user can delete the key of 2026-05."""
    journey = interrupt(revision, step, moment)
    assert (journey.connection.status, journey.connection.reason) == (Status.REVOKED, "revoked")
    had_a_token, had_a_key = "exchange_code" in journey.world.whitebit.calls, revision is Revision.MAY_2026
    assert len(journey.world.whitebit.keys) == (had_a_key and not had_a_token)
    assert asked(journey, "delete_key") == (had_a_key and had_a_token)
    assert_final(journey)


def test_no_moment_of_a_step_is_missing() -> None:
    """What is read, stored, signed and deleted is among the moments."""
    methods = {(step, moment.method) for _, step, moment in MOMENTS}
    assert {
        ("exchanging", "exchange_code"),
        ("detecting", "key_info"),
        ("capturing", "read_secret"),
        ("capturing", "refresh_token"),
        ("capturing", "store"),
        ("refreshing", "refresh_token"),
        ("verifying", "try_key"),
        ("closing", "delete_key"),
        ("revoking", "shred"),
    } <= methods


# ---- In every state of the key and of WhiteBIT -----------------------------------------------------------------------


def let_the_tokens_die(journey: Journey) -> None:
    journey.wait(hours=5)


def disable_the_key(journey: Journey) -> None:
    journey.key.enabled = False


def remove_the_key(journey: Journey) -> None:
    journey.world.whitebit.remove_key(journey.account)


def withdraw(journey: Journey) -> None:
    journey.world.whitebit.withdraw(journey.account)


def lose_whitebit(journey: Journey) -> None:
    for method in ("key_info", "refresh_token"):
        journey.world.whitebit.fail_next(method, errors.WhiteBitUnavailable, times=10 * ATTEMPTS)


COME = [
    come_to_tokens,
    come_to_detection,
    come_to_capture,
    come_to_escrow,
    come_to_verification,
    become_active,
    begin_to_close,
]
LEFT_TO_USER = [let_the_tokens_die, disable_the_key, withdraw, lose_whitebit]


@pytest.mark.parametrize("come_there", COME)
def test_a_revocation_deletes_the_key_wherever_the_connection_is(journey: Journey, come_there: Act) -> None:
    come_there(journey)
    journey.revoke()
    finish(journey)
    assert_revoked(journey)


@pytest.mark.parametrize("come_there", COME)
def test_a_key_that_the_user_has_removed_is_revoked(journey: Journey, come_there: Act) -> None:
    come_there(journey)
    remove_the_key(journey)
    journey.revoke()
    assert finish(journey).status is Status.REVOKED
    assert asked(journey, "delete_key") == 0
    assert_final(journey)


@pytest.mark.parametrize("befall", LEFT_TO_USER)
@pytest.mark.parametrize("come_there", COME)
def test_what_cannot_be_deleted_is_left_to_the_user(journey: Journey, come_there: Act, befall: Act) -> None:
    come_there(journey)
    befall(journey)
    journey.revoke()
    ended = finish(journey)
    assert (ended.status, ended.reason) == (Status.NEEDS_USER_ACTION, "revoked")
    assert asked(journey, "delete_key") == 0
    assert ended.key_lives_until == ended.updated_at + IDLE_KEY_LIFE
    assert_final(journey)


@pytest.mark.parametrize("come_there", [come_to_capture, come_to_escrow, come_to_verification, become_active])
def test_who_is_told_how_long_the_key_lives_is_told_the_truth(journey: Journey, come_there: Act) -> None:
    """The key is disabled by then, because nothing has signed with it since."""
    come_there(journey)
    let_the_tokens_die(journey)
    journey.revoke()
    lives_until = finish(journey).key_lives_until
    assert lives_until
    assert journey.key.is_active(journey.world.clock.now())
    assert not journey.key.is_active(lives_until)


# ---- What goes wrong on the way --------------------------------------------------------------------------------------


@during("revoking")
@pytest.mark.parametrize("death", [False, True], ids=["fails", "dies"])
def test_a_revocation_finishes_whatever_call_fails(revision: Revision, step: str, moment: Moment, death: bool) -> None:
    """Before or after its effect; or the function dies there."""
    come_there, _ = STEPS[step]
    journey = Journey(FakeWorld(revision))
    come_there(journey)
    usual = errors.WhiteBitUnavailable if moment.fake == "whitebit" else errors.StorageUnavailable

    def fail() -> None:
        raise KeyboardInterrupt if death else usual

    moment.when(journey, fail)
    with suppress(KeyboardInterrupt, errors.StorageUnavailable):
        journey.revoke()
    with suppress(KeyboardInterrupt):
        finish(journey)
    if journey.world.workflows.revokes == []:
        journey.revoke()
    finish(journey)
    assert journey.connection.status is Status.REVOKED
    assert journey.world.whitebit.keys == {}
    assert_final(journey)


def test_a_copy_that_cannot_be_shredded_yet_is_shredded_before_the_user_is_told(journey: Journey) -> None:
    journey.activate().revoke()
    journey.world.chosen_vault.fail_next("shred", errors.StorageUnavailable, times=3)
    finish(journey)
    assert_revoked(journey)


def test_a_new_token_that_is_lost_on_its_way_leaves_the_key_to_the_user() -> None:
    """The old one died of the refresh, in revision 2026-08."""
    journey = Journey(FakeWorld(Revision.AUGUST_2026)).activate().wait(minutes=4)
    journey.revoke()
    journey.world.whitebit.fail_next("refresh_token", errors.WhiteBitUnavailable, after_effect=True)
    ended = finish(journey)
    assert (ended.status, asked(journey, "delete_key")) == (Status.NEEDS_USER_ACTION, 0)
    assert ended.key_lives_until
    assert_final(journey)


def test_fifty_revocations_at_once_are_one(journey: Journey) -> None:
    """Each comes in the middle of the one before."""
    journey.activate()
    for _ in range(49):
        journey.world.connections.meanwhile("save", lambda: journey.revoke())
    journey.revoke()
    assert journey.world.workflows.revokes == [journey.connection_id]
    finish(journey)
    assert_revoked(journey)
