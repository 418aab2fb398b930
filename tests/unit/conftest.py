"""A world of fakes, and a user in it."""

import io
from collections.abc import Iterator

import pytest

from local.whitebit import Revision
from tests.fakes.world import FakeWorld
from tests.logged import logged
from tests.unit.journey import Journey


@pytest.fixture
def world() -> FakeWorld:
    return FakeWorld()


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What is logged."""
    with logged() as stream:
        yield stream


@pytest.fixture
def journey(world: FakeWorld) -> Journey:
    return Journey(world)


@pytest.fixture
def journey_05() -> Journey:
    """In revision 2026-05: a 4-hour token, no refresh token, and the key made during consent."""
    return Journey(FakeWorld(Revision.MAY_2026))
