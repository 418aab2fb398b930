"""What falls due by the clock is done: once, in its time, and whatever befalls the one beside it."""

from collections import Counter
from datetime import datetime, timedelta

import pytest

from fastkey.domain import errors
from fastkey.domain.account import READS
from fastkey.domain.connection import CHECK_AGAIN, CHECK_PERIOD, DEAD_KEY_LIFE, REQUEST_LIFE, SHARDS, TICKET_LIFE
from fastkey.domain.event import GRACE, PATIENCE, Kind
from fastkey.domain.key import KeyInfo, KeyState
from fastkey.domain.pace import TRADE_ACCOUNT
from fastkey.domain.status import Status
from fastkey.usecases.change import change
from fastkey.usecases.guard_keys import TIME_TO_LOOK, Finding, guard_keys
from fastkey.usecases.tell_events import tell_events
from tests.fakes.world import FakeWorld
from tests.unit.journey import Journey

MOMENT = timedelta(microseconds=1)
TIMEOUT = timedelta(seconds=55)
MINUTE = timedelta(minutes=1)


def guard(world: FakeWorld, timeout: timedelta = TIMEOUT) -> Counter[Finding]:
    """What a run finds in the connections that it looks at."""
    found = guard_keys(world, world.clock.now() + timeout)
    del found[Finding.DONE]
    return found


def reads(world: FakeWorld) -> int:
    return world.whitebit.calls.count("read_signed")


def kinds(world: FakeWorld) -> list[Kind]:
    return [event.kind for event in world.events.told]


def activate(world: FakeWorld, number: int, *permissions: str) -> Journey:
    """A connection in use, of an account of its own, all told."""
    journey = Journey(world, f"user-{number}", f"account-{number}", permissions=permissions or ("trade_balance",))
    tell_events(world, journey.activate().connection_id)
    world.events.told.clear()
    return journey


def come_due(journey: Journey) -> Journey:
    """To the moment at which its key is to be tried."""
    check_at = journey.connection.check_at
    assert check_at
    return journey.wait_for(max(check_at - journey.world.clock.now(), timedelta(0)))


@pytest.fixture
def active(world: FakeWorld) -> Journey:
    return activate(world, 0)


@pytest.fixture
def refused(active: Journey) -> Journey:
    """Its key was removed, and refused once."""
    active.world.whitebit.remove_key(active.account)
    assert guard(come_due(active).world) == {Finding.REFUSED: 1}
    return active


@pytest.fixture
def dead(refused: Journey) -> Journey:
    assert guard(come_due(refused).world) == {Finding.DEAD: 1}
    return refused


# ---- What is not a key's ---------------------------------------------------------------------------------------------


def test_where_nothing_is_due_nothing_is_done(active: Journey) -> None:
    before = active.connection
    assert guard(active.world) == Counter()
    assert (active.connection, reads(active.world)) == (before, 0)


def test_an_end_that_nobody_told_is_told(journey: Journey) -> None:
    journey.start().revoke()
    assert guard(journey.wait_for(GRACE - MOMENT).world) == Counter()
    assert guard(journey.wait_for(MOMENT).world) == {Finding.TOLD: 1}
    assert kinds(journey.world) == [Kind.REVOKED]
    assert guard(journey.world) == Counter()


def test_a_consent_that_nobody_gave_is_given_up_and_told(journey: Journey) -> None:
    journey.start()
    assert guard(journey.wait_for(TICKET_LIFE + REQUEST_LIFE - MOMENT).world) == Counter()
    assert guard(journey.wait_for(MOMENT).world) == {Finding.EXPIRED: 1}
    assert (journey.connection.status, journey.connection.reason) == (Status.EXPIRED, "consent_missing")
    assert kinds(journey.world) == [Kind.FAILED]
    assert guard(journey.wait(days=30).world) == Counter()


