"""A lease is a fence: an attempt that was taken for dead, and is not, changes nothing any more."""

from collections.abc import Callable

import pytest

from fastkey.domain import errors
from fastkey.domain.key import CapturedKey
from fastkey.domain.secret import Secret
from fastkey.domain.status import Status
from tests.unit.journey import LEASE, Journey


@pytest.fixture
def capturing(journey: Journey) -> Journey:
    return journey.claim()


def taking_over(journey: Journey) -> Callable[[], None]:
    """Time passes until the lease of whoever is at work has run out, and another attempt takes one."""

    def act() -> None:
        before, now = journey.connection, journey.wait_for(LEASE).world.clock.now()
        journey.world.connections.save(before, before.lease(before.status, now + LEASE, now))

    return act


def assert_the_others(journey: Journey, status: Status) -> None:
    """The other attempt is still at work, and nothing has changed under its hands."""
    connection = journey.connection
    assert (connection.status, connection.busy_until) == (status, journey.world.clock.now() + LEASE)


def test_a_late_capture_does_not_read(capturing: Journey) -> None:
    capturing.world.sealer.meanwhile("seal", taking_over(capturing))
    with pytest.raises(errors.StepInProgress):
        capturing.capture()
    assert "read_secret" not in capturing.world.whitebit.calls
    assert_the_others(capturing, Status.CAPTURING)


def test_a_late_capture_stores_what_it_has_read_and_takes_no_further_step(capturing: Journey) -> None:
    capturing.world.whitebit.meanwhile("read_secret", taking_over(capturing))
    with pytest.raises(errors.StepInProgress):
        capturing.capture()
    assert capturing.world.vault.find(capturing.connection_id)
    assert_the_others(capturing, Status.CAPTURING)


def test_a_late_capture_leaves_nothing_behind_after_the_end(capturing: Journey) -> None:
    def disconnect() -> None:
        capturing.wait_for(LEASE).revoke()
        capturing.delete(errors.Revoked)

    capturing.world.whitebit.meanwhile("read_secret", disconnect, after_effect=True)
    with pytest.raises(errors.ConnectionClosed):
        capturing.capture()
    assert (capturing.connection.status, capturing.connection.escrow) == (Status.REVOKED, None)
    assert not capturing.world.chosen_vault.exists(capturing.connection_id)


def test_a_late_verification_does_not_activate(capturing: Journey) -> None:
    capturing.capture()
    capturing.world.whitebit.meanwhile("try_key", taking_over(capturing))
    with pytest.raises(errors.StepInProgress):
        capturing.verify()
    assert_the_others(capturing, Status.VERIFYING)


def test_a_late_verification_does_not_sign(capturing: Journey) -> None:
    capturing.capture()
    capturing.world.chosen_vault.meanwhile("find", taking_over(capturing))
    with pytest.raises(errors.StepInProgress):
        capturing.verify()
    assert "try_key" not in capturing.world.whitebit.calls


def test_a_late_deletion_does_not_shred_what_was_stored_meanwhile(capturing: Journey) -> None:
    world = capturing.world
    world.vault.prepare(capturing.connection)
    key = CapturedKey(capturing.key.external_id, Secret(capturing.key.secret), ("trading",), world.clock.now())

    def another_stores() -> None:
        taking_over(capturing)()
        world.vault.store(capturing.connection_id, key)

    world.chosen_vault.meanwhile("find", another_stores, after_effect=True)
    with pytest.raises(errors.StepInProgress):
        capturing.delete(errors.SecretLost)
    assert world.vault.find(capturing.connection_id) == key
    assert_the_others(capturing, Status.CLOSING)


def test_a_late_deletion_deletes_nothing(capturing: Journey) -> None:
    capturing.world.whitebit.meanwhile("key_info", taking_over(capturing))
    with pytest.raises(errors.StepInProgress):
        capturing.delete(errors.SecretLost)
    assert "delete_key" not in capturing.world.whitebit.calls
    assert_the_others(capturing, Status.CLOSING)


def test_a_late_deletion_does_not_end_the_connection(capturing: Journey) -> None:
    capturing.world.whitebit.meanwhile("delete_key", taking_over(capturing))
    with pytest.raises(errors.StepInProgress):
        capturing.delete(errors.SecretLost)
    assert_the_others(capturing, Status.CLOSING)


def test_a_late_failure_does_not_let_go_of_anothers_lease(capturing: Journey) -> None:
    capturing.world.whitebit.meanwhile("read_secret", taking_over(capturing))
    capturing.world.whitebit.fail_next("read_secret", errors.SecretLocked, after_effect=True)
    with pytest.raises(errors.SecretLocked):
        capturing.capture()
    assert_the_others(capturing, Status.CAPTURING)


def test_a_lease_whose_taking_was_not_answered_is_the_attempts_own(capturing: Journey) -> None:
    """Else the attempt would wait for itself, until the tokens have died."""
    capturing.world.connections.fail_next("save", errors.StorageUnavailable, after_effect=True)
    assert capturing.capture().status is Status.VERIFYING


def test_two_attempts_that_begin_at_once_do_not_take_each_others_lease(capturing: Journey) -> None:
    def begin() -> None:
        with pytest.raises(errors.StepInProgress):
            capturing.capture()

    capturing.world.whitebit.meanwhile("read_secret", begin)
    assert capturing.capture().status is Status.VERIFYING
    assert capturing.world.whitebit.calls.count("read_secret") == 1
