"""Stacks in moto's CloudFormation, as far as an operator asks for them."""

import json
from collections.abc import Mapping

import boto3

from tests.unit.environment import ENVIRONMENT

STACK = "fastkey-test"

OUTPUTS = {
    "ConnectionsTable": ENVIRONMENT["CONNECTIONS_TABLE"],
    "KeyHoldersTable": ENVIRONMENT["KEY_HOLDERS_TABLE"],
    "KeysArn": ENVIRONMENT["KEYS_ARN"],
    "KeysTable": ENVIRONMENT["KEYS_TABLE"],
    "ProvisionKey": ENVIRONMENT["PROVISION_KEY_ARN"],
    "RevokeKey": ENVIRONMENT["REVOKE_KEY_ARN"],
    "FunctionLog": "functions",
    "VaultMigration": "migrate-vault",
    "UntoldEvents": ENVIRONMENT["UNTOLD_EVENTS_URL"],
}


def create_stack(name: str = STACK, outputs: Mapping[str, str] = OUTPUTS) -> None:
    """A stack with these outputs, and nothing else."""
    template = {"Resources": {}, "Outputs": {output: {"Value": value} for output, value in outputs.items()}}
    boto3.client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(template))
