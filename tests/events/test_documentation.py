"""docs/events.md speaks of every event there is, and its examples are right."""

import json

import pytest
from cfnlint.api import lint_all  # type: ignore[import-untyped]
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

from fastkey.domain.event import PATIENCE, Kind
from tests.events.documented import SCHEMAS, SECTIONS, TEXT, blocks, validator
from tests.template import WRITTEN

# https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
ENVELOPE = ["version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"]

DAY = 24 * 60 * 60


def test_each_kind_has_a_section_and_each_section_about_a_kind_has_one() -> None:
    assert [heading for heading in SECTIONS if heading.startswith("connection.")] == [*Kind]


@pytest.mark.parametrize("kind", Kind)
def test_the_table_leads_to_the_section_and_to_the_schema(kind: Kind) -> None:
    anchor = kind.replace(".", "")
    assert f"| [`{kind}`](#{anchor}) |" in TEXT
    assert f"[{kind}.json](events/{kind}.json)" in TEXT


@pytest.mark.parametrize("kind", Kind)
def test_the_example_of_each_is_an_event_of_eventbridges_as_the_schema_says(kind: Kind) -> None:
    (example,) = map(json.loads, blocks(kind, "json"))
    assert list(example) == ENVELOPE
    assert (example["detail-type"], example["source"]) == (kind, "fastkey")
    validator(kind).validate(example["detail"])


def test_every_field_is_explained_in_the_order_of_the_schemas() -> None:
    rows = [line.split("`")[1] for line in SECTIONS["What every event has"].splitlines() if line.startswith("| `")]
    for schema in SCHEMAS.values():
        assert rows == list(schema["properties"])


def test_the_rule_hears_what_there_is_to_hear() -> None:
    (written,) = blocks("Hear them", "yaml")
    pattern = yaml_parse(written)["Resources"]["HearFastkey"]["Properties"]["EventPattern"]
    assert pattern["source"] == ["fastkey"]
    assert set(pattern["detail-type"]) < set(Kind)


def test_the_rule_passes_the_linter_that_the_template_passes() -> None:
    (written,) = blocks("Hear them", "yaml")
    consumer = "Parameters:\n  Consumer: {Type: String}\n" + written.replace("!GetAtt Consumer.Arn", "!Ref Consumer")
    assert [match for match in lint_all(consumer) if match.rule.severity != "informational"] == []


def test_how_long_an_event_is_tried_and_kept_is_what_is_done() -> None:
    assert PATIENCE.total_seconds() == DAY
    assert "within 24 hours" in SECTIONS["What is promised"]
    assert WRITTEN["Resources"]["UntoldEvents"]["Properties"]["MessageRetentionPeriod"] == 14 * DAY
    assert "stays there for 14 days" in SECTIONS["What is promised"]
    assert "UntoldEvents" in WRITTEN["Outputs"]
