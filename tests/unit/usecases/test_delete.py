"""What was made is undone, and the end says honestly what could be done."""

from datetime import timedelta

import pytest

from fastkey.domain import errors
from fastkey.domain.status import Status
from fastkey.usecases.revoke_connection import revoke_connection
from tests.fakes.world import FakeWorld
from tests.unit.journey import Journey


@pytest.fixture
def capturing(journey: Journey) -> Journey:
    return journey.claim()


# ---- Causes ----------------------------------------------------------------------------------------------------------

DELETING = [
    (errors.CompletionMissing, Status.EXPIRED),
    (errors.CompletionRefused, Status.FAILED),
    (errors.KeyNotCreated, Status.EXPIRED),
    (errors.SecretLost, Status.NEEDS_CONSENT),
    (errors.SecretLocked, Status.NEEDS_CONSENT),
    (errors.KeyUnusable, Status.FAILED),
    (errors.StorageUnavailable, Status.FAILED),
    (errors.Unexpected, Status.FAILED),
]


@pytest.mark.parametrize(("cause", "status"), DELETING)
def test_a_failure_deletes_the_key_and_ends_as_its_cause_asks(
    capturing: Journey, cause: type[errors.FastkeyError], status: Status
) -> None:
    ended = capturing.delete(cause)
    assert (ended.status, ended.reason) == (status, cause.code)
    assert capturing.world.whitebit.keys == {}


@pytest.mark.parametrize(
    "cause", [errors.KeyDisabled, errors.ConsentLost, errors.ExchangeLost, errors.UnexpectedAnswer]
)
def test_what_only_the_user_can_remove_is_left_to_the_user(
    capturing: Journey, cause: type[errors.FastkeyError]
) -> None:
    ended = capturing.delete(cause)
    assert (ended.status, ended.reason) == (Status.NEEDS_USER_ACTION, cause.code)
    assert "delete_key" not in capturing.world.whitebit.calls


def test_a_copy_that_could_not_be_used_for_a_day_saves_the_key_no_longer(capturing: Journey) -> None:
    capturing.capture()
    capturing.world.clock.advance(timedelta(hours=24))
    ended = capturing.delete(errors.WhiteBitUnavailable)
    assert ended.status.is_end
    assert capturing.world.vault.find(capturing.connection_id) is None


@pytest.mark.parametrize("leave_to_user", [False, True])
def test_a_key_that_another_connection_holds_is_not_left_to_the_user(journey: Journey, leave_to_user: bool) -> None:
    """Whatever has become of this connection's tokens."""
    journey.authorize().complete().create_key()
    journey.world.clock.advance(timedelta(hours=5))
    ended = journey.delete(errors.AccountAlreadyConnected, leave_to_user=leave_to_user)
    assert (ended.status, ended.reason) == (Status.FAILED, "account_already_connected")
    assert "delete_key" not in journey.world.whitebit.calls


def test_a_key_that_nobody_has_claimed_yet_is_deleted_too(journey: Journey) -> None:
    journey.authorize().create_key()
    assert journey.delete(errors.CompletionMissing).status is Status.EXPIRED
    assert journey.world.whitebit.keys == {}


def test_without_a_key_there_is_nothing_to_delete(journey: Journey) -> None:
    journey.authorize().complete()
    assert journey.delete(errors.KeyNotCreated).status is Status.EXPIRED
    assert "delete_key" not in journey.world.whitebit.calls


def test_without_a_token_nobody_is_asked_and_there_may_be_a_key(journey: Journey) -> None:
    journey.start().visit()
    assert journey.delete(errors.CompletionMissing).status is Status.NEEDS_USER_ACTION
    assert journey.world.whitebit.calls == []


# ---- Revocation ------------------------------------------------------------------------------------------------------


