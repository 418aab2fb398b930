"""What docs/events.md and docs/events say."""

import json
import re
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from tests.template import ROOT

TEXT = (ROOT / "docs" / "events.md").read_text()

SCHEMAS: Mapping[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text()) for path in sorted((ROOT / "docs" / "events").iterdir())
}

# By their headings.
SECTIONS: Mapping[str, str] = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL))


def blocks(section: str, language: str) -> list[str]:
    """The blocks of code in a section."""
    return re.findall(rf"^```{language}\n(.*?)^```", SECTIONS[section], re.MULTILINE | re.DOTALL)


def validator(kind: str) -> Draft202012Validator:
    """Judges the `detail` of events of this kind."""
    return Draft202012Validator(SCHEMAS[kind])
