"""A value that must not be seen."""

import hmac
from hashlib import sha256
from typing import NoReturn

# As long as a digest, and none: to compare with nothing takes the same time as to compare with something.
_NOTHING = "-" * 64


class Secret:
    """Holds a secret text; shows `***` wherever it is printed, formatted or logged.

    Pickling and copying are refused, since both end in bytes that somebody stores. JSON refuses it already. `reveal` is
    the one way to the text, so that a search for it finds every place where a secret leaves.
    """

    # No dataclass: pydantic and msgspec would write out its fields.
    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the wire or a cipher."""
        return self._text

    def digest(self) -> str:
        """SHA-256 of the text, in hex: what is stored of a secret that only has to be recognised."""
        return sha256(self._text.encode()).hexdigest()

    def matches(self, digest: str | None) -> bool:
        """Whether `digest` is this secret's, in constant time; also where there is none to compare with."""
        return hmac.compare_digest(self.digest(), digest or _NOTHING)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self.digest(), other.digest())

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, _spec: str) -> str:
        return "***"

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError("a secret is not pickled")