def test_a_revocation_shreds_the_copy_and_deletes_the_key(journey: Journey) -> None:
    journey.activate().revoke()
    ended = journey.delete(errors.Revoked)
    assert (ended.status, ended.reason) == (Status.REVOKED, "revoked")
    assert (ended.tokens, ended.escrow, ended.held_key) == (None, None, None)
    assert journey.world.vault.find(journey.connection_id) is None
    assert journey.world.whitebit.keys == {}


def test_the_workflow_revokes_even_if_the_function_died_after_starting_it(journey: Journey) -> None:
    journey.activate()
    journey.world.connections.fail_next("save", errors.StorageUnavailable)
    with pytest.raises(errors.StorageUnavailable):
        journey.revoke()
    assert journey.connection.status is Status.ACTIVE
    assert journey.world.workflows.revokes == [journey.connection_id]
    assert journey.delete(errors.Revoked).status is Status.REVOKED


def test_a_revocation_twice_is_a_revocation_once(journey: Journey) -> None:
    once = journey.activate().revoke()
    assert journey.wait(seconds=5).revoke() == once
    assert journey.world.workflows.revokes == [journey.connection_id]
    ended = journey.delete(errors.Revoked)
    assert journey.revoke() == ended
    assert journey.delete(errors.Revoked) == ended


def test_before_there_is_a_token_a_revocation_is_the_end(journey: Journey) -> None:
    assert journey.start().revoke().status is Status.REVOKED


def test_a_revocation_wakes_the_workflow_that_waits(journey: Journey) -> None:
    journey.authorize().await_completion("task-token")
    journey.revoke()
    assert journey.world.workflows.resumed == ["task-token"]


def test_nobody_revokes_anothers_connection(journey: Journey) -> None:
    journey.activate()
    with pytest.raises(errors.ConnectionNotFound):
        revoke_connection(journey.world, journey.connection_id, "user-2")
    assert journey.connection.status is Status.ACTIVE
    assert journey.world.workflows.revokes == []


def test_what_has_ended_is_not_revoked(capturing: Journey) -> None:
    ended = capturing.delete(errors.KeyUnusable)
    assert capturing.revoke() == ended
    with pytest.raises(errors.ConnectionClosed):
        capturing.delete(errors.Revoked)


def test_what_has_expired_unwritten_is_not_revoked(journey: Journey) -> None:
    assert journey.start().wait(minutes=6).revoke().status is Status.EXPIRED
    assert journey.world.workflows.revokes == []


def test_a_revocation_takes_over_from_a_failure(capturing: Journey) -> None:
    world = capturing.world
    world.whitebit.meanwhile("key_info", lambda: capturing.revoke())
    world.whitebit.fail_next("delete_key", errors.WhiteBitUnavailable)
    with pytest.raises(errors.WhiteBitUnavailable):
        capturing.delete(errors.SecretLost)
    with pytest.raises(errors.ConnectionClosed):
        capturing.delete(errors.SecretLost)
    ended = capturing.delete(errors.Revoked)
    assert (ended.status, ended.reason) == (Status.REVOKED, "revoked")


def test_provisioning_does_not_undo_what_is_active(journey: Journey) -> None:
    """And learns that it goes on: who verified it may not have been heard."""
    journey.activate()
    with pytest.raises(errors.SecretHeld):
        journey.delete(errors.KeyUnusable)
    assert journey.key.enabled


# ---- What WhiteBIT says ----------------------------------------------------------------------------------------------


def test_a_disabled_key_is_left_to_the_user_who_is_told_until_when_it_lives(journey: Journey) -> None:
    journey.activate().key.enabled = False
    journey.wait(hours=1).revoke()
    ended = journey.delete(errors.Revoked)
    assert (ended.status, ended.reason) == (Status.NEEDS_USER_ACTION, "revoked")
    assert ended.key_lives_until == journey.world.clock.now() + timedelta(days=14)
    assert journey.world.vault.find(journey.connection_id) is None


def test_a_dead_token_leaves_the_key_to_the_user(journey: Journey) -> None:
    journey.activate().wait(days=1)
    journey.revoke()
    ended = journey.delete(errors.Revoked)
    assert ended.status is Status.NEEDS_USER_ACTION
    assert ended.key_lives_until
    assert journey.world.vault.find(journey.connection_id) is None


