"""Between API Gateway and a use case: what is taken of a request, and what an answer says."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from html import escape
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from fastkey.domain.authorization import AuthorizationResponse
from fastkey.domain.errors import (
    CATALOGUE,
    AccountAlreadyConnected,
    BodyTooLarge,
    FastkeyError,
    InvalidRequest,
    KeyUnusable,
    NotJson,
    Revoked,
    SecretLost,
    StorageUnavailable,
    Unexpected,
    WhiteBitUnavailable,
)
from fastkey.domain.secret import Secret
from fastkey.domain.status import Status
from fastkey.entry.http import (
    BODY_LIMIT,
    Handler,
    Request,
    Response,
    describe,
    endpoint,
    problem,
    redirect,
    set_cookie,
)
from fastkey.entry.model import parsed
from fastkey.entry.page import page, visit
from tests.unit.entry.events import LambdaContext, http_event
from tests.unit.journey import Journey

CANARY = "canary-9f2c"


class Body(Struct, forbid_unknown_fields=True):
    text: Annotated[str, Meta(max_length=100)]
    number: float = 0


def received(event: Mapping[str, Any]) -> Request:
    """The request that a handler makes of the event."""
    return Request(event, timedelta(seconds=29))


# ---- Queries ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("code=a", "a"),
        ("x=1&code=a%20b%2Bc+d&y", "a b+c d"),
        ("code=%F0%9F%94%91", "🔑"),
        ("code=a=b", "a=b"),
        ("code=", None),
        ("CODE=a", None),
        ("", None),
    ],
)
def test_a_parameter_is_read_once_decoded(query: str, value: str | None) -> None:
    found = received(http_event(query=query)).query("code")
    assert (found.reveal() if found else None) == value


@pytest.mark.parametrize(
    "query", ["code=a&code=b", "code=a&code=", "code=%FF", "x=%C0%AF&code=a", "&".join(f"p{i}=1" for i in range(21))]
)
def test_a_query_that_can_be_read_in_two_ways_is_refused(query: str) -> None:
    with pytest.raises(InvalidRequest):
        received(http_event(query=query)).query("code")


def test_a_parameter_that_has_to_be_there_is_missed() -> None:
    with pytest.raises(InvalidRequest):
        received(http_event(query="ticket=")).required("ticket")


@pytest.mark.parametrize(
    ("query", "response"),
    [
        ("state=s&code=c", AuthorizationResponse(Secret("s"), code=Secret("c"))),
        ("error=access_denied&state=s", AuthorizationResponse(Secret("s"), error=Secret("access_denied"))),
        ("iss=i&code=c&state=s", AuthorizationResponse(Secret("s"), code=Secret("c"), issuer=Secret("i"))),
    ],
)
def test_a_browser_comes_back_with_a_state_and_a_code_or_an_error(query: str, response: AuthorizationResponse) -> None:
    assert received(http_event(query=query)).authorization_response() == response


@pytest.mark.parametrize(
    "query",
    [
        "",
        "state=s",
        "code=c",
        "state=&code=c",
        "state=s&code=c&error=e",
        "state=s&code=c&code=d",
        "state=s&state=t&code=c",
        "state=s&code=c&iss=i&iss=j",
    ],
)
def test_no_other_return_is_taken(query: str) -> None:
    with pytest.raises(InvalidRequest):
        received(http_event(query=query)).authorization_response()


# ---- Cookies ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cookies", "value"),
    [
        (["a=1"], "1"),
        (["b=2", " a=1", "aa=3"], "1"),
        (["a=1=2"], "1=2"),
        (["a=1", "a=2"], ""),
        (["a=1", "a=1"], ""),
        (["A=1"], ""),
        (["a"], ""),
        ([], ""),
        (None, ""),
    ],
)
def test_a_cookie_is_there_once_or_not_at_all(cookies: list[str] | None, value: str) -> None:
    assert received(http_event(cookies=cookies)).cookie("a").reveal() == value


def test_a_cookie_comes_back_to_this_host_only_and_no_script_sees_it() -> None:
    cookie = set_cookie("__Host-fastkey-1", Secret("value"), max_age=600)
    assert cookie == "__Host-fastkey-1=value; Max-Age=600; Path=/; Secure; HttpOnly; SameSite=Lax"


# ---- Bodies ----------------------------------------------------------------------------------------------------------


def read(body: str | bytes | None, **event: Any) -> str:
    return parsed(received(http_event(body=body, **event)).body(), Body).text


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=utf-8", "application/json "])
def test_a_body_is_json(content_type: str) -> None:
    assert read('{"text": "a"}', content_type=content_type) == "a"


def test_a_body_may_come_in_base64() -> None:
    assert read('{"text": "ü"}'.encode()) == "ü"


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/jsonp", "application/x-www-form-urlencoded"])
def test_a_body_of_another_type_is_refused(content_type: str) -> None:
    with pytest.raises(NotJson):
        read('{"text": "a"}', content_type=content_type)


@pytest.mark.parametrize(
    "body",
    [
        None,
        "",
        CANARY,
        "null",
        "[]",
        '"text"',
        "{}",
        '{"text": null}',
        '{"text": 1}',
        '{"text": ["a"]}',
        '{"text": "a", "more": 1}',
        '{"text": "a", "text": "b"}',
        '{"text": "a"} x',
        "{'text': 'a'}",
        '{"text": "a", "number": NaN}',
        '{"text": "a", "number": Infinity}',
        '{"text": "a", "number": -Infinity}',
        '{"text": ' + "[" * 10_000,
        '{"text": ' + "[" * 8_000 + "]" * 8_000 + "}",
        '{"more": ' + "9" * 5_000 + "}",
        json.dumps({"text": "a" * 101}),
        b'{"text": "\xff"}',
        b"\x00\x01\x02",
    ],
)
def test_a_body_of_another_form_is_refused(body: str | bytes | None) -> None:
    with pytest.raises(InvalidRequest):
        read(body)


def test_base64_that_is_none_is_refused() -> None:
    event = http_event(body="a") | {"isBase64Encoded": True}
    with pytest.raises(InvalidRequest):
        parsed(received(event).body(), Body)


@pytest.mark.parametrize("binary", [False, True])
def test_a_body_has_sixteen_kibibytes_at_most(binary: bool) -> None:
    fits = '{"text": "a"}' + " " * (BODY_LIMIT - 13)
    assert read(fits.encode() if binary else fits) == "a"
    with pytest.raises(BodyTooLarge):
        read((fits + " ").encode() if binary else fits + " ")


def test_the_limit_counts_bytes_and_not_characters() -> None:
    with pytest.raises(BodyTooLarge):
        read("ü" * (BODY_LIMIT // 2 + 1))


@given(st.text())
def test_no_body_breaks_the_reader(body: str) -> None:
    with pytest.raises((InvalidRequest, BodyTooLarge)):
        read(body)


# ---- Users -----------------------------------------------------------------------------------------------------------


def test_the_user_is_the_subject_of_the_token() -> None:
    assert received(http_event(user_id="user-1")).user_id == "user-1"


@pytest.mark.parametrize("event", [http_event(user_id=""), http_event(user_id=None), http_event(user_id="x" * 256)])
def test_without_a_subject_there_is_no_user(event: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        _ = received(event).user_id


# ---- Answers ---------------------------------------------------------------------------------------------------------

HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


@pytest.mark.parametrize(
    "response", [Response(200, {}), redirect(303, Secret("https://x.example")), problem(KeyUnusable(), "1")]
)
def test_every_answer_forbids_to_keep_it_and_to_pass_its_address_on(response: Response) -> None:
    headers = response.to_payload()["headers"]
    assert HEADERS.items() <= headers.items()


def test_a_redirect_has_a_place_to_go_and_nothing_to_read() -> None:
    payload = redirect(302, Secret("https://x.example/?a=1"), "a=1", "b=2").to_payload()
    assert (payload["statusCode"], payload["headers"]["Location"]) == (302, "https://x.example/?a=1")
    assert (payload["cookies"], payload["body"]) == (["a=1", "b=2"], "")


@pytest.mark.parametrize("error", CATALOGUE.values(), ids=CATALOGUE)
def test_a_person_is_shown_the_words_of_a_problem_and_no_markup_of_anybodys(error: type[FastkeyError]) -> None:
    payload, told = page(error(), "<request>").to_payload(), problem(error(), "<request>").to_payload()
    assert payload["statusCode"] == error.http_status
    assert payload["headers"] == told["headers"] | {"Content-Type": "text/html; charset=utf-8"}
    assert f"<p>{escape(error.text)}</p>" in payload["body"]
    assert "<request>" not in payload["body"]


NAVIGATION = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def refused(handle: Callable[[Callable[[Request], Response]], Handler], accept: str | None) -> str:
    """The media type of a refusal, to whoever accepts this."""

    def refuse(_: Request) -> Response:
        raise InvalidRequest

    event = http_event()
    event["headers"] |= {"accept": accept} if accept is not None else {}
    return str(handle(refuse)(event, LambdaContext())["headers"]["Content-Type"])


@pytest.mark.parametrize(
    "accept", [NAVIGATION, "text/html", "application/json, Text/HTML;level=1", "text/html;q=0.001", "a/b;q=0,text/html"]
)
def test_a_browser_that_asks_for_a_page_gets_one(accept: str) -> None:
    assert refused(visit, accept) == "text/html; charset=utf-8"
    assert refused(endpoint, accept) == "application/problem+json"


@pytest.mark.parametrize(
    "accept",
    [
        None,
        "",
        "*/*",
        "application/json",
        "text/html;q=0",
        "text/html; q=0.000, */*",
        "TEXT/HTML;level=1;Q=0.",
        "text/html+xml",
        "application/x;a=text/html",
        "text/htmlx",
    ],
)
def test_who_asks_for_no_page_gets_a_problem(accept: str | None) -> None:
    assert refused(visit, accept) == "application/problem+json"


@pytest.mark.parametrize("error", CATALOGUE.values(), ids=CATALOGUE)
def test_a_problem_has_the_form_of_the_rfc(error: type[FastkeyError]) -> None:
    """RFC 9457, section 3.1."""
    payload = problem(error(), "request-1").to_payload()
    assert payload["statusCode"] == error.http_status
    assert payload["headers"]["Content-Type"] == "application/problem+json"
    assert payload["headers"].get("Retry-After") == (str(error.retry_after) if error.retryable else None)
    assert json.loads(payload["body"]) == {
        "type": f"urn:fastkey:problem:{error.code}",
        "title": error.text,
        "status": error.http_status,
        "instance": "urn:fastkey:request:request-1",
    }


def test_a_visit_that_nobody_foresaw_says_nothing_of_itself_on_its_page() -> None:
    def answer(_: Request) -> Response:
        raise ValueError(CANARY)

    event = http_event(query=f"code={CANARY}")
    event["headers"]["accept"] = NAVIGATION
    payload = visit(answer)(event, LambdaContext)
    assert payload["statusCode"] == 500
    assert escape(Unexpected.text) in payload["body"]
    assert CANARY not in json.dumps(payload)


@pytest.mark.parametrize("raised", [ValueError(CANARY), KeyError(CANARY), RecursionError(CANARY)])
def test_what_nobody_foresaw_says_nothing_of_itself(raised: Exception) -> None:
    def answer(_: Request) -> Response:
        raise raised

    payload = endpoint(answer)(http_event(query=f"code={CANARY}"), LambdaContext)
    assert payload["statusCode"] == 500
    assert json.loads(payload["body"])["type"] == "urn:fastkey:problem:unexpected"
    assert CANARY not in json.dumps(payload)


# ---- Connections -----------------------------------------------------------------------------------------------------


def test_a_user_sees_what_a_frontend_can_act_on_and_no_more(journey: Journey) -> None:
    shown = describe(journey.activate().connection)
    assert shown == {
        "connection_id": journey.connection_id,
        "status": "active",
        "step": "active",
        "reason": None,
        "detail": None,
        "access": {"read": False, "trade": True, "withdraw": False},
        "permissions": ["trading"],
        "created_at": "2026-01-01T00:00:00+00:00",
        "updated_at": "2026-01-01T00:00:00+00:00",
        "key_lives_until": None,
    }


def test_an_end_is_explained(journey: Journey) -> None:
    journey.claim().delete(SecretLost)
    shown = describe(journey.connection)
    assert (shown["status"], shown["reason"]) == ("needs_consent", "secret_lost")
    assert shown["detail"].startswith(SecretLost.text)


# What a connection can end with, in a way that leaves nothing to do for the user at WhiteBIT, as far as is known.
LEFT = {Status.FAILED, Status.EXPIRED, Status.NEEDS_CONSENT}
ENDED = [error for error in CATALOGUE.values() if "ends" in vars(error) and error.ends in LEFT]


@pytest.mark.parametrize("error", [*ENDED, StorageUnavailable, Unexpected, WhiteBitUnavailable])
def test_who_may_find_a_key_later_is_told_what_to_do(journey: Journey, error: type[FastkeyError]) -> None:
    """But for a key that is another connection's."""
    ended = replace(journey.start().connection, status=error.ends, reason=error.code)
    tells = "dashboard" in (describe(ended)["detail"] or "")
    assert tells is not (error is AccountAlreadyConnected)


