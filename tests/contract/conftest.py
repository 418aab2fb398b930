"""The world that a suite runs in: first the fakes', then the one that ships."""

from collections.abc import Iterator

import pytest

from fastkey.ports import World
from tests.contract.aws import aws_world
from tests.fakes.world import FakeWorld


@pytest.fixture(scope="module", params=["fake", "aws"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """One for all tests of a module, which keep apart by the ids of their connections."""
    if request.param == "fake":
        yield FakeWorld()
    else:
        with aws_world() as world:
            yield world
