"""The local world, running, for requests that a machine makes up."""

from collections.abc import Iterator

import pytest

from local.world import World


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World() as running:
        yield running
