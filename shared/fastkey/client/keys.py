"""Captured keys, as a program reads them."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from fastkey.client.errors import NoKey, NotOpened
from fastkey.client.sealed import SealedKeys
from fastkey.domain.key import CapturedKey, NotAKeyError
from fastkey.domain.secret import Secret

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

# Seconds. For so long a key may be used that was shredded meanwhile, unless WhiteBIT has deleted it too.
MAX_AGE = 60

# As many keys are kept at most: ten megabytes or so.
LIMIT = 10_000

# There is none, none has been stored yet, or it is being deleted.
_GONE = {"ResourceNotFoundException", "InvalidRequestException"}


@dataclass(frozen=True, slots=True)
class _Kept:
    key: CapturedKey
    until: float


class Keys:
    """Reads keys, and keeps each for a minute.

    keys_arn: how the ARN of each begins; the connection's id follows. By name, AWS would say of a key that is not there
    that access is denied. clock: seconds that only ever grow. sealed: where keys are looked for first, if any may lie
    there.
    """

    def __init__(
        self,
        client: "SecretsManagerClient",
        keys_arn: str,
        clock: Callable[[], float],
        sealed: SealedKeys | None = None,
    ) -> None:
        self._client = client
        self._keys_arn = keys_arn
        self._clock = clock
        self._sealed = sealed
        self._kept: dict[str, _Kept] = {}
        self._lock = Lock()

    def get(self, connection_id: str) -> CapturedKey:
        """The connection's key, which was there within the last minute. Raises NoKey and NotOpened."""
        # Looked at before the key is read: one that is shredded meanwhile ages as well.
        now = self._clock()
        with self._lock:
            kept = self._kept.get(connection_id)
        if kept and now < kept.until:
            return kept.key
        self.forget(connection_id)
        key = self._read(connection_id)
        with self._lock:
            self._kept[connection_id] = _Kept(key, now + MAX_AGE)
            self._drop(now)
        return key

    def forget(self, connection_id: str) -> None:
        """Has the key read again before it is used."""
        with self._lock:
            self._kept.pop(connection_id, None)

    def _read(self, connection_id: str) -> CapturedKey:
        # DynamoDB first, where a look in vain costs less. A key that is moved is in both for a minute, which is more
        # than two looks take: it does not slip by in between.
        key = self._sealed.find(connection_id) if self._sealed else None
        key = key or self._read_secret(connection_id)
        if key is None:
            raise NoKey
        return key

    def _read_secret(self, connection_id: str) -> CapturedKey | None:
        try:
            answer = self._client.get_secret_value(SecretId=f"{self._keys_arn}{connection_id}")
        except ClientError as error:
            if error.response["Error"]["Code"] in _GONE:
                return None
            raise
        try:
            # A secret that somebody has made binary has no string.
            return CapturedKey.from_json(Secret(answer.get("SecretString", "")))
        except NotAKeyError as error:
            raise NotOpened(type(error).__name__) from None

    def _drop(self, now: float) -> None:
        """Drops what is too old, and the oldest where there are too many. They stand in the order of their reading."""
        while len(self._kept) > LIMIT or now >= next(iter(self._kept.values())).until:
            del self._kept[next(iter(self._kept))]
