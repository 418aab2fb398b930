"""Keys that were needed a moment ago."""

from datetime import timedelta

import pytest

from fastkey.adapters.keys import CachedKeys
from tests.contract.given import captured, start
from tests.fakes.world import FakeWorld


@pytest.fixture
def stored(world: FakeWorld) -> str:
    """The id of a connection whose key is stored."""
    connection = start()
    world.vault.prepare(connection)
    world.vault.store(connection.connection_id, captured())
    return connection.connection_id


def asked(world: FakeWorld) -> int:
    return world.chosen_vault.calls.count("find")


def test_a_key_is_at_hand_for_a_minute(world: FakeWorld, stored: str) -> None:
    for _ in range(3):
        assert world.keys.find(stored) == captured()
    world.clock.advance(timedelta(seconds=59))
    world.keys.find(stored)
    assert asked(world) == 1
    world.clock.advance(timedelta(seconds=1))
    world.keys.find(stored)
    assert asked(world) == 2


def test_a_key_that_was_forgotten_is_asked_for_again(world: FakeWorld, stored: str) -> None:
    world.keys.find(stored)
    world.keys.forget(stored)
    world.vault.shred(stored)
    assert world.keys.find(stored) is None


def test_that_there_is_no_key_is_not_remembered(world: FakeWorld) -> None:
    for _ in range(2):
        assert world.keys.find("connection-1") is None
    assert world.other_vault.calls.count("find") == 2
    world.keys.forget("connection-1")


def test_no_more_keys_are_at_hand_than_there_may_be(world: FakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CachedKeys, "MAX_KEYS", 2)
    connections = [start() for _ in range(3)]
    for connection in connections:
        world.vault.prepare(connection)
        world.vault.store(connection.connection_id, captured())
        world.keys.find(connection.connection_id)
    assert asked(world) == 3
    for connection in connections[1:]:
        world.keys.find(connection.connection_id)
    assert asked(world) == 3
    world.keys.find(connections[0].connection_id)
    assert asked(world) == 4


def test_nothing_outlasts_its_minute_in_memory(world: FakeWorld, stored: str) -> None:
    world.keys.find(stored)
    world.clock.advance(timedelta(minutes=1))
    world.keys.find("connection-9")
    assert captured().secret.reveal() not in repr([kept[1].secret.reveal() for kept in world.keys._kept.values()])
