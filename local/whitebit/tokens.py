"""Codes and tokens: issued, exchanged once (with PKCE), expiring, refreshed, revoked."""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from local.whitebit import refusals
from local.whitebit.clock import Clock
from local.whitebit.mint import Mint
from local.whitebit.options import Options, Revision
from local.whitebit.users import same

CODE_LIFE = 60
ACCESS_LIFE = {Revision.MAY_2026: 4 * 3600, Revision.AUGUST_2026: 300}
REFRESH_LIFE = 600
REFRESH_INTERVAL = 1.0
VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")  # RFC 7636, section 4.1


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code, not yet exchanged."""

    email: str
    challenge: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class Pair:
    """An access token and, in revision 2026-08, the refresh token that came with it."""

    email: str
    access: str
    access_expires_at: float
    refresh: str | None
    refresh_expires_at: float


class Tokens:
    """All codes and tokens of the one partner."""

    def __init__(self, options: Options, clock: Clock, mint: Mint) -> None:
        self._options = options
        self._clock = clock
        self._mint = mint
        self._codes: dict[str, Code] = {}
        self._pairs: list[Pair] = []
        self._exchanged: dict[str, bool] = {}
        self._last_refresh = 0.0

    def issue_code(self, email: str, challenge: str) -> str:
        """The code for a consent that was just given."""
        value = self._mint.issue("code")
        self._codes[value] = Code(email, challenge, self._clock.now() + CODE_LIFE)
        self._exchanged[email] = False
        return value

    def exchange(self, form: Mapping[str, str]) -> Pair:
        """POST /oauth2/token. An attempt by the right client uses the code up, whether it succeeds or not."""
        self._check_client(form, "code", "code_verifier")
        code = self._codes.pop(form["code"], None)
        if code is None or self._clock.now() >= code.expires_at or not proves(form["code_verifier"], code.challenge):
            raise refusals.invalid_request()
        self._exchanged[code.email] = True
        return self._new_pair(code.email)

    def refresh(self, form: Mapping[str, str]) -> Pair:
        """POST /oauth2/refresh_token: a new pair; both tokens of the old one are dead."""
        self._check_client(form, "token")
        now = self._clock.now()
        if now - self._last_refresh < REFRESH_INTERVAL:
            raise refusals.too_many_refreshes()
        self._last_refresh = now
        for pair in self._pairs:
            if pair.refresh == form["token"] and now < pair.refresh_expires_at:
                self._pairs.remove(pair)
                return self._new_pair(pair.email)
        raise refusals.invalid_refresh_token()

    def owner(self, access_token: str) -> str | None:
        """The email address of the user whose live token this is."""
        now = self._clock.now()
        return next((p.email for p in self._pairs if p.access == access_token and now < p.access_expires_at), None)

    def is_authorized(self, email: str) -> bool:
        """Did this user consent, and has that not been withdrawn?"""
        return email in self._exchanged

    def is_exchanged(self, email: str) -> bool:
        """Has the code of this user's latest consent been exchanged?"""
        return self._exchanged.get(email, False)

    def revoke(self, email: str) -> None:
        """The user's consent, codes and tokens are gone."""
        self._exchanged.pop(email, None)
        self._codes = {value: code for value, code in self._codes.items() if code.email != email}
        self._pairs = [pair for pair in self._pairs if pair.email != email]

    def expires_in(self) -> int:
        """The life of a new access token, in seconds."""
        return ACCESS_LIFE[self._options.revision]

    def _check_client(self, form: Mapping[str, str], *fields: str) -> None:
        if missing := [field for field in ("client_id", "client_secret", *fields) if not form.get(field)]:
            raise refusals.required(missing)
        if form["client_id"] != self._options.client_id or not same(self._options.client_secret, form["client_secret"]):
            raise refusals.invalid_request()

    def _new_pair(self, email: str) -> Pair:
        now = self._clock.now()
        refreshable = self._options.revision is Revision.AUGUST_2026
        pair = Pair(
            email=email,
            access=self._mint.issue("access_token"),
            access_expires_at=now + self.expires_in(),
            refresh=self._mint.issue("refresh_token") if refreshable else None,
            refresh_expires_at=now + REFRESH_LIFE,
        )
        self._pairs.append(pair)
        return pair


def proves(verifier: str, challenge: str) -> bool:
    """Is `verifier` well formed, and is `challenge` its S256 transformation (RFC 7636, section 4.6)?"""
    if not VERIFIER.fullmatch(verifier):
        return False
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    return same(challenge, digest)