def test_a_visit_that_came_in_time_is_not_given_up(journey: Journey) -> None:
    journey.start().wait_for(TICKET_LIFE + REQUEST_LIFE)
    page = journey.world.connections.due(journey.connection.shard, journey.world.clock.now(), None)
    journey.world.clock.advance(-REQUEST_LIFE - MINUTE)
    journey.visit()
    journey.world.clock.advance(REQUEST_LIFE + MINUTE)
    journey.world.connections.meanwhile("get", lambda: None)
    assert page.connection_ids == [journey.connection_id]  # so an index that is behind would say
    assert guard(journey.world) == Counter()
    assert journey.connection.status is Status.CONSENTING


def test_what_cannot_be_told_is_tried_each_minute_for_a_day_and_then_buried(journey: Journey) -> None:
    journey.start().revoke()
    journey.wait_for(GRACE)
    tries = int(PATIENCE / MINUTE)
    journey.world.events.fail_next("tell", errors.StorageUnavailable, times=tries)
    for _ in range(tries - 1):
        assert guard(journey.world) == {Finding.UNKNOWN: 1}
        journey.wait_for(MINUTE)
    assert guard(journey.world) == {Finding.TOLD: 1}
    assert (kinds(journey.world), [event.kind for event in journey.world.events.buried]) == ([], [Kind.REVOKED])


# ---- A key that lives ------------------------------------------------------------------------------------------------


def test_a_key_is_tried_when_it_is_due_and_again_a_period_later(active: Journey) -> None:
    come_due(active)
    for _ in range(3):
        assert guard(active.world) == {Finding.ALIVE: 1}
        assert guard(active.wait_for(CHECK_PERIOD - MOMENT).world) == Counter()
        active.wait_for(MOMENT)
    assert reads(active.world) == 3
    assert active.key.is_active(active.world.clock.now())
    assert active.world.events.told == []


@pytest.mark.parametrize(
    ("permissions", "path"),
    [
        (("withdraw", "convert", "wallet", "trade_balance"), "balances/spot"),
        (("convert", "wallet"), "balances/main"),
        (("convert",), "conversions"),
        (("trading",), "balances/spot"),
        ((), "balances/spot"),
    ],
)
def test_a_key_is_tried_by_the_cheapest_read_that_it_may(
    world: FakeWorld, monkeypatch: pytest.MonkeyPatch, permissions: tuple[str, ...], path: str
) -> None:
    journey = Journey(world, permissions=permissions).activate()
    tell_events(world, journey.connection_id)
    asked: list[str] = []
    read_signed = world.whitebit.read_signed
    monkeypatch.setattr(
        world.whitebit,
        "read_signed",
        lambda key, nonce, read, filters: asked.append(read.resource) or read_signed(key, nonce, read, filters),  # type: ignore[func-returns-value]
    )
    assert guard(come_due(journey).world) == {Finding.ALIVE: 1}
    assert asked == [path]
    assert journey.connection.permissions == permissions


def test_a_permission_that_was_taken_away_is_told_of_a_key_that_is_alive(world: FakeWorld) -> None:
    journey = activate(world, 0, "trade_balance", "wallet")
    assert guard(come_due(journey).world) == {Finding.ALIVE: 1}
    journey.key.permissions = ("wallet",)
    assert guard(come_due(journey).world) == {Finding.ALIVE: 1}
    assert journey.connection.permissions == ("wallet",)
    assert [(event.kind, event.permissions) for event in world.events.told] == [(Kind.PERMISSIONS_CHANGED, ("wallet",))]
    assert guard(come_due(journey).world) == {Finding.ALIVE: 1}
    assert len(world.events.told) == 1


def test_a_path_that_is_taken_away_takes_not_its_group(world: FakeWorld) -> None:
    """What else is granted in the group may still be read."""
    journey = activate(world, 0, "wallet")
    assert guard(come_due(journey).world) == {Finding.ALIVE: 1}
    journey.key.permissions = (READS["transactions"].signed_path,)
    assert guard(come_due(journey).world) == {Finding.ALIVE: 1}
    assert (journey.connection.permissions, journey.connection.checked_by) == (("wallet",), "transactions")
    assert world.events.told == []


