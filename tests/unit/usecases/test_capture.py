"""The point of no return: the secret is read once, and never lost between reading and storing."""

from datetime import timedelta

import pytest

from fastkey.domain import errors
from fastkey.domain.key import CapturedKey
from fastkey.domain.secret import Secret
from fastkey.domain.status import Status
from fastkey.ports import Purpose
from fastkey.usecases.capture_secret import TIME_TO_READ_AND_STORE, capture_secret
from fastkey.usecases.lease import CLOCK_SKEW
from tests.unit.journey import ATTEMPT, LEASE, Journey

MOMENT = timedelta(microseconds=1)


@pytest.fixture
def capturing(journey: Journey) -> Journey:
    """The connection holds its key, whose secret nobody has read."""
    return journey.claim()


def assert_captured(journey: Journey) -> None:
    """The secret that WhiteBIT gave lies in the vault, and nowhere else."""
    stored, connection = journey.world.vault.find(journey.connection_id), journey.connection
    assert stored
    assert (stored.secret.reveal(), stored.external_id) == (journey.key.secret, journey.key.external_id)
    assert (stored.permissions, stored.issued_at) == (connection.permissions, connection.issued_at)
    assert (connection.status, connection.escrow, connection.busy_until) == (Status.VERIFYING, None, None)


def assert_not_read(journey: Journey) -> None:
    """WhiteBIT was not asked, and the next attempt need not wait."""
    assert not journey.key.given
    assert "read_secret" not in journey.world.whitebit.calls
    assert journey.connection.busy_until is None


def as_captured(journey: Journey) -> CapturedKey:
    """The key as an attempt that was given its secret would store it."""
    connection = journey.connection
    assert connection.issued_at
    return CapturedKey(
        journey.key.external_id, Secret(journey.key.secret), connection.permissions, connection.issued_at
    )


def reads(journey: Journey) -> int:
    return journey.world.whitebit.calls.count("read_secret")


def test_the_secret_is_read_and_stored(capturing: Journey) -> None:
    assert capturing.capture() == capturing.connection
    assert_captured(capturing)


def test_a_second_attempt_changes_nothing(capturing: Journey) -> None:
    once = capturing.capture()
    assert capturing.wait(minutes=1).capture() == once
    assert reads(capturing) == 1


def test_what_is_active_is_not_captured_again(journey: Journey) -> None:
    assert journey.activate().capture().status is Status.ACTIVE
    assert reads(journey) == 1


# ---- Everything that can fail fails before ---------------------------------------------------------------------------


def test_without_a_place_to_store_nothing_is_read(capturing: Journey) -> None:
    capturing.world.chosen_vault.fail_next("prepare", errors.StorageUnavailable)
    with pytest.raises(errors.StorageUnavailable):
        capturing.capture()
    assert_not_read(capturing)
    capturing.capture()
    assert_captured(capturing)


def test_without_a_working_seal_nothing_is_read(capturing: Journey) -> None:
    capturing.world.sealer.fail_next("seal", errors.StorageUnavailable)
    with pytest.raises(errors.StorageUnavailable):
        capturing.capture()
    assert_not_read(capturing)


def test_without_a_live_token_nothing_is_read(capturing: Journey) -> None:
    capturing.wait(minutes=10)
    with pytest.raises(errors.ConsentLost):
        capturing.capture()
    assert_not_read(capturing)


def test_a_token_near_its_end_is_refreshed_first(capturing: Journey) -> None:
    capturing.wait(minutes=4).capture()
    assert capturing.world.whitebit.calls[-2:] == ["refresh_token", "read_secret"]
    assert_captured(capturing)


def test_without_enough_time_nothing_is_read(capturing: Journey) -> None:
    soon = capturing.world.clock.now() + TIME_TO_READ_AND_STORE - MOMENT
    with pytest.raises(errors.NoTimeLeft):
        capture_secret(capturing.world, capturing.connection_id, soon)
    assert_not_read(capturing)


def test_time_that_suffices_is_enough(capturing: Journey) -> None:
    capture_secret(capturing.world, capturing.connection_id, capturing.world.clock.now() + TIME_TO_READ_AND_STORE)
    assert_captured(capturing)


def test_two_attempts_do_not_overlap(capturing: Journey) -> None:
    def second_attempt() -> None:
        with pytest.raises(errors.StepInProgress):
            capturing.capture()

    capturing.world.whitebit.meanwhile("read_secret", second_attempt)
    capturing.capture()
    assert reads(capturing) == 1
    assert_captured(capturing)


