"""WhiteBIT's users, and the browser sessions in which they are logged in."""

import secrets
from dataclasses import dataclass, field

RESTRICTED_REGIONS = frozenset({"US"})


@dataclass(slots=True)
class User:
    """An account holder. `gate` off means that no eligibility check is made of this user (a switch for tests)."""

    email: str
    password: str
    second_factor: str = "123456"
    kyc: bool = True
    two_factor: bool = True
    region: str = "EE"
    language: str = "en"
    gate: bool = True
    blocked: bool = False
    mails: list[str] = field(default_factory=list)


class Users:
    """Users by email address, and sessions by cookie value."""

    def __init__(self) -> None:
        self._users: dict[str, User] = {}
        self._sessions: dict[str, str] = {}

    def add(self, user: User) -> User:
        """Raises ValueError when the address is taken."""
        if user.email in self._users:
            raise ValueError("this email address is taken")
        self._users[user.email] = user
        return user

    def all(self) -> list[User]:
        return list(self._users.values())

    def get(self, email: str) -> User:
        """Raises KeyError when there is no such user."""
        return self._users[email]

    def log_in(self, email: str, password: str) -> str | None:
        """A new session's id, or None when the email address, the password or the account's state do not allow it."""
        user = self._users.get(email)
        if user is None or user.blocked or not same(user.password, password):
            return None
        session = secrets.token_urlsafe(32)
        self._sessions[session] = email
        return session

    def in_session(self, session: str) -> User | None:
        email = self._sessions.get(session)
        return None if email is None else self._users[email]

    def log_out(self, session: str) -> None:
        self._sessions.pop(session, None)

    def log_out_everywhere(self, email: str) -> None:
        self._sessions = {session: owner for session, owner in self._sessions.items() if owner != email}


def same(expected: str, given: str) -> bool:
    """Constant-time comparison of two texts."""
    return secrets.compare_digest(expected.encode(), given.encode())
