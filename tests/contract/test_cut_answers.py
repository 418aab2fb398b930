"""An answer of AWS that breaks off is no answer: botocore, which does not measure it, would take it for a good one."""

from collections.abc import Callable, Iterator

import pytest

from fastkey.bootstrap import AwsWorld
from fastkey.domain.errors import ConnectionNotFound, StorageUnavailable
from fastkey.domain.secret import Secret
from fastkey.ports import Purpose
from fastkey.settings import Settings
from tests.contract.given import COMPLETION, NOW, TICKET, captured, claimed, detecting, start
from tests.contract.scripted_server import ScriptedServer, answer, scripted_server
from tests.unit.environment import ENVIRONMENT

Call = Callable[[AwsWorld], object]

BEFORE, DETECTING = start(), detecting()

CALLS: dict[str, Call] = {
    "connections.add": lambda world: world.connections.add(BEFORE),
    "connections.get": lambda world: world.connections.get("connection-1"),
    "connections.page": lambda world: world.connections.page("user-1", None),
    "connections.save": lambda world: world.connections.save(BEFORE, BEFORE.consent(TICKET, COMPLETION.digest(), NOW)),
    "connections.save and hold": lambda world: world.connections.save(DETECTING, claimed(DETECTING, "key-1")),
    "authorizations.find": lambda world: world.authorizations.find(Secret("state")),
    "vault.prepare": lambda world: world.vault.prepare(BEFORE),
    "vault.store": lambda world: world.vault.store("connection-1", captured()),
    "vault.find": lambda world: world.vault.find("connection-1"),
    "vault.shred": lambda world: world.vault.shred("connection-1"),
    "other_vault.prepare": lambda world: world.other_vault.prepare(BEFORE),
    "other_vault.store": lambda world: world.other_vault.store("connection-1", captured()),
    "other_vault.find": lambda world: world.other_vault.find("connection-1"),
    "other_vault.shred": lambda world: world.other_vault.shred("connection-1"),
    "whitebit.prepare": lambda world: world.whitebit.prepare(),
    "sealer.seal": lambda world: world.sealer.seal(Secret("token"), "connection-1", Purpose.TOKEN),
    "sealer.open": lambda world: world.sealer.open(b"sealed", "connection-1", Purpose.TOKEN),
    "workflows.start_provision": lambda world: world.workflows.start_provision("connection-1"),
    "workflows.resume": lambda world: world.workflows.resume("task-token"),
}


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as server:
        yield server


@pytest.fixture
def world(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> AwsWorld:
    """A world whose AWS is the server."""
    for name, value in {
        "AWS_ENDPOINT_URL": server.url,
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
    }.items():
        monkeypatch.setenv(name, value)
    return AwsWorld(Settings.read(ENVIRONMENT))


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("body", [b"", b'{"Item": {', b"{}"], ids=["nothing", "half", "almost all"])
def test_what_was_cut_is_no_answer(server: ScriptedServer, world: AwsWorld, call: Call, body: bytes) -> None:
    server.answer = answer(200, body=body, length=100)
    with pytest.raises(StorageUnavailable):
        call(world)


def test_an_error_that_was_cut_is_repeated_as_any_other(server: ScriptedServer, world: AwsWorld) -> None:
    server.answer = answer(500, body=b"", length=100)
    with pytest.raises(StorageUnavailable):
        world.connections.get("connection-1")
    assert len(server.requests) == 3


def test_what_was_not_cut_is_one(server: ScriptedServer, world: AwsWorld) -> None:
    server.answer = answer(200, body=b"{}")
    with pytest.raises(ConnectionNotFound):
        world.connections.get("connection-1")
    world.workflows.resume("task-token")