def test_a_key_that_is_gone_is_deleted(journey: Journey) -> None:
    del journey.activate().world.whitebit.keys[journey.account]
    journey.revoke()
    assert journey.delete(errors.Revoked).status is Status.REVOKED


def test_a_key_that_goes_in_the_middle_is_deleted(capturing: Journey) -> None:
    capturing.world.whitebit.meanwhile("delete_key", lambda: capturing.world.whitebit.keys.clear())
    assert capturing.delete(errors.SecretLost).status is Status.NEEDS_CONSENT


def test_a_lost_answer_is_asked_for_again(capturing: Journey) -> None:
    capturing.world.whitebit.fail_next("delete_key", errors.WhiteBitUnavailable, after_effect=True)
    with pytest.raises(errors.WhiteBitUnavailable):
        capturing.delete(errors.SecretLost)
    assert capturing.delete(errors.SecretLost).status is Status.NEEDS_CONSENT


def test_of_two_at_once_each_tells_the_end(capturing: Journey) -> None:
    """And shreds what the other's shredding may not have seen."""
    world = capturing.world
    world.connections.meanwhile("save", lambda: capturing.delete(errors.SecretLost), after_effect=True)
    assert capturing.delete(errors.SecretLost).status is Status.NEEDS_CONSENT
    assert (world.whitebit.calls.count("delete_key"), world.chosen_vault.calls.count("shred")) == (1, 2)


def test_a_revocation_in_the_middle_of_a_failure_comes_to_its_own_end(capturing: Journey) -> None:
    capturing.world.whitebit.meanwhile("key_info", capturing.revoke)
    with pytest.raises(errors.ConnectionClosed):
        capturing.delete(errors.SecretLost)
    assert capturing.connection.status is Status.REVOKING
    assert capturing.delete(errors.Revoked).status is Status.REVOKED


def test_of_a_failure_and_a_revocation_at_once_the_revocation_tells(capturing: Journey) -> None:
    def disconnect() -> None:
        capturing.revoke()
        capturing.delete(errors.Revoked)

    capturing.world.connections.meanwhile("save", disconnect, after_effect=True)
    with pytest.raises(errors.ConnectionClosed):
        capturing.delete(errors.SecretLost)


def test_a_copy_that_cannot_be_shredded_does_not_keep_the_key_alive(capturing: Journey) -> None:
    capturing.capture()
    capturing.verify()
    capturing.revoke()
    capturing.world.chosen_vault.fail_next("shred", errors.StorageUnavailable)
    with pytest.raises(errors.StorageUnavailable):
        capturing.delete(errors.Revoked)
    assert capturing.world.whitebit.keys == {}
    assert capturing.connection.status is Status.REVOKING
    assert capturing.delete(errors.Revoked).status is Status.REVOKED
    assert capturing.world.vault.find(capturing.connection_id) is None


def test_twice_is_once(capturing: Journey) -> None:
    ended = capturing.delete(errors.SecretLost)
    assert capturing.wait(hours=1).delete(errors.SecretLost) == ended
    assert capturing.world.whitebit.calls.count("delete_key") == 1


def test_the_first_cause_stays(capturing: Journey) -> None:
    capturing.world.whitebit.fail_next("key_info", errors.WhiteBitUnavailable)
    with pytest.raises(errors.WhiteBitUnavailable):
        capturing.delete(errors.KeyUnusable)
    assert capturing.delete(errors.SecretLocked).reason == "key_unusable"


# ---- Whose key it is -------------------------------------------------------------------------------------------------


def test_a_key_that_another_connection_holds_is_not_deleted(world: FakeWorld) -> None:
    second = Journey(world, "user-2", "ada").authorize().complete()
    first = Journey(world, "user-1", "ada").activate()
    with pytest.raises(errors.AccountAlreadyConnected):
        second.detect()
    ended = second.delete(errors.AccountAlreadyConnected)
    assert (ended.status, ended.reason) == (Status.FAILED, "account_already_connected")
    assert world.whitebit.keys["ada"].external_id == first.connection.held_key
    assert world.vault.find(first.connection_id)


