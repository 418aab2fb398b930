"""Captured keys, and the client secret, in Secrets Manager."""

from time import monotonic
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from fastkey.adapters.aws import code_of, storage
from fastkey.domain.connection import Connection
from fastkey.domain.errors import StorageUnavailable
from fastkey.domain.key import CapturedKey, NotAKeyError
from fastkey.domain.secret import Secret
from fastkey.logging import log

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


class SecretsManagerVault:
    """One secret a connection, whose name ends in the connection's id.

    It is made empty, before there is anything to lose, and filled once. keys_arn: how the ARN of each begins.
    """

    def __init__(self, client: "SecretsManagerClient", keys_arn: str, kms_key_id: str) -> None:
        self._client = client
        self._keys_arn = keys_arn
        self._kms_key_id = kms_key_id

    def prepare(self, connection: Connection) -> None:
        with storage():
            try:
                self._client.create_secret(
                    Name=self._arn(connection.connection_id).partition(":secret:")[2],
                    Description="A WhiteBIT API key, captured by fastkey.",
                    KmsKeyId=self._kms_key_id,
                    Tags=[{"Key": "fastkey:connection", "Value": connection.connection_id}],
                )
            except self._client.exceptions.ResourceExistsException:
                return

    def store(self, connection_id: str, key: CapturedKey) -> None:
        # The same token with the same bytes is no second write; with other bytes it is an error:
        # https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
        with storage():
            self._client.put_secret_value(
                SecretId=self._arn(connection_id), ClientRequestToken=key.version, SecretString=key.to_json().reveal()
            )

    def find(self, connection_id: str) -> CapturedKey | None:
        with storage():
            try:
                answer = self._client.get_secret_value(SecretId=self._arn(connection_id))
            except self._client.exceptions.ResourceNotFoundException:
                return None
            except ClientError as error:
                # Being deleted: it is not there any more.
                if code_of(error) == "InvalidRequestException":
                    return None
                raise
        try:
            # A secret that somebody has made binary has no string.
            return CapturedKey.from_json(Secret(answer.get("SecretString", "")))
        except NotAKeyError:
            log("a stored key cannot be read")
            raise StorageUnavailable from None

    def shred(self, connection_id: str) -> None:
        with storage():
            try:
                self._client.delete_secret(SecretId=self._arn(connection_id), ForceDeleteWithoutRecovery=True)
            except self._client.exceptions.ResourceNotFoundException:
                return

    def _arn(self, connection_id: str) -> str:
        """The secret's ARN, without the six characters that Secrets Manager adds.

        Not its name: of one that is not there AWS says to whoever may not ask for every secret that access is denied,
        because it has no ARN to look for in the policy.
        """
        return f"{self._keys_arn}{connection_id}"


class ClientSecret:
    """Reads the client secret when it is needed, and keeps it as long as a rotation may take to be noticed."""

    MAX_AGE = 300  # seconds

    def __init__(self, client: "SecretsManagerClient", name: str) -> None:
        self._client = client
        self._name = name
        self._kept = Secret("")
        self._kept_until = monotonic()

    def __call__(self) -> Secret:
        if monotonic() >= self._kept_until:
            with storage():
                answer = self._client.get_secret_value(SecretId=self._name)
            # An editor's newline at the end is not part of it. A secret that somebody has made binary has no string.
            text = answer.get("SecretString", "").strip()
            if not text:
                log("the client secret cannot be read")
                raise StorageUnavailable
            self._kept = Secret(text)
            self._kept_until = monotonic() + self.MAX_AGE
        return self._kept
