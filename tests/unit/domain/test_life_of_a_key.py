"""A connection with a captured key: when it is due, and what the tries of its key make of it."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from fastkey.domain import errors
from fastkey.domain.connection import (
    CHECK_AGAIN,
    CHECK_PERIOD,
    DEAD_CHECK_PERIOD,
    DEAD_KEY_LIFE,
    IDLE_KEY_LIFE,
    REQUEST_LIFE,
    SHARDS,
    Connection,
)
from fastkey.domain.event import GRACE, Kind
from fastkey.domain.key import KeyInfo, KeyState
from fastkey.domain.secret import Secret
from fastkey.domain.status import Status
from fastkey.domain.tokens import SealedTokens

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)
TICKET, COMPLETION = Secret("ticket"), Secret("completion")
TOKENS = SealedTokens(b"access", NOW + timedelta(minutes=5), b"refresh", NOW + timedelta(minutes=10))
GROUPS = ("trading", "wallet")


def started(connection_id: str = "connection-1", *, keep_token: bool = False) -> Connection:
    url = "https://partner.example"
    return Connection.start(connection_id, "user-1", url, TICKET, NOW, keep_token=keep_token)


def verifying(connection_id: str = "connection-1", *, keep_token: bool = False) -> Connection:
    lease = NOW + timedelta(minutes=1)
    consenting = started(connection_id, keep_token=keep_token).consent(TICKET, COMPLETION.digest(), NOW)
    authorized = consenting.exchange(lease, NOW).authorize(TOKENS, lease, NOW)
    detecting = authorized.complete("user-1", COMPLETION, NOW).detect(NOW)
    return detecting.claim(KeyInfo(KeyState.ACTIVE, "key-1", GROUPS), NOW).verify(NOW)


def active(connection_id: str = "connection-1", *, keep_token: bool = False) -> Connection:
    """All told."""
    return replace(verifying(connection_id, keep_token=keep_token).activate(NOW), untold=())


def dead() -> Connection:
    """Since an hour after NOW, all told."""
    return replace(active().refuse_key(NOW).refuse_key(NOW + CHECK_AGAIN), untold=())


# ---- Queues ----------------------------------------------------------------------------------------------------------


def test_a_connection_stands_in_one_queue_for_good() -> None:
    assert active().shard == started().shard == dead().shard


def test_queues_are_about_equally_long() -> None:
    lengths = Counter(started(f"connection-{number}").shard for number in range(8000))
    assert set(lengths) == set(range(SHARDS))
    assert all(900 < length < 1100 for length in lengths.values())


def test_a_consent_that_nobody_gives_is_due_when_it_has_surely_expired() -> None:
    for connection in (started(), started().consent(TICKET, COMPLETION.digest(), NOW)):
        due_at = connection.due_at
        assert due_at == connection.expires_at + REQUEST_LIFE
        assert not connection.has_expired(due_at - MOMENT)
        assert connection.has_expired(due_at)


def test_on_the_way_to_a_key_the_clock_has_nothing_to_do() -> None:
    assert verifying().due_at is None


def test_what_is_untold_is_due_a_moment_after_it_happened() -> None:
    """Whoever made it happen tells it first."""
    assert verifying().activate(NOW).due_at == NOW + GRACE
    again = replace(dead(), untold=verifying().activate(NOW).untold).survive(GROUPS, None, NOW + timedelta(hours=9))
    assert len(again.untold) == 2
    assert again.due_at == NOW + GRACE


def test_a_key_is_due_when_it_is_to_be_tried() -> None:
    assert active().due_at == active().check_at
    assert dead().due_at == dead().check_at


def test_an_end_is_not_due_once_it_is_told() -> None:
    revoking = active().revoke(NOW)
    assert revoking.due_at is None
    revoked = revoking.end(Status.REVOKED, errors.Revoked, NOW)
    assert revoked.told(revoked.untold).due_at is None


def test_first_tries_are_spread_over_the_period() -> None:
    """So that keys that were captured at once are not tried at once for ever."""
    tries = [active(f"connection-{number}").check_at for number in range(700)]
    days = Counter((at - NOW).days for at in tries if at)
    assert set(days) == set(range(CHECK_PERIOD.days))
    assert all(60 < number < 140 for number in days.values())


def test_a_key_is_tried_twice_before_whitebit_disables_it() -> None:
    assert 2 * CHECK_PERIOD <= IDLE_KEY_LIFE


# ---- Tokens that are kept --------------------------------------------------------------------------------------------


def test_tokens_are_refreshed_by_the_end_of_the_refresh_token_where_they_are_to_be_kept() -> None:
    assert active(keep_token=True).refresh_by == TOKENS.refresh_expires_at
    assert active().refresh_by is None


def test_tokens_are_kept_for_what_is_active_alone() -> None:
    """On the way to a key the steps keep them alive themselves."""
    assert verifying(keep_token=True).refresh_by is None
    assert active(keep_token=True).revoke(NOW).refresh_by is None
    assert replace(dead(), keep_token=True).refresh_by is None


def test_tokens_that_cannot_be_refreshed_are_not_kept() -> None:
    kept = active(keep_token=True)
    assert replace(kept, tokens=TOKENS.without_refresh()).refresh_by is None
    assert replace(kept, tokens=None).refresh_by is None


# ---- Alive -----------------------------------------------------------------------------------------------------------


def test_a_key_that_is_alive_is_tried_again_after_the_period() -> None:
    alive = active().survive(GROUPS, "balances/main", NOW)
    assert (alive.status, alive.check_at, alive.refused_at) == (Status.ACTIVE, NOW + CHECK_PERIOD, None)
    assert (alive.checked_by, alive.untold) == ("balances/main", ())


def test_a_key_that_was_refused_once_is_as_alive_as_before() -> None:
    alive = active().refuse_key(NOW).survive(GROUPS, None, NOW + CHECK_AGAIN)
    assert alive.refused_at is None
    assert alive.refuse_key(NOW + 2 * CHECK_AGAIN).status is Status.ACTIVE


def test_a_dead_key_that_is_alive_after_all_is_active_again() -> None:
    back = dead().survive(GROUPS, None, NOW + CHECK_PERIOD)
    assert (back.status, back.reason, back.refused_at) == (Status.ACTIVE, None, None)
    assert [event.kind for event in back.untold] == [Kind.ACTIVATED]


def test_permissions_that_changed_are_told() -> None:
    changed = active().survive(("trading",), None, NOW)
    assert changed.permissions == ("trading",)
    assert [(event.kind, event.permissions) for event in changed.untold] == [(Kind.PERMISSIONS_CHANGED, ("trading",))]


def test_permissions_in_another_order_are_the_same() -> None:
    assert active().survive(GROUPS[::-1], None, NOW).untold == ()


def test_nobody_knows_is_asked_again_in_an_hour_and_counts_against_nobody() -> None:
    again = active().check_again(NOW)
    assert (again.status, again.check_at, again.refused_at) == (Status.ACTIVE, NOW + CHECK_AGAIN, None)
    refused = active().refuse_key(NOW).check_again(NOW + CHECK_AGAIN)
    assert (refused.refused_at, refused.check_at) == (NOW, NOW + 2 * CHECK_AGAIN)


# ---- Refused ---------------------------------------------------------------------------------------------------------


def test_a_key_that_is_refused_once_is_active_and_tried_again_in_an_hour() -> None:
    refused = active().refuse_key(NOW)
    assert (refused.status, refused.refused_at, refused.check_at) == (Status.ACTIVE, NOW, NOW + CHECK_AGAIN)
    assert refused.untold == ()


def test_a_second_refusal_counts_an_hour_later_and_not_before() -> None:
    refused = active().refuse_key(NOW)
    assert refused.refuse_key(NOW + CHECK_AGAIN - MOMENT) is refused
    gone = refused.refuse_key(NOW + CHECK_AGAIN)
    assert (gone.status, gone.reason) == (Status.DEAD, "key_dead")
    assert gone.check_at == NOW + CHECK_AGAIN + DEAD_CHECK_PERIOD
    assert [event.kind for event in gone.untold] == [Kind.DEAD]


def test_a_dead_key_is_held_still_and_can_be_revoked() -> None:
    assert dead().held_key == "key-1"
    assert dead().revoke(NOW).status is Status.REVOKING


def test_a_dead_key_is_tried_until_it_is_lost_and_then_no_more() -> None:
    connection, tries = dead(), 0
    while connection.check_at and not connection.key_given_up:
        now = connection.check_at
        connection, tries = connection.refuse_key(now), tries + 1
    assert tries == DEAD_KEY_LIFE / DEAD_CHECK_PERIOD
    assert connection.due_at == now + CHECK_AGAIN, "our copy is to go, and to be gone"
    with pytest.raises(errors.ConnectionClosed):
        connection.survive(GROUPS, None, now)
    forgotten = connection.forget_key(now)
    assert (forgotten.status, forgotten.due_at, forgotten.untold) == (Status.DEAD, None, ())


def test_a_key_that_was_not_given_up_is_not_forgotten() -> None:
    assert dead().forget_key(NOW) == dead()


def test_a_dead_key_is_lost_four_weeks_after_its_first_refusal() -> None:
    assert timedelta(days=28) == DEAD_KEY_LIFE
    assert not dead().refuse_key(NOW + DEAD_KEY_LIFE - MOMENT).key_given_up
    assert dead().refuse_key(NOW + DEAD_KEY_LIFE).key_given_up


def test_a_key_that_may_be_alive_is_never_lost() -> None:
    """Whoever was away for a month finds keys that were refused once, long ago."""
    assert not active().refuse_key(NOW + 2 * DEAD_KEY_LIFE).key_given_up
    assert not active().refuse_key(NOW).refuse_key(NOW + 2 * DEAD_KEY_LIFE).key_given_up


@pytest.mark.parametrize("connection", [started(), verifying(), active().revoke(NOW)], ids=lambda c: c.status)
def test_what_has_no_key_to_be_tried_is_not_changed(connection: Connection) -> None:
    with pytest.raises(errors.ConnectionClosed):
        connection.survive(GROUPS, None, NOW)
    with pytest.raises(errors.ConnectionClosed):
        connection.refuse_key(NOW)
    with pytest.raises(errors.ConnectionClosed):
        connection.check_again(NOW)


# ---- What WhiteBIT says of it ----------------------------------------------------------------------------------------


def test_what_whitebit_says_that_a_key_may_do_is_kept_and_told() -> None:
    looked = active().look_at(KeyInfo(KeyState.ACTIVE, "key-1", ("trading",)), NOW)
    assert (looked.permissions, looked.check_at) == (("trading",), active().check_at)
    assert [event.kind for event in looked.untold] == [Kind.PERMISSIONS_CHANGED]


def test_what_is_not_new_changes_nothing() -> None:
    same = active()
    assert same.look_at(KeyInfo(KeyState.ACTIVE, "key-1", GROUPS[::-1]), NOW) is same


@pytest.mark.parametrize(
    "key",
    [KeyInfo(KeyState.ABSENT), KeyInfo(KeyState.DISABLED, "key-1", GROUPS), KeyInfo(KeyState.ACTIVE, "key-2", GROUPS)],
    ids=["absent", "disabled", "another"],
)
def test_a_doubt_has_the_key_tried_at_once_and_kills_nothing(key: KeyInfo) -> None:
    before = replace(active(), check_at=NOW + CHECK_PERIOD)
    doubted = before.look_at(key, NOW)
    assert (doubted.status, doubted.check_at, doubted.permissions) == (Status.ACTIVE, NOW, GROUPS)
    assert doubted.look_at(key, NOW + CHECK_AGAIN) is doubted


def test_a_key_that_was_refused_is_tried_again_in_its_time_whatever_is_said_of_it() -> None:
    refused = active().refuse_key(NOW)
    assert refused.look_at(KeyInfo(KeyState.ABSENT), NOW) is refused


def test_the_events_of_one_change_say_the_same() -> None:
    back = dead().survive(("wallet",), "balances/main", NOW)
    assert [(event.kind, event.permissions) for event in back.untold[-2:]] == [
        (Kind.ACTIVATED, ("wallet",)),
        (Kind.PERMISSIONS_CHANGED, ("wallet",)),
    ]