def test_a_key_that_is_made_after_the_other_connection_let_go_is_nobodys(world: FakeWorld) -> None:
    second = Journey(world, "user-2", "ada").authorize().complete()
    first = Journey(world, "user-1", "ada").activate()
    with pytest.raises(errors.AccountAlreadyConnected):
        second.detect()
    first.revoke()
    first.delete(errors.Revoked)
    world.whitebit.create_key("ada")
    assert second.delete(errors.AccountAlreadyConnected).status is Status.FAILED
    assert world.whitebit.keys == {}


def test_a_revocation_does_not_delete_a_key_that_another_connection_holds(world: FakeWorld) -> None:
    second = Journey(world, "user-2", "ada").authorize()
    first = Journey(world, "user-1", "ada").activate()
    second.revoke()
    assert second.delete(errors.Revoked).status is Status.REVOKED
    assert world.whitebit.keys["ada"].external_id == first.connection.held_key


def test_a_key_that_was_made_after_ours_was_removed_is_not_deleted(capturing: Journey) -> None:
    newer = capturing.create_key().key
    assert capturing.delete(errors.KeyUnusable).status is Status.FAILED
    assert capturing.key is newer


# ---- A secret that turns up ------------------------------------------------------------------------------------------


def read_into_escrow(journey: Journey) -> None:
    journey.world.chosen_vault.fail_next("store", errors.StorageUnavailable)
    with pytest.raises(errors.StorageUnavailable):
        journey.capture()


@pytest.mark.parametrize("leave_to_user", [False, True])
@pytest.mark.parametrize("cause", [errors.SecretLost, errors.StorageUnavailable, errors.Unexpected])
def test_a_copy_of_the_secret_saves_the_key(
    capturing: Journey, cause: type[errors.FastkeyError], leave_to_user: bool
) -> None:
    read_into_escrow(capturing)
    with pytest.raises(errors.SecretHeld):
        capturing.delete(cause, leave_to_user=leave_to_user)
    assert (capturing.connection.status, capturing.connection.reason) == (Status.CAPTURING, None)
    assert capturing.capture().status is Status.VERIFYING
    assert "delete_key" not in capturing.world.whitebit.calls


@pytest.mark.parametrize("cause", [errors.KeyGone, errors.KeyUnusable])
def test_a_copy_that_opens_nothing_saves_nothing(capturing: Journey, cause: type[errors.FastkeyError]) -> None:
    read_into_escrow(capturing)
    ended = capturing.delete(cause)
    assert (ended.status, ended.escrow) == (cause.ends, None)
    assert capturing.world.whitebit.keys == {}


def test_a_deletion_that_came_late_and_found_the_copy_is_no_end(capturing: Journey) -> None:
    """Nobody hears its answer: whoever meets what it did has to know that it goes on."""
    capturing.capture()
    with pytest.raises(errors.SecretHeld):
        capturing.delete(errors.WhiteBitUnavailable)
    with pytest.raises(errors.SecretHeld):
        capturing.verify()
    capturing.capture()
    capturing.verify()
    assert capturing.connection.status is Status.ACTIVE


def test_a_copy_does_not_save_what_the_user_revoked(capturing: Journey) -> None:
    read_into_escrow(capturing)
    capturing.revoke()
    assert capturing.delete(errors.Revoked).status is Status.REVOKED
    assert capturing.world.whitebit.keys == {}


def test_without_a_copy_a_lost_secret_costs_the_key(capturing: Journey) -> None:
    capturing.key.given = True
    with pytest.raises(errors.SecretLost):
        capturing.capture()
    assert capturing.delete(errors.SecretLost).status is Status.NEEDS_CONSENT
    assert capturing.world.whitebit.keys == {}


