"""The state machines of a running local world, changed in what a test must not wait for."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from local.world import World


def hurry(world: World) -> None:
    """Has the state machines wait for 1 s wherever they wait for AWS or WhiteBIT to settle: here they have."""
    for machine in world.state_machines:
        with edited(world, machine) as states:
            for state in states.values():
                if "Seconds" in state:
                    state["Seconds"] = 1


@contextmanager
def hurried(world: World) -> Iterator[World]:
    """The world while it runs, in a hurry. None of its roles is denied anything meanwhile."""
    with world:
        hurry(world)
        yield world
        assert world.guard.denied() == []


@contextmanager
def edited(world: World, machine: str) -> Iterator[dict[str, Any]]:
    """The states of a state machine as deployed; what is changed in the block is so for executions that start later."""
    workflows, arn = world.client("stepfunctions"), world.state_machines[machine]
    definition = json.loads(workflows.describe_state_machine(stateMachineArn=arn)["definition"])
    yield definition["States"]
    workflows.update_state_machine(stateMachineArn=arn, definition=json.dumps(definition))
