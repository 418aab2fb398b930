"""The gateway over HTTP, with the fixture's API in front of stand-ins for functions."""

import json
import logging
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa

from local.aws.stack import Stack
from local.functions import Outcome
from local.gateway import Gateway, HttpApi
from local.issuer import Issuer
from local.web import WebServer

Answer = Callable[[str, Any], Outcome]


def outcome(result: object, *, failed: bool = False) -> Outcome:
    return Outcome(json.dumps(result).encode(), failed)


def echo(function: str, event: object) -> Outcome:
    """Answers with the function's ARN and the event."""
    return outcome({"statusCode": 200, "body": json.dumps({"function": function, "event": event})})


@pytest.fixture(scope="module")
def api(stack: Stack) -> HttpApi:
    return HttpApi.parse("api", stack.apis["Api"])


@pytest.fixture
def serve(api: HttpApi) -> Iterator[Callable[[Answer], str]]:
    servers: list[WebServer] = []

    def start(invoke: Answer) -> str:
        servers.append(WebServer("127.0.0.1", 0))
        servers[-1].start(Gateway(api, invoke))
        return servers[-1].url

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def gateway(serve: Callable[[Answer], str]) -> str:
    return serve(echo)


@pytest.mark.parametrize(
    ("method", "path", "route", "parameters"),
    [
        ("GET", "/items/1", "GET /items/{id}", {"id": "1"}),
        ("GET", "/items/a%20b", "GET /items/{id}", {"id": "a b"}),
        ("GET", "/items/best", "GET /items/best", None),
        ("DELETE", "/open/a/b", "ANY /open/{rest+}", {"rest": "a/b"}),
        ("POST", "/items/1", None, None),
        ("GET", "/items/1/2", None, None),
        ("GET", "/items/", None, None),
        ("GET", "/open/", None, None),
        ("GET", "/", None, None),
        ("GET", "/items//best", None, None),
        ("HEAD", "/items/best", None, None),
    ],
)
def test_a_request_goes_to_its_route(
    gateway: str, issuer: Issuer, method: str, path: str, route: str | None, parameters: dict[str, str] | None
) -> None:
    answer = requests.request(method, gateway + path, headers={"Authorization": issuer.token("ada")}, timeout=5)
    if route is None:
        assert (answer.status_code, answer.text) == (404, "" if method == "HEAD" else '{"message":"Not Found"}')
    else:
        event = answer.json()["event"]
        assert (event["routeKey"], event.get("pathParameters")) == (route, parameters)


@pytest.mark.parametrize("path", ["//items/best", "///items/best", "/items/../items/best", "/./items/best"])
def test_a_path_is_taken_as_it_came(gateway: str, path: str) -> None:
    """Without requests, which would tidy it up."""
    connection = HTTPConnection(gateway.removeprefix("http://"), timeout=5)
    connection.request("GET", path)
    assert connection.getresponse().status == 404
    connection.close()


def test_cookies_in_two_headers_are_all_there(gateway: str) -> None:
    connection = HTTPConnection(gateway.removeprefix("http://"), timeout=5)
    connection.putrequest("GET", "/items/best")
    connection.putheader("Cookie", "a=1; b=2")
    connection.putheader("Cookie", "a=3")
    connection.endheaders()
    assert json.loads(connection.getresponse().read())["event"]["cookies"] == ["a=1", "b=2", "a=3"]
    connection.close()


def test_a_route_invokes_its_function(gateway: str, stack: Stack) -> None:
    answer = requests.get(f"{gateway}/items/best", timeout=5)
    assert answer.json()["function"] == stack.functions["Echo"].arn


def test_cookies_are_returned_each_in_its_own_header(serve: Callable[[Answer], str]) -> None:
    url = serve(lambda *_: outcome({"statusCode": 302, "headers": {"location": "/x"}, "cookies": ["a=1", "b=2"]}))
    answer = requests.get(f"{url}/items/best", allow_redirects=False, timeout=5)
    assert (answer.status_code, answer.headers["location"]) == (302, "/x")
    assert {cookie.name: cookie.value for cookie in answer.cookies} == {"a": "1", "b": "2"}


