"""What a program hears instead of an answer. AWS's own errors come as boto3 raises them."""

from typing import Any


class NoKey(Exception):
    """The connection has no key: it is not active yet, or it has ended. Nothing was sent."""

    def __init__(self) -> None:
        super().__init__("The connection has no key: it is not active yet, or it has ended.")


class NotOpened(Exception):
    """A stored key could not be opened.

    What lies there is not what fastkey stored; or, in DynamoDB, KMS did not answer, or this program's role may not have
    it open it. code: the class of what was raised.
    """

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(f"The key could not be opened: {code}")


class NoAnswer(Exception):
    """WhiteBIT gave no answer that says yes or no: what was asked for may have been done, or not."""

    def __init__(self) -> None:
        super().__init__("WhiteBIT did not say whether it did what it was asked for.")


class Refused(Exception):
    """WhiteBIT said no: nothing was done.

    status: of the HTTP answer. answer: its JSON, or None where it was none. message: what it says to people.
    """

    def __init__(self, status: int, answer: Any = None) -> None:
        self.status = status
        self.answer = answer
        self.message = str(answer.get("message", "")) if isinstance(answer, dict) else ""
        super().__init__(f"Refused, with status {status}: {self.message}")


class KeyRefused(Refused):
    """WhiteBIT does not accept the key, although it is still stored: it is disabled, or the address is not allowed."""


class NotPermitted(Refused):
    """The user did not grant this key what the call needs."""


class RateLimited(Refused):
    """Too many calls from this address: wait for a second, then twice as long each time, up to half a minute."""


class NonceTaken(Refused):
    """Others sign with this key so often that no nonce was free, several times in a row."""
