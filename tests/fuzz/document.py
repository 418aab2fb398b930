"""docs/api.yaml, as tests read it."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import schemathesis
import yaml

from tests.template import ROOT

PATH = ROOT / "docs/api.yaml"

DOCUMENT: dict[str, Any] = yaml.safe_load(PATH.read_text())

# In `Documented` for an answer that API Gateway gives by itself, and for a problem as a page.
MESSAGE = "message"
HTML = "html"

_MEDIA_TYPES = {"application/json", "application/problem+json", "text/html"}
_METHODS = {"get", "post", "delete"}


class Documented(NamedTuple):
    """One kind of answer of an operation. code: a problem's, or MESSAGE, or HTML, or nothing where all went well."""

    operation: str
    status: int
    code: str

    @property
    def is_problem(self) -> bool:
        return self.code not in ("", MESSAGE, HTML)


def operations() -> dict[str, dict[str, Any]]:
    """The operations by method and path, as the template's routes are named."""
    return {
        f"{method.upper()} {path}": operation
        for path, item in DOCUMENT["paths"].items()
        for method, operation in item.items()
        if method in _METHODS
    }


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    """What a reference leads to, or the node itself."""
    found: Any = DOCUMENT
    if "$ref" not in node:
        return node
    for part in node["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return dict(found)


def documented() -> Iterator[Documented]:
    """Every kind of answer that there may be."""
    for name, operation in operations().items():
        for status, response in operation["responses"].items():
            content = resolved(response).get("content", {})
            assert content.keys() <= _MEDIA_TYPES
            for code in _codes(content) if content else [""]:
                yield Documented(name, int(status), code)


def _codes(content: Mapping[str, Any]) -> Iterator[str]:
    if problem := content.get("application/problem+json"):
        for kind in problem["schema"]["allOf"][1]["properties"]["type"]["enum"]:
            yield kind.removeprefix("urn:fastkey:problem:")
    if "text/html" in content:
        yield HTML
    if answer := content.get("application/json"):
        yield MESSAGE if answer["schema"]["$ref"].endswith("/Message") else ""


def examples(node: Any, where: str = "#") -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Where an example is, its schema, and the example."""
    if isinstance(node, dict):
        if "example" in node and "schema" in node:
            yield where, node["schema"], node["example"]
        for name, child in node.items():
            yield from examples(child, f"{where}/{name}")


def load(**config: Any) -> schemathesis.schemas.BaseSchema:
    """The document, as schemathesis tests by it. config: of the project, as schemathesis names it."""
    parsed = schemathesis.Config.from_dict(config)
    return schemathesis.openapi.from_path(PATH, config=parsed)