# ---- A vault that shows late what was stored -------------------------------------------------------------------------


@pytest.fixture
def late() -> Journey:
    """Secrets Manager shows everything 5 s late; the place for the key has been there for longer."""
    journey = Journey(FakeWorld(lag=lambda: timedelta(seconds=5))).claim()
    journey.key.locked = True
    with pytest.raises(errors.SecretLocked):
        journey.capture()
    journey.wait(seconds=5).key.locked = False
    return journey


def test_a_copy_that_shows_late_saves_the_key_a_minute_after_the_secret_seemed_lost(late: Journey) -> None:
    """That is how long ProvisionKey waits before it calls DeleteKey."""
    world = late.world
    world.chosen_vault.meanwhile(
        "store", lambda: world.connections.fail_next("save", errors.StorageUnavailable), after_effect=True
    )
    with pytest.raises(errors.StorageUnavailable):
        late.capture()
    with pytest.raises(errors.SecretLost):
        late.wait(seconds=2).capture()
    with pytest.raises(errors.SecretHeld):
        late.wait(minutes=1).delete(errors.SecretLost)
    assert late.capture().status is Status.VERIFYING
    assert world.whitebit.lives(late.connection.external_id or "")


def test_a_place_that_did_not_show_when_it_was_shredded_is_shredded_a_minute_after_the_end() -> None:
    journey = Journey(FakeWorld(lag=lambda: timedelta(seconds=5))).claim()
    journey.world.vault.prepare(journey.connection)
    journey.revoke()
    ended = journey.delete(errors.Revoked)
    assert (ended.status, journey.world.chosen_vault.exists(journey.connection_id)) == (Status.REVOKED, True)
    assert journey.wait(minutes=1).delete(errors.Revoked) == ended
    assert not journey.world.chosen_vault.exists(journey.connection_id)


# ---- Left to the user, and not yet -----------------------------------------------------------------------------------


def test_what_whitebit_cannot_be_made_to_delete_is_left_to_the_user(journey: Journey) -> None:
    journey.activate().revoke()
    asked = len(journey.world.whitebit.calls)
    ended = journey.delete(errors.Revoked, leave_to_user=True)
    assert (ended.status, ended.reason) == (Status.NEEDS_USER_ACTION, "revoked")
    assert journey.world.vault.find(journey.connection_id) is None
    assert len(journey.world.whitebit.calls) == asked


@pytest.mark.parametrize("leave_to_user", [False, True])
def test_nothing_is_undone_while_a_secret_may_be_on_its_way(capturing: Journey, leave_to_user: bool) -> None:
    def undo() -> None:
        with pytest.raises(errors.StepInProgress):
            capturing.delete(errors.KeyUnusable, leave_to_user=leave_to_user)

    capturing.world.whitebit.meanwhile("read_secret", undo)
    with pytest.raises(errors.KeyUnusable):
        capturing.capture()
    assert capturing.delete(errors.KeyUnusable).status is Status.FAILED
    assert capturing.world.whitebit.keys == {}
    assert capturing.world.vault.find(capturing.connection_id) is None


def test_two_do_not_undo_at_once(capturing: Journey) -> None:
    def second() -> None:
        with pytest.raises(errors.StepInProgress):
            capturing.delete(errors.SecretLost)

    capturing.world.whitebit.meanwhile("delete_key", second)
    assert capturing.delete(errors.SecretLost).status is Status.NEEDS_CONSENT
    assert capturing.world.whitebit.calls.count("delete_key") == 1


def test_nothing_is_undone_while_tokens_may_be_on_their_way(journey: Journey) -> None:
    journey.come_to_consent()

    def undo() -> None:
        journey.revoke()
        with pytest.raises(errors.StepInProgress):
            journey.delete(errors.Revoked)

    journey.world.whitebit.meanwhile("exchange_code", undo)
    journey.come_back()
    journey.create_key()
    assert journey.delete(errors.Revoked).status is Status.REVOKED
    assert journey.world.whitebit.keys == {}
