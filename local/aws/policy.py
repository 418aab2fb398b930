"""What a policy allows, as IAM judges it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from local.aws.template import TemplateError, Value, require_known

Conditions = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked of AWS: an action on a resource (an ARN, or `*` for an action that has none).

    `context` holds the condition keys that come with it, and their values.
    """

    action: str
    resource: str
    context: Conditions = frozenset()


@dataclass(frozen=True, slots=True)
class Permission:
    """The least that a statement allows: one of its actions, on one of its resources, under one value a condition.

    A policy allows what one of its permissions covers, and no more.
    """

    sid: str
    action: str
    resource: str
    conditions: Conditions = frozenset()

    def covers(self, call: Call) -> bool:
        """Whether this allows the call."""
        return (
            _matches(self.action.lower(), call.action.lower())
            and _matches(self.resource, call.resource)
            and self.conditions <= call.context
        )


def permissions(document: Mapping[str, Value]) -> tuple[Permission, ...]:
    """The permissions of a policy without intrinsic functions.

    Knows what is used here. Raises TemplateError for whatever else a policy may hold: an element that was passed over
    would have this say something else than IAM.
    """
    require_known("a policy", document, {"Version", "Statement"})
    return tuple(permission for statement in _list(document["Statement"]) for permission in _split(statement))


def _split(statement: Mapping[str, Value]) -> Iterator[Permission]:
    require_known("a statement", statement, {"Sid", "Effect", "Action", "Resource", "Condition"})
    require_known("an effect", [statement["Effect"]], {"Allow"})
    conditions = list(_conditions(statement.get("Condition", {})))
    for action, resource in product(_list(statement["Action"]), _list(statement["Resource"])):
        for values in product(*conditions):
            yield Permission(statement.get("Sid", ""), action, resource, frozenset(values))


def _conditions(condition: Mapping[str, Value]) -> Iterator[list[tuple[str, str]]]:
    """For each condition key, the pairs of it and its values: one of each has to hold."""
    require_known("a condition", condition, {"StringEquals"})
    for key, values in condition.get("StringEquals", {}).items():
        if not key.startswith("kms:EncryptionContext:"):
            raise TemplateError(f"the local world does not know the condition key {key}")
        yield [(key, value) for value in _list(values)]


def _list(value: Value) -> list[Value]:
    return value if isinstance(value, list) else [value]


def _matches(pattern: str, text: str) -> bool:
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, text, re.DOTALL) is not None
