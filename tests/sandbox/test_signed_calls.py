"""Signed V4 calls: signature, payload, nonce, permission, IP address, rate."""

import base64
import json

import pytest

from local.whitebit import Revision
from local.whitebit.account import READS, Read
from local.whitebit.limits import LIMITS, RateLimits
from local.whitebit.signed import sign
from tests.sandbox.partner import BALANCE, Partner

UNAUTHORIZED = {
    Revision.MAY_2026: {"code": 10, "message": "Unauthorized request."},
    Revision.AUGUST_2026: {"code": 0, "message": "Invalid API key, signature, or nonce"},
}
NOT_PERMITTED = {
    Revision.MAY_2026: {"code": 3, "message": "You don't have permission to use this endpoint."},
    Revision.AUGUST_2026: {"code": 4, "message": "This API Key is not authorized to perform this action."},
}
INVALID_PAYLOAD = {"code": 9, "message": "Invalid payload."}
NONCE_USED = {"code": 0, "message": "Too many requests."}


def test_the_contracts_test_vector() -> None:
    body = '{"ticker":"BTC","request":"/api/v4/trade-account/balance","nonce":1700000000000,"nonceWindow":true}'
    assert sign(base64.b64encode(body.encode()).decode(), "test-secret") == (
        "99d96ad8ca91048de490bc745440e0baf05e341370023b2d20d678366da4b467"  # pragma: allowlist secret
        "8cf3b5062d8f5082e8209099289a6d5d6de1bd04a12ee59842763f0195c06edd"  # pragma: allowlist secret
    )


@pytest.mark.parametrize("read", READS, ids=lambda read: read.signed_path)
def test_every_read_answers_a_key_that_may_and_refuses_one_that_may_not(partner: Partner, read: Read) -> None:
    path = read.signed_path
    may = partner.key("trade_balance", "wallet", "convert")
    assert partner.signed(may, path).status_code == 200
    may_not = partner.sandbox.keys.create("eve@example.com", None, frozenset())
    refused = partner.signed(may_not, path)
    assert (refused.status_code, refused.get_json()) == (403, NOT_PERMITTED[partner.options.revision])


def test_what_counts_is_the_path_and_not_its_group(partner: Partner) -> None:
    key = partner.key("/api/v4/trade-account/order/history")
    assert partner.signed(key, "/api/v4/trade-account/order/history").status_code == 200
    assert partner.signed(key, BALANCE).status_code == 403


@pytest.mark.parametrize("changed", ["X-TXC-APIKEY", "X-TXC-SIGNATURE"])
@pytest.mark.parametrize("value", ["", "0" * 128])
def test_a_wrong_key_or_signature_is_refused(partner: Partner, changed: str, value: str) -> None:
    body = json.dumps({"request": BALANCE, "nonce": partner.now_ms()}, separators=(",", ":")).encode()
    response = partner.send(BALANCE, body, partner.key("trade_balance"), **{changed: value})
    assert (response.status_code, response.get_json()) == (401, UNAUTHORIZED[partner.options.revision])


def test_a_deleted_key_is_told_the_same_as_a_wrong_signature(partner: Partner) -> None:
    key = partner.key("trade_balance")
    partner.sandbox.keys.remove(key.external_id)
    assert partner.signed(key).get_json() == UNAUTHORIZED[partner.options.revision]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"request": "PATH","nonce":NOW}', INVALID_PAYLOAD),
        ('{"request":"PATH","nonce":NOW}\n', INVALID_PAYLOAD),
        ('{"request":"/api/v4/main-account/balance","nonce":NOW}', INVALID_PAYLOAD),
        ('["PATH",NOW]', INVALID_PAYLOAD),
        ("not json", INVALID_PAYLOAD),
        ('{"nonce":NOW}', {"code": 0, "message": "Request not provided."}),
        ('{"request":"PATH"}', {"code": 0, "message": "Nonce not provided."}),
        ('{"request":"PATH","nonce":"soon"}', {"code": 0, "message": "Nonce not provided."}),
        ('{"request":"PATH","nonce":NOW,"nonceWindow":1}', {"code": 0, "message": "Invalid nonceWindow."}),
    ],
)
def test_a_body_that_is_not_as_it_must_be_is_refused(partner: Partner, body: str, expected: dict[str, object]) -> None:
    filled = body.replace("PATH", BALANCE).replace("NOW", str(partner.now_ms())).encode()
    response = partner.send(BALANCE, filled, partner.key("trade_balance"))
    assert (response.status_code, response.get_json()) == (400, expected)