def test_what_somebody_else_has_heard_meanwhile_of_permissions_stays(active: Journey) -> None:
    def hear() -> None:
        key = KeyInfo(KeyState.ACTIVE, active.connection.external_id, ("trade_balance", "wallet"))
        change(active.world, active.connection_id, lambda c: c.look_at(key, active.world.clock.now()))

    come_due(active).world.whitebit.meanwhile("read_signed", hear, after_effect=True)
    assert guard(active.world) == {Finding.ALIVE: 1}
    assert active.connection.permissions == ("trade_balance", "wallet")


def test_the_last_permission_that_is_taken_away_does_not_kill_a_key(active: Journey) -> None:
    guard(come_due(active).world)
    active.key.permissions = ()
    assert guard(come_due(active).world) == {Finding.ALIVE: 1}
    assert (active.connection.status, active.connection.permissions) == (Status.ACTIVE, ())
    assert guard(come_due(active).world) == {Finding.ALIVE: 1}


@pytest.mark.parametrize("resource", ["balances/main", "transactions"])
def test_what_was_never_granted_in_a_group_takes_nothing_away(world: FakeWorld, resource: str) -> None:
    """WhiteBIT names a group where one of its paths was granted."""
    journey = activate(world, 0, "wallet")
    journey.key.permissions = (READS[resource].signed_path,)
    for _ in range(3):
        assert guard(come_due(journey).world) == {Finding.ALIVE: 1}
    assert journey.connection.permissions == ("wallet",)
    assert world.events.told == []


@pytest.mark.parametrize("error", [errors.WhiteBitUnavailable, errors.UnexpectedAnswer, errors.StorageUnavailable])
def test_trouble_says_nothing_of_a_key_and_it_is_tried_again_in_an_hour(
    active: Journey, error: type[Exception]
) -> None:
    come_due(active).world.whitebit.fail_next("read_signed", error, times=50)
    for _ in range(50):
        assert guard(active.world) == {Finding.UNKNOWN: 1}
        assert guard(active.wait_for(CHECK_AGAIN - MOMENT).world) == Counter()
        active.wait_for(MOMENT)
    assert active.connection.status is Status.ACTIVE
    assert guard(active.world) == {Finding.ALIVE: 1}


def test_a_key_that_does_not_show_in_the_vault_is_no_dead_key(active: Journey) -> None:
    active.world.chosen_vault.fail_next("find", errors.StorageUnavailable)
    assert guard(come_due(active).world) == {Finding.UNKNOWN: 1}
    assert guard(come_due(active).world) == {Finding.ALIVE: 1}


def test_a_copy_that_is_missing_is_said_so_and_looked_for_each_hour(active: Journey) -> None:
    """Somebody has deleted the secret, and has a while to restore it: nothing is concluded from that."""
    key = active.world.vault.find(active.connection_id)
    assert key
    active.world.vault.shred(active.connection_id)
    for _ in range(50):
        assert guard(come_due(active).world) == {Finding.MISSING: 1}
    assert (active.connection.status, reads(active.world)) == (Status.ACTIVE, 0)
    active.world.vault.prepare(active.connection)
    active.world.vault.store(active.connection_id, key)
    assert guard(come_due(active).world) == {Finding.ALIVE: 1}


# ---- A key that is dead ----------------------------------------------------------------------------------------------


def test_one_refusal_is_none(refused: Journey) -> None:
    assert (refused.connection.status, refused.world.events.told) == (Status.ACTIVE, [])
    assert guard(refused.wait_for(CHECK_AGAIN - MOMENT).world) == Counter()


def test_a_key_is_dead_after_a_second_refusal_an_hour_later(dead: Journey) -> None:
    assert (dead.connection.status, dead.connection.reason) == (Status.DEAD, "key_dead")
    assert kinds(dead.world) == [Kind.DEAD]
    assert reads(dead.world) == 2


