"""Signed V4 calls: is this request what the holder of the secret signed, just now, and may the key do it?"""

import base64
import binascii
import hashlib
import hmac
import ipaddress
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from local.whitebit import refusals
from local.whitebit.keys import Key, Keys
from local.whitebit.options import Options, Revision
from local.whitebit.users import same

STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')
WHITESPACE = re.compile(rb"\s")


@dataclass(frozen=True, slots=True)
class SignedCall:
    """A POST as it came in: `payload`, `signature` and `api_key` are the three X-TXC headers."""

    path: str
    body: bytes
    payload: str
    signature: str
    api_key: str
    ip: str


def sign(payload: str, secret: str) -> str:
    """The value of X-TXC-SIGNATURE: hex HMAC-SHA512 of the base64 text."""
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha512).hexdigest()


def authenticate(call: SignedCall, keys: Keys, options: Options, now: float) -> dict[str, Any]:
    """The fields of a call that is as it must be. One that gets as far as its permission check counts as a use."""
    fields = read_payload(call)
    key = keys.get(call.api_key)
    if key is None or not same(sign(call.payload, key.secret), call.signature):
        raise bad_signature(options.revision)
    if not key.is_enabled(now) or not ip_is_allowed(call.ip, options.allowed_ips):
        raise refusals.v4(403, 2, "This action is unauthorized. Enable your key in API settings")
    use_nonce(key, fields, now)
    key.last_used_at = now
    key.calls += 1
    if call.path not in key.granted:
        raise not_permitted(options.revision)
    return fields


def read_payload(call: SignedCall) -> dict[str, Any]:
    """The body's fields, when body and payload are the same compact JSON object, made for this path."""
    if not call.payload:
        raise refusals.v4(400, 9, "Payload not provided.")
    try:
        payload = base64.b64decode(call.payload, validate=True)
        fields = json.loads(call.body)
    except (binascii.Error, ValueError) as error:
        raise refusals.invalid_payload() from error
    if payload != call.body or not isinstance(fields, dict) or WHITESPACE.search(STRING.sub(b"", call.body)):
        raise refusals.invalid_payload()
    if "request" not in fields:
        raise refusals.v4(400, 0, "Request not provided.")
    if fields["request"] != call.path:
        raise refusals.invalid_payload()
    return fields


def use_nonce(key: Key, fields: dict[str, Any], now: float) -> None:
    """Check and use up the nonce: a number of milliseconds, or a string of one."""
    try:
        nonce = int(str(fields["nonce"]))
    except (KeyError, ValueError) as error:
        raise refusals.v4(400, 0, "Nonce not provided.") from error
    window = fields.get("nonceWindow", False)
    if not isinstance(window, bool):
        raise refusals.v4(400, 0, "Invalid nonceWindow.")
    now_ms = int(now * 1000)
    if window and not key.nonces.is_in_window(nonce, now_ms):
        raise refusals.v4(400, 0, "Your nonce is more than 5 seconds lesser than the current nonce.")
    if not key.nonces.use(nonce, window=window, now_ms=now_ms):
        raise refusals.v4(400, 0, "Too many requests.")


def ip_is_allowed(ip: str, ranges: Iterable[str]) -> bool:
    """Is `ip` in one of the partner's registered ranges? With none registered, every address is."""
    ranges = tuple(ranges)
    return not ranges or any(ipaddress.ip_address(ip) in ipaddress.ip_network(each) for each in ranges)


def bad_signature(revision: Revision) -> refusals.ApiError:
    """WhiteBIT's pages word this in two ways. Each revision speaks one, so that a client meets both."""
    if revision is Revision.MAY_2026:
        return refusals.v4(401, 10, "Unauthorized request.")
    return refusals.v4(401, 0, "Invalid API key, signature, or nonce")


def not_permitted(revision: Revision) -> refusals.ApiError:
    """As `bad_signature`: two wordings, one a revision."""
    if revision is Revision.MAY_2026:
        return refusals.v4(403, 3, "You don't have permission to use this endpoint.")
    return refusals.v4(403, 4, "This API Key is not authorized to perform this action.")
