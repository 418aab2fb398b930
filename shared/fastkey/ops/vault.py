"""Whether captured keys lie in a vault. None is read."""

from enum import StrEnum
from typing import Any

from fastkey.ops.operator import Operator


class Copy(StrEnum):
    """Our copy of a key."""

    THERE = "lies in the vault"
    EMPTY = "not stored yet: its place in the vault is empty"
    NONE = "not in the vault"


def find_copy(operator: Operator, connection_id: str) -> Copy:
    """Looks into both vaults: a key is in either, whichever is chosen now."""
    deployment = operator.deployment
    found = (
        _find_secret(operator.client("secretsmanager"), deployment.keys_arn, connection_id),
        _find_item(operator.client("dynamodb"), deployment.keys_table, connection_id),
    )
    return min(found, key=list(Copy).index)


def _find_secret(secretsmanager: Any, keys_arn: str, connection_id: str) -> Copy:
    """Asks for what there is to know of a secret but its value. keys_arn: how the ARN of each begins."""
    try:
        described = secretsmanager.describe_secret(SecretId=f"{keys_arn}{connection_id}")
    except secretsmanager.exceptions.ResourceNotFoundException:
        return Copy.NONE
    if described.get("DeletedDate"):
        return Copy.NONE
    return Copy.THERE if described.get("VersionIdsToStages") else Copy.EMPTY


def _find_item(dynamodb: Any, keys_table: str, connection_id: str) -> Copy:
    """Asks for what there is to know of an item but its ciphertext."""
    key, projection = {"connection_id": {"S": connection_id}}, "connection_id, latest"
    item = dynamodb.get_item(TableName=keys_table, Key=key, ProjectionExpression=projection).get("Item")
    if item is None:
        return Copy.NONE
    return Copy.THERE if "latest" in item else Copy.EMPTY
