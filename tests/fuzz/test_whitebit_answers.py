"""Whatever answers at WhiteBIT's address, the client gives what its port promises or raises an error that it declares;
and what it gives can be used.
"""

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastkey.adapters.whitebit import WhiteBitClient
from fastkey.domain import errors
from fastkey.domain.key import CapturedKey, KeyInfo, KeyState, sign
from fastkey.domain.secret import Secret
from tests.contract.scripted_server import answer
from tests.contract.whitebit_calls import CALLS, KEY, KEY_ID, TOKEN
from tests.fakes.system import SEAL_LIMIT, FakeClock
from tests.fuzz.drawn import CANARY, FUZZ, documents, refusal

# What the port declares, and the one that a call has besides.
DECLARED = {errors.WhiteBitUnavailable, errors.UnexpectedAnswer}
BEARER = {*DECLARED, errors.ConsentLost}
READ = {*DECLARED, errors.WhiteBitBusy, errors.PermissionMissing, errors.InvalidRequest}
RAISED = {
    "exchange_code": {*DECLARED, errors.ExchangeRefused},
    "refresh_token": BEARER,
    "key_info": BEARER,
    "read_secret": {*BEARER, errors.SecretLost, errors.SecretLocked, errors.KeyGone},
    "delete_key": {*BEARER, errors.KeyGone},
    "try_key": {*DECLARED, errors.KeyUnusable},
    "read_signed": {*READ, errors.KeyUnusable},
    "read_by_token": {*READ, errors.ConsentLost},
}

# Answers of the contract, some part of which is something else.
any_text = (
    st.text() | st.text(min_size=1).map(lambda text: f"{CANARY}{text}") | st.just("\ud800") | st.just("a\r\nb: c")
)
anything = any_text | documents


