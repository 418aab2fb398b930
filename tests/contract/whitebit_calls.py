"""Each call of WhiteBIT that is a request."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from fastkey.adapters.whitebit import WhiteBitClient
from fastkey.domain.account import READS
from fastkey.domain.key import CapturedKey
from fastkey.domain.secret import Secret

TOKEN, KEY_ID = Secret("access-token"), "11111111-2222-4333-8444-555555555555"
KEY = CapturedKey(KEY_ID, Secret("api-secret"), (), datetime(2026, 1, 1, tzinfo=UTC))

Call = Callable[[WhiteBitClient], Any]

CALLS: dict[str, Call] = {
    "exchange_code": lambda client: client.exchange_code(Secret("code"), Secret("verifier")),
    "refresh_token": lambda client: client.refresh_token(Secret("refresh-token")),
    "key_info": lambda client: client.key_info(TOKEN),
    "read_secret": lambda client: client.read_secret(TOKEN, KEY_ID),
    "delete_key": lambda client: client.delete_key(TOKEN, KEY_ID),
    "try_key": lambda client: client.try_key(KEY),
    "read_signed": lambda client: client.read_signed(KEY, 1, READS["orders"], {"limit": 2}),
    "read_by_token": lambda client: client.read_by_token(TOKEN, READS["orders"], {"limit": 2}),
}
