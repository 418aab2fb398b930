"""What ships, as it is in its files: the functions of the template, and the state machines."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from tests.simulation.asl import Machine
from tests.simulation.lambdas import Function, Stage, load
from tests.template import ROOT

FILES = {"ProvisionKey": "provision_key", "RevokeKey": "revoke_key"}


@dataclass(frozen=True, slots=True)
class Shipped:
    """What the simulation runs. stage: on which the functions play."""

    stage: Stage
    functions: Mapping[str, Function]
    machines: dict[str, Machine]


@cache
def shipped() -> Shipped:
    """Reads it, once."""
    stage, functions = load()
    return Shipped(stage, functions, {name: Machine.load(definition(name)) for name in FILES})


def definition(machine: str) -> dict[str, Any]:
    """A state machine's definition."""
    read: dict[str, Any] = yaml.safe_load((ROOT / f"statemachines/{FILES[machine]}.asl.yaml").read_text())
    return read