def test_escapes_and_spaces_inside_of_strings_are_no_matter(partner: Partner) -> None:
    escaped = BALANCE.replace("/", "\\/")
    body = f'{{"request":"{escaped}","nonce":{partner.now_ms()},"note":"a \\" b"}}'.encode()
    assert partner.send(BALANCE, body, partner.key("trade_balance")).status_code == 200


@pytest.mark.parametrize("payload", ["", "no base64!", base64.b64encode(b'{"other":1}').decode()])
def test_a_payload_that_is_not_the_body_is_refused(partner: Partner, payload: str) -> None:
    key = partner.key("trade_balance")
    body = json.dumps({"request": BALANCE, "nonce": partner.now_ms()}, separators=(",", ":")).encode()
    headers = {"X-TXC-PAYLOAD": payload, "X-TXC-SIGNATURE": sign(payload, key.secret)}
    response = partner.send(BALANCE, body, key, **headers)
    assert (response.status_code, response.get_json()["code"]) == (400, 9)


def test_without_a_window_a_nonce_is_greater_than_the_last(partner: Partner) -> None:
    key = partner.key("trade_balance")
    statuses = [partner.signed(key, nonce=nonce, nonceWindow=False).status_code for nonce in (5, 4, 5, 6)]
    assert statuses == [200, 400, 400, 200]
    assert partner.signed(key, nonce=6, nonceWindow=False).get_json() == NONCE_USED


def test_ccxts_nonces_are_taken(partner: Partner) -> None:
    key = partner.key("trade_balance")
    assert partner.signed(key, nonce=str(partner.now_ms()), nonceWindow=False).status_code == 200


def test_with_a_window_nonces_may_come_out_of_order_but_not_twice(partner: Partner) -> None:
    key, now = partner.key("trade_balance"), partner.now_ms()
    assert [partner.signed(key, nonce=now - behind).status_code for behind in (0, 100, 50, 100)] == [200, 200, 200, 400]


@pytest.mark.parametrize("off", [-6_000, 6_000])
def test_with_a_window_a_nonce_is_within_five_seconds(partner: Partner, off: int) -> None:
    response = partner.signed(partner.key("trade_balance"), nonce=partner.now_ms() + off)
    assert response.status_code == 400
    assert response.get_json()["message"] == "Your nonce is more than 5 seconds lesser than the current nonce."


def test_the_window_is_on_the_sandboxs_clock(partner: Partner) -> None:
    key, before = partner.key("trade_balance"), partner.now_ms()
    partner.sandbox.clock.advance(60)
    assert partner.signed(key, nonce=before).status_code == 400
    assert partner.signed(key, nonce=before + 60_000).status_code == 200


def test_an_issued_key_is_restricted_to_the_partners_ips(partner: Partner) -> None:
    restricted = Partner(partner.options.revision, allowed_ips=("10.0.0.0/8",))
    response = restricted.signed(restricted.key("trade_balance"))
    assert response.status_code == 403
    assert response.get_json()["message"] == "This action is unauthorized. Enable your key in API settings"


@pytest.mark.parametrize(("prefix", "limit"), LIMITS.items())
def test_an_ip_has_so_many_calls_in_ten_seconds(prefix: str, limit: int) -> None:
    limits = RateLimits()
    assert all(limits.allow("10.0.0.1", prefix + "/one", now=0.0) for _ in range(limit))
    assert not limits.allow("10.0.0.1", prefix + "/another", now=9.9)
    assert limits.allow("10.0.0.2", prefix + "/one", now=9.9)
    assert limits.allow("10.0.0.1", prefix + "/one", now=10.0)


def test_a_call_of_the_history_is_one_of_the_main_account_too() -> None:
    limits = RateLimits()
    assert all(limits.allow("10.0.0.1", "/api/v4/main-account/balance", now=0.0) for _ in range(999))
    assert limits.allow("10.0.0.1", "/api/v4/main-account/history", now=0.0)
    assert not limits.allow("10.0.0.1", "/api/v4/main-account/history", now=0.0)
    assert not limits.allow("10.0.0.1", "/api/v4/main-account/balance", now=0.0)


def test_a_call_too_many_is_told_429(partner: Partner) -> None:
    key = partner.key("wallet")
    now = partner.sandbox.clock.now()
    for _ in range(1_000):
        partner.sandbox.limits.allow("127.0.0.1", "/api/v4/main-account/balance", now)
    response = partner.signed(key, "/api/v4/main-account/balance")
    assert (response.status_code, response.get_json()["message"]) == (429, "Too many requests.")


def test_a_call_is_seen_in_the_keys_state(partner: Partner) -> None:
    key = partner.key("trade_balance")
    partner.sandbox.clock.advance(100)
    partner.signed(key)
    assert key.calls == 1
    assert key.last_used_at >= key.created_at + 100
