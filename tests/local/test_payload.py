"""Payload format 2.0, both ways.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import base64
import re
from typing import Any

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from local.gateway.api import JwtRule, Route
from local.gateway.payload import MalformedResultError, answer_of, event_of

Event = dict[str, Any]


def event(
    path: str = "/items/1",
    *,
    query: str = "",
    headers: list[tuple[str, str]] | None = None,
    body: str | bytes = b"",
    method: str = "POST",
    parameters: dict[str, str] | None = None,
    claims: dict[str, object] | None = None,
    scopes: tuple[str, ...] = (),
) -> Event:
    builder = EnvironBuilder(path=path, query_string=query, headers=headers, data=body, method=method)
    environ = builder.get_environ() | {"REMOTE_ADDR": "192.0.2.7"}
    jwt = JwtRule("http://issuer.example", ("shop",), "Authorization", scopes)
    route = Route(method, "/items/{id}", "arn", 30, jwt if claims is not None else None)
    return event_of(Request(environ), route, parameters or {}, claims, "api", "request-1")


@pytest.mark.parametrize(
    ("request_parts", "name", "expected"),
    [
        ({}, "version", "2.0"),
        ({}, "routeKey", "POST /items/{id}"),
        ({"path": "/items/a%20b%C3%A9"}, "rawPath", "/items/a bé"),
        ({"query": "a=1&a=2&b=%2B+c&d="}, "rawQueryString", "a=1&a=2&b=%2B+c&d="),
        ({"query": "a=1&a=2&b=%2B+c&d="}, "queryStringParameters", {"a": "1,2", "b": "+ c", "d": ""}),
        ({"query": ""}, "rawQueryString", ""),
        ({"query": ""}, "queryStringParameters", None),
        ({"headers": [("Cookie", "a=1; __Host-b=2==;c=3")]}, "cookies", ["a=1", "__Host-b=2==", "c=3"]),
        ({}, "cookies", None),
        ({"parameters": {"id": "a b"}}, "pathParameters", {"id": "a b"}),
        ({}, "pathParameters", None),
        ({}, "body", None),
        ({}, "isBase64Encoded", False),
    ],
)
def test_a_request_becomes_an_event(request_parts: dict[str, Any], name: str, expected: object) -> None:
    assert event(**request_parts).get(name) == expected


# Which content types are text was seen on API Gateway itself: https://github.com/ministackorg/ministack/pull/766
@pytest.mark.parametrize(
    ("content_type", "is_text"),
    [
        ("application/json", True),
        ("application/json; charset=utf-8", True),
        ("application/xml", True),
        ("application/javascript", True),
        ("text/plain", True),
        ("text/html; charset=utf-8", True),
        ("application/x-www-form-urlencoded", False),
        ("multipart/form-data; boundary=x", False),
        ("application/problem+json", False),
        ("application/octet-stream", False),
        (None, False),
    ],
)
def test_a_body_that_is_not_text_is_base64(content_type: str | None, is_text: bool) -> None:
    made = event(headers=[("Content-Type", content_type)] if content_type else [], body=b'{"a": "\xc3\xa9"}')
    assert made["isBase64Encoded"] is not is_text
    assert made["body"] == ('{"a": "é"}' if is_text else base64.b64encode(b'{"a": "\xc3\xa9"}').decode())


def test_headers_are_lower_case_without_cookies_and_with_those_of_the_gateway() -> None:
    headers = event(headers=[("X-One", "1"), ("X-Two", "a,b"), ("Cookie", "a=1"), ("X-Forwarded-For", "10.0.0.1")])[
        "headers"
    ]
    assert (headers["x-one"], headers["x-two"]) == ("1", "a,b")
    assert "cookie" not in headers
    assert headers["x-forwarded-for"] == "10.0.0.1, 192.0.2.7"
    assert (headers["x-forwarded-port"], headers["x-forwarded-proto"]) == ("80", "http")
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", headers["x-amzn-trace-id"])


def test_the_request_context_tells_who_asks_for_what() -> None:
    context = event("/items/1", headers=[("User-Agent", "tests"), ("X-Forwarded-For", "10.0.0.1")])["requestContext"]
    assert context["http"] == {
        "method": "POST",
        "path": "/items/1",
        "protocol": "HTTP/1.1",
        "sourceIp": "192.0.2.7",
        "userAgent": "tests",
    }
    assert (context["accountId"], context["apiId"], context["requestId"]) == ("123456789012", "api", "request-1")
    assert (context["routeKey"], context["stage"]) == ("POST /items/{id}", "$default")
    assert (context["domainName"], context["domainPrefix"]) == ("localhost", "localhost")
    assert re.fullmatch(r"\d{2}/[A-Z][a-z]{2}/\d{4}:\d{2}:\d{2}:\d{2} \+0000", context["time"])
    assert isinstance(context["timeEpoch"], int)
    assert "authorizer" not in context


@pytest.mark.parametrize(
    ("claim", "text"),
    [
        ("ada", "ada"),
        (1700000000, "1700000000"),
        (True, "true"),
        (["admin", "till 2"], "[admin till 2]"),
        (None, "null"),
        ({"a": 1}, '{"a": 1}'),
    ],
)
def test_a_claim_is_a_text_in_the_event(claim: object, text: str) -> None:
    jwt = event(claims={"sub": "ada", "claim": claim})["requestContext"]["authorizer"]["jwt"]
    assert jwt == {"claims": {"sub": "ada", "claim": text}, "scopes": None}


def test_the_scopes_of_a_route_are_in_the_event() -> None:
    assert event(claims={}, scopes=("a", "b"))["requestContext"]["authorizer"]["jwt"]["scopes"] == ["a", "b"]


def test_a_full_result_becomes_an_answer() -> None:
    answer = answer_of(
        {
            "statusCode": 303,
            "headers": {"location": "https://shop.example/a?b=c", "x-count": 3},
            "cookies": ["a=1; Path=/; HttpOnly", "b=2"],
            "body": "gone",
        }
    )
    assert (answer.status_code, answer.get_data(as_text=True)) == (303, "gone")
    assert answer.headers["Location"] == "https://shop.example/a?b=c"
    assert answer.headers["X-Count"] == "3"
    assert answer.headers.getlist("Set-Cookie") == ["a=1; Path=/; HttpOnly", "b=2"]
    assert answer.headers["Content-Type"] == "text/plain;charset=UTF-8"


@pytest.mark.parametrize(
    ("result", "status", "content_type", "body"),
    [
        ({"statusCode": 204}, 204, "text/plain;charset=UTF-8", b""),
        ({"statusCode": 200, "body": None, "headers": None}, 200, "text/plain;charset=UTF-8", b""),
        ({"statusCode": 200, "headers": {"Content-Type": "a/b"}, "body": "x"}, 200, "a/b", b"x"),
        ({"statusCode": 200, "body": "AP8=", "isBase64Encoded": True}, 200, "text/plain;charset=UTF-8", b"\x00\xff"),
        ({"hello": "world"}, 200, "application/json", b'{"hello": "world"}'),
        ("Hello", 200, "application/json", b"Hello"),
        ([1, 2], 200, "application/json", b"[1, 2]"),
    ],
)
def test_a_result_becomes_an_answer(result: object, status: int, content_type: str, body: bytes) -> None:
    answer = answer_of(result)
    assert (answer.status_code, answer.headers["Content-Type"], answer.get_data()) == (status, content_type, body)


@pytest.mark.parametrize(
    "result",
    [
        {"statusCode": "nonsense"},
        {"statusCode": 200, "body": {"not": "text"}},
        {"statusCode": 200, "headers": ["a"]},
        {"statusCode": 200, "body": "not base64!", "isBase64Encoded": True},
    ],
)
def test_a_malformed_result_is_refused(result: object) -> None:
    with pytest.raises(MalformedResultError):
        answer_of(result)
