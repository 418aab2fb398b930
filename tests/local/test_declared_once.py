"""The template is read, and never repeated. Who else names a thing of the template's uses it, and is listed here."""

import ast
import re
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest

from fastkey.settings import Settings
from tests.template import ROOT, WRITTEN

FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in ("local", "functions", "shared/fastkey")
    for path in (ROOT / folder).rglob("*.py")
)
USES = {
    # Tells its two routes apart.
    "functions/get_connection/app.py": {"/connections", "/connections/{connection_id}"},
    # Links to the API's own pages.
    "shared/fastkey/usecases/authorize.py": {"/callback"},
    "shared/fastkey/usecases/start_connection.py": {"/authorize"},
    # Reads the environment.
    "shared/fastkey/settings.py": {field.name.upper() for field in fields(Settings)},
    # Knows which secret has to be in which answer, and where the verifiers are.
    "local/evidence.py": {"/authorize", "/callback", "/connections", "Authorizations"},
    # Has a connection fall due, and what is due done.
    "local/items.py": {"Connections", "GuardKeys"},
    # Names an operator's workflows as the template does.
    "shared/fastkey/ops/executions.py": {"ProvisionKey", "RevokeKey"},
    # Clients of the API.
    "local/frontend.py": {"/connections"},
    "local/sam_local/journey.py": {"/callback", "StartConnection"},
}

# The template declares it, because `sam local` sets nothing else, and every local world has to set it.
SET_BY_THE_LOCAL_WORLD = {"AWS_ENDPOINT_URL"}


@cache
def declared() -> dict[str, set[str]]:
    """What the template names, by kind."""
    resources = WRITTEN["Resources"]
    properties = [*WRITTEN["Globals"].values(), *(body.get("Properties", {}) for body in resources.values())]
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


def named(text: str) -> set[str]:
    """What the text names of the template's."""
    names = set[str]().union(*declared().values())
    return {name for name in names if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text)}


def test_the_template_declares_what_this_test_looks_for() -> None:
    assert all(declared().values())
    assert set(FILES) >= set(USES)


@pytest.mark.parametrize("path", FILES)
def test_what_the_template_declares_is_declared_nowhere_else(path: str) -> None:
    assert named("\n".join(texts(ROOT / path))) == USES.get(path, set())


def test_samconfig_repeats_nothing_of_the_template() -> None:
    assert named((ROOT / "samconfig.toml").read_text()) == set()
