"""A connection is active when a signed call has gone well."""

from dataclasses import replace

import pytest

from fastkey.domain import errors
from fastkey.domain.secret import Secret
from fastkey.domain.status import Status
from fastkey.usecases.revoke_connection import revoke_connection
from fastkey.usecases.verify_key import verify_key
from tests.unit.journey import Journey


@pytest.fixture
def verifying(journey: Journey) -> Journey:
    journey.claim().capture()
    return journey


def test_a_key_that_signs_makes_the_connection_active(verifying: Journey) -> None:
    connection = verify_key(verifying.world, verifying.connection_id)
    assert connection.status is Status.ACTIVE
    assert connection.last_used_at == verifying.world.clock.now()
    assert connection.reason is None


def test_a_second_time_changes_nothing(verifying: Journey) -> None:
    once = verify_key(verifying.world, verifying.connection_id)
    assert verify_key(verifying.world, verifying.connection_id) == once
    assert verifying.world.whitebit.calls.count("try_key") == 1


def test_it_is_the_stored_key_that_is_tried(verifying: Journey) -> None:
    stored = verifying.world.vault.find(verifying.connection_id)
    assert stored
    verifying.world.vault.shred(verifying.connection_id)
    verifying.world.vault.prepare(verifying.connection)
    verifying.world.vault.store(verifying.connection_id, replace(stored, secret=Secret("another")))
    with pytest.raises(errors.KeyUnusable):
        verify_key(verifying.world, verifying.connection_id)
    assert verifying.connection.status is Status.VERIFYING


def test_a_key_that_whitebit_disabled_is_unusable(verifying: Journey) -> None:
    verifying.key.enabled = False
    with pytest.raises(errors.KeyUnusable):
        verify_key(verifying.world, verifying.connection_id)


def test_a_stored_key_that_does_not_show_may_show_later(verifying: Journey) -> None:
    verifying.world.vault.shred(verifying.connection_id)
    with pytest.raises(errors.StorageUnavailable):
        verify_key(verifying.world, verifying.connection_id)


def test_whitebit_out_of_reach_says_nothing_of_the_key(verifying: Journey) -> None:
    verifying.world.whitebit.fail_next("try_key", errors.WhiteBitUnavailable)
    with pytest.raises(errors.WhiteBitUnavailable):
        verify_key(verifying.world, verifying.connection_id)
    assert verify_key(verifying.world, verifying.connection_id).status is Status.ACTIVE


def test_nothing_signs_after_a_revocation(verifying: Journey) -> None:
    revoke_connection(verifying.world, verifying.connection_id, verifying.user_id)
    with pytest.raises(errors.ConnectionClosed):
        verify_key(verifying.world, verifying.connection_id)
    assert "try_key" not in verifying.world.whitebit.calls


def test_a_revocation_in_the_middle_wins(verifying: Journey) -> None:
    verifying.world.whitebit.meanwhile(
        "try_key", lambda: revoke_connection(verifying.world, verifying.connection_id, verifying.user_id)
    )
    with pytest.raises(errors.ConnectionClosed):
        verify_key(verifying.world, verifying.connection_id)
    assert verifying.connection.status is Status.REVOKING