def test_trouble_in_between_does_not_make_a_key_dead(refused: Journey) -> None:
    refused.world.whitebit.create_key(refused.account)  # another one
    come_due(refused).world.whitebit.fail_next("read_signed", errors.WhiteBitUnavailable)
    assert guard(refused.world) == {Finding.UNKNOWN: 1}
    assert refused.connection.status is Status.ACTIVE
    assert guard(come_due(refused).world) == {Finding.DEAD: 1}


def test_a_key_that_is_accepted_the_second_time_is_alive(active: Journey) -> None:
    active.key.enabled = False
    assert guard(come_due(active).world) == {Finding.REFUSED: 1}
    active.key.enabled = True
    assert guard(come_due(active).world) == {Finding.ALIVE: 1}
    active.key.enabled = False
    assert guard(come_due(active).world) == {Finding.REFUSED: 1}
    assert active.connection.status is Status.ACTIVE


def test_our_copy_of_a_dead_key_stays_while_it_may_come_back(dead: Journey) -> None:
    for _ in range(3):
        assert guard(come_due(dead).world) == {Finding.DEAD: 1}
        assert dead.world.chosen_vault.truth(dead.connection_id)
    assert kinds(dead.world) == [Kind.DEAD]


def test_a_dead_key_comes_back(active: Journey) -> None:
    """As it does when our address was the reason, and is allowed again."""
    active.key.enabled = False
    guard(come_due(active).world)
    guard(come_due(active).world)
    assert active.connection.status is Status.DEAD
    active.key.enabled = True
    assert guard(come_due(active).world) == {Finding.ALIVE: 1}
    assert (active.connection.status, active.connection.reason) == (Status.ACTIVE, None)
    assert kinds(active.world) == [Kind.DEAD, Kind.ACTIVATED]


def lose(dead: Journey) -> datetime:
    """To the moment of the last try. Gives when the key was refused first."""
    refused_at = dead.connection.refused_at
    assert refused_at
    while come_due(dead).world.clock.now() < refused_at + DEAD_KEY_LIFE:
        assert dead.world.chosen_vault.truth(dead.connection_id)
        guard(dead.world)
    return refused_at


def test_our_copy_is_shredded_four_weeks_after_the_first_refusal_and_not_before(dead: Journey) -> None:
    refused_at = lose(dead)
    assert dead.world.chosen_vault.truth(dead.connection_id)
    assert guard(dead.world) == {Finding.DEAD: 1}
    assert not dead.world.chosen_vault.exists(dead.connection_id)
    assert dead.world.clock.now() - refused_at >= DEAD_KEY_LIFE
    before = reads(dead.world)
    assert guard(come_due(dead).world) == {Finding.DEAD: 1}
    assert guard(dead.wait(days=365).world) == Counter()
    assert (reads(dead.world), dead.connection.status) == (before, Status.DEAD)


def test_a_copy_that_did_not_show_when_the_key_was_given_up_is_shredded_an_hour_later(dead: Journey) -> None:
    lose(dead)
    key = dead.world.vault.find(dead.connection_id)
    assert key
    guard(dead.world)
    dead.world.other_vault.prepare(dead.connection)
    dead.world.other_vault.store(dead.connection_id, key)
    guard(come_due(dead).world)
    assert dead.world.vault.find(dead.connection_id) is None


def test_a_key_that_lives_again_at_the_last_try_is_not_shredded(dead: Journey) -> None:
    lose(dead)
    dead.world.whitebit.keys[dead.account] = dead.world.whitebit.issued[dead.connection.external_id or ""]
    dead.key.last_used_at = dead.world.clock.now()
    assert guard(dead.world) == {Finding.ALIVE: 1}
    assert dead.world.chosen_vault.truth(dead.connection_id)


def test_whoever_dies_after_shredding_leaves_no_connection_that_is_tried_for_ever(dead: Journey) -> None:
    lose(dead)
    dead.world.chosen_vault.fail_next("shred", KeyboardInterrupt, after_effect=True)
    with pytest.raises(KeyboardInterrupt):
        guard(dead.world)
    for _ in range(3):
        guard(dead.wait_for(CHECK_AGAIN).world)
    assert dead.connection.due_at is None