# ---- JWT ---------------------------------------------------------------------------------------------------------

STRANGERS_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def forged(issuer: Issuer, algorithm: str, key: Any, **headers: object) -> str:
    claims = {"iss": issuer.url, "sub": "eve", "aud": "shop", "iat": time.time(), "exp": time.time() + 60}
    return jwt.encode(claims, key, algorithm, headers={"kid": "local", **headers})


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({}, 200),
        ({"aud": "tills"}, 200),
        ({"aud": ["other", "shop"]}, 200),
        ({"aud": None, "client_id": "shop"}, 200),
        ({"nbf": 0, "iat": None}, 200),
        ({"aud": "other"}, 401),
        ({"aud": "other", "client_id": "shop"}, 401),
        ({"aud": None}, 401),
        ({"iss": "http://evil.example"}, 401),
        ({"iss": None}, 401),
        ({"exp": 1}, 401),
        ({"exp": None}, 401),
        ({"nbf": 99999999999}, 401),
        ({"iat": 99999999999}, 401),
    ],
)
def test_a_tokens_claims_are_checked(gateway: str, issuer: Issuer, claims: dict[str, object], expected: int) -> None:
    headers = {"Authorization": f"Bearer {issuer.token('ada', **claims)}"}
    assert requests.get(f"{gateway}/items/1", headers=headers, timeout=5).status_code == expected


@pytest.mark.parametrize(
    "authorization",
    [
        lambda issuer: "",
        lambda issuer: "Bearer",
        lambda issuer: "Bearer nonsense",
        lambda issuer: "Basic YTpi",
        lambda issuer: forged(issuer, "none", None),
        lambda issuer: forged(issuer, "HS256", "a secret that is long enough for HS256"),
        lambda issuer: forged(issuer, "RS256", STRANGERS_KEY),
        lambda issuer: forged(issuer, "RS256", STRANGERS_KEY, kid="strange"),
        lambda issuer: issuer.token("ada")[:-8] + "AAAAAAAA",
    ],
)
def test_a_request_without_a_token_that_holds_is_refused(
    gateway: str, issuer: Issuer, authorization: Callable[[Issuer], str]
) -> None:
    answer = requests.get(f"{gateway}/items/1", headers={"Authorization": authorization(issuer)}, timeout=5)
    assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_the_refusal_says_what_is_wrong(gateway: str, issuer: Issuer) -> None:
    headers = {"Authorization": issuer.token("ada", aud="other")}
    answer = requests.get(f"{gateway}/items/1", headers=headers, timeout=5)
    assert answer.headers["www-authenticate"] == (
        'Bearer scope="" error="invalid_token" error_description="the token does not have a valid audience"'
    )


def test_claims_reach_the_function(gateway: str, issuer: Issuer) -> None:
    headers = {"Authorization": issuer.token("ada", roles=["a", "b"])}
    event = requests.get(f"{gateway}/items/1", headers=headers, timeout=5).json()["event"]
    claims = event["requestContext"]["authorizer"]["jwt"]["claims"]
    assert (claims["sub"], claims["roles"]) == ("ada", "[a b]")


def test_a_route_without_authorizer_needs_no_token(gateway: str) -> None:
    assert "authorizer" not in requests.get(f"{gateway}/items/best", timeout=5).json()["event"]["requestContext"]


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"scope": "stock.read stock.write"}, 200),
        ({"scp": ["stock.write"]}, 200),
        ({"scope": "stock.read"}, 403),
        ({}, 403),
    ],
)
def test_a_route_with_scopes_wants_one_of_them(
    gateway: str, issuer: Issuer, claims: dict[str, object], status: int
) -> None:
    headers = {"Authorization": issuer.token("ada", **claims)}
    assert requests.put(f"{gateway}/stock", headers=headers, timeout=5).status_code == status


# ---- CORS --------------------------------------------------------------------------------------------------------


