"""Secrets as ciphertext, each under a data key of its own: envelope encryption by the AWS Encryption SDK.

https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/concepts.html
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aws_encryption_sdk import CommitmentPolicy, EncryptionSDKClient
from aws_encryption_sdk.identifiers import Algorithm
from aws_encryption_sdk.key_providers.kms import KMSMasterKey

from fastkey.domain.key import CapturedKey
from fastkey.domain.secret import Secret

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

# Whoever opens a key may store one too: a signature would tell nobody anything.
_ALGORITHM = Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY


class EnvelopeError(Exception):
    """A secret could not be sealed or opened. code: the class of what was raised, whose message may quote input."""

    def __init__(self, code: str) -> None:
        super().__init__("A secret could not be sealed or opened.")
        self.code = code


class Envelope:
    """Seals captured keys by one KMS key and opens them by no other. No data key is used twice, and none is kept.

    key_arn: an ARN, because a key that opens is compared with it. Connection and purpose are the encryption context:
    the ciphertext of one connection does not open as another's, and policies name the purpose.
    """

    def __init__(self, client: "KMSClient", key_arn: str) -> None:
        self._sdk = EncryptionSDKClient(
            commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT, max_encrypted_data_keys=1
        )
        self._master_key = KMSMasterKey(key_id=key_arn, client=client)

    def seal(self, secret: Secret, connection_id: str) -> bytes:
        """The secret as ciphertext. Raises EnvelopeError."""
        try:
            sealed, _ = self._sdk.encrypt(
                source=secret.reveal().encode(),
                key_provider=self._master_key,
                encryption_context=_context(connection_id),
                algorithm=_ALGORITHM,
            )
        except Exception as error:  # noqa: BLE001 - see below
            raise EnvelopeError(type(error).__name__) from None
        return bytes(sealed)

    def open(self, sealed: bytes, connection_id: str) -> Secret:
        """What `seal` was given. Raises EnvelopeError, also for the ciphertext of another connection."""
        opened, context = self._decrypt(sealed)
        # The ciphertext brings its context along, and KMS and the SDK only see to it that it was not changed.
        if not _context(connection_id).items() <= context.items():
            raise EnvelopeError("AnotherConnection")
        return Secret(opened.decode())

    def open_key(self, item: Mapping[str, Any], connection_id: str, version: str | None = None) -> CapturedKey:
        """The key that an item of the table has: the version that is named, or else the latest.

        Raises EnvelopeError, also for an item that somebody has changed by hand.
        """
        try:
            sealed = item["versions"]["M"][version or item["latest"]["S"]]["B"]
            return CapturedKey.from_json(self.open(sealed, connection_id))
        except (KeyError, TypeError, ValueError) as error:
            raise EnvelopeError(type(error).__name__) from None

    def _decrypt(self, sealed: bytes) -> tuple[bytes, dict[str, str]]:
        try:
            with self._sdk.stream(mode="decrypt-unsigned", source=sealed, key_provider=self._master_key) as decryptor:
                try:
                    opened = decryptor.read()
                finally:
                    # Whatever came of it: one without a footer complains on standard error when it is collected.
                    decryptor.footer = None
                return opened, decryptor.header.encryption_context
        # Of a ciphertext that was changed, it depends on the place which library complains, and of what.
        except Exception as error:  # noqa: BLE001
            raise EnvelopeError(type(error).__name__) from None


def _context(connection_id: str) -> dict[str, str]:
    return {"connection_id": connection_id, "purpose": "key"}
