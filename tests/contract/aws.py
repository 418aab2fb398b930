"""AWS in this process, by moto, with the tables of the template."""

from collections.abc import Iterator
from contextlib import contextmanager

import boto3
import pytest
from moto import mock_aws
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_aws_sdk
from moto.stepfunctions.parser.asl.utils.boto_client import boto_client_for

from fastkey.bootstrap import AwsWorld
from fastkey.ports import Vault
from fastkey.settings import Settings
from tests.template import WRITTEN
from tests.unit.environment import ENVIRONMENT

# What of a table's definition decides how it answers.
KEYS = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")


def secret_name(connection_id: str) -> str:
    """The name in Secrets Manager of a connection's key."""
    return f"fastkey/keys/{connection_id}"


@contextmanager
def aws_world(vault: Vault = Vault.SECRETS_MANAGER) -> Iterator[AwsWorld]:
    """The world as it is on AWS, empty. vault: the chosen one."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        # A client that takes the endpoint of a local world would not meet this one.
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        for setting, logical_id in (
            ("STARTS_TABLE", "Starts"),
            ("LIMITS_TABLE", "Limits"),
            ("AUTHORIZATIONS_TABLE", "Authorizations"),
            ("CONNECTIONS_TABLE", "Connections"),
            ("KEY_HOLDERS_TABLE", "KeyHolders"),
            ("KEYS_TABLE", "Keys"),
        ):
            properties = WRITTEN["Resources"][logical_id]["Properties"]
            boto3.client("dynamodb").create_table(
                TableName=ENVIRONMENT[setting], **{name: properties[name] for name in KEYS if name in properties}
            )
        key_arn = boto3.client("kms").create_key()["KeyMetadata"]["Arn"]
        secrets = boto3.client("secretsmanager")
        boto3.client("sqs").create_queue(QueueName=ENVIRONMENT["UNTOLD_EVENTS_URL"].rpartition("/")[2])
        secrets.create_secret(Name=ENVIRONMENT["CLIENT_SECRET_NAME"], SecretString="client-secret")
        yield AwsWorld(Settings.read({**ENVIRONMENT, "SEALING_KEY_ARN": key_arn, "VAULT": vault}))


@contextmanager
def running_machines() -> Iterator[None]:
    """moto, with state machines that run, and whose tasks reach moto itself."""
    with pytest.MonkeyPatch.context() as patch, mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        # A local world that was in this process before has left them a client for its own address.
        patch.setattr(state_task_service_aws_sdk, "boto_client_for", boto_client_for)
        yield
