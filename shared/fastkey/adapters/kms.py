"""Seals by KMS: https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html"""

from typing import TYPE_CHECKING

from fastkey.adapters.aws import storage
from fastkey.domain.secret import Secret
from fastkey.ports import Purpose

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


class KmsSealer:
    """Encrypts directly under one KMS key.

    Connection and purpose are the encryption context: policies allow a function its purposes only.
    """

    def __init__(self, client: "KMSClient", key_id: str) -> None:
        self._client = client
        self._key_id = key_id

    def seal(self, secret: Secret, connection_id: str, purpose: Purpose) -> bytes:
        with storage():
            answer = self._client.encrypt(
                KeyId=self._key_id,
                Plaintext=secret.reveal().encode(),
                EncryptionContext=_context(connection_id, purpose),
            )
        return answer["CiphertextBlob"]

    def open(self, sealed: bytes, connection_id: str, purpose: Purpose) -> Secret:
        with storage():
            answer = self._client.decrypt(
                KeyId=self._key_id, CiphertextBlob=sealed, EncryptionContext=_context(connection_id, purpose)
            )
        return Secret(answer["Plaintext"].decode())


def _context(connection_id: str, purpose: Purpose) -> dict[str, str]:
    return {"connection_id": connection_id, "purpose": purpose.value}
