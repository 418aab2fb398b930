"""Whether a role may do what it does, and no more."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from local.aws.policy import Call, Permission

# CloudWatch Logs has no resource for the delivery of vended logs, and moto delivers none; each of these is asked for by
# https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
LOG_DELIVERY = {
    Permission("WriteLogs", f"logs:{action}", "*")
    for action in (
        "CreateLogDelivery",
        "GetLogDelivery",
        "UpdateLogDelivery",
        "DeleteLogDelivery",
        "ListLogDeliveries",
        "PutResourcePolicy",
        "DescribeResourcePolicies",
        "DescribeLogGroups",
    )
}

# Secrets and executions are made as connections are, and AWS ends the ARNs of secrets, stacks and logs as it likes.
OPEN_ENDED = (
    ":secret:fastkey/keys/*",
    ":secret:fastkey/client-secret-??????",
    ":execution:fastkey-provision-key:*",
    ":execution:fastkey-revoke-key:*",
    ":stack/fastkey/*",
    ":log-group:fastkey-FunctionLog:*",
)


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with a role's permissions: `of` says with which, or for which call."""

    what: str
    of: Permission | Call


def flaws(permissions: Collection[Permission], calls: Collection[Call], *, delivers_logs: bool) -> set[Flaw]:
    """What is wrong with a role, of which these calls are all that it ever does."""
    delivery = LOG_DELIVERY if delivers_logs else set()
    others = [permission for permission in permissions if permission not in delivery]
    covering = {call: [permission for permission in others if permission.covers(call)] for call in calls}
    needed = {covers[0] for covers in covering.values() if len(covers) == 1}
    return {
        *(Flaw("is denied", call) for call, covers in covering.items() if not covers),
        *(Flaw("is not needed", permission) for permission in others if permission not in needed),
        *(Flaw("is missing", permission) for permission in delivery.difference(permissions)),
        *(Flaw("is open-ended", permission) for permission in others if _is_open_ended(permission)),
        *(Flaw("is for any purpose", permission) for permission in others if _is_for_any_purpose(permission)),
    }


def widened(permission: Permission) -> Iterator[Permission]:
    """The permission with more in it: as somebody in a hurry would write it."""
    service, _, _ = permission.action.partition(":")
    yield replace(permission, action=f"{service}:*")
    if permission.resource != "*":
        yield replace(permission, resource="*")
        yield replace(permission, resource=f"{permission.resource.rpartition(':')[0]}:*")
    if permission.conditions:
        yield replace(permission, conditions=frozenset())


def _is_open_ended(permission: Permission) -> bool:
    names_all = permission.resource.endswith(OPEN_ENDED) or not re.search(r"[*?]", permission.resource)
    return re.search(r"[*?]", permission.action) is not None or not names_all


def _is_for_any_purpose(permission: Permission) -> bool:
    keys = {key for key, _ in permission.conditions}
    return permission.action.startswith("kms:") and keys != {"kms:EncryptionContext:purpose"}
