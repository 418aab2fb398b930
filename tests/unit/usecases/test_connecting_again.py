"""Connecting again after an end works at once, whatever the end has left behind."""

from datetime import timedelta

import pytest

from fastkey.domain import errors
from fastkey.domain.status import Status
from local.whitebit import Revision
from tests.fakes.system import FakeClock
from tests.fakes.whitebit import GateRefusedError
from tests.fakes.world import FakeWorld
from tests.unit.journey import Journey

# For how long Secrets Manager may still be deleting a name that was deleted by force.
DELETION = timedelta(minutes=1)


@pytest.fixture(params=list(Revision))
def world(request: pytest.FixtureRequest) -> FakeWorld:
    return FakeWorld(request.param)


def disconnect(journey: Journey) -> Status:
    journey.revoke()
    return journey.delete(errors.Revoked).status


def assert_active(journey: Journey) -> None:
    """With the secret of the account's one key."""
    stored = journey.world.chosen_vault.truth(journey.connection_id)
    assert stored
    assert (stored.external_id, stored.secret.reveal()) == (journey.key.external_id, journey.key.secret)
    assert journey.connection.status is Status.ACTIVE


def test_after_a_revocation_the_same_user_connects_at_once(world: FakeWorld) -> None:
    first, second = Journey(world).activate(), Journey(world)
    assert disconnect(first) is Status.REVOKED
    assert_active(second.activate())
    assert second.connection_id != first.connection_id


def test_a_name_that_is_still_being_deleted_is_in_nobodys_way() -> None:
    """Each connection's key has a place of its own, and a name that was never used before."""
    clock, lag = FakeClock(), [timedelta()]
    world = FakeWorld(clock=clock, lag=lambda: lag[0])
    first = Journey(world).activate()
    assert disconnect(first) is Status.REVOKED
    clock.advance(timedelta(seconds=1))
    lag[0] = DELETION
    with pytest.raises(errors.StorageUnavailable):
        world.vault.prepare(first.connection)
    again = Journey(world).claim()
    world.vault.prepare(again.connection)
    lag[0] = timedelta()
    again.capture()
    again.verify()
    assert_active(again)


def test_a_user_may_come_and_go_as_often_as_they_like(world: FakeWorld) -> None:
    for _ in range(5):
        assert disconnect(Journey(world).activate()) is Status.REVOKED
    assert_active(Journey(world).activate())


def test_while_the_key_is_not_yet_deleted_another_connection_neither_takes_nor_breaks_it() -> None:
    """WhiteBIT is away when the user disconnects; in revision 2026-05 the new consent finds the old key."""
    world = FakeWorld(Revision.MAY_2026)
    first = Journey(world).activate()
    first.revoke()
    world.whitebit.fail_next("key_info", errors.WhiteBitUnavailable)
    with pytest.raises(errors.WhiteBitUnavailable):
        first.delete(errors.Revoked)
    second = Journey(world).authorize().complete()
    with pytest.raises(errors.AccountAlreadyConnected):
        second.detect()
    assert second.delete(errors.AccountAlreadyConnected).status is Status.FAILED
    assert first.wait(minutes=1).delete(errors.Revoked).status is Status.REVOKED
    assert_active(Journey(world).activate())


def test_a_key_that_was_left_to_the_user_is_cleared_away_by_connecting_again() -> None:
    """Revision 2026-05 has no gate: the new consent finds the old key, whose secret was given to nobody who has it."""
    world = FakeWorld(Revision.MAY_2026)
    first = Journey(world).activate().wait(hours=5)
    assert disconnect(first) is Status.NEEDS_USER_ACTION
    second = Journey(world).claim()
    assert second.key is world.whitebit.issued[first.connection.external_id or ""]
    with pytest.raises(errors.SecretLost):
        second.capture()
    assert second.delete(errors.SecretLost).status is Status.NEEDS_CONSENT
    assert_active(Journey(world).activate())


def test_where_the_gate_refuses_the_user_removes_the_key_and_connects_again() -> None:
    world = FakeWorld(Revision.AUGUST_2026)
    assert disconnect(Journey(world).activate().wait(hours=5)) is Status.NEEDS_USER_ACTION
    again = Journey(world).start().visit()
    with pytest.raises(GateRefusedError):
        again.consent()
    world.whitebit.remove_key(again.account)
    assert_active(Journey(world).activate())
