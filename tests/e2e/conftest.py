"""The whole of fastkey in the local world: the shipped template, handlers and state machines, once in each revision."""

import json
from collections.abc import Callable, Iterator

import pytest

from local.whitebit import Revision
from local.world import World
from tests.e2e.journey import Journey, Sandbox


@pytest.fixture(scope="module", params=list(Revision))
def revision(request: pytest.FixtureRequest) -> Revision:
    chosen: Revision = request.param
    return chosen


@pytest.fixture(scope="module")
def world(revision: Revision) -> Iterator[World]:
    with World(revision) as running:
        yield running


@pytest.fixture
def sandbox(world: World) -> Sandbox:
    return Sandbox(world)


@pytest.fixture
def journey(world: World, revision: Revision) -> Callable[..., Journey]:
    """A new user; `email` for one who shares a WhiteBIT account."""

    def new(email: str | None = None) -> Journey:
        return Journey(world, revision, email)

    return new


@pytest.fixture
def impatient(world: World) -> Iterator[None]:
    """ProvisionKey as deployed, but for one number: it awaits the completion for 1 s."""
    workflows, arn = world.client("stepfunctions"), world.state_machines["ProvisionKey"]
    shipped = workflows.describe_state_machine(stateMachineArn=arn)["definition"]
    impatient = json.loads(shipped)
    impatient["States"]["AwaitCompletion"]["TimeoutSeconds"] = 1
    workflows.update_state_machine(stateMachineArn=arn, definition=json.dumps(impatient))
    yield
    workflows.update_state_machine(stateMachineArn=arn, definition=shipped)