def test_an_attempt_that_was_killed_holds_its_lease_until_its_time_is_over(capturing: Journey) -> None:
    capturing.world.chosen_vault.fail_next("prepare", KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        capturing.capture()
    with pytest.raises(errors.StepInProgress):
        capturing.wait_for(ATTEMPT + CLOCK_SKEW - MOMENT).capture()
    capturing.wait(seconds=1).capture()
    assert_captured(capturing)


def test_without_a_key_there_is_nothing_to_read(journey: Journey) -> None:
    journey.authorize().complete().create_key()
    with pytest.raises(errors.ConnectionClosed):
        journey.capture()
    assert_not_read(journey)


# ---- The first durable write wins ------------------------------------------------------------------------------------


def test_a_secret_that_the_vault_does_not_take_is_kept_in_escrow_and_moved_over(capturing: Journey) -> None:
    capturing.world.chosen_vault.fail_next("store", errors.StorageUnavailable)
    with pytest.raises(errors.StorageUnavailable):
        capturing.capture()
    escrow = capturing.connection.escrow
    assert escrow
    assert capturing.key.secret.encode() not in escrow
    capturing.capture()
    assert_captured(capturing)
    assert reads(capturing) == 1


def test_a_secret_survives_whatever_ails_the_vault(capturing: Journey) -> None:
    capturing.world.chosen_vault.fail_next("store", ZeroDivisionError)
    with pytest.raises(errors.StorageUnavailable):
        capturing.capture()
    capturing.capture()
    assert_captured(capturing)


def test_a_secret_stays_in_escrow_for_as_long_as_the_vault_is_down(capturing: Journey) -> None:
    capturing.world.chosen_vault.fail_next("store", errors.StorageUnavailable, times=3)
    for _ in range(3):
        with pytest.raises(errors.StorageUnavailable):
            capturing.capture()
    capturing.capture()
    assert_captured(capturing)
    assert reads(capturing) == 1


def test_a_secret_whose_storing_was_not_answered_is_found(capturing: Journey) -> None:
    capturing.world.chosen_vault.fail_next("store", errors.StorageUnavailable, after_effect=True)
    with pytest.raises(errors.StorageUnavailable):
        capturing.capture()
    capturing.capture()
    assert_captured(capturing)
    assert reads(capturing) == 1


@pytest.mark.parametrize("times", [1, 2])
def test_a_secret_is_not_given_up_because_the_escrow_fails_too(capturing: Journey, times: int) -> None:
    world = capturing.world

    def fail() -> None:
        world.chosen_vault.fail_next("store", errors.StorageUnavailable)
        world.sealer.fail_next("seal", errors.StorageUnavailable, times=times)
        world.connections.fail_next("save", errors.StorageUnavailable, times=times)

    world.whitebit.meanwhile("read_secret", fail, after_effect=True)
    with pytest.raises(errors.StorageUnavailable):
        capturing.capture()
    capturing.capture()
    assert_captured(capturing)
    assert reads(capturing) == 1


def test_a_secret_that_was_stored_before_the_end_of_an_attempt_is_found(capturing: Journey) -> None:
    capturing.world.chosen_vault.meanwhile(
        "store",
        lambda: capturing.world.connections.fail_next("save", errors.StorageUnavailable, times=2),
        after_effect=True,
    )
    with pytest.raises(errors.StorageUnavailable):
        capturing.capture()
    capturing.wait_for(LEASE).capture()
    assert_captured(capturing)
    assert reads(capturing) == 1


# ---- Answers ---------------------------------------------------------------------------------------------------------


def test_an_answer_that_did_not_come_before_the_effect_is_asked_for_again(capturing: Journey) -> None:
    capturing.world.whitebit.fail_next("read_secret", errors.WhiteBitUnavailable)
    with pytest.raises(errors.WhiteBitUnavailable):
        capturing.capture()
    capturing.capture()
    assert_captured(capturing)


def test_a_secret_that_was_given_and_never_came_is_lost(capturing: Journey) -> None:
    capturing.world.whitebit.fail_next("read_secret", errors.WhiteBitUnavailable, after_effect=True)
    with pytest.raises(errors.WhiteBitUnavailable):
        capturing.capture()
    with pytest.raises(errors.SecretLost):
        capturing.capture()
    assert capturing.connection.busy_until is None


def test_a_secret_given_before_is_no_loss_where_the_vault_has_it(capturing: Journey) -> None:
    world = capturing.world

    def earlier_attempt_stores() -> None:
        capturing.key.given = True
        world.vault.store(capturing.connection_id, as_captured(capturing))

    world.whitebit.meanwhile("read_secret", earlier_attempt_stores)
    capturing.capture()
    assert_captured(capturing)


def test_a_secret_given_before_is_no_loss_where_the_escrow_has_it(capturing: Journey) -> None:
    world = capturing.world

    def earlier_attempt_escrows() -> None:
        capturing.key.given = True
        sealed = world.sealer.seal(Secret(capturing.key.secret), capturing.connection_id, Purpose.ESCROW)
        before = capturing.connection
        world.connections.save(before, before.keep_in_escrow(sealed, world.clock.now()))

    world.whitebit.meanwhile("read_secret", earlier_attempt_escrows)
    capturing.capture()
    assert_captured(capturing)


def test_a_locked_secret_passes(capturing: Journey) -> None:
    capturing.key.locked = True
    with pytest.raises(errors.SecretLocked):
        capturing.capture()
    assert capturing.connection.busy_until is None
    capturing.key.locked = False
    capturing.capture()
    assert_captured(capturing)


def test_a_key_that_is_gone_has_no_secret(capturing: Journey) -> None:
    del capturing.world.whitebit.keys[capturing.account]
    with pytest.raises(errors.KeyGone):
        capturing.capture()


# ---- Somebody else decides meanwhile ---------------------------------------------------------------------------------


def test_a_revocation_while_the_secret_is_read_stops_it_and_leaves_nothing(capturing: Journey) -> None:
    world = capturing.world

    def revoke() -> None:
        capturing.revoke()
        with pytest.raises(errors.StepInProgress):
            capturing.delete(errors.Revoked)

    world.whitebit.meanwhile("read_secret", revoke)
    with pytest.raises(errors.ConnectionClosed):
        capturing.capture()
    assert (capturing.connection.status, capturing.connection.busy_until) == (Status.REVOKING, None)
    assert capturing.delete(errors.Revoked).status is Status.REVOKED
    assert world.vault.find(capturing.connection_id) is None
    assert world.whitebit.keys == {}


def test_a_revocation_just_before_the_read_leaves_the_secret_unread(capturing: Journey) -> None:
    capturing.world.chosen_vault.meanwhile("prepare", capturing.revoke)
    with pytest.raises(errors.ConnectionClosed):
        capturing.capture()
    assert_not_read(capturing)


def test_what_is_revoked_is_not_captured(capturing: Journey) -> None:
    capturing.revoke()
    with pytest.raises(errors.ConnectionClosed):
        capturing.capture()
    assert_not_read(capturing)


def test_a_defect_lets_go_of_the_lease_as_an_error_does(capturing: Journey) -> None:
    capturing.world.chosen_vault.fail_next("prepare", KeyError)
    with pytest.raises(KeyError):
        capturing.capture()
    assert capturing.connection.busy_until is None
    assert capturing.capture().status is Status.VERIFYING


# ---- A lock that outlasts a token ------------------------------------------------------------------------------------

# The state machine's pauses after SecretLocked, in seconds.
PAUSES = (5, 10, 20, 40, 60, 60)


@pytest.mark.parametrize("age", range(0, 600, 20))
def test_a_token_is_kept_alive_for_as_long_as_the_lock_is_waited_for(journey: Journey, age: int) -> None:
    """In revision 2026-08 it lives for 300 s, whenever in its life the lock begins; refreshed, it outlasts the lock."""
    capturing = journey.claim().wait(seconds=age)
    capturing.key.locked = True
    for pause in PAUSES:
        with pytest.raises(errors.SecretLocked):
            capturing.capture()
        capturing.wait(seconds=pause)
    capturing.key.locked = False
    capturing.capture()
    assert_captured(capturing)


def test_a_key_whose_lock_was_not_lifted_is_deleted_with_a_token_that_lives(capturing: Journey) -> None:
    capturing.key.locked = True
    for pause in PAUSES:
        with pytest.raises(errors.SecretLocked):
            capturing.capture()
        capturing.wait(seconds=pause)
    ended = capturing.delete(errors.SecretLocked)
    assert (ended.status, ended.reason) == (Status.NEEDS_CONSENT, "secret_locked")
    assert capturing.world.whitebit.keys == {}


def test_tokens_that_die_while_the_lock_is_waited_for_leave_the_key_to_the_user(capturing: Journey) -> None:
    capturing.key.locked = True
    with pytest.raises(errors.SecretLocked):
        capturing.capture()
    for pair in capturing.world.whitebit.granted.values():
        pair.revoked = True
    with pytest.raises(errors.ConsentLost):
        capturing.capture()
    ended = capturing.delete(errors.ConsentLost)
    assert (ended.status, ended.reason) == (Status.NEEDS_USER_ACTION, "consent_lost")
    assert ended.key_lives_until
    assert not capturing.world.chosen_vault.exists(capturing.connection_id)
