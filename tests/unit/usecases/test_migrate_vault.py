"""Keys are moved from one vault to the other while everything goes on: none is lost, and none comes back."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from fastkey.domain import errors
from fastkey.domain.key import CapturedKey
from fastkey.domain.status import Status
from fastkey.ports import Vault
from fastkey.usecases.change import change
from fastkey.usecases.guard_keys import guard_keys
from fastkey.usecases.migrate_vault import SETTLING, TIME_TO_MOVE, Migrated, migrate_vault
from tests.fakes.interruptions import Interruptible
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
    began = active.world.clock.now()
    copied_at = [began]
    active.world.chosen_vault.meanwhile("store", lambda: copied_at.append(active.world.clock.now()), after_effect=True)
    seen: list[CapturedKey | None] = []
    active.world.other_vault.meanwhile("shred", lambda: seen.append(key(active)))
    migrate(active.world)
    assert seen == [key(active)]
    assert active.world.clock.now() - copied_at[-1] >= SETTLING


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


@pytest.mark.parametrize(("name", "method", "number"), list(moments()))
def test_two_that_move_a_key_to_and_fro_do_not_lose_it(active: Journey, name: str, method: str, number: int) -> None:
    world, before = active.world, key(active)

    def move_back() -> None:
        world.choose_other_vault()
        migrate(world)
        world.choose_other_vault()

    for _ in range(number):
        fake(world, name).meanwhile(method, lambda: None)
    fake(world, name).meanwhile(method, move_back)
    migrate(world)
    assert key(active) == before
    migrate(active.wait_for(LEASE).world)
    assert (key(active), places(active)) == (before, (True, False))


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
