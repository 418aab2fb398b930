"""The scripted user's cookies, by Chromium's rules."""

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from flask import Flask, Response, request
from werkzeug.serving import make_server

from local.whitebit.server import Server, WithoutLog
from local.whitebit.user import UserAgent, is_loopback


@pytest.fixture(scope="module")
def site() -> Iterator[Server]:
    """/set sets the cookie that the query says; /get shows what comes back."""
    app = Flask("site")

    @app.get("/set")
    def set_cookie() -> Response:
        return Response("set", headers={"Set-Cookie": request.args["cookie"]})

    @app.get("/get")
    def get_cookie() -> str:
        return "; ".join(f"{name}={value}" for name, value in request.cookies.items()) or "none"

    with Server(make_server("127.0.0.1", 0, app, threaded=True, request_handler=WithoutLog)) as running:
        yield running


@pytest.mark.parametrize(
    ("cookie", "returned"),
    [
        ("plain=1; Path=/", "plain=1"),
        ("safe=1; Path=/; Secure; HttpOnly; SameSite=Lax", "safe=1"),
        ("__Host-a=1; Path=/; Secure; HttpOnly", "__Host-a=1"),
        ("__Host-a=1; Path=/", "none"),
        ("__Host-a=1; Secure", "none"),
        ("__Host-a=1; Path=/get; Secure", "none"),
        ("__Host-a=1; Path=/; Secure; Domain=127.0.0.1", "none"),
        ("__Secure-a=1; Path=/", "none"),
        ("__Secure-a=1; Path=/; Secure", "__Secure-a=1"),
    ],
)
def test_a_cookie_is_kept_and_returned_as_a_browser_would(site: Server, cookie: str, returned: str) -> None:
    browser = UserAgent(site.url)
    browser.open(f"{site.url}/set?{urlencode({'cookie': cookie})}")
    browser.open(f"{site.url}/get")
    assert browser.text == browser.http.get(f"{site.url}/get", timeout=5).text == returned


@pytest.mark.parametrize(
    ("url", "sent"), [("http://localhost:1/", True), ("http://127.0.0.1:1/", True), ("http://example.com/", False)]
)
def test_only_loopback_counts_as_secure_without_tls(url: str, sent: bool) -> None:
    assert is_loopback(url) is sent
