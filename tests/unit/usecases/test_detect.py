"""The workflow looks for the key."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from fastkey.domain import errors
from fastkey.domain.permissions import Ability
from fastkey.domain.status import Status
from fastkey.usecases.detect_key import TIME_TO_LOOK, Detection, detect_key
from tests.fakes.world import FakeWorld
from tests.unit.journey import Journey


@pytest.fixture
def detecting(journey: Journey) -> Journey:
    """The user has completed, and is choosing permissions."""
    return journey.authorize().complete()


@pytest.mark.parametrize(("seconds", "looks"), [(0, 31), (20.5, 11), (29, 2), (30, 1), (120, 1)])
def test_a_key_that_is_not_there_is_looked_for_each_second_for_half_a_minute(
    detecting: Journey, seconds: float, looks: int
) -> None:
    begun = detecting.wait(seconds=seconds).world.clock.now()
    assert detecting.detect() == Detection(found=False, wait_seconds=5)
    assert detecting.connection.status is Status.DETECTING
    assert detecting.world.clock.now() - begun == timedelta(seconds=looks - 1)
    assert detecting.world.whitebit.calls.count("key_info") == detecting.counts["looks"] == looks


def test_looks_are_counted_of_a_run_that_fails_too(detecting: Journey) -> None:
    for _ in range(2):
        detecting.world.whitebit.meanwhile("key_info", lambda: None)
    detecting.world.whitebit.fail_next("key_info", errors.WhiteBitUnavailable)
    with pytest.raises(errors.WhiteBitUnavailable):
        detecting.detect()
    assert detecting.counts == {"looks": 3}


def test_a_key_that_comes_soon_is_found_without_another_state(detecting: Journey) -> None:
    detecting.world.whitebit.meanwhile("key_info", detecting.create_key, after_effect=True)
    assert detecting.detect() == Detection(found=True)
    assert detecting.world.whitebit.calls.count("key_info") == 2


def test_a_look_for_which_there_may_not_be_time_is_left_to_the_next_attempt(detecting: Journey) -> None:
    world, begun = detecting.world, detecting.world.clock.now()
    deadline = begun + TIME_TO_LOOK + timedelta(seconds=2.5)
    assert detect_key(world, detecting.connection_id, deadline, Counter()) == Detection(found=False, wait_seconds=1)
    assert world.clock.now() - begun == timedelta(seconds=2)


def test_the_connection_takes_hold_of_the_key_that_is_there(detecting: Journey) -> None:
    detecting.create_key("trading", "account")
    assert detecting.detect() == Detection(found=True)
    connection = detecting.connection
    assert connection.status is Status.CAPTURING
    assert connection.held_key == detecting.key.external_id
    assert connection.permissions == ("trading", "account")
    assert connection.issued_at == detecting.world.clock.now()


def test_a_second_look_changes_nothing_and_does_not_ask(detecting: Journey) -> None:
    detecting.create_key().detect()
    before, asked = detecting.connection, len(detecting.world.whitebit.calls)
    assert detecting.wait(hours=1).detect() == Detection(found=True)
    assert (detecting.connection, len(detecting.world.whitebit.calls)) == (before, asked)


def test_a_key_that_was_made_during_consent_is_there_at_once(journey_05: Journey) -> None:
    assert journey_05.authorize().complete().detect().found


def test_a_disabled_key_is_the_users_to_remove(detecting: Journey) -> None:
    detecting.create_key().key.enabled = False
    with pytest.raises(errors.KeyDisabled):
        detecting.detect()


def test_an_exchange_under_way_is_waited_for(journey: Journey) -> None:
    journey.come_to_consent()
    looks: list[Detection] = []

    def look() -> None:
        journey.come_back()  # the browser's second try gets the completion
        looks.append(journey.complete().detect())

    journey.world.whitebit.meanwhile("exchange_code", look)
    journey.come_back()
    assert looks == [Detection(found=False, wait_seconds=5)]


def test_a_consent_that_has_expired_is_none_to_look_for(journey: Journey) -> None:
    """Its users were told so: it does not become another end when the workflow wakes."""
    journey.start().visit().wait(minutes=11)
    with pytest.raises(errors.ConnectionClosed):
        journey.detect()


def test_nothing_is_looked_for_before_the_user_has_completed(journey: Journey) -> None:
    journey.authorize().create_key()
    with pytest.raises(errors.CompletionMissing):
        journey.detect()
    assert "key_info" not in journey.world.whitebit.calls
    assert journey.counts == {}


def test_a_key_is_looked_for_during_ten_minutes(detecting: Journey) -> None:
    for _ in range(9):
        detecting.wait(minutes=1).detect()
    detecting.wait(seconds=59.999).detect()
    with pytest.raises(errors.KeyNotCreated):
        detecting.wait(seconds=0.001).detect()


@pytest.mark.parametrize("made", [True, False], ids=["a key was made", "none was"])
def test_while_nobody_answers_the_time_for_the_key_is_not_over(detecting: Journey, made: bool) -> None:
    if made:
        detecting.create_key()
    for _ in range(13):
        detecting.world.whitebit.fail_next("key_info", errors.WhiteBitUnavailable)
        with pytest.raises(errors.WhiteBitUnavailable):
            detecting.wait(minutes=1).detect()
    if made:
        assert detecting.detect().found
    else:
        with pytest.raises(errors.KeyNotCreated):
            detecting.detect()


def test_a_token_that_whitebit_does_not_take_ends_it(detecting: Journey) -> None:
    detecting.world.whitebit.withdraw(detecting.account)
    with pytest.raises(errors.ConsentLost):
        detecting.detect()


def test_a_token_is_refreshed_for_as_long_as_a_person_takes(detecting: Journey) -> None:
    for _ in range(9):
        assert not detecting.wait(seconds=60).detect().found
    assert detecting.world.whitebit.calls.count("refresh_token") == 2
    assert detecting.create_key().detect().found


def test_a_token_without_refresh_lasts_for_as_long_as_a_person_takes(journey_05: Journey) -> None:
    journey_05.authorize().complete().wait(minutes=9, seconds=59)
    assert journey_05.detect().found
    assert "refresh_token" not in journey_05.world.whitebit.calls


def test_an_account_that_is_connected_already_is_not_connected_again(world: FakeWorld) -> None:
    second = Journey(world, "user-2", "ada").authorize().complete()
    first = Journey(world, "user-1", "ada").activate()
    with pytest.raises(errors.AccountAlreadyConnected):
        second.detect()
    assert second.connection.external_id is None
    assert first.connection.status is Status.ACTIVE


def test_a_connection_that_is_revoked_is_not_looked_for(detecting: Journey) -> None:
    detecting.revoke()
    with pytest.raises(errors.ConnectionClosed):
        detecting.detect()


def test_a_key_found_after_a_revocation_is_not_claimed(detecting: Journey) -> None:
    detecting.create_key()
    detecting.world.whitebit.meanwhile("key_info", lambda: detecting.revoke())
    with pytest.raises(errors.ConnectionClosed):
        detecting.detect()
    assert detecting.connection.status is Status.REVOKING


def test_a_key_found_after_the_connection_was_closed_is_not_claimed(detecting: Journey) -> None:
    def close() -> None:
        before = detecting.connection
        detecting.world.connections.save(before, before.close(errors.Unexpected, detecting.world.clock.now()))

    detecting.create_key().world.whitebit.meanwhile("key_info", close)
    with pytest.raises(errors.Unexpected):
        detecting.detect()
    assert (detecting.connection.status, detecting.connection.held_key) == (Status.CLOSING, None)


def test_what_is_active_is_not_looked_for(journey: Journey) -> None:
    with pytest.raises(errors.ConnectionClosed):
        journey.activate().detect()


@pytest.mark.parametrize("error", [errors.WhiteBitUnavailable, errors.UnexpectedAnswer])
def test_what_passes_changes_nothing(detecting: Journey, error: type[Exception]) -> None:
    detecting.create_key().world.whitebit.fail_next("key_info", error)
    with pytest.raises(error):
        detecting.detect()
    assert detecting.detect().found


def test_a_key_that_was_replaced_between_two_looks_is_left_to_the_capture(detecting: Journey) -> None:
    """It finds the first one gone; a second look does not stop the workflow."""
    detecting.create_key()

    def another_look_and_another_key() -> None:
        detecting.detect()
        detecting.world.whitebit.keys.pop(detecting.account)
        detecting.create_key()

    detecting.world.whitebit.meanwhile("key_info", another_look_and_another_key)
    assert detecting.detect().found
    with pytest.raises(errors.KeyGone):
        detecting.capture()


# ---- No more than the partner wants ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("most", "permissions", "is_too_much"),
    [
        (Ability.READ, ("wallet", "trade_balance"), False),
        (Ability.READ, ("wallet", "trading"), True),
        (Ability.READ, ("convert",), True),
        (Ability.TRADE, ("wallet", "trading", "convert"), False),
        (Ability.TRADE, ("withdraw",), True),
        (Ability.TRADE, ("staking",), True),
        (Ability.WITHDRAW, ("withdraw", "staking"), False),
        (Ability.READ, (), False),
    ],
)
def test_a_key_that_may_do_more_than_the_partner_wants_is_not_taken_hold_of(
    detecting: Journey, most: Ability, permissions: tuple[str, ...], is_too_much: bool
) -> None:
    detecting.world.policy = replace(detecting.world.policy, maximum_permissions=most)
    detecting.create_key(*permissions)
    if not is_too_much:
        assert detecting.detect() == Detection(found=True)
        return
    with pytest.raises(errors.PermissionsExceeded):
        detecting.detect()
    assert detecting.connection.held_key is None


def test_the_secret_of_a_key_that_may_do_too_much_is_never_read_and_the_key_deleted(detecting: Journey) -> None:
    detecting.world.policy = replace(detecting.world.policy, maximum_permissions=Ability.READ)
    detecting.create_key("withdraw")
    key = detecting.key
    with pytest.raises(errors.PermissionsExceeded):
        detecting.detect()
    ended = detecting.delete(errors.PermissionsExceeded)
    assert (ended.status, ended.reason) == (Status.FAILED, "permissions_exceeded")
    assert not key.given
    assert not detecting.world.whitebit.lives(key.external_id)
    assert "read_secret" not in detecting.world.whitebit.calls
    assert not detecting.world.chosen_vault.exists(detecting.connection_id)


def test_after_a_key_that_may_do_too_much_another_is_connected(detecting: Journey) -> None:
    world = detecting.world
    world.policy = replace(world.policy, maximum_permissions=Ability.READ)
    with pytest.raises(errors.PermissionsExceeded):
        detecting.create_key("withdraw").detect()
    detecting.delete(errors.PermissionsExceeded)
    again = Journey(world, permissions=("wallet",)).activate()
    assert again.connection.status is Status.ACTIVE
