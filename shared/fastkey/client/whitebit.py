"""Signed requests over HTTPS: each call is exactly one request."""

import json
from typing import Any

import urllib3

from fastkey.client.errors import KeyRefused, NoAnswer, NonceTaken, NotPermitted, RateLimited, Refused
from fastkey.domain.key import KEY_REFUSED, NOT_PERMITTED, TOO_MANY, SignedRequest

TIMEOUT = urllib3.Timeout(connect=3, read=10)  # seconds; the second is for each read

# The longest answer of the V4 API is some hundred kilobytes: what is longer is not WhiteBIT's.
ANSWER_LIMIT = 8 * 1024 * 1024

# As many threads as can call at once without a handshake each.
CONNECTIONS = 32


class WhiteBit:
    """Sends signed requests. base_url: without a slash at the end. Threads may share it."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._http = urllib3.PoolManager(timeout=TIMEOUT, retries=False, maxsize=CONNECTIONS)

    def post(self, request: SignedRequest) -> Any:
        """The JSON of the answer. Raises Refused, or what it has become, and NoAnswer."""
        try:
            response = self._http.request(
                "POST",
                self._base_url + request.path,
                headers={**request.headers, "Content-Type": "application/json"},
                body=request.body,
                redirect=False,
                preload_content=False,
            )
            with response:
                text = response.read(ANSWER_LIMIT + 1)
        except urllib3.exceptions.HTTPError:
            raise NoAnswer from None
        answer = _parse(text)
        if response.status in range(400, 500):
            raise _refusal(response.status, answer)
        if response.status not in range(200, 300) or answer is None:
            raise NoAnswer
        return answer


def _parse(text: bytes) -> Any:
    """The JSON, or None where it is none."""
    if len(text) > ANSWER_LIMIT:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _refusal(status: int, answer: Any) -> Refused:
    refused = Refused(status, answer)
    if status == 429:
        return RateLimited(status, answer)
    if refused.message == TOO_MANY:
        return NonceTaken(status, answer)
    if refused.message.startswith(NOT_PERMITTED):
        return NotPermitted(status, answer)
    if status == 401 or refused.message.startswith(KEY_REFUSED):
        return KeyRefused(status, answer)
    return refused
