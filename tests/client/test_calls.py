"""A call is signed, sent once, and its answer told apart; a nonce that is taken is drawn anew."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from time import time_ns
from typing import Any

import pytest

from fastkey.bootstrap import AwsWorld
from fastkey.client import Client, KeyRefused, NoAnswer, NoKey, NonceTaken, NotPermitted, RateLimited, Refused
from fastkey.client import client as client_module
from fastkey.client import nonces as nonces_module
from fastkey.client import whitebit as whitebit_module
from fastkey.client.client import DRAWS
from local.web import WebServer
from local.whitebit import Revision
from local.whitebit.account import SPOT_BALANCES
from local.whitebit.keys import Key
from tests.client.conftest import Program, program
from tests.contract.given import captured
from tests.contract.scripted_server import Instead, ScriptedServer, answer
from tests.sandbox.partner import BALANCE, Partner
from tests.unit.environment import ENVIRONMENT

# ---- What is sent ----------------------------------------------------------------------------------------------------


def test_a_call_is_one_signed_request_with_a_nonce_of_now(partner: Program, server: ScriptedServer) -> None:
    server.answer = answer(200, {"BTC": {"available": "1"}})
    assert partner.client.call(partner.connection_id, BALANCE, ticker="BTC") == {"BTC": {"available": "1"}}
    line, headers, body = server.request
    fields = json.loads(body)
    assert line == f"POST {BALANCE} HTTP/1.1"
    assert headers["x-txc-apikey"] == partner.key.external_id
    assert (fields["request"], fields["ticker"], fields["nonceWindow"]) == (BALANCE, "BTC", True)
    assert abs(time_ns() // 1_000_000 - fields["nonce"]) < 5_000


def test_a_call_has_whatever_fields_it_wants(partner: Program, server: ScriptedServer) -> None:
    server.answer = answer(200, [])
    orders = [{"side": "buy", "amount": "0.1"}]
    fields = {"orders": orders, "stopOnFail": True, "connection_id": "theirs", "path": "/elsewhere"}
    assert partner.client.call(partner.connection_id, "/api/v4/order/bulk", **fields) == []
    _, _, body = server.request
    sent = json.loads(body)
    assert sent == {**fields, "request": "/api/v4/order/bulk", "nonceWindow": True, "nonce": sent["nonce"]}


@pytest.mark.parametrize("path", ["@elsewhere.example/api/v4/order/new", ".elsewhere.example/", ""])
def test_a_path_names_no_other_host(partner: Program, server: ScriptedServer, path: str) -> None:
    with pytest.raises(ValueError, match="slash"):
        partner.client.call(partner.connection_id, path)
    assert server.requests == []


def test_without_a_key_nothing_is_sent(partner: Program, server: ScriptedServer) -> None:
    partner.world.vault.shred(partner.connection_id)
    with pytest.raises(NoKey):
        partner.client.call(partner.connection_id, BALANCE)
    assert server.requests == []


# ---- What is heard ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "document", "expected"),
    [
        (401, {"code": 10, "message": "Unauthorized request."}, KeyRefused),
        (401, {"code": 0, "message": "Invalid API key, signature, or nonce"}, KeyRefused),
        (403, {"code": 2, "message": "This action is unauthorized. Enable your key in API settings"}, KeyRefused),
        (403, {"code": 3, "message": "You don't have permission to use this endpoint."}, NotPermitted),
        (403, {"code": 4, "message": "This API Key is not authorized to perform this action."}, NotPermitted),
        (429, {"code": 0, "message": "Too many requests."}, RateLimited),
        (429, None, RateLimited),
        (422, {"code": 31, "message": "Validation failed", "errors": {"amount": ["Too low."]}}, Refused),
        (400, ["what we do not know"], Refused),
    ],
)
def test_a_no_says_what_kind_it_is_and_no_secret_and_is_not_asked_again(
    partner: Program, server: ScriptedServer, status: int, document: Any, expected: type[Refused]
) -> None:
    server.answer = answer(status, document)
    with pytest.raises(Refused) as caught:
        partner.client.call(partner.connection_id, BALANCE)
    assert type(caught.value) is expected
    assert (caught.value.status, caught.value.answer) == (status, document)
    assert partner.key.secret.reveal() not in f"{caught.value!r} {caught.value} {vars(caught.value)}"
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "said",
    [
        Instead.RESET,
        Instead.DROP,
        answer(500, {"message": "Unauthorized request."}),
        answer(502, body=b"<html>"),
        answer(302, headers="Location: https://elsewhere.example/\r\n"),
        answer(200, body=b"<html>"),
        answer(200, body=b""),
        answer(200, {"BTC": {}}, length=1000),
    ],
)
def test_what_says_neither_yes_nor_no_is_no_answer_and_not_asked_again(
    partner: Program, server: ScriptedServer, said: bytes | Instead
) -> None:
    server.answer = said
    with pytest.raises(NoAnswer):
        partner.client.call(partner.connection_id, BALANCE)
    assert len(server.requests) == 1


def test_an_answer_that_does_not_end_is_no_answer(
    partner: Program, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whitebit_module, "ANSWER_LIMIT", 10)
    server.answer = Instead.DRIP
    with pytest.raises(NoAnswer):
        partner.client.call(partner.connection_id, BALANCE)


# ---- Hearing of the end ----------------------------------------------------------------------------------------------

GONE = answer(401, {"code": 10, "message": "Unauthorized request."})


def test_a_key_that_is_gone_is_forgotten_when_it_is_refused(partner: Program, server: ScriptedServer) -> None:
    partner.client.key(partner.connection_id)
    partner.world.vault.shred(partner.connection_id)
    server.answer = GONE
    for _ in range(2):
        with pytest.raises(NoKey):
            partner.client.call(partner.connection_id, BALANCE)
    assert len(server.requests) == 1


def test_a_key_that_is_refused_and_still_stored_is_the_same_a_moment_later(
    partner: Program, server: ScriptedServer
) -> None:
    server.answer = GONE
    with pytest.raises(KeyRefused):
        partner.client.call(partner.connection_id, BALANCE)
    assert partner.client.key(partner.connection_id) == partner.key


def test_a_program_that_hears_of_the_end_from_elsewhere_signs_no_more(partner: Program, server: ScriptedServer) -> None:
    partner.client.key(partner.connection_id)
    partner.world.vault.shred(partner.connection_id)
    partner.client.forget(partner.connection_id)
    with pytest.raises(NoKey):
        partner.client.call(partner.connection_id, BALANCE)
    assert server.requests == []


# ---- Nonces, with the sandbox for a judge ----------------------------------------------------------------------------


@pytest.fixture(params=list(Revision))
def sandbox(request: pytest.FixtureRequest) -> Partner:
    return Partner(request.param)


@pytest.fixture
def key(sandbox: Partner) -> Key:
    return sandbox.key("trade_balance")


@pytest.fixture
def judged(world: AwsWorld, sandbox: Partner, key: Key) -> Iterator[Program]:
    with closing(WebServer("127.0.0.1", 0)) as server:
        server.start(sandbox.app)
        yield program(world, server.url, captured(key.external_id, key.secret))


@pytest.fixture
def another(judged: Program) -> Client:
    """Another process with the same key."""
    return Client(ENVIRONMENT["CONNECTIONS_TABLE"], ENVIRONMENT["KEYS_ARN"], judged.client._whitebit._base_url)


@pytest.fixture
def draws(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How far back the next draws lie, in whichever process; time stands still."""
    draws: list[int] = []
    now = time_ns()
    monkeypatch.setattr(client_module, "time_ns", lambda: now)
    monkeypatch.setattr(nonces_module, "randbelow", lambda _: draws.pop(0))
    return draws