def cors_headers(answer: requests.Response) -> dict[str, str]:
    prefix = "access-control-"
    return {
        name.lower().removeprefix(prefix): value
        for name, value in answer.headers.items()
        if name.lower().startswith(prefix)
    }


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        (
            "https://till.example",
            {
                "allow-origin": "https://till.example",
                "allow-methods": "GET,PUT",
                "allow-headers": "authorization",
                "max-age": "60",
            },
        ),
        ("https://evil.example", {}),
        ("https://till.example.evil.example", {}),
        ("null", {}),
    ],
)
def test_the_gateway_answers_preflight_requests(gateway: str, origin: str, expected: dict[str, str]) -> None:
    headers = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
    answer = requests.options(f"{gateway}/stock", headers=headers, timeout=5)
    assert (answer.status_code, answer.content) == (204, b"")
    assert cors_headers(answer) == expected


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("https://shop.example", {"allow-origin": "https://shop.example", "expose-headers": "x-total"}),
        ("https://evil.example", {}),
        (None, {}),
    ],
)
def test_only_an_allowed_origin_may_read_an_answer(
    serve: Callable[[Answer], str], origin: str | None, expected: dict[str, str]
) -> None:
    url = serve(lambda *_: outcome({"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "*"}}))
    answer = requests.get(f"{url}/items/best", headers={"Origin": origin} if origin else {}, timeout=5)
    assert cors_headers(answer) == expected


def test_a_refusal_can_be_read_by_an_allowed_origin(gateway: str) -> None:
    answer = requests.get(f"{gateway}/items/1", headers={"Origin": "https://shop.example"}, timeout=5)
    assert answer.status_code == 401
    assert cors_headers(answer)["allow-origin"] == "https://shop.example"


# ---- Limits and failures -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "result",
    [
        outcome({"errorType": "ValueError", "errorMessage": "m"}, failed=True),
        outcome({"errorType": "Sandbox.Timedout", "errorMessage": "m"}, failed=True),
        outcome({"statusCode": 200, "body": 5}),
    ],
)
def test_a_function_that_fails_is_an_internal_error(serve: Callable[[Answer], str], result: Outcome) -> None:
    answer = requests.get(f"{serve(lambda *_: result)}/items/best", timeout=5)
    assert (answer.status_code, answer.json()) == (500, {"message": "Internal Server Error"})


def test_a_function_that_takes_longer_than_the_gateway_waits_is_unavailable(
    api: HttpApi, monkeypatch: pytest.MonkeyPatch, serve: Callable[[Answer], str]
) -> None:
    monkeypatch.setattr("concurrent.futures.Future.result", never_in_time)
    answer = requests.get(f"{serve(echo)}/items/best", timeout=5)
    assert (answer.status_code, answer.json()) == (503, {"message": "Service Unavailable"})


def never_in_time(future: object, timeout: float) -> None:
    assert timeout == 30
    raise TimeoutError


def test_a_body_of_more_than_10_mb_is_refused(gateway: str) -> None:
    answer = requests.post(f"{gateway}/open/x", data=b"a" * (10 * 1024 * 1024 + 1), timeout=5)
    assert (answer.status_code, answer.json()) == (413, {"message": "Request Entity Too Large"})


def test_headers_of_more_than_10_240_bytes_are_refused(gateway: str) -> None:
    assert requests.get(f"{gateway}/items/best", headers={"X-Long": "a" * 9_000}, timeout=5).status_code == 200
    answer = requests.get(f"{gateway}/items/best", headers={"X-Long": "a" * 10_240}, timeout=5)
    assert (answer.status_code, answer.json()) == (431, {"message": "Request Header Fields Too Large"})


def test_the_access_log_has_the_route_and_nothing_that_a_client_sent(
    gateway: str, issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "local")
    canary = "c4n4ry"
    headers = {"Authorization": issuer.token(canary), "Cookie": f"a={canary}", "X-A": canary}
    requests.get(f"{gateway}/items/{canary}?code={canary}", headers=headers, data=canary, timeout=5)
    requests.get(f"{gateway}/{canary}?code={canary}", headers=headers, timeout=5)
    lines = [record.getMessage() for record in caplog.records]
    assert [line.rpartition(" ms")[0].rpartition(" ")[0] for line in lines] == ["GET /items/{id} 200", "GET - 404"]
    assert canary not in caplog.text
