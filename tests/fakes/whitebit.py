"""A model of WhiteBIT: what its contract says of codes, tokens and keys, and nothing of pages and HTTP."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from fastkey.domain.authorization import code_challenge
from fastkey.domain.errors import ConsentLost, ExchangeRefused, KeyGone, KeyUnusable, SecretLocked, SecretLost
from fastkey.domain.key import CapturedKey, KeyInfo, KeyState
from fastkey.domain.secret import Secret
from fastkey.domain.tokens import REFRESH_TOKEN_LIFE, TokenGrant
from fastkey.ports import Clock
from local.whitebit import Revision
from tests.fakes.interruptions import Interruptible, interruptible

ACCESS_TOKEN_LIFE = {Revision.MAY_2026: timedelta(hours=4), Revision.AUGUST_2026: timedelta(seconds=300)}


@dataclass(slots=True)
class Pair:
    """The tokens of one account. refresh: None in revision 2026-05."""

    account: str
    access: str
    access_expires_at: datetime
    refresh: str | None
    refresh_expires_at: datetime


@dataclass(slots=True)
class IssuedKey:
    """A key as WhiteBIT has it. A test sets what has befallen it: `enabled`, `given` (its secret was), `locked`."""

    external_id: str
    secret: str
    permissions: tuple[str, ...]
    enabled: bool = True
    given: bool = False
    locked: bool = False


class FakeWhiteBit(Interruptible):
    """WhiteBIT with one partner and any number of accounts, each named by a text. An account has one key at most."""

    def __init__(self, clock: Clock, revision: Revision = Revision.AUGUST_2026) -> None:
        super().__init__()
        self.keys: dict[str, IssuedKey] = {}
        self._clock = clock
        self._revision = revision
        self._numbers = count(1)
        self._codes: dict[str, tuple[str, str]] = {}
        self._pairs: list[Pair] = []

    # ---- What a person does there ------------------------------------------------------------------------------------

    def consent(self, account: str, challenge: str) -> Secret:
        """The person consents to an authorization request with this code challenge. Gives the code.

        In revision 2026-05 that makes the key, too.
        """
        if self._revision is Revision.MAY_2026 and account not in self.keys:
            self.create_key(account)
        code = self._draw("code")
        self._codes[code] = (account, challenge)
        return Secret(code)

    def create_key(self, account: str, *permissions: str) -> IssuedKey:
        """The person picks permissions and confirms."""
        number = next(self._numbers)
        key = IssuedKey(f"00000000-0000-4000-8000-{number:012d}", f"secret-{number}", permissions)
        self.keys[account] = key
        return key

    def withdraw(self, account: str) -> None:
        """The person withdraws the partner's authorization: tokens and key die."""
        self._pairs = [pair for pair in self._pairs if pair.account != account]
        self.keys.pop(account, None)

    # ---- The port ----------------------------------------------------------------------------------------------------

    @interruptible
    def prepare(self) -> None:
        """Nothing is missing here."""

    @interruptible
    def exchange_code(self, code: Secret, verifier: Secret) -> TokenGrant:
        account, challenge = self._codes.pop(code.reveal(), ("", ""))
        if code_challenge(verifier) != challenge:
            raise ExchangeRefused
        return self._grant(account)

    @interruptible
    def refresh_token(self, refresh_token: Secret) -> TokenGrant:
        for pair in self._pairs:
            if pair.refresh == refresh_token.reveal() and self._clock.now() < pair.refresh_expires_at:
                self._pairs.remove(pair)
                return self._grant(pair.account)
        raise ConsentLost

    @interruptible
    def key_info(self, access_token: Secret) -> KeyInfo:
        key = self.keys.get(self._account(access_token))
        if key is None:
            return KeyInfo(KeyState.ABSENT)
        return KeyInfo(KeyState.ACTIVE if key.enabled else KeyState.DISABLED, key.external_id, key.permissions)

    @interruptible
    def read_secret(self, access_token: Secret, external_id: str) -> Secret:
        key = self._active_key(access_token, external_id)
        if key.locked:
            raise SecretLocked
        if key.given:
            raise SecretLost
        key.given = True
        return Secret(key.secret)

    @interruptible
    def delete_key(self, access_token: Secret, external_id: str) -> None:
        self._active_key(access_token, external_id)
        del self.keys[self._account(access_token)]

    @interruptible
    def try_key(self, key: CapturedKey) -> None:
        signers = {(issued.external_id, issued.secret) for issued in self.keys.values() if issued.enabled}
        if (key.external_id, key.secret.reveal()) not in signers:
            raise KeyUnusable

    # ---- How ---------------------------------------------------------------------------------------------------------

    def _draw(self, kind: str) -> str:
        return f"{kind}-{next(self._numbers)}"

    def _grant(self, account: str) -> TokenGrant:
        now, life = self._clock.now(), ACCESS_TOKEN_LIFE[self._revision]
        refresh = self._draw("refresh-token") if self._revision is Revision.AUGUST_2026 else None
        pair = Pair(account, self._draw("access-token"), now + life, refresh, now + REFRESH_TOKEN_LIFE)
        self._pairs.append(pair)
        return TokenGrant(Secret(pair.access), life, Secret(refresh) if refresh else None)

    def _account(self, access_token: Secret) -> str:
        for pair in self._pairs:
            if pair.access == access_token.reveal() and self._clock.now() < pair.access_expires_at:
                return pair.account
        raise ConsentLost

    def _active_key(self, access_token: Secret, external_id: str) -> IssuedKey:
        key = self.keys.get(self._account(access_token))
        if key is None or key.external_id != external_id:
            raise KeyGone
        if not key.enabled:
            raise ConsentLost
        return key