def test_a_nonce_that_another_process_has_used_is_drawn_anew(
    judged: Program, another: Client, key: Key, draws: list[int]
) -> None:
    draws += [70, 70, 80]
    assert judged.client.call(judged.connection_id, BALANCE) == SPOT_BALANCES
    assert another.call(judged.connection_id, BALANCE) == SPOT_BALANCES
    assert key.calls == 2


def test_nonces_are_not_drawn_without_end(judged: Program, another: Client, key: Key, draws: list[int]) -> None:
    taken = list(range(DRAWS))
    draws += [*taken, *taken]
    for _ in taken:
        judged.client.call(judged.connection_id, BALANCE)
    with pytest.raises(NonceTaken):
        another.call(judged.connection_id, BALANCE)
    assert key.calls == DRAWS


def test_threads_of_processes_that_share_a_key_are_all_answered(judged: Program, another: Client, key: Key) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(
            threads.map(lambda n: (judged.client if n % 2 else another).call(judged.connection_id, BALANCE), range(200))
        )
    assert answers == [SPOT_BALANCES] * 200
    assert key.calls == 200


def test_a_program_whose_nonces_have_to_rise_can_use_the_same_key(judged: Program, sandbox: Partner, key: Key) -> None:
    for _ in range(20):
        judged.client.call(judged.connection_id, BALANCE)
        nonce = max(sandbox.now_ms(), key.nonces.last + 1)
        assert key.nonces.last <= sandbox.now_ms()
        assert sandbox.signed(key, nonce=str(nonce), nonceWindow=False).status_code == 200
