"""The authorization request: PKCE, state, the browser's cookie, and what ties them together."""

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from urllib.parse import urlencode

from fastkey.domain.secret import Secret

AUTHORIZATION_LIFE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Authorization:
    """One pending authorization request, found by the digest of its state.

    verifier: the code verifier, sealed. cookie_digest: of the secret that only the browser that visited has.
    """

    state_digest: str
    connection_id: str
    verifier: bytes
    cookie_digest: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class AuthorizationResponse:
    """What a browser comes back with: either a code or an error (RFC 6749, section 4.1.2).

    issuer: who says that it sent the browser back, if anybody does (RFC 9207).
    """

    state: Secret
    code: Secret | None = None
    error: Secret | None = None
    issuer: Secret | None = None


def code_challenge(verifier: Secret) -> str:
    """The S256 challenge of a code verifier (RFC 7636, section 4.2)."""
    return _base64url(sha256(verifier.reveal().encode()).digest())


def cookie_name(state: Secret) -> str:
    """The cookie of one authorization request: each has its own, so that two tabs do not take each other's.

    `__Host-` makes browsers hold it to this host, to HTTPS and to the whole path (RFC 6265bis, section 4.1.3.2).
    """
    return f"__Host-fastkey-{state.digest()[:16]}"


def completion(cookie: Secret, state: Secret) -> Secret:
    """What the returning browser completes the connection with.

    Derived from what only that browser has, instead of drawn and stored: a callback that is repeated leads to the same
    page with the same completion.
    """
    return Secret(_base64url(hmac.digest(cookie.reveal().encode(), b"completion:" + state.reveal().encode(), "sha256")))


def authorization_url(whitebit: str, client_id: str, redirect_uri: str, state: Secret, verifier: Secret) -> str:
    """Where the browser goes to consent (RFC 6749, section 4.1.1, with WhiteBIT's `clientId` in camel case).

    whitebit: the base URL, without a slash at the end. There is no scope: it is fixed when the client is registered.
    """
    query = {
        "clientId": client_id,
        "redirect_uri": redirect_uri,
        "state": state.reveal(),
        "code_challenge": code_challenge(verifier),
        "code_challenge_method": "S256",
    }
    return f"{whitebit}/auth/login?{urlencode(query)}"


def _base64url(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()
