"""The key that WhiteBIT issues: what it says of it, and what is stored of it."""

import json
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from hashlib import sha512
from hmac import new as hmac_new
from typing import Any
from uuid import UUID, uuid5

from fastkey.domain.secret import Secret

# Names the version of a stored secret after its key, so that writing it twice is writing it once.
_VERSIONS = UUID("6f0f3f0e-1e0b-5c0c-9c59-2f3d3d1f7c11")


class NotAKeyError(ValueError):
    """What is stored is no key: somebody has changed it by hand. It is not quoted."""


class KeyState(Enum):
    """The three answers of WhiteBIT's key info, and what each asks for."""

    ABSENT = auto()  # wait, or give up
    ACTIVE = auto()  # read its secret, once
    DISABLED = auto()  # only the user can remove it


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """WhiteBIT's answer about a user's key.

    `permissions`: the names of the groups in which the user granted something.
    """

    state: KeyState
    external_id: str | None = None
    permissions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CapturedKey:
    """A key with its secret, as the partner's programs sign with it. `external_id` is the public key (X-TXC-APIKEY)."""

    external_id: str
    secret: Secret
    permissions: tuple[str, ...]
    issued_at: datetime

    @property
    def version(self) -> str:
        """The idempotency token of its storage: the same key gives the same version, in any attempt."""
        return str(uuid5(_VERSIONS, self.external_id))

    def to_json(self) -> Secret:
        """Canonical JSON, so that the same key gives the same bytes in any attempt.

        `apiKey` and `secret` are the names that ccxt takes.
        """
        fields = {
            "apiKey": self.external_id,
            "externalId": self.external_id,
            "issuedAt": self.issued_at.isoformat(),
            "permissions": sorted(self.permissions),
            "secret": self.secret.reveal(),
        }
        return Secret(json.dumps(fields, sort_keys=True, separators=(",", ":")))

    @classmethod
    def from_json(cls, stored: Secret) -> "CapturedKey":
        """The key that `to_json` wrote. Raises NotAKeyError."""
        try:
            fields = json.loads(stored.reveal())
            external_id, secret = fields["externalId"], fields["secret"]
            if not (isinstance(external_id, str) and isinstance(secret, str)):
                raise NotAKeyError
            return cls(
                external_id=external_id,
                secret=Secret(secret),
                permissions=tuple(fields["permissions"]),
                issued_at=datetime.fromisoformat(fields["issuedAt"]),
            )
        except (KeyError, TypeError, ValueError, RecursionError):
            raise NotAKeyError from None


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A signed V4 request, ready to be sent by POST to `path`: headers, and the body as bytes."""

    path: str
    headers: dict[str, str]
    body: bytes


# How WhiteBIT refuses a signed call: by its words, because it gives one code with many. The first two begin so.
KEY_REFUSED = ("Unauthorized request", "This action is unauthorized", "Invalid API key")
NOT_PERMITTED = ("You don't have permission", "This API Key is not authorized")
TOO_MANY = "Too many requests."  # where the status is not 429, of a nonce that was used


def sign(key: CapturedKey, path: str, /, nonce: int, **fields: Any) -> SignedRequest:
    """Signs a V4 request as WhiteBIT asks (docs.whitebit.com, "Authentication" of the V4 API).

    nonce: milliseconds since 1970, unique for the key and within 5 s of WhiteBIT's clock (that is what `nonceWindow`
    says). The body is compact JSON, because WhiteBIT refuses any other.
    """
    body = json.dumps({**fields, "request": path, "nonce": nonce, "nonceWindow": True}, separators=(",", ":")).encode()
    payload = b64encode(body)
    signature = hmac_new(key.secret.reveal().encode(), payload, sha512).hexdigest()
    headers = {"X-TXC-APIKEY": key.external_id, "X-TXC-PAYLOAD": payload.decode(), "X-TXC-SIGNATURE": signature}
    return SignedRequest(path, headers, body)
