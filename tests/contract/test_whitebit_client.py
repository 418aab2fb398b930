"""The adapter on the wire: one request a call, and nothing believed that is not in WhiteBIT's contract."""

import json
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from typing import Any
from urllib.parse import parse_qs

import pytest
import urllib3

from fastkey.adapters import whitebit
from fastkey.adapters.whitebit import ANSWER_LIMIT, WhiteBitClient
from fastkey.domain import errors
from fastkey.domain.account import READS
from fastkey.domain.key import KeyInfo, KeyState
from fastkey.domain.secret import Secret
from tests.contract.scripted_server import Instead, ScriptedServer, answer, scripted_server
from tests.contract.whitebit_calls import CALLS, KEY, KEY_ID, TOKEN, Call
from tests.fakes.system import FakeClock

EACH_CALL = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
GRANT = {"access_token": "a", "expires_in": 300, "refresh_token": "r", "scope": "apikeys.read", "token_type": "Bearer"}


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as server:
        yield server


@pytest.fixture
def client(server: ScriptedServer) -> WhiteBitClient:
    client = WhiteBitClient(server.url, "client & co", lambda: Secret("client-secret"), FakeClock())
    client.prepare()
    return client


# ---- One request, whatever comes -------------------------------------------------------------------------------------


@EACH_CALL
@pytest.mark.parametrize(
    "came",
    [
        Instead.RESET,
        Instead.DROP,
        answer(500, {}),
        answer(502, body=b"<html>Bad gateway</html>"),
        answer(503, {}, headers="Retry-After: 0\r\n"),
        answer(200, body=b'{"data": {', length=1000),
        b"220 smtp.example ESMTP\r\n",
    ],
    ids=["reset", "dropped", "500", "502", "503", "truncated", "no HTTP"],
)
def test_what_did_not_come_is_not_asked_for_again(
    server: ScriptedServer, client: WhiteBitClient, call: Call, came: bytes
) -> None:
    server.answer = came
    with pytest.raises(errors.WhiteBitUnavailable):
        call(client)
    assert len(server.requests) == 1


@EACH_CALL
def test_what_was_refused_for_its_frequency_is_not_asked_for_again(
    server: ScriptedServer, client: WhiteBitClient, call: Call
) -> None:
    server.answer = answer(429, {}, headers="Retry-After: 0\r\n")
    with pytest.raises((errors.WhiteBitUnavailable, errors.WhiteBitBusy)):
        call(client)
    assert len(server.requests) == 1


@EACH_CALL
@pytest.mark.parametrize(
    "came",
    [
        answer(200, body=b"<html>Hello</html>"),
        answer(200, body=b""),
        answer(200, body=b"\xff\xfe"),
        answer(200, body=b"[" * 60_000),
        answer(302, {"data": []}, headers="Location: /elsewhere\r\n"),
        answer(307, {"data": []}, headers="Location: /elsewhere\r\n"),
        answer(200, body=b'{"data": []}' + b" " * ANSWER_LIMIT),
        answer(418, {"data": []}),
        b"HTTP/1.1 200 OK\r\nContent-Le",
    ],
    ids=["HTML", "empty", "no text", "deep", "302", "307", "too long", "unknown status", "cut off"],
)
def test_what_is_not_in_the_contract_is_not_believed(
    server: ScriptedServer, client: WhiteBitClient, call: Call, came: bytes
) -> None:
    server.answer = came
    with pytest.raises(errors.UnexpectedAnswer):
        call(client)
    assert len(server.requests) == 1


@EACH_CALL
def test_an_answer_is_not_waited_for_without_end(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, call: Call
) -> None:
    monkeypatch.setattr(whitebit, "TIMEOUT", urllib3.Timeout(connect=5, read=0.05))
    server.answer = Instead.SILENCE
    client = WhiteBitClient(server.url, "client", lambda: Secret("client-secret"), FakeClock())
    with pytest.raises(errors.WhiteBitUnavailable):
        call(client)
    assert len(server.requests) == 1


