"""The ports KeyVault, by either vault, and Sealer."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from fastkey.domain.errors import StorageUnavailable
from fastkey.domain.key import CapturedKey
from fastkey.domain.secret import Secret
from fastkey.ports import Purpose, Vault, World
from tests.contract.aws import aws_world
from tests.contract.given import LAG, captured, settle, start
from tests.fakes.world import FakeWorld

KEY = captured()
ANOTHER = captured("external-2", "secret-2")


@pytest.fixture(scope="module", params=["fake", "lagging fake", *Vault])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    match request.param:
        case "fake":
            yield FakeWorld()
        case "lagging fake":
            yield FakeWorld(lag=lambda: LAG)
        case vault:
            with aws_world(vault) as world:
                yield world


@pytest.fixture
def connection_id(world: World) -> str:
    """A connection for whose key there is a place."""
    connection = start()
    world.vault.prepare(connection)
    settle(world)
    return connection.connection_id


def found(world: World, connection_id: str) -> CapturedKey | None:
    """What every call finds, once the last change is everywhere."""
    settle(world)
    return world.vault.find(connection_id)


def test_a_prepared_place_is_empty(world: World, connection_id: str) -> None:
    assert found(world, connection_id) is None


def test_a_place_that_nobody_prepared_is_empty_and_takes_nothing(world: World) -> None:
    with pytest.raises(StorageUnavailable):
        world.vault.store("nobody", KEY)
    assert found(world, "nobody") is None


def test_a_key_is_found_as_it_was_stored(world: World, connection_id: str) -> None:
    world.vault.store(connection_id, KEY)
    assert found(world, connection_id) == KEY


def test_a_place_may_be_prepared_twice_and_keeps_its_key(world: World) -> None:
    connection = start()
    world.vault.prepare(connection)
    world.vault.prepare(connection)
    settle(world)
    world.vault.store(connection.connection_id, KEY)
    world.vault.prepare(connection)
    assert found(world, connection.connection_id) == KEY


def test_the_same_key_twice_is_the_same_key_once(world: World, connection_id: str) -> None:
    world.vault.store(connection_id, KEY)
    world.vault.store(connection_id, KEY)
    assert found(world, connection_id) == KEY


def test_another_secret_under_the_same_key_is_refused(world: World, connection_id: str) -> None:
    world.vault.store(connection_id, KEY)
    with pytest.raises(StorageUnavailable):
        world.vault.store(connection_id, replace(KEY, secret=Secret("another")))
    assert found(world, connection_id) == KEY


def test_the_latest_of_two_keys_is_found_and_the_earlier_one_again_changes_nothing(
    world: World, connection_id: str
) -> None:
    for key in (KEY, ANOTHER, KEY):
        world.vault.store(connection_id, key)
    assert found(world, connection_id) == ANOTHER


def test_another_secret_under_an_earlier_key_is_refused(world: World, connection_id: str) -> None:
    world.vault.store(connection_id, KEY)
    world.vault.store(connection_id, ANOTHER)
    with pytest.raises(StorageUnavailable):
        world.vault.store(connection_id, replace(KEY, secret=Secret("another")))
    assert found(world, connection_id) == ANOTHER


def test_connections_have_places_of_their_own(world: World, connection_id: str) -> None:
    other = start()
    world.vault.prepare(other)
    world.vault.store(connection_id, KEY)
    assert found(world, other.connection_id) is None


def test_a_shredded_key_is_gone(world: World, connection_id: str) -> None:
    world.vault.store(connection_id, KEY)
    world.vault.shred(connection_id)
    assert found(world, connection_id) is None
    with pytest.raises(StorageUnavailable):
        world.vault.store(connection_id, KEY)


def test_a_place_that_was_shredded_can_be_prepared_again_and_is_empty(world: World) -> None:
    connection = start()
    world.vault.prepare(connection)
    settle(world)
    world.vault.store(connection.connection_id, KEY)
    world.vault.shred(connection.connection_id)
    settle(world)
    world.vault.prepare(connection)
    assert found(world, connection.connection_id) is None
    world.vault.store(connection.connection_id, ANOTHER)
    assert found(world, connection.connection_id) == ANOTHER


def test_what_is_not_there_can_be_shredded(world: World, connection_id: str) -> None:
    world.vault.shred(connection_id)
    world.vault.shred(connection_id)
    world.vault.shred("nobody")


def test_a_user_id_of_any_form_does_not_keep_a_key_from_its_place(world: World) -> None:
    connection = start("auth0|ü{user}\n<x>" + "x" * 300)
    world.vault.prepare(connection)
    settle(world)
    world.vault.store(connection.connection_id, KEY)
    assert found(world, connection.connection_id) == KEY


# ---- Sealer ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["secret", "ü🔑", "x" * 4096])
def test_a_seal_opens_for_its_connection_and_purpose(world: World, text: str) -> None:
    sealed = world.sealer.seal(Secret(text), "connection-1", Purpose.TOKEN)
    assert text.encode() not in sealed
    assert world.sealer.open(sealed, "connection-1", Purpose.TOKEN) == Secret(text)


@pytest.mark.parametrize(
    ("connection_id", "purpose"), [("connection-2", Purpose.TOKEN), ("connection-1", Purpose.ESCROW)]
)
def test_a_seal_opens_for_nothing_else(world: World, connection_id: str, purpose: Purpose) -> None:
    sealed = world.sealer.seal(Secret("secret"), "connection-1", Purpose.TOKEN)
    with pytest.raises(StorageUnavailable):
        world.sealer.open(sealed, connection_id, purpose)


@pytest.mark.parametrize("sealed", [b"", b"secret", b"\x00" * 200])
def test_what_is_no_seal_does_not_open(world: World, sealed: bytes) -> None:
    with pytest.raises(StorageUnavailable):
        world.sealer.open(sealed, "connection-1", Purpose.TOKEN)


def test_what_is_too_long_is_not_sealed(world: World) -> None:
    with pytest.raises(StorageUnavailable):
        world.sealer.seal(Secret("x" * 4097), "connection-1", Purpose.TOKEN)
