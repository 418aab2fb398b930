"""The local world reads the template. Nothing that the template declares is declared a second time."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

from local.world import TEMPLATE

PROJECT = TEMPLATE.parent
# The sandbox has routes of its own, and these three are clients of the API or of single functions.
CLIENTS = {"whitebit", "demo.py", "frontend.py", "sam_local"}


# The template declares it, because `sam local` sets nothing else, and every local world has to set it.
SET_BY_THE_LOCAL_WORLD = {"AWS_ENDPOINT_URL"}


def world_files() -> list[Path]:
    files = (PROJECT / "local").rglob("*.py")
    return sorted(path for path in files if path.relative_to(PROJECT / "local").parts[0] not in CLIENTS)


def declared() -> dict[str, set[str]]:
    """What the template names, by kind."""
    template = yaml_parse(TEMPLATE.read_text())
    resources = template["Resources"]
    properties = [*template["Globals"].values(), *(body.get("Properties", {}) for body in resources.values())]
    events = [event for each in properties for event in each.get("Events", {}).values()]
    return {
        "route": {event["Properties"]["Path"] for event in events if event["Type"] == "HttpApi"},
        "environment variable": {
            name for each in properties for name in each.get("Environment", {}).get("Variables", {})
        }
        - SET_BY_THE_LOCAL_WORLD,
        "resource": set(resources) - {"Api"},  # a word, as well
        "state machine": {
            Path(each["DefinitionUri"]).name.split(".")[0] for each in properties if "DefinitionUri" in each
        },
    }


def texts(path: Path) -> Iterator[str]:
    """The string constants of a module, but for its docstrings."""
    tree = ast.parse(path.read_text())
    statements = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in statements:
            yield node.value


def test_the_template_declares_what_this_test_looks_for() -> None:
    assert all(declared().values())


@pytest.mark.parametrize("path", world_files(), ids=lambda path: str(path.relative_to(PROJECT)))
def test_the_local_world_declares_nothing_of_the_template(path: Path) -> None:
    written = "\n".join(texts(path))
    for kind, names in declared().items():
        for name in names:
            found = re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", written)
            assert found is None, f"{path.relative_to(PROJECT)} names the {kind} {name}"


def test_an_environment_variable_is_declared_in_the_template_alone() -> None:
    samconfig = PROJECT / "samconfig.toml"
    text = samconfig.read_text() if samconfig.exists() else ""
    assert not {name for name in declared()["environment variable"] if re.search(rf"\b{name}\b", text)}
