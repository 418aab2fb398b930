"""Where every secret value comes from, so that a leak test can ask for all that were ever issued."""

import secrets
from collections import defaultdict


class Mint:
    """Makes random values and remembers each, by kind."""

    def __init__(self) -> None:
        self._issued: defaultdict[str, list[str]] = defaultdict(list)

    def issue(self, kind: str) -> str:
        """A new 256-bit value of this `kind` ("code", "access_token", ...)."""
        value = secrets.token_urlsafe(32)
        self._issued[kind].append(value)
        return value

    def issued(self) -> dict[str, list[str]]:
        """Everything issued so far. For tests only: no answer of WhiteBIT's ever shows this."""
        return {kind: list(values) for kind, values in self._issued.items()}
