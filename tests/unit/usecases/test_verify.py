"""A connection is active when a signed call has gone well."""

from dataclasses import replace

import pytest

from fastkey.domain import errors
from fastkey.domain.secret import Secret
from fastkey.domain.status import Status
from tests.unit.journey import Journey


@pytest.fixture
def verifying(journey: Journey) -> Journey:
    journey.claim().capture()
    return journey


def test_a_key_that_signs_makes_the_connection_active(verifying: Journey) -> None:
    connection = verifying.verify()
    assert connection.status is Status.ACTIVE
    assert connection.reason is None


def test_a_second_time_changes_nothing(verifying: Journey) -> None:
    once = verifying.verify()
    assert verifying.verify() == once
    assert verifying.world.whitebit.calls.count("try_key") == 1


def test_a_key_whose_success_could_not_be_written_signs_once_more(verifying: Journey) -> None:
    def fail() -> None:
        verifying.world.connections.fail_next("save", errors.StorageUnavailable)

    verifying.world.whitebit.meanwhile("try_key", fail, after_effect=True)
    with pytest.raises(errors.StorageUnavailable):
        verifying.verify()
    assert verifying.verify().status is Status.ACTIVE
    assert verifying.world.whitebit.calls.count("try_key") == 2


def test_it_is_the_stored_key_that_is_tried(verifying: Journey) -> None:
    stored = verifying.world.vault.find(verifying.connection_id)
    assert stored
    verifying.world.vault.shred(verifying.connection_id)
    verifying.world.vault.prepare(verifying.connection)
    verifying.world.vault.store(verifying.connection_id, replace(stored, secret=Secret("another")))
    with pytest.raises(errors.KeyUnusable):
        verifying.verify()
    assert verifying.connection.status is Status.VERIFYING


def test_a_key_that_whitebit_disabled_is_unusable(verifying: Journey) -> None:
    verifying.key.enabled = False
    with pytest.raises(errors.KeyUnusable):
        verifying.verify()


def test_a_stored_key_that_does_not_show_may_show_later(verifying: Journey) -> None:
    verifying.world.vault.shred(verifying.connection_id)
    with pytest.raises(errors.StorageUnavailable):
        verifying.verify()


def test_whitebit_out_of_reach_says_nothing_of_the_key(verifying: Journey) -> None:
    verifying.world.whitebit.fail_next("try_key", errors.WhiteBitUnavailable)
    with pytest.raises(errors.WhiteBitUnavailable):
        verifying.verify()
    assert verifying.verify().status is Status.ACTIVE


def test_a_key_is_tried_however_long_it_took(verifying: Journey) -> None:
    assert verifying.wait(hours=24).verify().status is Status.ACTIVE


def test_nothing_is_signed_once_the_user_disconnects(verifying: Journey) -> None:
    verifying.world.chosen_vault.meanwhile("find", verifying.revoke)
    with pytest.raises(errors.ConnectionClosed):
        verifying.verify()
    assert "try_key" not in verifying.world.whitebit.calls


def test_nothing_is_undone_while_the_key_is_tried(verifying: Journey) -> None:
    def undo() -> None:
        verifying.revoke()
        with pytest.raises(errors.StepInProgress):
            verifying.delete(errors.Revoked)

    verifying.world.whitebit.meanwhile("try_key", undo)
    with pytest.raises(errors.ConnectionClosed):
        verifying.verify()
    assert verifying.delete(errors.Revoked).status is Status.REVOKED


def test_nothing_signs_after_a_revocation(verifying: Journey) -> None:
    verifying.revoke()
    with pytest.raises(errors.ConnectionClosed):
        verifying.verify()
    assert "try_key" not in verifying.world.whitebit.calls


def test_a_revocation_in_the_middle_wins(verifying: Journey) -> None:
    verifying.world.whitebit.meanwhile("try_key", lambda: verifying.revoke())
    with pytest.raises(errors.ConnectionClosed):
        verifying.verify()
    assert verifying.connection.status is Status.REVOKING
