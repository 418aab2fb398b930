"""A program's client, WhiteBIT as a test would have it, and a connection whose key is stored."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from fastkey.bootstrap import AwsWorld
from fastkey.client import Client
from fastkey.domain.key import CapturedKey
from tests.contract.aws import aws_world
from tests.contract.given import captured, start
from tests.contract.scripted_server import ScriptedServer, scripted_server
from tests.unit.environment import ENVIRONMENT


@dataclass(frozen=True, slots=True)
class Program:
    """A program with one connection to work with."""

    client: Client
    world: AwsWorld
    connection_id: str
    key: CapturedKey


def program(world: AwsWorld, whitebit_url: str, key: CapturedKey) -> Program:
    """A program that has WhiteBIT at this address; `key` is stored for its connection."""
    connection = start()
    world.vault.prepare(connection)
    world.vault.store(connection.connection_id, key)
    client = Client(ENVIRONMENT["CONNECTIONS_TABLE"], ENVIRONMENT["KEYS_ARN"], whitebit_url)
    return Program(client, world, connection.connection_id, key)


@pytest.fixture(scope="module")
def world() -> Iterator[AwsWorld]:
    """One for all tests of a module, which keep apart by the ids of their connections."""
    with aws_world() as world:
        yield world


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as server:
        yield server


@pytest.fixture
def partner(world: AwsWorld, server: ScriptedServer) -> Program:
    return program(world, server.url, captured())
