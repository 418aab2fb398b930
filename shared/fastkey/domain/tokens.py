"""WhiteBIT's tokens, as given and as kept."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from fastkey.domain.secret import Secret

REFRESH_TOKEN_LIFE = timedelta(seconds=600)


@dataclass(frozen=True, slots=True)
class TokenGrant:
    """What the token endpoint gave. `refresh_token` is None where WhiteBIT issues none (its revision 2026-05)."""

    access_token: Secret
    expires_in: timedelta
    refresh_token: Secret | None


@dataclass(frozen=True, slots=True)
class SealedTokens:
    """Tokens as a connection keeps them: ciphertext, and until when each lives."""

    access: bytes
    access_expires_at: datetime
    refresh: bytes | None = None
    refresh_expires_at: datetime | None = None

    def access_lives(self, at: datetime) -> bool:
        return at < self.access_expires_at

    def refresh_lives(self, at: datetime) -> bool:
        return self.refresh_expires_at is not None and at < self.refresh_expires_at

    def are_due(self, at: datetime, margin: timedelta) -> bool:
        """Whether to refresh: the access token does not outlive the margin, and the refresh token lives."""
        return self.refresh_lives(at) and not self.access_lives(at + margin)

    def without_access(self, now: datetime) -> "SealedTokens":
        """The same, once WhiteBIT has said that the access token is dead: it is not sent again."""
        return replace(self, access_expires_at=min(self.access_expires_at, now))

    def without_refresh(self) -> "SealedTokens":
        """The same, once WhiteBIT has said that the refresh token is dead: it is not sent again."""
        return replace(self, refresh=None, refresh_expires_at=None)
