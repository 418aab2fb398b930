"""Keys are moved from one vault to the other while everything goes on: none is lost, and none comes back."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from fastkey.domain import errors
from fastkey.domain.key import CapturedKey
from fastkey.domain.status import Status
from fastkey.ports import Vault
from fastkey.usecases.change import change
from fastkey.usecases.guard_keys import guard_keys
from fastkey.usecases.migrate_vault import SETTLING, TIME_TO_MOVE, Migrated, migrate_vault
from tests.fakes.interruptions import Act, Interruptible
from tests.fakes.world import FakeWorld
from tests.unit.journey import ATTEMPT, LEASE, Journey

DONE = Migrated(moved=0, left={}, cursor=None)
MOVED = replace(DONE, moved=1)

FAKES = ("connections", "chosen_vault", "other_vault")


def migrate(world: FakeWorld, cursor: str | None = None, time: timedelta = ATTEMPT) -> Migrated:
    return migrate_vault(world, world.policy.vault, cursor, world.clock.now() + time)


def left(journey: Journey, error: type[errors.FastkeyError]) -> Migrated:
    return replace(DONE, left={journey.connection_id: error.code})


def places(journey: Journey) -> tuple[bool, bool]:
    """Whether the key is in the chosen vault, and whether there is so much as a place in the other."""
    world, connection_id = journey.world, journey.connection_id
    return world.chosen_vault.truth(connection_id) is not None, world.other_vault.exists(connection_id)


def copies(journey: Journey) -> list[CapturedKey | None]:
    """The key as it is in the chosen vault and in the other, whatever a reader sees."""
    world = journey.world
    return [vault.truth(journey.connection_id) for vault in (world.chosen_vault, world.other_vault)]


def key(journey: Journey) -> CapturedKey | None:
    return journey.world.vault.find(journey.connection_id)


@pytest.fixture
def active(world: FakeWorld) -> Journey:
    """A key that is not in the vault that is chosen by now."""
    journey = Journey(world).activate()
    world.choose_other_vault()
    return journey


def test_a_key_is_moved_and_nothing_else_is_changed(active: Journey) -> None:
    before, connection = key(active), active.connection
    assert migrate(active.world) == MOVED
    assert (key(active), places(active)) == (before, (True, False))
    after = active.connection
    assert replace(after, version=connection.version, updated_at=connection.updated_at) == connection
    assert migrate(active.world) == DONE
    assert active.connection == after


def test_a_key_is_moved_back(active: Journey) -> None:
    before = key(active)
    migrate(active.world)
    active.world.choose_other_vault()
    assert migrate(active.world) == MOVED
    assert (key(active), places(active)) == (before, (True, False))


def test_a_key_is_in_both_vaults_for_a_minute(active: Journey) -> None:
    world, before = active.world, key(active)
    seen: list[tuple[datetime, list[CapturedKey | None]]] = []

    def look() -> None:
        seen.append((world.clock.now(), copies(active)))

    world.chosen_vault.meanwhile("store", look, after_effect=True)
    world.other_vault.meanwhile("shred", look)
    migrate(world)
    (copied_at, copied), (shredded_at, to_be_shredded) = seen
    assert copied == to_be_shredded == [before, before]
    assert shredded_at - copied_at >= SETTLING


def test_without_a_key_to_move_nobody_waits(world: FakeWorld) -> None:
    Journey(world).activate()
    before = world.clock.now()
    assert migrate(world) == DONE
    assert world.clock.now() == before


def test_a_dead_key_is_moved_as_long_as_it_may_come_back(active: Journey) -> None:
    active.key.enabled = False
    while active.connection.status is not Status.DEAD:
        guard_keys(active.wait(days=1).world, active.deadline)
    assert migrate(active.world) == MOVED
    active.world.choose_other_vault()
    change(active.world, active.connection_id, lambda c: replace(c, key_given_up=True, version=c.version + 1))
    assert migrate(active.world) == left(active, errors.ConnectionClosed)


def test_a_command_that_has_another_vault_in_mind_is_refused(active: Journey) -> None:
    for to in (Vault.SECRETS_MANAGER, "", "Dynamodb"):
        with pytest.raises(errors.InvalidRequest):
            migrate_vault(active.world, to, None, active.deadline)
    assert places(active) == (False, True)


@pytest.mark.parametrize("cursor", ["x", "-1 ", "8 ", "0 x", "{"])
def test_a_cursor_that_no_run_gave_is_refused(active: Journey, cursor: str) -> None:
    with pytest.raises(errors.InvalidRequest):
        migrate(active.world, cursor)
    assert places(active) == (False, True)


# ---- Many keys -------------------------------------------------------------------------------------------------------


def test_a_run_ends_in_time_and_the_next_goes_on_where_it_ended(world: FakeWorld) -> None:
    journeys = [Journey(world, f"user-{number}", f"account-{number}").activate() for number in range(60)]
    world.choose_other_vault()
    find = world.other_vault.find

    def slowly(connection_id: str) -> CapturedKey | None:
        world.clock.advance(timedelta(seconds=2))
        return find(connection_id)

    runs: list[Migrated] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.other_vault, "find", slowly)
        while not runs or runs[-1].cursor:
            began = world.clock.now()
            runs.append(migrate(world, runs[-1].cursor if runs else None))
            assert world.clock.now() - began <= ATTEMPT - TIME_TO_MOVE + timedelta(seconds=2)
    assert len(runs) > 1
    assert sum(run.moved for run in runs) == len(journeys)
    assert {places(journey) for journey in journeys} == {(True, False)}


def test_one_that_cannot_be_moved_does_not_hold_up_the_others(world: FakeWorld) -> None:
    journeys = [Journey(world, f"user-{number}", f"account-{number}").activate() for number in range(4)]
    world.choose_other_vault()
    world.other_vault.fail_next("find", errors.StorageUnavailable)
    world.chosen_vault.fail_next("store", errors.StorageUnavailable)
    world.other_vault.fail_next("shred", errors.StorageUnavailable)
    first = migrate(world)
    assert (first.moved, set(first.left.values())) == (1, {"storage_unavailable"})
    assert first.left.keys() == {journey.connection_id for journey in journeys if places(journey) != (True, False)}
    assert migrate(world) == replace(DONE, moved=3)
    assert {places(journey) for journey in journeys} == {(True, False)}


# ---- Stopped at any point --------------------------------------------------------------------------------------------


def fake(world: FakeWorld, name: str) -> Interruptible:
    found: Interruptible = getattr(world, name)
    return found


def moments() -> Iterator[tuple[str, str, int]]:
    """Each call that moving one key makes: the fake, the method, and how many of it went before."""
    world = FakeWorld()
    Journey(world).activate()
    world.choose_other_vault()
    before = {name: len(fake(world, name).calls) for name in FAKES}
    migrate(world)
    for name in FAKES:
        calls = fake(world, name).calls[before[name] :]
        yield from ((name, method, calls[:number].count(method)) for number, method in enumerate(calls))


@pytest.mark.parametrize("after_effect", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, errors.StorageUnavailable])
@pytest.mark.parametrize(("name", "method", "number"), list(moments()))
def test_a_key_is_found_wherever_its_moving_stops_and_moved_the_next_time(
    active: Journey, name: str, method: str, number: int, error: type[BaseException], after_effect: bool
) -> None:
    world, before = active.world, key(active)
    for _ in range(number):
        fake(world, name).meanwhile(method, lambda: None, after_effect=after_effect)
    fake(world, name).fail_next(method, error, after_effect=after_effect)
    with suppress(KeyboardInterrupt, errors.StorageUnavailable):
        migrate(world)
    assert key(active) == before
    for _ in range(2):
        migrate(active.wait_for(LEASE).world)
    assert (key(active), places(active)) == (before, (True, False))


def move_back(world: FakeWorld) -> None:
    """Somebody moves the keys the other way: with them, functions run as they were deployed before."""
    world.choose_other_vault()
    migrate(world)
    world.choose_other_vault()


@pytest.mark.parametrize(("name", "method", "number"), list(moments()))
def test_two_that_move_a_key_to_and_fro_do_not_lose_it(active: Journey, name: str, method: str, number: int) -> None:
    world, before = active.world, key(active)
    for _ in range(number):
        fake(world, name).meanwhile(method, lambda: None)
    fake(world, name).meanwhile(method, lambda: move_back(world))
    migrate(world)
    assert key(active) == before
    migrate(active.wait_for(LEASE).world)
    assert (key(active), places(active)) == (before, (True, False))


# ---- One fence alone, where the others let it pass -------------------------------------------------------------------


def after_waiting(patch: pytest.MonkeyPatch, world: FakeWorld, act: Act) -> None:
    """Does `act` when the minute is over in which a key is in both vaults."""

    def wait(time: timedelta) -> None:
        patch.undo()
        world.clock.wait(time)
        act()

    patch.setattr(world.clock, "wait", wait)


def test_a_copy_that_is_late_does_not_bring_back_a_key_that_was_shredded(active: Journey) -> None:
    def disconnect() -> None:
        active.wait_for(LEASE).revoke()
        active.delete(errors.Revoked)

    active.world.chosen_vault.meanwhile("prepare", disconnect)
    assert migrate(active.world) == left(active, errors.StepInProgress)
    assert active.connection.status.is_end
    assert copies(active) == [None, None]


def test_an_old_copy_is_not_shredded_late_when_it_is_the_only_one_by_then(active: Journey) -> None:
    world, before = active.world, key(active)

    def move_back_late() -> None:
        active.wait_for(LEASE)
        move_back(world)

    # By the first the key is copied, by the second the two copies are compared.
    world.other_vault.meanwhile("find", lambda: None, after_effect=True)
    world.other_vault.meanwhile("find", move_back_late, after_effect=True)
    assert migrate(world) == left(active, errors.StepInProgress)
    assert copies(active) == [None, before]


def test_an_old_copy_stays_where_the_new_one_is_seen_though_it_was_shredded(monkeypatch: pytest.MonkeyPatch) -> None:
    world = FakeWorld(lag=lambda: timedelta(seconds=5))
    world.choose_other_vault()
    journey = Journey(world).activate().wait(minutes=1)
    before = key(journey)
    world.choose_other_vault()
    # Makes the place in which the copy is stored, and which shows by then.
    migrate(world)
    journey.wait(minutes=1)
    after_waiting(monkeypatch, world, lambda: move_back(world))
    assert migrate(world) == left(journey, errors.Conflict)
    assert copies(journey) == [None, before]


def shred_new_copy(journey: Journey) -> None:
    """A shredding whose answer was lost takes effect now."""
    journey.world.chosen_vault.shred(journey.connection_id)


def store_another_key(journey: Journey) -> None:
    """Somebody does so by hand."""
    old = journey.world.other_vault.truth(journey.connection_id)
    assert old
    journey.world.chosen_vault.store(journey.connection_id, replace(old, external_id="another"))


@pytest.mark.parametrize("act", [shred_new_copy, store_another_key])
def test_an_old_copy_stays_where_the_new_one_is_not_the_same(
    active: Journey, monkeypatch: pytest.MonkeyPatch, act: Callable[[Journey], None]
) -> None:
    before = key(active)
    after_waiting(monkeypatch, active.world, lambda: act(active))
    assert migrate(active.world) == left(active, errors.StorageUnavailable)
    assert copies(active)[1] == before


def test_a_key_that_is_in_neither_vault_is_not_said_to_be_moved(
    active: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    after_waiting(monkeypatch, active.world, lambda: active.world.vault.shred(active.connection_id))
    assert migrate(active.world) == left(active, errors.StorageUnavailable)


def test_an_old_copy_stays_where_there_may_be_no_time_to_shred_it(
    active: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = key(active)
    too_late = active.deadline - TIME_TO_MOVE + timedelta(microseconds=1)
    after_waiting(monkeypatch, active.world, lambda: active.wait_for(too_late - active.world.clock.now()))
    assert migrate(active.world) == left(active, errors.NoTimeLeft)
    assert copies(active) == [before, before]


# ---- Meanwhile -------------------------------------------------------------------------------------------------------


def test_a_key_that_is_captured_meanwhile_goes_to_the_chosen_vault_and_is_left_there(world: FakeWorld) -> None:
    journey = Journey(world).claim()
    world.choose_other_vault()
    journey.capture()
    journey.verify()
    assert migrate(world) == DONE
    assert places(journey) == (True, False)


def test_a_key_that_was_stored_before_the_change_is_verified_and_moved(world: FakeWorld) -> None:
    journey = Journey(world).claim()
    journey.capture()
    world.choose_other_vault()
    migrate(world)
    journey.verify()
    assert migrate(world) == MOVED


def test_whoever_looks_for_a_key_finds_it_at_any_time(active: Journey) -> None:
    world, found = active.world, list[CapturedKey | None]()
    for vault, method in ((world.chosen_vault, "prepare"), (world.chosen_vault, "store"), (world.other_vault, "shred")):
        for after_effect in (False, True):
            vault.meanwhile(method, lambda: found.append(key(active)), after_effect=after_effect)
    migrate(world)
    assert found == [key(active)] * 6


def test_a_place_that_does_not_show_yet_is_filled_the_next_time() -> None:
    world = FakeWorld(lag=lambda: timedelta(seconds=5))
    world.choose_other_vault()
    journey = Journey(world).activate().wait(minutes=1)
    world.choose_other_vault()
    assert migrate(world) == left(journey, errors.StorageUnavailable)
    assert migrate(journey.wait(minutes=1).world) == MOVED
    assert places(journey) == (True, False)