def spoilt(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """The fields, each of which may be anything, or missing."""
    return st.fixed_dictionaries({}, optional={name: strategy | anything for name, strategy in fields.items()})


groups = spoilt(name=any_text, title=any_text, urls=st.lists(spoilt(url=any_text, enable=st.booleans())))
grants = spoilt(access_token=any_text, expires_in=st.integers(), refresh_token=st.none() | any_text)
infos = spoilt(
    exists=st.booleans(), isEnabled=st.booleans(), externalId=st.none() | any_text, permissions=st.lists(groups)
)
data = grants | infos | spoilt(apiSecret=any_text) | spoilt(message=st.lists(any_text))
bodies = anything | st.fixed_dictionaries({"data": data | anything}) | spoilt(code=st.integers(), message=any_text)
statuses = st.sampled_from([200, 200, 200, 201, 204, 301, 302, 400, 401, 403, 404, 409, 422, 423, 429, 500, 503])
answers = st.builds(answer, statuses, bodies)

# What is hardly HTTP.
heads = st.sampled_from([b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200\r\n", b"HTTP/0.9 1\r\n", b"HTTP/1.1 -1 x\r\n", b""])
headers = st.lists(
    st.sampled_from(
        [
            b"Content-Length: 2",
            b"Content-Length: -1",
            b"Content-Length: 2, 3",
            b"Content-Length: x",
            b"Transfer-Encoding: chunked",
            b"Content-Encoding: gzip",
            b"Content-Encoding: deflate",
            b"Content-Type: \xff",
            b"Location: //elsewhere.example",
            b": no name",
            b"no colon",
            b"X: " + b"x" * 70_000,
        ]
    ),
    max_size=4,
).map(lambda lines: b"".join(line + b"\r\n" for line in lines) + b"\r\n")
rests = st.binary() | st.sampled_from(
    [
        b"{}",
        b'5\r\n{"a":\r\n',
        b"2\r\n{}\r\n0\r\n\r\n",
        b"ffffffffffffffff\r\n",
        b'{\r\n"apiSecret": "%b"}\r\n\r\n' % CANARY.encode(),
    ]
)
wire = st.builds(b"".join, st.tuples(heads, headers | st.just(b""), rests)) | st.binary(min_size=1)


class Wire(io.BytesIO):
    """Stands in for a socket, from which comes what it was given, whatever is sent."""

    def sendall(self, octets: bytes) -> None:
        """Nobody reads it."""

    def makefile(self, *_: object) -> io.BytesIO:
        return io.BytesIO(self.getvalue())

    def settimeout(self, _: object) -> None:
        """Nothing is waited for."""


class Line:
    """A client of WhiteBIT, and what answers it."""

    def __init__(self) -> None:
        self.wires: list[Wire] = []
        self.client = WhiteBitClient("http://whitebit.example", "client", lambda: Secret("client-secret"), FakeClock())
        self.client.prepare()
        self._came = b""

    def __repr__(self) -> str:
        return "line"

    def say(self, came: bytes) -> None:
        """From here on this is the answer, on new connections."""
        self.client._http.clear()
        self.wires.clear()
        self._came = came

    def connect(self, _: object) -> Wire:
        self.wires.append(Wire(self._came))
        return self.wires[-1]


@pytest.fixture(scope="module")
def line() -> Iterator[Line]:
    line = Line()
    with patch("urllib3.connection.HTTPConnection._new_conn", lambda connection: line.connect(connection)):
        yield line


@pytest.mark.parametrize("name", CALLS)
def test_no_connection_is_used_again_though_the_other_side_would_keep_it(line: Line, name: str) -> None:
    """RFC 9112, section 9.6: after it has said `Connection: close`, a client sends no more on that connection."""
    line.say(answer(200, {"data": []}))
    refusal(lambda: CALLS[name](line.client))
    assert [wire.closed for wire in line.wires] == [True]


@pytest.mark.parametrize("name", CALLS)
@FUZZ
@given(came=answers)
def test_an_answer_is_read_or_refused(line: Line, name: str, came: bytes) -> None:
    line.say(came)
    error = refusal(lambda: CALLS[name](line.client))
    assert error is None or type(error) in RAISED[name]


@pytest.mark.parametrize("name", CALLS)
@FUZZ
@given(came=wire)
def test_octets_are_read_or_refused(line: Line, name: str, came: bytes) -> None:
    line.say(came)
    error = refusal(lambda: CALLS[name](line.client))
    assert error is None or type(error) in RAISED[name]


# ---- What was accepted can be used -----------------------------------------------------------------------------------

# A character and how often: long texts are drawn as short ones.
long_texts = st.tuples(st.sampled_from("aé\U0001f511\n"), st.sampled_from([1024, 2048, 4096]))
token_texts = st.text(min_size=1) | st.text(st.characters(codec="ascii"), min_size=1) | long_texts


def text_of(drawn: str | tuple[str, int]) -> str:
    return drawn if isinstance(drawn, str) else drawn[0] * drawn[1]


def grant_of(**fields: Any) -> dict[str, Any]:
    return {"access_token": "a", "expires_in": 300, "token_type": "Bearer", **fields}


@FUZZ
@given(token_texts, st.none() | token_texts)
def test_tokens_that_are_accepted_can_be_sealed_and_sent(
    line: Line, access: str | tuple[str, int], refresh: str | tuple[str, int] | None
) -> None:
    grant = grant_of(access_token=text_of(access), refresh_token=refresh and text_of(refresh))
    line.say(answer(200, {"data": grant}))
    try:
        tokens = line.client.exchange_code(Secret("code"), Secret("verifier"))
    except errors.UnexpectedAnswer:
        return
    for token in filter(None, (tokens.access_token, tokens.refresh_token)):
        assert len(token.reveal().encode()) <= SEAL_LIMIT
    line.say(answer(200, {"data": {"exists": False, "isEnabled": False}}))
    assert line.client.key_info(tokens.access_token) == KeyInfo(KeyState.ABSENT)


@pytest.mark.parametrize("known", ["Bearer", "bearer", "BEARER"])
def test_a_token_is_known_by_its_type_in_whatever_case(line: Line, known: str) -> None:
    line.say(answer(200, {"data": grant_of(token_type=known)}))
    assert line.client.exchange_code(Secret("code"), Secret("verifier")).access_token == Secret("a")


@FUZZ
@given(st.sampled_from(["DPoP", "mac", "N_A", "Bearer ", ""]) | any_text.filter(lambda text: text.lower() != "bearer"))
def test_a_token_of_a_type_that_is_not_known_is_not_used(line: Line, unknown: str) -> None:
    """RFC 6749, section 7.1."""
    line.say(answer(200, {"data": grant_of(token_type=unknown)}))
    with pytest.raises(errors.UnexpectedAnswer):
        line.client.exchange_code(Secret("code"), Secret("verifier"))


@FUZZ
@given(token_texts)
def test_a_secret_that_is_accepted_can_be_sealed_stored_and_signed_with(
    line: Line, drawn: str | tuple[str, int]
) -> None:
    line.say(answer(200, {"data": {"apiSecret": text_of(drawn)}}))
    try:
        secret = line.client.read_secret(TOKEN, KEY_ID)
    except errors.UnexpectedAnswer:
        return
    assert secret == Secret(text_of(drawn))
    assert len(secret.reveal().encode()) <= SEAL_LIMIT
    key = replace(KEY, secret=secret)
    assert CapturedKey.from_json(key.to_json()) == key
    assert sign(key, "/path", 1).headers["X-TXC-SIGNATURE"]


STORED_LIMIT = 65_536  # bytes; of a secret in Secrets Manager


@FUZZ
@given(st.lists(token_texts, max_size=12))
def test_permissions_that_are_accepted_can_be_stored_beside_the_longest_secret(
    line: Line, drawn: list[str | tuple[str, int]]
) -> None:
    names = tuple(map(text_of, drawn))
    permissions = [{"name": name, "urls": [{"url": "/", "enable": True}]} for name in names]
    info = {"exists": True, "isEnabled": True, "externalId": KEY_ID, "permissions": permissions}
    line.say(answer(200, body=json.dumps({"data": info}, ensure_ascii=False).encode()))
    try:
        found = line.client.key_info(TOKEN)
    except errors.UnexpectedAnswer:
        return
    assert found.permissions == names
    key = replace(KEY, secret=Secret("s" * 2048), permissions=names)
    assert len(key.to_json().reveal().encode()) <= STORED_LIMIT
