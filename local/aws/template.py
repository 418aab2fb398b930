"""The template as CloudFormation sees it: parameters checked, translated by SAM, intrinsic functions still in place."""

import logging
import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from samtranslator.metrics.metrics import Metrics  # type: ignore[import-untyped]
from samtranslator.parser.parser import Parser  # type: ignore[import-untyped]
from samtranslator.translator.translator import Translator  # type: ignore[import-untyped]
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

# SAM takes artifacts as S3 locations only, as `sam package` leaves them. The key of ours is the path in the project.
LOCAL_BUCKET = "local"
# Whatever a template can hold: JSON, in which objects may be intrinsic functions.
Value = Any

# It warns of features that SAM's own service has and this does not.
logging.getLogger("samtranslator").setLevel(logging.ERROR)

_ARTIFACT_PROPERTIES = ("CodeUri", "ContentUri", "DefinitionUri")


class TemplateError(Exception):
    """CloudFormation would refuse the template or a parameter, or the local world does not know what it asks for."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of the translated template; its properties still hold intrinsic functions."""

    type: str
    properties: Mapping[str, Value]
    condition: str | None


@dataclass(frozen=True, slots=True)
class Template:
    """A translated template and the values of its parameters.

    `root` is the folder that artifact paths are relative to. A list parameter's value is a list of strings.
    """

    root: Path
    parameters: Mapping[str, str | list[str]]
    rules: Mapping[str, Value]
    conditions: Mapping[str, Value]
    resources: Mapping[str, Resource]
    outputs: Mapping[str, Value]


def require_known(where: str, names: Iterable[str], known: Set[str]) -> None:
    """Raises TemplateError for what the local world does not know: passed over, it would be something else than AWS."""
    if unknown := set(names) - known:
        raise TemplateError(f"{where}: the local world does not know {', '.join(sorted(unknown))}")


def load(path: Path, parameters: Mapping[str, str], region: str) -> Template:
    """Read and translate a SAM template.

    Needs no network and no credentials. `parameters` are texts, as `--parameter-overrides` takes them: the items of
    a list are separated by commas. Raises TemplateError for a value that CloudFormation would refuse.
    """
    source = read(path)
    values = parameter_values(source.get("Parameters", {}), parameters)
    translated = translate(source, values, region)
    return Template(
        root=path.resolve().parent,
        parameters=values,
        rules=translated.get("Rules", {}),
        conditions=translated.get("Conditions", {}),
        resources={
            name: Resource(body["Type"], body.get("Properties", {}), body.get("Condition"))
            for name, body in translated["Resources"].items()
        },
        outputs={name: _output(body) for name, body in translated.get("Outputs", {}).items()},
    )


def read(path: Path) -> dict[str, Value]:
    """A SAM template as it is written; intrinsic functions have their long form."""
    source: dict[str, Value] = yaml_parse(path.read_text(encoding="utf-8"))
    return source


def translate(source: dict[str, Value], values: Mapping[str, str | list[str]], region: str) -> dict[str, Value]:
    """What SAM makes of a template, whose artifacts it takes to be in LOCAL_BUCKET. Changes the source.

    `values` are those of parameters; one that is missing stays a reference.
    """
    _point_artifacts_at_local_bucket(source)
    session = boto3.Session(region_name=region)
    metrics = Metrics()  # goes nowhere, but complains when nobody publishes it
    translator = Translator({}, Parser(), boto_session=session, metrics=metrics)
    translated: dict[str, Value] = translator.translate(source, values, passthrough_metadata=True)
    metrics.publish()
    return translated


def parameter_values(declared: Mapping[str, Value], given: Mapping[str, str]) -> dict[str, str | list[str]]:
    """The value of each parameter that a template declares. `given` and what is raised are as of `load`."""
    if unknown := given.keys() - declared.keys():
        raise TemplateError(f"the template has no parameter {', '.join(sorted(unknown))}")
    return {name: _parameter_value(name, declaration, given) for name, declaration in declared.items()}


def _parameter_value(name: str, declaration: Mapping[str, Value], given: Mapping[str, str]) -> str | list[str]:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html"""
    text = given.get(name, declaration.get("Default"))
    if text is None:
        raise TemplateError(f"parameter {name} has no value and no default")
    is_list = str(declaration["Type"]).startswith(("CommaDelimitedList", "List<"))
    items = [item.strip() for item in str(text).split(",")] if is_list else [str(text)]
    allowed = [str(choice) for choice in declaration.get("AllowedValues", items)]
    pattern = re.compile(declaration.get("AllowedPattern", ".*"), re.DOTALL)
    shortest = int(declaration.get("MinLength", 0))
    if not all(pattern.fullmatch(item) and item in allowed and len(item) >= shortest for item in items):
        raise TemplateError(f"parameter {name} {declaration.get('ConstraintDescription', 'has a value not allowed')}")
    return items if is_list else items[0]


def _output(body: Mapping[str, Value]) -> Value:
    """An output's value; none where its condition does not hold."""
    if "Condition" not in body:
        return body["Value"]
    return {"Fn::If": [body["Condition"], body["Value"], {"Ref": "AWS::NoValue"}]}


def _point_artifacts_at_local_bucket(source: Mapping[str, Value]) -> None:
    resources = (body.get("Properties", {}) for body in source["Resources"].values())
    for properties in (*source.get("Globals", {}).values(), *resources):
        for name in _ARTIFACT_PROPERTIES:
            if isinstance(properties.get(name), str):
                properties[name] = f"s3://{LOCAL_BUCKET}/{properties[name]}"
