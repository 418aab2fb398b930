"""What Checkov passes over in `make lint` is written beside each resource, with the reason, and nothing elsewhere."""

import re

import pytest

from local.aws.template import read, translate
from tests.template import PATH, REGION, ROOT, WRITTEN

TOLD = [name for name, body in WRITTEN["Resources"].items() if "checkov" in body.get("Metadata", {})]


# As Checkov gets it.
LINTED = translate(read(PATH), {}, REGION)["Resources"]


@pytest.mark.parametrize("name", TOLD)
def test_what_is_passed_over_of_a_resource_has_a_reason_and_reaches_checkov(name: str) -> None:
    told = WRITTEN["Resources"][name]["Metadata"]["checkov"]
    assert LINTED[name]["Metadata"]["checkov"] == told
    assert told.keys() == {"skip"}
    rules = [skipped["id"] for skipped in told["skip"]]
    assert len(set(rules)) == len(rules) > 0
    for skipped in told["skip"]:
        assert re.fullmatch(r"CKV2?_AWS_\d+", skipped["id"])
        assert re.fullmatch(r"[A-Z].{20,}\.", skipped["comment"])


def test_nothing_is_passed_over_for_all_resources_at_once() -> None:
    (command,) = re.findall(r"^\t\S*/checkov (.*)$", (ROOT / "Makefile").read_text(), re.M)
    flags = {word for word in command.split() if word.startswith("-")}
    assert flags == {"--framework", "--file", "--skip-download", "--quiet", "--compact"}
    assert [*ROOT.glob(".checkov*")] == []
