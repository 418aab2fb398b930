"""The whole of fastkey in the local world: the shipped template, handlers and state machines, once in each revision,
and with each vault.

Nothing is changed but how long the state machines wait.
"""

from collections.abc import Callable, Iterator, Sequence

import pytest

from fastkey.ports import Vault
from local.whitebit import Revision
from local.world import World
from tests.e2e.heard import Heard
from tests.e2e.journey import PERMISSIONS, Journey, Sandbox
from tests.machines import edited, hurried


@pytest.fixture(scope="module", params=list(Revision))
def revision(request: pytest.FixtureRequest) -> Revision:
    chosen: Revision = request.param
    return chosen


# Each vault with a revision of its own: nothing that knows of the one knows of the other.
VAULTS = {Revision.MAY_2026: Vault.SECRETS_MANAGER, Revision.AUGUST_2026: Vault.DYNAMODB}


@pytest.fixture(scope="module")
def world(revision: Revision) -> Iterator[World]:
    with hurried(World(revision, Vault=VAULTS[revision])) as running:
        yield running


@pytest.fixture(scope="module")
def heard(world: World) -> Heard:
    return Heard(world)


@pytest.fixture
def sandbox(world: World) -> Sandbox:
    return Sandbox(world)


@pytest.fixture
def journey(world: World, revision: Revision) -> Callable[..., Journey]:
    """A new user; `email` for one who shares a WhiteBIT account, `permissions` for what the user grants."""

    def new(email: str | None = None, permissions: Sequence[str] = PERMISSIONS) -> Journey:
        return Journey(world, revision, email, permissions)

    return new


@pytest.fixture
def impatient(world: World) -> Iterator[None]:
    """ProvisionKey awaits the completion for 1 s."""
    with edited(world, "ProvisionKey") as states:
        shipped, states["AwaitCompletion"]["TimeoutSeconds"] = states["AwaitCompletion"]["TimeoutSeconds"], 1
    yield
    with edited(world, "ProvisionKey") as states:
        states["AwaitCompletion"]["TimeoutSeconds"] = shipped