def test_a_copy_is_not_shredded_that_somebody_has_just_found_alive(dead: Journey) -> None:
    """A run that is doubled: one meets the address that is not allowed, and the other does not."""
    lose(dead)
    key = dead.world.whitebit.issued[dead.connection.external_id or ""]

    def live_again() -> None:
        dead.world.whitebit.keys[dead.account] = key
        key.last_used_at = dead.world.clock.now()
        assert guard(dead.world) == {Finding.ALIVE: 1}
        dead.world.whitebit.fail_next("read_signed", errors.KeyUnusable, after_effect=True)

    dead.world.whitebit.meanwhile("read_signed", live_again)
    guard(dead.world)
    assert dead.connection.status is Status.ACTIVE
    assert dead.world.chosen_vault.truth(dead.connection_id)


# ---- A user who disconnects ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fake", "method"), [("connections", "due"), ("connections", "get"), ("chosen_vault", "find"), ("limits", "take")]
)
def test_nothing_signs_once_the_user_disconnects(active: Journey, fake: str, method: str) -> None:
    getattr(come_due(active).world, fake).meanwhile(method, active.revoke)
    assert Finding.ALIVE not in guard(active.world)
    assert (reads(active.world), active.connection.status) == (0, Status.REVOKING)


def test_a_look_that_the_user_overtakes_changes_nothing(active: Journey) -> None:
    come_due(active).world.whitebit.meanwhile("read_signed", active.revoke, after_effect=True)
    assert guard(active.world) == {Finding.CLOSED: 1}
    assert (active.connection.status, active.connection.check_at) == (Status.REVOKING, active.world.clock.now())


def test_a_refusal_that_the_user_overtakes_is_none(refused: Journey) -> None:
    come_due(refused).world.whitebit.meanwhile("read_signed", refused.revoke)
    assert guard(refused.world) == {Finding.CLOSED: 1}
    assert (refused.connection.status, refused.world.events.told) == (Status.REVOKING, [])


# ---- A run -----------------------------------------------------------------------------------------------------------


def crowd(world: FakeWorld, size: int = 12) -> list[Journey]:
    """So many connections, all of them due."""
    journeys = [activate(world, number) for number in range(size)]
    world.clock.advance(CHECK_PERIOD)
    return journeys


def alive(journeys: list[Journey]) -> int:
    """How many have been tried."""
    return sum(journey.connection.checked_by is not None for journey in journeys)


def test_all_that_is_due_is_looked_at(world: FakeWorld) -> None:
    journeys = crowd(world, 60)
    assert guard_keys(world, world.clock.now() + TIMEOUT) == {Finding.ALIVE: 60, Finding.DONE: 1}
    assert alive(journeys) == 60


def test_a_busy_whitebit_puts_off_the_key_for_which_it_has_no_room_and_no_other(world: FakeWorld) -> None:
    journeys = crowd(world)
    for _ in range(4):
        world.whitebit.meanwhile("read_signed", lambda: None)
    world.whitebit.fail_next("read_signed", errors.WhiteBitBusy)
    assert guard(world) == {Finding.ALIVE: 11, Finding.UNKNOWN: 1}
    world.clock.advance(CHECK_AGAIN)
    assert guard(world) == {Finding.ALIVE: 1}
    assert alive(journeys) == 12


def test_where_the_deployment_has_called_as_often_as_it_may_whitebit_is_not_called(world: FakeWorld) -> None:
    journeys, pace = crowd(world), TRADE_ACCOUNT
    for _ in range(pace.burst - 3):
        world.limits.take(pace, world.clock.now())
    assert guard(world) == {Finding.ALIVE: 3, Finding.UNKNOWN: 9}
    assert reads(world) == 3
    world.clock.advance(CHECK_AGAIN)
    assert guard(world) == {Finding.ALIVE: 9}
    assert alive(journeys) == 12


