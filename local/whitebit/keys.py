"""API keys: made, read once, locked, disabled after two idle weeks, deleted."""

import uuid
from dataclasses import dataclass, field

from local.whitebit import refusals
from local.whitebit.clock import Clock
from local.whitebit.mint import Mint
from local.whitebit.nonces import Nonces

IDLE_LIFE = 14 * 24 * 3600
KEYS_PER_USER = 50


class KeyCreationError(Exception):
    """The user cannot have this key; the text is for a page."""


@dataclass(slots=True)
class Key:
    """One API key. `client_id` is the partner's, or None for a key that the user made by hand."""

    external_id: str
    email: str
    client_id: str | None
    secret: str = field(repr=False)
    granted: frozenset[str]
    created_at: float
    last_used_at: float
    calls: int = 0
    retrieved: bool = False
    being_read: bool = False
    locked_until: float = 0.0
    disabled: bool = False
    nonces: Nonces = field(default_factory=Nonces)

    def is_enabled(self, now: float) -> bool:
        return not self.disabled and now - self.last_used_at < IDLE_LIFE

    def is_locked(self, now: float) -> bool:
        return self.being_read or now < self.locked_until


class Keys:
    """All keys of all users, by external id."""

    def __init__(self, clock: Clock, mint: Mint) -> None:
        self._clock = clock
        self._mint = mint
        self._keys: dict[str, Key] = {}

    def create(self, email: str, client_id: str | None, granted: frozenset[str]) -> Key:
        """Raises KeyCreationError: one key per user and partner, and not more than KEYS_PER_USER in all."""
        if client_id is not None and self.for_partner(email, client_id):
            raise KeyCreationError("You already have a key for this partner.")
        if len(self.of(email)) >= KEYS_PER_USER:
            raise KeyCreationError(f"You already have {KEYS_PER_USER} keys, and cannot have more.")
        now = self._clock.now()
        key = Key(str(uuid.uuid4()), email, client_id, self._mint.issue("api_secret"), granted, now, now)
        self._keys[key.external_id] = key
        return key

    def of(self, email: str) -> list[Key]:
        return [key for key in self._keys.values() if key.email == email]

    def for_partner(self, email: str, client_id: str) -> Key | None:
        return next((key for key in self.of(email) if key.client_id == client_id), None)

    def get(self, external_id: str) -> Key | None:
        return self._keys.get(external_id)

    def read_secret(self, email: str, client_id: str, external_id: str) -> Key:
        """GET .../secret. The key stays `being_read`, and so locked, until the caller has sent its answer."""
        key = self._partners_own(email, client_id, external_id)
        if key.is_locked(self._clock.now()):
            raise refusals.temporary_lock()
        if key.retrieved:
            raise refusals.secret_already_retrieved()
        key.retrieved = key.being_read = True
        return key

    def delete(self, email: str, client_id: str, external_id: str) -> None:
        """DELETE by the partner: active keys only."""
        self.remove(self._partners_own(email, client_id, external_id).external_id)

    def remove(self, external_id: str) -> None:
        """Removal by the user or by WhiteBIT, in any state."""
        self._keys.pop(external_id, None)

    def remove_all(self, email: str, client_id: str | None = None) -> None:
        """Every key of the user, or those of one partner."""
        for key in self.of(email):
            if client_id in (None, key.client_id):
                self.remove(key.external_id)

    def _partners_own(self, email: str, client_id: str, external_id: str) -> Key:
        key = self._keys.get(external_id)
        if key is None or key.email != email:
            raise refusals.key_not_found()
        if key.client_id != client_id or not key.is_enabled(self._clock.now()):
            raise refusals.forbidden()
        return key
