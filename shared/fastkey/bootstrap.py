"""Builds the world of the use cases out of the adapters. Nothing else knows them."""

import os
import random
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import boto3

from fastkey.adapters.aws import CONFIG, wary
from fastkey.adapters.system import SystemClock, SystemEntropy
from fastkey.ports import KeyVault, Vault
from fastkey.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

    from fastkey.adapters.dynamodb import DynamoStarts
    from fastkey.adapters.dynamodb_vault import DynamoVault
    from fastkey.adapters.events import EventBridgeEvents
    from fastkey.adapters.keys import CachedKeys
    from fastkey.adapters.kms import KmsSealer
    from fastkey.adapters.limits import DynamoLimits
    from fastkey.adapters.secretsmanager import SecretsManagerVault
    from fastkey.adapters.stepfunctions import StepFunctionsWorkflows
    from fastkey.adapters.vaults import BothVaults
    from fastkey.adapters.watched import WatchedAuthorizations, WatchedConnections
    from fastkey.adapters.whitebit import WhiteBitClient

# Parts that take time to make.
Part = Literal[
    "authorizations",
    "chosen_vault",
    "connections",
    "events",
    "keys",
    "limits",
    "sealer",
    "starts",
    "whitebit",
    "workflows",
]


class AwsWorld:
    """The world as it is on AWS.

    Each part is imported and made when it is first touched, so that a function starts with what it uses.
    """

    def __init__(self, policy: Settings) -> None:
        self.policy = policy
        self.clock = SystemClock()
        self.entropy = SystemEntropy()

    @cached_property
    def sealer(self) -> "KmsSealer":
        from fastkey.adapters.kms import KmsSealer

        return KmsSealer(self._kms, self.policy.sealing_key_arn)

    @cached_property
    def starts(self) -> "DynamoStarts":
        from fastkey.adapters.dynamodb import DynamoStarts

        return DynamoStarts(self._dynamodb, self.policy.starts_table)

    @cached_property
    def limits(self) -> "DynamoLimits":
        from fastkey.adapters.limits import DynamoLimits

        return DynamoLimits(self._dynamodb, self.policy.limits_table)

    @cached_property
    def authorizations(self) -> "WatchedAuthorizations":
        from fastkey.adapters.dynamodb import DynamoAuthorizations
        from fastkey.adapters.watched import WatchedAuthorizations

        return WatchedAuthorizations(DynamoAuthorizations(self._dynamodb, self.policy.authorizations_table))

    @cached_property
    def connections(self) -> "WatchedConnections":
        from fastkey.adapters.dynamodb import DynamoConnections
        from fastkey.adapters.watched import WatchedConnections

        policy = self.policy
        return WatchedConnections(DynamoConnections(self._dynamodb, policy.connections_table, policy.key_holders_table))

    @cached_property
    def vault(self) -> "BothVaults":
        from fastkey.adapters.vaults import BothVaults

        return BothVaults(self)

    @cached_property
    def chosen_vault(self) -> KeyVault:
        if self.policy.vault is Vault.SECRETS_MANAGER:
            return self._keys_in_secretsmanager
        # Now, when nobody waits for it: whoever finds a key here opens it.
        import fastkey.envelope  # noqa: F401

        return self._keys_in_dynamodb

    @property
    def other_vault(self) -> KeyVault:
        return self._keys_in_secretsmanager if self.policy.vault is Vault.DYNAMODB else self._keys_in_dynamodb

    @cached_property
    def keys(self) -> "CachedKeys":
        from fastkey.adapters.keys import CachedKeys

        return CachedKeys(self.vault, self.clock)

    @cached_property
    def whitebit(self) -> "WhiteBitClient":
        from fastkey.adapters.secretsmanager import ClientSecret
        from fastkey.adapters.whitebit import WhiteBitClient

        client_secret = ClientSecret(self._secretsmanager, self.policy.client_secret_name)
        return WhiteBitClient(self.policy.whitebit_base_url, self.policy.client_id, client_secret, self.clock)

    @cached_property
    def workflows(self) -> "StepFunctionsWorkflows":
        from fastkey.adapters.stepfunctions import StepFunctionsWorkflows

        return StepFunctionsWorkflows(
            wary(boto3.client("stepfunctions", config=CONFIG)),
            self.policy.provision_key_arn,
            self.policy.revoke_key_arn,
        )

    @cached_property
    def events(self) -> "EventBridgeEvents":
        from fastkey.adapters.events import EventBridgeEvents

        queue = wary(boto3.client("sqs", config=CONFIG))
        return EventBridgeEvents(wary(boto3.client("events", config=CONFIG)), queue, self.policy.untold_events_url)

    @cached_property
    def _keys_in_secretsmanager(self) -> "SecretsManagerVault":
        from fastkey.adapters.secretsmanager import SecretsManagerVault

        return SecretsManagerVault(self._secretsmanager, self.policy.keys_arn, self.policy.sealing_key_arn)

    @cached_property
    def _keys_in_dynamodb(self) -> "DynamoVault":
        from fastkey.adapters.dynamodb_vault import DynamoVault

        return DynamoVault(self._dynamodb, self.policy.keys_table, self._kms, self.policy.sealing_key_arn)

    @cached_property
    def _dynamodb(self) -> "DynamoDBClient":
        return wary(boto3.client("dynamodb", config=CONFIG))

    @cached_property
    def _kms(self) -> "KMSClient":
        return wary(boto3.client("kms", config=CONFIG))

    @cached_property
    def _secretsmanager(self) -> "SecretsManagerClient":
        return wary(boto3.client("secretsmanager", config=CONFIG))


def start(*parts: Part) -> AwsWorld:
    """The world of a function that starts.

    parts: what its usual request needs, made now, when nobody waits for it yet. Raises SettingsError, so that a
    deployment that cannot work does not begin to.
    """
    from snapshot_restore_py import register_after_restore  # type: ignore[import-untyped]  # of Lambda's runtime

    # What is restored from one snapshot would back off in step: botocore draws from `random`, whose state is part of
    # it. Whatever has to be unique is made later, by the operating system:
    # https://docs.aws.amazon.com/lambda/latest/dg/snapstart-uniqueness.html
    register_after_restore(random.seed)
    world = AwsWorld(Settings.read(os.environ))
    for part in parts:
        getattr(world, part)
    return world
