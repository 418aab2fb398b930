"""The changelog and the records of decisions keep to their forms."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from tests.template import ROOT

CHANGELOG = (ROOT / "CHANGELOG.md").read_text()
RELEASES = re.split(r"^## (.+)\n", CHANGELOG, flags=re.MULTILINE)[1:]

# https://keepachangelog.com/en/1.1.0/
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}

DECISIONS = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))


def test_releases_are_versions_with_a_day_the_newest_first() -> None:
    unreleased, *released = RELEASES[::2]
    assert unreleased == "Unreleased"
    found = [re.fullmatch(r"(\d+)\.(\d+)\.(\d+) - \d{4}-\d\d-\d\d", release) for release in released]
    assert all(found)
    versions = [tuple(map(int, version.groups())) for version in found if version]
    assert all(newer > older for newer, older in pairwise(versions))


@pytest.mark.parametrize("changes", RELEASES[1::2], ids=RELEASES[::2])
def test_changes_are_of_the_kinds_there_are_each_once(changes: str) -> None:
    kinds = re.findall(r"^### (.+)$", changes, re.MULTILINE)
    assert len(kinds) == len(set(kinds))
    assert set(kinds) <= KINDS


def title(page: Path) -> str:
    return page.read_text().splitlines()[0].removeprefix("# ")


def test_each_decision_is_in_the_table_by_its_number_and_its_title() -> None:
    rows = [f"| [{page.name[:4]}]({page.name}) | {title(page)} |" for page in DECISIONS]
    assert len({page.name[:4] for page in DECISIONS}) == len(DECISIONS)
    assert [line for line in (ROOT / "docs/decisions/README.md").read_text().splitlines() if "| [" in line] == rows
