"""A model of WhiteBIT: what its contract says of codes, tokens and keys, and nothing of pages and HTTP.

How long things live is what the sandbox says.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from fastkey.domain.account import Data, Read
from fastkey.domain.authorization import code_challenge
from fastkey.domain.errors import (
    ConsentLost,
    ExchangeRefused,
    InvalidRequest,
    KeyGone,
    KeyUnusable,
    PermissionMissing,
    SecretLocked,
    SecretLost,
    WhiteBitBusy,
    WhiteBitUnavailable,
)
from fastkey.domain.key import CapturedKey, KeyInfo, KeyState
from fastkey.domain.pace import milliseconds
from fastkey.domain.secret import Secret
from fastkey.domain.tokens import TokenGrant
from fastkey.ports import Clock
from local.whitebit import Revision
from local.whitebit.account import READS
from local.whitebit.keys import IDLE_LIFE
from local.whitebit.nonces import Nonces
from local.whitebit.refusals import ApiError
from local.whitebit.tokens import ACCESS_LIFE, CODE_LIFE, REFRESH_INTERVAL, REFRESH_LIFE
from tests.fakes.interruptions import Interruptible, interruptible
from tests.fakes.system import CANARY

ANSWERS = {read.signed_path: read.answer for read in READS}


class GateRefusedError(Exception):
    """The person sees a page of WhiteBIT's that says why, and no browser ever comes back."""


@dataclass(slots=True)
class Code:
    """An authorization code. consent: the number of the consent that gave it. requests: those that came with it."""

    account: str
    consent: int
    challenge: str
    expires_at: datetime
    requests: int = 0
    revoked: bool = False


@dataclass(slots=True)
class Pair:
    """Tokens that were given at once. refresh: None in revision 2026-05.

    consent: the number of the consent from which they come. generation: 1 for those of the exchange, and one more with
    each refresh. successor: those that replaced them.
    """

    account: str
    consent: int
    generation: int
    access: str
    access_expires_at: datetime
    refresh: str | None
    refresh_expires_at: datetime
    successor: "Pair | None" = None
    revoked: bool = False

    @property
    def is_dead(self) -> bool:
        """Whether neither of its tokens is accepted, whatever the time."""
        return self.revoked or self.successor is not None


@dataclass(slots=True)
class IssuedKey:
    """A key as WhiteBIT has it.

    A test sets what has befallen it: `enabled`, `given` (its secret was), `locked` or, for a while, `locked_until`.
    """

    external_id: str
    secret: str
    permissions: tuple[str, ...]
    account: str
    created_at: datetime
    last_used_at: datetime
    enabled: bool = True
    given: bool = False
    locked: bool = False
    locked_until: datetime | None = None
    nonces: Nonces = field(default_factory=Nonces)

    def is_active(self, now: datetime) -> bool:
        """Whether it signs, and can be read and deleted: WhiteBIT disables a key that made no call for two weeks."""
        return self.enabled and now < self.last_used_at + timedelta(seconds=IDLE_LIFE)

    def is_locked(self, now: datetime) -> bool:
        """Whether its secret cannot be read for the moment."""
        return self.locked or (self.locked_until is not None and now < self.locked_until)


