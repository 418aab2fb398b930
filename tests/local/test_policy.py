"""A policy allows what IAM would, and one that says more than is known here is an error."""

from typing import Any

import pytest

from local.aws.policy import Call, permissions
from local.aws.template import TemplateError

TABLE = "arn:aws:dynamodb:eu-central-1:123456789012:table/shelves"
KEY = "arn:aws:kms:eu-central-1:123456789012:key/1"


def policy(**elements: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": TABLE, **elements}
    return {"Version": "2012-10-17", "Statement": [statement]}


def allows(document: dict[str, Any], action: str, resource: str, **context: str) -> bool:
    named = frozenset((f"kms:EncryptionContext:{name}", value) for name, value in context.items())
    return any(permission.covers(Call(action, resource, named)) for permission in permissions(document))


@pytest.mark.parametrize(
    ("elements", "action", "resource", "allowed"),
    [
        ({}, "dynamodb:GetItem", TABLE, True),
        ({}, "dynamodb:PutItem", TABLE, False),
        ({}, "dynamodb:GetItem", f"{TABLE}2", False),
        ({}, "dynamodb:GetItem", f"{TABLE}/index/by_owner", False),
        ({}, "dynamodb:GetItem", "*", False),
        ({"Action": "DynamoDB:getitem"}, "dynamodb:GetItem", TABLE, True),
        ({"Action": ["kms:Encrypt", "dynamodb:GetItem"]}, "dynamodb:GetItem", TABLE, True),
        ({"Action": "dynamodb:*Item"}, "dynamodb:GetItem", TABLE, True),
        ({"Action": "dynamodb:*Item"}, "dynamodb:Query", TABLE, False),
        ({"Action": "*"}, "kms:Encrypt", TABLE, True),
        ({"Resource": [KEY, TABLE]}, "dynamodb:GetItem", TABLE, True),
        ({"Resource": TABLE.upper()}, "dynamodb:GetItem", TABLE, False),
        ({"Resource": f"{TABLE}-??"}, "dynamodb:GetItem", f"{TABLE}-ab", True),
        ({"Resource": f"{TABLE}-??"}, "dynamodb:GetItem", f"{TABLE}-abc", False),
        ({"Resource": f"{TABLE}/*"}, "dynamodb:GetItem", f"{TABLE}/a/b", True),
        ({"Resource": TABLE.replace("-", "[-]")}, "dynamodb:GetItem", TABLE, False),
        ({"Resource": "*"}, "dynamodb:GetItem", "*", True),
    ],
)
def test_an_action_and_a_resource(elements: dict[str, Any], action: str, resource: str, allowed: bool) -> None:
    assert allows(policy(**elements), action, resource) is allowed


@pytest.mark.parametrize(
    ("condition", "context", "allowed"),
    [
        ({"purpose": "token"}, {"purpose": "token"}, True),
        ({"purpose": "token"}, {"purpose": "token", "id": "1"}, True),
        ({"purpose": "token"}, {"purpose": "Token"}, False),
        ({"purpose": "t*"}, {"purpose": "token"}, False),
        ({"purpose": "token"}, {"id": "token"}, False),
        ({"purpose": "token"}, {}, False),
        ({"purpose": ["token", "escrow"]}, {"purpose": "escrow"}, True),
        ({"purpose": ["token", "escrow"], "id": ["1", "2"]}, {"purpose": "token", "id": "2"}, True),
        ({"purpose": ["token", "escrow"], "id": ["1", "2"]}, {"purpose": "token", "id": "3"}, False),
        ({"purpose": []}, {"purpose": "token"}, False),
    ],
)
def test_a_condition(condition: dict[str, Any], context: dict[str, str], allowed: bool) -> None:
    equal = {f"kms:EncryptionContext:{name}": values for name, values in condition.items()}
    document = policy(Action="kms:Decrypt", Resource=KEY, Condition={"StringEquals": equal})
    assert allows(document, "kms:Decrypt", KEY, **context) is allowed


@pytest.mark.parametrize(
    ("elements", "named"),
    [
        ({"Effect": "Deny"}, "Deny"),
        ({"NotAction": "kms:*"}, "NotAction"),
        ({"NotResource": TABLE}, "NotResource"),
        ({"Principal": "*"}, "Principal"),
        ({"Condition": {"StringLike": {"kms:EncryptionContext:purpose": "t*"}}}, "StringLike"),
        ({"Condition": {"StringEquals": {"aws:SourceIp": "10.0.0.1"}}}, "aws:SourceIp"),
    ],
)
def test_what_is_not_known_is_an_error(elements: dict[str, Any], named: str) -> None:
    with pytest.raises(TemplateError, match=named):
        permissions(policy(**elements))
