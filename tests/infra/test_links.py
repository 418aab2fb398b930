"""Each link of the documentation leads somewhere: to a file that is there, and to a heading in it."""

import re
from functools import cache
from pathlib import Path

import pytest

from tests.template import ROOT

PAGES = sorted({*ROOT.glob("*.md"), *ROOT.glob(".github/**/*.md"), *ROOT.glob("docs/**/*.md")})


def prose(page: Path) -> str:
    """Without code, which has no links and no headings."""
    return re.sub(r"^```.*?^```|^~~~.*?^~~~", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


@cache
def anchors(page: Path) -> frozenset[str]:
    """As GitHub makes them of headings. None of ours repeats a heading on a page."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return frozenset(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings)


def links(page: Path) -> list[str]:
    written = re.sub(r"`[^`\n]+`", "", prose(page))
    return [link for link in re.findall(r"\]\(([^)\s]+)\)", written) if "://" not in link]


def leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    return target.exists() and target.is_relative_to(ROOT) and (not anchor or anchor in anchors(target))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    assert [link for link in links(page) if not leads_somewhere(page, link)] == []