@pytest.mark.parametrize(
    ("fake", "method"),
    [
        ("connections", "get"),
        ("chosen_vault", "find"),
        ("limits", "take"),
        ("whitebit", "read_signed"),
        ("connections", "save"),
    ],
)
def test_one_that_fails_does_not_hold_up_the_others(world: FakeWorld, fake: str, method: str) -> None:
    journeys = crowd(world)
    getattr(world, fake).fail_next(method, errors.StorageUnavailable)
    assert guard(world) == {Finding.ALIVE: 11, Finding.UNKNOWN: 1}
    world.clock.advance(CHECK_AGAIN)
    assert guard(world) == {Finding.ALIVE: 1}
    assert alive(journeys) == 12


def test_one_that_is_gone_does_not_hold_up_the_others(world: FakeWorld) -> None:
    """An index shows for a while what the table has forgotten."""
    journeys = crowd(world)
    world.connections.fail_next("get", errors.ConnectionNotFound)
    assert guard(world)[Finding.ALIVE] == 11
    assert alive(journeys) == 11


@pytest.mark.parametrize("after_effect", [False, True])
@pytest.mark.parametrize(
    ("fake", "method"),
    [("chosen_vault", "find"), ("whitebit", "read_signed"), ("connections", "save"), ("connections", "due")],
)
def test_a_run_that_dies_leaves_the_rest_to_the_next(
    world: FakeWorld, fake: str, method: str, after_effect: bool
) -> None:
    journeys, subject = crowd(world), getattr(world, fake)
    for _ in range(5):
        subject.meanwhile(method, lambda: None, after_effect=after_effect)
    subject.fail_next(method, KeyboardInterrupt, after_effect=after_effect)
    with pytest.raises(KeyboardInterrupt):
        guard(world)
    done = alive(journeys)
    assert guard(world)[Finding.ALIVE] == 12 - done
    assert alive(journeys) == 12
    assert reads(world) <= 13


def test_two_runs_at_once_look_at_each_key_twice_at_the_most_and_harm_none(world: FakeWorld) -> None:
    journeys = crowd(world)
    world.whitebit.meanwhile("read_signed", lambda: guard(world))
    guard(world)
    assert alive(journeys) == 12
    assert reads(world) <= 24
    assert {journey.connection.status for journey in journeys} == {Status.ACTIVE}


def test_a_run_begins_nothing_that_it_may_not_have_the_time_to_end(world: FakeWorld) -> None:
    journeys = crowd(world)

    def take_time() -> None:
        world.clock.advance(timedelta(seconds=10))

    for _ in range(20):
        world.whitebit.meanwhile("read_signed", take_time, after_effect=True)
    deadline = world.clock.now() + TIMEOUT
    assert guard_keys(world, deadline) == {Finding.ALIVE: 4}
    assert world.clock.now() <= deadline - TIME_TO_LOOK + timedelta(seconds=10)
    assert alive(journeys) == 4


def test_a_run_without_time_does_nothing(world: FakeWorld) -> None:
    crowd(world)
    assert guard(world, TIME_TO_LOOK - MOMENT) == Counter()
    assert reads(world) == 0


def test_each_queue_is_the_first_of_a_run_in_turn(world: FakeWorld) -> None:
    journeys = crowd(world, 60)
    assert {journey.connection.shard for journey in journeys} == set(range(SHARDS))
    firsts: list[int] = []
    for _ in range(SHARDS):
        world.whitebit.fail_next("read_signed", KeyboardInterrupt)
        firsts.append(first_queue(world))
        world.clock.advance(MINUTE)
    assert sorted(firsts) == list(range(SHARDS))


def first_queue(world: FakeWorld) -> int:
    """The queue of the connection whose key a run tries first, and at which it dies."""
    with pytest.MonkeyPatch.context() as patch:
        found: list[str] = []
        vault, find = world.chosen_vault, world.chosen_vault.find
        patch.setattr(vault, "find", lambda connection_id: found.append(connection_id) or find(connection_id))  # type: ignore[func-returns-value]
        with pytest.raises(KeyboardInterrupt):
            guard(world)
    return world.connections.get(found[0]).shard
