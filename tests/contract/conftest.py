"""The world that a suite runs in: the fakes', at once consistent and then lagging, and the one that ships."""

from collections.abc import Iterator

import pytest

from fastkey.ports import World
from tests.contract.aws import aws_world
from tests.contract.given import LAG
from tests.fakes.world import FakeWorld


@pytest.fixture(scope="module", params=["fake", "lagging fake", "aws"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """One for all tests of a module, which keep apart by the ids of their connections."""
    match request.param:
        case "fake":
            yield FakeWorld()
        case "lagging fake":
            yield FakeWorld(lag=lambda: LAG)
        case _:
            with aws_world() as world:
                yield world
