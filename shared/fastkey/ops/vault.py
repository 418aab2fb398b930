"""Whether captured keys lie in the vault. None is read."""

from enum import StrEnum
from typing import Any


class Copy(StrEnum):
    """Our copy of a key."""

    THERE = "lies in the vault"
    EMPTY = "not stored yet: its place in the vault is empty"
    NONE = "not in the vault"


def find_copy(secretsmanager: Any, keys_arn: str, connection_id: str) -> Copy:
    """Asks for what there is to know of a secret but its value. keys_arn: how the ARN of each begins."""
    try:
        described = secretsmanager.describe_secret(SecretId=f"{keys_arn}{connection_id}")
    except secretsmanager.exceptions.ResourceNotFoundException:
        return Copy.NONE
    if described.get("DeletedDate"):
        return Copy.NONE
    return Copy.THERE if described.get("VersionIdsToStages") else Copy.EMPTY