def test_an_end_that_came_out_otherwise_is_not_told_as_if_it_had_not(journey: Journey) -> None:
    journey.claim().delete(SecretLost, leave_to_user=True)
    shown = describe(journey.connection)
    assert (shown["status"], shown["reason"]) == ("needs_user_action", "secret_lost")
    assert "has been deleted" not in shown["detail"]
    assert shown["key_lives_until"] == "2026-01-15T00:00:00+00:00"


def test_a_revocation_that_whitebit_has_not_confirmed_says_so_and_until_when_the_key_can_live(journey: Journey) -> None:
    shown = describe(journey.activate().revoke())
    assert (shown["status"], shown["reason"]) == ("revoking", "revoked")
    assert "has not confirmed" in shown["detail"]
    assert shown["key_lives_until"] == "2026-01-15T00:00:00+00:00"


def test_a_revocation_that_whitebit_has_confirmed_says_so(journey: Journey) -> None:
    journey.activate().revoke()
    shown = describe(journey.delete(Revoked))
    assert (shown["status"], shown["key_lives_until"]) == ("revoked", None)
    assert "has confirmed" in shown["detail"]


def test_a_revocation_of_which_whitebit_knows_nothing_does_not_claim_its_word(journey: Journey) -> None:
    shown = describe(journey.start().revoke())
    assert (shown["status"], shown["detail"]) == ("revoked", Revoked.text)