def test_an_answer_that_drips_is_not_waited_for_without_end(
    server: ScriptedServer, client: WhiteBitClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = count(step=5)
    monkeypatch.setattr(whitebit, "monotonic", lambda: next(seconds))
    server.answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\n \r\n" * 10 + b"0\r\n\r\n"
    with pytest.raises(errors.UnexpectedAnswer):
        CALLS["key_info"](client)


def test_an_answer_that_is_complete_is_taken_however_late(
    server: ScriptedServer, client: WhiteBitClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may hold the secret, which is not given again."""
    seconds = count(step=10)
    monkeypatch.setattr(whitebit, "monotonic", lambda: next(seconds))
    body = b'{"data": {"apiSecret": "late"}}'
    server.answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    assert client.read_secret(Secret("token"), "key-1").reveal() == "late"


@EACH_CALL
def test_a_server_that_is_not_there_is_unavailable(call: Call) -> None:
    with scripted_server() as gone:
        url = gone.url
    with pytest.raises(errors.WhiteBitUnavailable):
        call(WhiteBitClient(url, "client", lambda: Secret("client-secret"), FakeClock()))


# ---- What is sent ----------------------------------------------------------------------------------------------------


def test_a_code_is_exchanged_by_a_form(server: ScriptedServer, client: WhiteBitClient) -> None:
    server.answer = answer(200, {"data": GRANT})
    grant = client.exchange_code(Secret("co+de"), Secret("verifier"))
    line, headers, body = server.request
    assert line == "POST /oauth2/token HTTP/1.1"
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert parse_qs(body.decode(), strict_parsing=True) == {
        "client_id": ["client & co"],
        "client_secret": ["client-secret"],
        "code": ["co+de"],
        "code_verifier": ["verifier"],
    }
    assert (grant.access_token, grant.expires_in, grant.refresh_token) == (
        Secret("a"),
        timedelta(seconds=300),
        Secret("r"),
    )


@pytest.mark.parametrize("name", ["exchange_code", "refresh_token"])
def test_a_call_for_tokens_reads_no_client_secret(server: ScriptedServer, name: str) -> None:
    secrets = iter([Secret("client-secret")])
    client = WhiteBitClient(server.url, "client", lambda: next(secrets), FakeClock())
    client.prepare()
    server.answer = answer(200, {"data": GRANT})
    CALLS[name](client)
    assert b"client_secret=client-secret" in server.request[2]


def test_a_token_is_refreshed_by_a_form(server: ScriptedServer, client: WhiteBitClient) -> None:
    server.answer = answer(200, {"data": {"access_token": "a", "expires_in": 14400}})
    assert client.refresh_token(Secret("old")).refresh_token is None
    line, _, body = server.request
    assert line == "POST /oauth2/refresh_token HTTP/1.1"
    assert parse_qs(body.decode()) == {
        "client_id": ["client & co"],
        "client_secret": ["client-secret"],
        "token": ["old"],
    }


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (CALLS["key_info"], "GET /oauth2/api-key/info HTTP/1.1"),
        (CALLS["read_secret"], f"GET /oauth2/api-key/{KEY_ID}/secret HTTP/1.1"),
        (CALLS["delete_key"], f"DELETE /oauth2/api-key/{KEY_ID} HTTP/1.1"),
    ],
)
def test_a_token_is_sent_in_the_header(server: ScriptedServer, client: WhiteBitClient, call: Call, line: str) -> None:
    server.answer = answer(401, {"data": {"message": ["Unauthorized."]}})
    with pytest.raises(errors.ConsentLost):
        call(client)
    sent, headers, body = server.request
    assert (sent, body) == (line, b"")
    assert headers["authorization"] == "Bearer access-token"
    assert headers["connection"] == "close"


def test_a_signed_call_carries_a_nonce_of_now(server: ScriptedServer, client: WhiteBitClient) -> None:
    server.answer = answer(200, {})
    client.try_key(KEY)
    line, headers, body = server.request
    assert line == "POST /api/v4/trade-account/balance HTTP/1.1"
    assert headers["content-type"] == "application/json"
    assert headers["x-txc-apikey"] == KEY_ID
    assert json.loads(body) == {
        "request": "/api/v4/trade-account/balance",
        "nonce": 1767225600000,
        "nonceWindow": True,
    }


# ---- What is understood ----------------------------------------------------------------------------------------------


def info(**changes: object) -> dict[str, Any]:
    return {"data": {"exists": True, "isEnabled": True, "externalId": KEY_ID, "permissions": [], **changes}}


def group(name: str, *enabled: bool) -> dict[str, Any]:
    return {"name": name, "title": "Handel", "urls": [{"url": "/x", "enable": enable} for enable in enabled]}


@pytest.mark.parametrize(
    ("document", "understood"),
    [
        (info(), KeyInfo(KeyState.ACTIVE, KEY_ID)),
        (info(isEnabled=False), KeyInfo(KeyState.DISABLED, KEY_ID)),
        (info(exists=False, isEnabled=False, externalId=None), KeyInfo(KeyState.ABSENT)),
        (
            info(permissions=[group("a", True, False), group("b", False), group("c")]),
            KeyInfo(KeyState.ACTIVE, KEY_ID, ("a",)),
        ),
        (info(news={"more": 1}), KeyInfo(KeyState.ACTIVE, KEY_ID)),
    ],
)
def test_key_info_is_understood(
    server: ScriptedServer, client: WhiteBitClient, document: dict[str, Any], understood: KeyInfo
) -> None:
    server.answer = answer(200, document)
    assert client.key_info(TOKEN) == understood


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        None,
        {"data": []},
        info(externalId=None),
        info(externalId=""),
        info(externalId="../../elsewhere"),
        info(externalId="x" * 65),
        info(externalId=f"{KEY_ID}\n"),
        info(exists="perhaps"),
        info(permissions=None),
    ],
)
def test_key_info_of_another_form_is_not_believed(
    server: ScriptedServer, client: WhiteBitClient, document: object
) -> None:
    server.answer = answer(200, document)
    with pytest.raises(errors.UnexpectedAnswer):
        client.key_info(TOKEN)


@pytest.mark.parametrize(
    "changes",
    [
        {"access_token": ""},
        {"access_token": None},
        {"access_token": "x" * 4097},
        {"refresh_token": ""},
        {"expires_in": 0},
        {"expires_in": -1},
        {"expires_in": 10**12},
        {"expires_in": "soon"},
    ],
)
def test_tokens_of_another_form_are_not_believed(
    server: ScriptedServer, client: WhiteBitClient, changes: dict[str, object]
) -> None:
    server.answer = answer(200, {"data": {**GRANT, **changes}})
    with pytest.raises(errors.UnexpectedAnswer):
        client.exchange_code(Secret("code"), Secret("verifier"))


@pytest.mark.parametrize(
    ("call", "status", "error"),
    [
        ("exchange_code", 400, errors.ExchangeRefused),
        ("exchange_code", 401, errors.ExchangeRefused),
        ("exchange_code", 422, errors.ExchangeRefused),
        ("refresh_token", 400, errors.ConsentLost),
        ("key_info", 403, errors.ConsentLost),
        ("key_info", 404, errors.UnexpectedAnswer),
        ("read_secret", 403, errors.ConsentLost),
        ("read_secret", 404, errors.KeyGone),
        ("read_secret", 409, errors.SecretLost),
        ("read_secret", 423, errors.SecretLocked),
        ("read_secret", 200, errors.UnexpectedAnswer),
        ("delete_key", 403, errors.ConsentLost),
        ("delete_key", 404, errors.KeyGone),
        ("delete_key", 409, errors.UnexpectedAnswer),
    ],
)
def test_a_status_is_understood(
    server: ScriptedServer, client: WhiteBitClient, call: str, status: int, error: type[errors.FastkeyError]
) -> None:
    server.answer = answer(status, {"data": {"message": ["Any words."]}})
    with pytest.raises(error):
        CALLS[call](client)
    assert len(server.requests) == 1


# ---- What a refusal of a signed call says of the key -----------------------------------------------------------------


@pytest.mark.parametrize(
    "refusal",
    [
        {"code": 3, "message": "You don't have permission to use this endpoint."},
        {"code": 4, "message": "This API Key is not authorized to perform this action."},
    ],
)
def test_a_permission_that_is_missing_is_no_reason(
    server: ScriptedServer, client: WhiteBitClient, refusal: dict[str, object]
) -> None:
    server.answer = answer(403, refusal)
    client.try_key(KEY)


@pytest.mark.parametrize(
    ("status", "refusal", "error"),
    [
        (401, {"code": 10, "message": "Unauthorized request."}, errors.KeyUnusable),
        (401, {"code": 0, "message": "Invalid API key, signature, or nonce"}, errors.KeyUnusable),
        (
            403,
            {"code": 2, "message": "This action is unauthorized. Enable your key in API settings"},
            errors.KeyUnusable,
        ),
        (400, {"code": 0, "message": "Too many requests."}, errors.WhiteBitUnavailable),
        (
            400,
            {"code": 0, "message": "Your nonce is more than 5 seconds lesser than the current nonce."},
            errors.UnexpectedAnswer,
        ),
        (400, {"code": 9, "message": "Invalid payload."}, errors.UnexpectedAnswer),
        (403, {"message": "Forbidden"}, errors.UnexpectedAnswer),
        (403, {}, errors.UnexpectedAnswer),
        (403, [], errors.UnexpectedAnswer),
    ],
)
def test_a_refusal_that_is_not_known_says_nothing_of_the_key(
    server: ScriptedServer, client: WhiteBitClient, status: int, refusal: object, error: type[errors.FastkeyError]
) -> None:
    server.answer = answer(status, refusal)
    with pytest.raises(error):
        client.try_key(KEY)


# ---- Reads of the account --------------------------------------------------------------------------------------------


def test_a_signed_read_carries_its_filters_and_its_nonce(server: ScriptedServer, client: WhiteBitClient) -> None:
    server.answer = answer(200, {})
    assert client.read_signed(KEY, 1767225600000, READS["orders"], {"market": "BTC_USDT", "limit": 2}) == {}
    line, headers, body = server.request
    assert line == "POST /api/v4/trade-account/order/history HTTP/1.1"
    assert headers["content-type"] == "application/json"
    assert headers["x-txc-apikey"] == KEY_ID
    assert json.loads(body) == {
        "market": "BTC_USDT",
        "limit": 2,
        "request": "/api/v4/trade-account/order/history",
        "nonce": 1767225600000,
        "nonceWindow": True,
    }


def test_a_read_by_token_carries_its_filters(server: ScriptedServer, client: WhiteBitClient) -> None:
    server.answer = answer(200, {})
    client.read_by_token(TOKEN, READS["orders"], {"market": "BTC_USDT", "limit": 2})
    line, headers, body = server.request
    assert line == "POST /api/v4/accounts/orders HTTP/1.1"
    assert headers["authorization"] == "Bearer access-token"
    assert headers["content-type"] == "application/json"
    assert json.loads(body) == {"market": "BTC_USDT", "limit": 2}


RECORDS = {"limit": 50, "offset": 0, "records": [], "total": 0}


@pytest.mark.parametrize(
    ("resource", "document"),
    [
        ("transactions", RECORDS),
        ("conversions", {**RECORDS, "news": 1}),
        ("balances/main", {"BTC": {"main_balance": "1"}}),
        ("balances/spot", {"available": "1", "freeze": "0"}),
        ("orders", []),
        ("orders", {"BTC_USDT": [{"ctime": 1594667731.724403, "amount": "0.10"}]}),
        ("deals", [{"id": 1}]),
    ],
)
def test_account_data_are_passed_on_as_they_are(
    server: ScriptedServer, client: WhiteBitClient, resource: str, document: object
) -> None:
    server.answer = answer(200, document)
    assert client.read_signed(KEY, 1, READS[resource], {}) == document
    assert client.read_by_token(TOKEN, READS[resource], {}) == document


@pytest.mark.parametrize("resource", READS)
@pytest.mark.parametrize(
    "body",
    [
        b"null",
        b"1",
        b'"text"',
        b'["text"]',
        b'{"message": ["Authorization: Bearer access-token"]}',
        b'{"data": {"message": ["Unauthorized."]}}',
        b'{"BTC": {"available": NaN}}',
        b'[{"deal": Infinity}]',
    ],
)
def test_what_is_no_account_data_is_not_passed_on(
    server: ScriptedServer, client: WhiteBitClient, resource: str, body: bytes
) -> None:
    server.answer = answer(200, body=body)
    with pytest.raises(errors.UnexpectedAnswer):
        client.read_signed(KEY, 1, READS[resource], {})


@pytest.mark.parametrize(
    ("status", "refusal", "error"),
    [
        (403, {"code": 3, "message": "You don't have permission to use this endpoint."}, errors.PermissionMissing),
        (403, {"code": 4, "message": "This API Key is not authorized to perform it."}, errors.PermissionMissing),
        (401, {"code": 10, "message": "Unauthorized request."}, errors.KeyUnusable),
        (401, {"code": 0, "message": "Invalid API key, signature, or nonce"}, errors.KeyUnusable),
        (403, {"code": 2, "message": "This action is unauthorized. Enable your key"}, errors.KeyUnusable),
        (429, {"code": 0, "message": "Too many requests."}, errors.WhiteBitBusy),
        (400, {"code": 0, "message": "Too many requests."}, errors.WhiteBitBusy),
        (400, {"code": 0, "message": "Your nonce is more than 5 seconds lesser than it."}, errors.WhiteBitBusy),
        (422, {"code": 0, "message": "Validation failed", "errors": {"limit": ["x"]}}, errors.InvalidRequest),
        (422, {"code": 10, "message": "OrderHistory was not found."}, errors.InvalidRequest),
        (400, {"code": 0, "message": "Currency not found"}, errors.InvalidRequest),
        (400, {"code": 9, "message": "Invalid payload."}, errors.UnexpectedAnswer),
        (401, {"message": "Any words."}, errors.UnexpectedAnswer),
    ],
)
def test_the_refusal_of_a_signed_read_is_understood(
    server: ScriptedServer, client: WhiteBitClient, status: int, refusal: object, error: type[errors.FastkeyError]
) -> None:
    server.answer = answer(status, refusal)
    with pytest.raises(error):
        CALLS["read_signed"](client)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "refusal", "error"),
    [
        (401, {"data": {"message": ["Unauthorized."]}}, errors.ConsentLost),
        (403, {"data": {"message": ["Forbidden."]}}, errors.PermissionMissing),
        (422, {"code": 0, "message": "Validation failed"}, errors.InvalidRequest),
        (400, {"code": 10, "message": "Unauthorized request."}, errors.UnexpectedAnswer),
        (410, {"message": "Gone"}, errors.UnexpectedAnswer),
    ],
)
def test_the_refusal_of_a_read_by_token_is_understood(
    server: ScriptedServer, client: WhiteBitClient, status: int, refusal: object, error: type[errors.FastkeyError]
) -> None:
    server.answer = answer(status, refusal)
    with pytest.raises(error):
        CALLS["read_by_token"](client)
