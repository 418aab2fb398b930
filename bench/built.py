"""What the template says is there, and the functions as `sam build` made them."""

import platform
from collections.abc import Iterator, Mapping
from dataclasses import replace

from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

from local.aws.template import Value
from local.functions import FunctionSpec
from local.world import TEMPLATE

BUILD = TEMPLATE.parent / ".aws-sam/build"

# In the order in which Lambda lays them out, of this machine's processor.
_LAYERS = ("DependenciesLayerX86" if platform.machine() == "x86_64" else "DependenciesLayerArm", "SharedLayer")

# boto3's names of services, by IAM's where they differ.
_CLIENTS = {"states": "stepfunctions"}

# Of keys in the vault that is not the default.
_OPENS_OTHERS = "OpenKey"


class NotBuiltError(Exception):
    """There is nothing that `sam build` made."""


def built(spec: FunctionSpec) -> FunctionSpec:
    """A function of the local world, with the code and the layers that `sam build` made. Raises NotBuiltError."""
    if not BUILD.is_dir():
        raise NotBuiltError("run `make build` first")
    # Under /opt/python in Lambda.
    layers = tuple(BUILD / layer / "python" for layer in _LAYERS)
    return replace(spec, task_root=BUILD / spec.logical_id, layers=layers)


def resources() -> Mapping[str, Mapping[str, Value]]:
    """The template's resources, by logical id, that are there whatever its parameters say."""
    written: Mapping[str, Mapping[str, Value]] = yaml_parse(TEMPLATE.read_text())["Resources"]
    return {name: body for name, body in written.items() if "Condition" not in body}


def functions() -> Mapping[str, Mapping[str, Value]]:
    """The properties of the template's functions."""
    return {
        name: body["Properties"] for name, body in resources().items() if body["Type"] == "AWS::Serverless::Function"
    }


def clients() -> Mapping[str, tuple[str, ...]]:
    """By function, boto3's names of the services that its policy lets it call, in the alphabet's order."""
    return {name: tuple(sorted(set(_services(properties)))) for name, properties in functions().items()}


def _services(properties: Mapping[str, Value]) -> Iterator[str]:
    for policy in properties["Policies"]:
        for statement in policy["Statement"]:
            if statement.get("Sid") == _OPENS_OTHERS:
                continue
            # What a parameter has to allow first is not called by default.
            named = statement.get("Action", [])
            for action in [named] if isinstance(named, str) else named:
                service = action.partition(":")[0]
                yield _CLIENTS.get(service, service)
