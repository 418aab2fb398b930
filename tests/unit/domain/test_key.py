"""What is stored of a key, and what is signed with it."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from traceback import format_exception

import pytest

from fastkey.domain.key import CapturedKey, NotAKeyError, sign
from fastkey.domain.secret import Secret

KEY = CapturedKey(
    "external-1", Secret("test-secret"), ("trading", "account"), datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
)
BALANCE = "/api/v4/trade-account/balance"


def test_a_signature_is_that_of_the_test_vector() -> None:
    request = sign(KEY, BALANCE, 1700000000000, ticker="BTC")
    assert request.body == (
        b'{"ticker":"BTC","request":"/api/v4/trade-account/balance","nonce":1700000000000,"nonceWindow":true}'
    )
    assert request.headers["X-TXC-SIGNATURE"] == (
        "99d96ad8ca91048de490bc745440e0baf05e341370023b2d20d678366da4b467"  # pragma: allowlist secret
        "8cf3b5062d8f5082e8209099289a6d5d6de1bd04a12ee59842763f0195c06edd"  # pragma: allowlist secret
    )


def test_the_payload_is_the_body_in_whatever_order_its_fields_are() -> None:
    one, two = sign(KEY, BALANCE, 1, ticker="BTC", limit=2), sign(KEY, BALANCE, 1, limit=2, ticker="BTC")
    assert json.loads(one.body) == json.loads(two.body)
    for request in (one, two):
        assert base64.b64decode(request.headers["X-TXC-PAYLOAD"]) == request.body


def test_the_body_is_compact() -> None:
    body = sign(KEY, BALANCE, 1, ticker="BTC").body
    assert body == json.dumps(json.loads(body), separators=(",", ":")).encode()


def test_the_request_names_the_key_and_never_its_secret() -> None:
    request = sign(KEY, BALANCE, 1)
    assert request.path == BALANCE
    assert request.headers["X-TXC-APIKEY"] == "external-1"
    assert "test-secret" not in f"{request}"


def test_no_field_of_the_call_takes_the_place_of_what_is_signed() -> None:
    body = json.loads(sign(KEY, BALANCE, 1, request="/elsewhere").body)
    assert body["request"] == BALANCE


def test_a_stored_key_is_what_programs_sign_with() -> None:
    assert json.loads(KEY.to_json().reveal()) == {
        "apiKey": "external-1",
        "externalId": "external-1",
        "issuedAt": "2026-01-02T03:04:05+00:00",
        "permissions": ["account", "trading"],
        "secret": "test-secret",
    }


def test_the_same_key_is_the_same_version_with_the_same_bytes() -> None:
    again = replace(KEY, permissions=("account", "trading"))
    assert (again.version, again.to_json()) == (KEY.version, KEY.to_json())


def test_another_key_is_another_version() -> None:
    assert replace(KEY, external_id="external-2").version != KEY.version


def test_a_version_is_a_client_request_token() -> None:
    """32 to 64 characters: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html"""
    assert 32 <= len(KEY.version) <= 64


def test_a_key_comes_back_as_it_was_stored() -> None:
    found = CapturedKey.from_json(KEY.to_json())
    assert found == replace(KEY, permissions=("account", "trading"))


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "no JSON canary",
        "[]",
        "{}",
        '{"externalId": 1, "secret": "canary", "permissions": [], "issuedAt": "2026-05-01T12:00:00+00:00"}',
        '{"externalId": "canary", "secret": null, "permissions": [], "issuedAt": "2026-05-01T12:00:00+00:00"}',
        "[" * 200_000,
    ],
    ids=["nothing", "no JSON", "a list", "an empty object", "a number", "no secret", "too deep"],
)
def test_what_is_no_key_is_not_quoted(stored: str) -> None:
    with pytest.raises(NotAKeyError) as raised:
        CapturedKey.from_json(Secret(stored))
    assert "canary" not in "".join(format_exception(raised.value))