class FakeWhiteBit(Interruptible):
    """WhiteBIT with one partner and any number of accounts, each named by a text. An account has one key at most.

    keys: what accounts have now. issued, granted, codes: all keys by external id, all pairs by access token and all
    codes that there ever were.
    """

    def __init__(self, clock: Clock, revision: Revision = Revision.AUGUST_2026) -> None:
        super().__init__()
        self.keys: dict[str, IssuedKey] = {}
        self.issued: dict[str, IssuedKey] = {}
        self.granted: dict[str, Pair] = {}
        self.codes: dict[str, Code] = {}
        self._clock = clock
        self._revision = revision
        self._access_life = timedelta(seconds=ACCESS_LIFE[revision])
        self._numbers = count(1)
        self._refreshable: dict[str, Pair] = {}
        self._next_refresh_at = clock.now()
        # By account: whether the code of its latest consent was exchanged.
        self._exchanged: dict[str, bool] = {}

    def lives(self, external_id: str) -> bool:
        """Whether the key is still there, active or not."""
        key = self.issued.get(external_id)
        return key is not None and self.keys.get(key.account) is key

    # ---- What a person does there ------------------------------------------------------------------------------------

    def refuses(self, account: str) -> bool:
        """Whether the eligibility gate of revision 2026-08 lets the person not even consent."""
        return self._revision is Revision.AUGUST_2026 and account in self.keys

    def consent(self, account: str, challenge: str) -> Secret:
        """The person consents to an authorization request with this code challenge. Gives the code.

        In revision 2026-05 that makes the key, too. Raises GateRefusedError where the gate refuses.
        """
        if self.refuses(account):
            raise GateRefusedError
        if self._revision is Revision.MAY_2026 and account not in self.keys:
            self.create_key(account)
        code, consent = self._draw("code"), next(self._numbers)
        self.codes[code] = Code(account, consent, challenge, self._clock.now() + timedelta(seconds=CODE_LIFE))
        self._exchanged[account] = False
        return Secret(code)

    def may_create_key(self, account: str) -> bool:
        """Whether the key page of revision 2026-08 lets the person create a key.

        It waits until the code of the latest consent was exchanged, and makes no second key.
        """
        is_exchanged = self._exchanged.get(account, False)
        return self._revision is Revision.AUGUST_2026 and is_exchanged and account not in self.keys

    def create_key(self, account: str, *permissions: str) -> IssuedKey:
        """The person picks permissions and confirms; a key that the account had was removed before."""
        number, now = next(self._numbers), self._clock.now()
        external_id = f"00000000-0000-4000-8000-{number:012d}"
        key = IssuedKey(external_id, f"secret-{CANARY}-{number}", permissions, account, now, now)
        self.keys[account] = self.issued[external_id] = key
        return key

    def remove_key(self, account: str) -> None:
        """The person removes the key, which only a person can where it is disabled."""
        self.keys.pop(account, None)

    def withdraw(self, account: str) -> None:
        """The person withdraws the partner's authorization: codes, tokens and key die."""
        self._exchanged.pop(account, None)
        for code in self.codes.values():
            code.revoked |= code.account == account
        for pair in self.granted.values():
            pair.revoked |= pair.account == account
        self.remove_key(account)

    def change_password(self, account: str) -> None:
        """Codes, tokens and key die of that, too."""
        self.withdraw(account)

    # ---- The port ----------------------------------------------------------------------------------------------------

    @interruptible
    def prepare(self) -> None:
        """Nothing is missing here."""

    @interruptible
    def exchange_code(self, code: Secret, verifier: Secret) -> TokenGrant:
        known = self.codes.get(code.reveal())
        if known is None:
            raise ExchangeRefused
        known.requests += 1
        is_live = known.requests == 1 and not known.revoked and self._clock.now() < known.expires_at
        if not is_live or code_challenge(verifier) != known.challenge:
            raise ExchangeRefused
        self._exchanged[known.account] = True
        return self._grant(self._new_pair(known.account, known.consent, 1))

    @interruptible
    def refresh_token(self, refresh_token: Secret) -> TokenGrant:
        now = self._clock.now()
        if now < self._next_refresh_at:
            raise WhiteBitUnavailable
        self._next_refresh_at = now + timedelta(seconds=REFRESH_INTERVAL)
        pair = self._refreshable.get(refresh_token.reveal())
        if pair is None or pair.is_dead or now >= pair.refresh_expires_at:
            raise ConsentLost
        pair.successor = self._new_pair(pair.account, pair.consent, pair.generation + 1)
        return self._grant(pair.successor)

    @interruptible
    def key_info(self, access_token: Secret) -> KeyInfo:
        key = self.keys.get(self._account(access_token))
        if key is None:
            return KeyInfo(KeyState.ABSENT)
        state = KeyState.ACTIVE if key.is_active(self._clock.now()) else KeyState.DISABLED
        return KeyInfo(state, key.external_id, key.permissions)

    @interruptible
    def read_secret(self, access_token: Secret, external_id: str) -> Secret:
        key = self._active_key(access_token, external_id)
        if key.is_locked(self._clock.now()):
            raise SecretLocked
        if key.given:
            raise SecretLost
        key.given = True
        return Secret(key.secret)

    @interruptible
    def delete_key(self, access_token: Secret, external_id: str) -> None:
        del self.keys[self._active_key(access_token, external_id).account]

    @interruptible
    def try_key(self, key: CapturedKey) -> None:
        self._use(key)

    @interruptible
    def read_signed(self, key: CapturedKey, nonce: int, read: Read, filters: Mapping[str, str | int]) -> Data:
        issued, now = self._use(key), milliseconds(self._clock.now())
        is_near = issued.nonces.is_in_window(nonce, now)
        if not is_near or not issued.nonces.use(nonce, window=True, now_ms=now):
            raise WhiteBitBusy
        if not {read.group, read.signed_path}.intersection(issued.permissions):
            raise PermissionMissing
        return self._data(read, filters)

    @interruptible
    def read_by_token(self, access_token: Secret, read: Read, filters: Mapping[str, str | int]) -> Data:
        self._account(access_token)
        return self._data(read, filters)

    # ---- How ---------------------------------------------------------------------------------------------------------

    def _draw(self, kind: str) -> str:
        return f"{kind}-{CANARY}-{next(self._numbers)}"

    def _new_pair(self, account: str, consent: int, generation: int) -> Pair:
        now = self._clock.now()
        pair = Pair(
            account=account,
            consent=consent,
            generation=generation,
            access=self._draw("access-token"),
            access_expires_at=now + self._access_life,
            refresh=self._draw("refresh-token") if self._revision is Revision.AUGUST_2026 else None,
            refresh_expires_at=now + timedelta(seconds=REFRESH_LIFE),
        )
        self.granted[pair.access] = pair
        if pair.refresh:
            self._refreshable[pair.refresh] = pair
        return pair

    def _grant(self, pair: Pair) -> TokenGrant:
        return TokenGrant(Secret(pair.access), self._access_life, Secret(pair.refresh) if pair.refresh else None)

    def _account(self, access_token: Secret) -> str:
        pair = self.granted.get(access_token.reveal())
        if pair is None or pair.is_dead or self._clock.now() >= pair.access_expires_at:
            raise ConsentLost
        return pair.account

    def _use(self, key: CapturedKey) -> IssuedKey:
        issued, now = self.issued.get(key.external_id), self._clock.now()
        if issued is None or not self.lives(key.external_id) or not issued.is_active(now):
            raise KeyUnusable
        if issued.secret != key.secret.reveal():
            raise KeyUnusable
        issued.last_used_at = now
        return issued

    def _data(self, read: Read, filters: Mapping[str, str | int]) -> Data:
        try:
            data: Data = ANSWERS[read.signed_path](filters)
        except ApiError:
            raise InvalidRequest from None
        return data

    def _active_key(self, access_token: Secret, external_id: str) -> IssuedKey:
        key = self.keys.get(self._account(access_token))
        if key is None or key.external_id != external_id:
            raise KeyGone
        if not key.is_active(self._clock.now()):
            raise ConsentLost
        return key
