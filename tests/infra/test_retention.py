"""Deleting the stack loses no key: what opens captured keys and makes them findable stays, and can be taken over.

The keys themselves are made at run time: CloudFormation does not know them.
"""

from typing import Any

import pytest

from local.aws.intrinsics import Resolver
from local.aws.template import read, translate
from local.translated import kept
from tests.template import PATH, REGION

TRANSLATED = translate(read(PATH), {}, REGION)

# A table that is protected cannot be deleted either when the stack's creation is rolled back; so it is kept then, too.
# A key need not be: whoever deletes one has to wait, and can take it back.
KEPT = {
    "Connections": ("Retain", "Retain"),
    "KeyHolders": ("Retain", "Retain"),
    "Keys": ("Retain", "Retain"),
    "SealingKey": ("RetainExceptOnCreate", "Retain"),
}
DROPPED = dict.fromkeys(
    ("ApiLog", "Authorizations", "FunctionLog", "Limits", "Starts", "UntoldEvents", "WorkflowLog"), ("Delete", "Delete")
)

# All that holds anything. A new kind that does has to be added here, and then says what becomes of it.
HOLDING = {"AWS::DynamoDB::Table", "AWS::KMS::Key", "AWS::Logs::LogGroup", "AWS::SQS::Queue"}


def policies(body: dict[str, Any]) -> tuple[str | None, str | None]:
    """What becomes of a resource when the stack is deleted, and when an update replaces it."""
    return body.get("DeletionPolicy"), body.get("UpdateReplacePolicy")


def test_what_captured_keys_need_outlives_the_stack_and_nothing_else_does() -> None:
    holding = {name: body for name, body in TRANSLATED["Resources"].items() if body["Type"] in HOLDING}
    assert {name: policies(body) for name, body in holding.items()} == KEPT | DROPPED
    others = {name: body for name, body in TRANSLATED["Resources"].items() if name not in holding}
    assert [name for name, body in others.items() if policies(body)[0] not in (None, "Delete")] == []


@pytest.mark.parametrize("table", [name for name in KEPT if TRANSLATED["Resources"][name]["Type"].endswith("Table")])
def test_a_table_that_is_kept_cannot_be_deleted_by_hand_and_can_be_recovered(table: str) -> None:
    properties = TRANSLATED["Resources"][table]["Properties"]
    assert properties["DeletionProtectionEnabled"] is True
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_what_is_kept_needs_nothing_that_is_not_and_so_can_be_taken_over_by_a_new_stack() -> None:
    """CloudFormation imports nothing together with what it has to create."""
    begun_with = kept(TRANSLATED)
    assert begun_with["Resources"].keys() == KEPT.keys()

    def among_the_kept(name: str, *_: str) -> str:
        assert name in KEPT
        return name

    pseudo = {f"AWS::{name}": name for name in ("AccountId", "Partition", "Region", "StackName", "URLSuffix")}
    Resolver(pseudo, {}, among_the_kept, among_the_kept).resolve(begun_with)
