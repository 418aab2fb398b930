"""A token is kept alive, where WhiteBIT gave the means to."""

from contextlib import suppress
from datetime import timedelta

import pytest

from fastkey.domain import errors
from fastkey.domain.connection import REFRESH_PAUSE
from fastkey.domain.pace import REFRESHES
from fastkey.domain.secret import Secret
from fastkey.domain.tokens import SealedTokens
from fastkey.ports import Purpose
from fastkey.usecases.lease import CLOCK_SKEW
from fastkey.usecases.refresh_token import MARGIN, live_token, refresh_token
from tests.unit.journey import ATTEMPT, LEASE, Journey

DUE = timedelta(seconds=300) - MARGIN


@pytest.fixture
def authorized(journey: Journey) -> Journey:
    return journey.authorize()


def tokens(journey: Journey) -> SealedTokens:
    kept = journey.connection.tokens
    assert kept
    return kept


def refresh(journey: Journey) -> None:
    refresh_token(journey.world, journey.connection_id, journey.deadline)


def live(journey: Journey) -> Secret:
    with live_token(journey.world, journey.connection_id, journey.deadline) as token:
        return token


def refreshes(journey: Journey) -> int:
    return journey.world.whitebit.calls.count("refresh_token")


@pytest.mark.parametrize(("port", "method"), [("whitebit", "prepare"), ("sealer", "open"), ("sealer", "seal")])
def test_what_fails_before_a_refresh_does_not_use_up_the_refresh_token(
    authorized: Journey, port: str, method: str
) -> None:
    authorized.world.clock.advance(DUE)
    getattr(authorized.world, port).fail_next(method, errors.StorageUnavailable)
    with pytest.raises(errors.StorageUnavailable):
        refresh(authorized)
    assert refreshes(authorized) == 0
    refresh(authorized)
    assert refreshes(authorized) == 1


def test_a_fresh_token_is_left_alone(authorized: Journey) -> None:
    before = authorized.connection
    authorized.world.clock.advance(DUE - timedelta(microseconds=1))
    refresh(authorized)
    assert authorized.connection == before


def test_a_token_near_its_end_becomes_a_new_pair(authorized: Journey) -> None:
    old = tokens(authorized)
    authorized.world.clock.advance(DUE)
    refresh(authorized)
    new, now = tokens(authorized), authorized.world.clock.now()
    assert (new.access_expires_at, new.refresh_expires_at) == (
        now + timedelta(seconds=300),
        now + timedelta(seconds=600),
    )
    assert new.refresh not in (None, old.refresh)
    assert authorized.connection.refresh_until is None
    authorized.world.whitebit.key_info(live(authorized))


def test_the_old_pair_is_not_used_again(authorized: Journey) -> None:
    for _ in range(20):
        authorized.world.clock.advance(DUE)
        authorized.world.whitebit.key_info(live(authorized))
    assert refreshes(authorized) == 20


def test_a_second_time_changes_nothing(authorized: Journey) -> None:
    authorized.world.clock.advance(DUE)
    refresh(authorized)
    refresh(authorized)
    assert refreshes(authorized) == 1


def test_a_dead_access_token_is_revived_while_the_refresh_token_lives(authorized: Journey) -> None:
    authorized.wait(seconds=599)
    assert live(authorized).reveal().startswith("access-token-")
    assert refreshes(authorized) == 1


def test_without_a_live_token_consent_is_lost(authorized: Journey) -> None:
    authorized.wait(seconds=600)
    with pytest.raises(errors.ConsentLost):
        live(authorized)
    assert refreshes(authorized) == 0


def test_without_tokens_there_is_no_consent(journey: Journey) -> None:
    journey.start()
    with pytest.raises(errors.ConsentLost):
        live(journey)


def test_a_token_of_revision_2026_05_lives_its_four_hours_and_then_no_more(journey_05: Journey) -> None:
    journey_05.authorize().wait(hours=3, minutes=59)
    assert live(journey_05)
    journey_05.wait(minutes=1)
    with pytest.raises(errors.ConsentLost):
        live(journey_05)
    assert refreshes(journey_05) == 0


def test_two_refreshes_never_overlap(authorized: Journey) -> None:
    authorized.world.clock.advance(DUE)
    used: list[str] = []
    authorized.world.whitebit.meanwhile("refresh_token", lambda: used.append(live(authorized).reveal()))
    kept = authorized.world.sealer.open(tokens(authorized).access, authorized.connection_id, Purpose.TOKEN)
    refresh(authorized)
    assert used == [kept.reveal()]  # the second used what still lived
    assert refreshes(authorized) == 1


def test_a_second_refresh_waits_where_nothing_lives(authorized: Journey) -> None:
    authorized.wait(seconds=300)

    def second() -> None:
        with pytest.raises(errors.RefreshInProgress):
            live(authorized)

    authorized.world.whitebit.meanwhile("refresh_token", second)
    refresh(authorized)
    assert refreshes(authorized) == 1


def test_a_refresh_that_died_is_taken_over_after_its_lease(authorized: Journey) -> None:
    authorized.wait(seconds=300)
    authorized.world.whitebit.fail_next("refresh_token", KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        refresh(authorized)
    with pytest.raises(errors.RefreshInProgress):
        live(authorized.wait_for(ATTEMPT + CLOCK_SKEW - timedelta(microseconds=1)))
    assert live(authorized.wait(seconds=1))


def test_a_dead_refresh_token_is_not_sent_again(authorized: Journey) -> None:
    authorized.world.whitebit.withdraw(authorized.account)
    authorized.world.clock.advance(DUE)
    refresh(authorized)
    assert tokens(authorized).refresh is None
    authorized.wait(seconds=60)
    refresh(authorized)
    assert refreshes(authorized) == 1
    with pytest.raises(errors.ConsentLost):
        live(authorized.wait(seconds=60))


@pytest.mark.parametrize("error", [errors.WhiteBitUnavailable, errors.UnexpectedAnswer])
def test_an_answer_that_did_not_come_leaves_what_lives(authorized: Journey, error: type[Exception]) -> None:
    before = tokens(authorized)
    authorized.world.clock.advance(DUE)
    authorized.world.whitebit.fail_next("refresh_token", error)
    assert live(authorized)
    assert tokens(authorized) == before
    assert live(authorized.wait_for(REFRESH_PAUSE))
    assert refreshes(authorized) == 2
    assert tokens(authorized) != before


def test_an_answer_that_did_not_come_may_come_later_where_nothing_lives(authorized: Journey) -> None:
    authorized.wait(seconds=300)
    authorized.world.whitebit.fail_next("refresh_token", errors.WhiteBitUnavailable)
    with pytest.raises(errors.WhiteBitUnavailable):
        live(authorized)
    assert live(authorized.wait_for(REFRESH_PAUSE))


def test_a_pair_whose_answer_was_lost_is_lost(authorized: Journey) -> None:
    authorized.wait(seconds=300)
    authorized.world.whitebit.fail_next("refresh_token", errors.WhiteBitUnavailable, after_effect=True)
    with pytest.raises(errors.WhiteBitUnavailable):
        live(authorized)
    with pytest.raises(errors.ConsentLost):
        live(authorized.wait_for(REFRESH_PAUSE))


@pytest.mark.parametrize("age", [DUE, timedelta(seconds=300)], ids=["alive", "dead"])
def test_a_whitebit_that_does_not_answer_is_not_asked_again_and_again(authorized: Journey, age: timedelta) -> None:
    """Each look for the key wants a token: twenty in as many seconds."""
    authorized.wait_for(age).world.whitebit.fail_next("refresh_token", errors.WhiteBitUnavailable, times=20)
    for _ in range(20):
        with suppress(errors.WhiteBitUnavailable):
            live(authorized)
        authorized.wait(seconds=1)
    assert refreshes(authorized) == 2


@pytest.mark.parametrize("after_effect", [False, True])
@pytest.mark.parametrize(("fake", "method"), [("sealer", "seal"), ("connections", "get"), ("connections", "save")])
def test_a_new_pair_is_kept_though_storing_it_fails_twice(
    authorized: Journey, fake: str, method: str, after_effect: bool
) -> None:
    def fail() -> None:
        getattr(authorized.world, fake).fail_next(method, errors.StorageUnavailable, after_effect=after_effect, times=2)

    authorized.world.clock.advance(DUE)
    authorized.world.whitebit.meanwhile("refresh_token", fail, after_effect=True)
    refresh(authorized)
    assert authorized.world.whitebit.key_info(live(authorized))
    assert (refreshes(authorized), authorized.connection.refresh_until) == (1, None)


def test_a_refresh_that_comes_after_its_lease_does_not_undo_a_newer_one(authorized: Journey) -> None:
    authorized.world.clock.advance(DUE)
    authorized.world.whitebit.meanwhile("refresh_token", lambda: refresh(authorized.wait_for(LEASE)))
    refresh(authorized)
    assert refreshes(authorized) == 2
    assert tokens(authorized).refresh
    assert tokens(authorized).access_expires_at == authorized.world.clock.now() + timedelta(seconds=300)


# ---- One a second, for the whole deployment --------------------------------------------------------------------------


def use_up(journey: Journey) -> None:
    """Somebody else refreshes at this moment, and another one waits."""
    for _ in range(REFRESHES.burst):
        journey.world.limits.take(REFRESHES, journey.world.clock.now())


def test_who_comes_next_waits_for_the_rest_of_the_second(authorized: Journey) -> None:
    world = authorized.wait_for(DUE).world
    before = world.clock.now()
    world.limits.take(REFRESHES, before)
    world.clock.advance(timedelta(milliseconds=300))
    assert live(authorized)
    assert (refreshes(authorized), world.clock.now() - before) == (1, timedelta(seconds=1))


def test_where_no_refresh_is_to_be_had_what_lives_is_used(authorized: Journey) -> None:
    before = tokens(authorized)
    use_up(authorized.wait_for(DUE))
    assert live(authorized)
    assert (refreshes(authorized), tokens(authorized), authorized.connection.refresh_until) == (0, before, None)
    live(authorized.wait(seconds=1))
    assert refreshes(authorized) == 1


def test_where_no_refresh_is_to_be_had_and_nothing_lives_whitebit_is_busy(authorized: Journey) -> None:
    use_up(authorized.wait(seconds=300))
    with pytest.raises(errors.WhiteBitBusy):
        live(authorized)
    assert (refreshes(authorized), authorized.connection.refresh_until) == (0, None)
    assert live(authorized.wait(seconds=1))


def test_connections_refresh_in_turn(authorized: Journey) -> None:
    others = [Journey(authorized.world, account=f"account-{number}").authorize() for number in range(3)]
    authorized.world.clock.advance(DUE)
    before = authorized.world.clock.now()
    for journey in others:
        refresh(journey)
    assert refreshes(authorized) == 3
    assert authorized.world.clock.now() - before == timedelta(seconds=2)


def test_a_token_that_is_fresh_takes_no_turn(authorized: Journey) -> None:
    refresh(authorized)
    assert "take" not in authorized.world.limits.calls


def test_an_early_refresh_does_not_wait_until_the_access_token_is_near_its_end(authorized: Journey) -> None:
    before = tokens(authorized)
    refresh_token(authorized.world, authorized.connection_id, authorized.deadline, early=True)
    assert refreshes(authorized) == 1
    assert tokens(authorized) != before


def test_an_early_refresh_that_has_no_turn_says_so_though_the_access_token_lives(authorized: Journey) -> None:
    use_up(authorized)
    with pytest.raises(errors.WhiteBitBusy):
        refresh_token(authorized.world, authorized.connection_id, authorized.deadline, early=True)
    assert refreshes(authorized) == 0


def test_an_early_refresh_finds_out_that_a_refresh_token_is_dead(authorized: Journey) -> None:
    authorized.wait(minutes=11)
    refresh_token(authorized.world, authorized.connection_id, authorized.deadline, early=True)
    assert refreshes(authorized) == 1
    assert tokens(authorized).refresh is None
