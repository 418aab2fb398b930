"""Pages of other origins: what a browser lets them read is what the gateway says of them."""

from collections.abc import Mapping

import pytest

from tests.attack.table import Stage, call, get
from tests.attack.wire import Answer, Sent

OTHERS = {
    "another": "https://evil.example",
    "null": "null",
    "a prefix": "$scheme://$authority.evil.example",
    "a suffix": "$scheme://evil$authority",
    "a subdomain": "$scheme://evil.$authority",
    "the other scheme": "https://$authority",
    "another port": "$scheme://$host:1",
    "no port": "$scheme://$host",
    "a longer port": "$scheme://${authority}0",
    "capitals": "$SCHEME://$authority",
    "a slash": "$scheme://$authority/",
    "a user": "$scheme://$authority@evil.example",
    "two": "$scheme://$authority https://evil.example",
    "the gateway's own": "$gateway",
    "an asterisk": "*",
    "nothing": "",
}

ALLOWED = "$scheme://$authority"

ROUTES = {
    "a start": call("POST", "/connections", "{}"),
    "a list": call("GET", "/connections"),
    "a look": call("GET", "/connections/$my_id"),
    "a refusal by the gateway": get("/connections"),
    "a path that is none": get("/nothing"),
    "the visit": get("/authorize"),
    "the return": get("/callback?state=$state&code=1"),
}


def said(answer: Answer) -> Mapping[str, str]:
    """What the answer says to a browser of CORS."""
    prefix = "access-control-"
    named = {name.lower(): value for name, value in answer.headers.items()}
    return {name.removeprefix(prefix): value for name, value in named.items() if name.startswith(prefix)}


def of_origin(origin: str, sent: Sent) -> Sent:
    return Sent(sent.method, sent.target, (*sent.headers, ("Origin", origin)), sent.body)


def preflight(origin: str, method: str, path: str, headers: str = "authorization,content-type") -> Sent:
    asked = (("Access-Control-Request-Method", method), ("Access-Control-Request-Headers", headers))
    return of_origin(origin, Sent("OPTIONS", path, asked))


@pytest.mark.parametrize("origin", OTHERS.values(), ids=OTHERS)
def test_a_page_of_another_origin_reads_nothing_and_is_promised_nothing(origin: str, stage: Stage) -> None:
    assert [said(stage.send(of_origin(origin, sent))) for sent in ROUTES.values()] == [{}] * len(ROUTES)
    assert said(stage.send(preflight(origin, "DELETE", "/connections/$id"))) == {}


@pytest.mark.parametrize("sent", ROUTES.values(), ids=ROUTES)
def test_the_partners_page_reads_what_it_asks_for_and_never_with_the_browsers_cookies(sent: Sent, stage: Stage) -> None:
    """Without allow-credentials a browser keeps from the page whatever was asked for with cookies."""
    assert said(stage.send(of_origin(ALLOWED, sent))) == {"allow-origin": origin_of(stage)}


def test_the_partners_page_is_promised_the_apis_methods_and_headers_and_no_more(stage: Stage) -> None:
    for method, path in (("DELETE", "/connections/$id"), ("PUT", "/connections"), ("GET", "/callback")):
        answer = stage.send(preflight(ALLOWED, method, path, "authorization,x-evil"))
        assert (answer.status, answer.text) == (204, "")
        assert said(answer) == {
            "allow-origin": origin_of(stage),
            "allow-methods": "GET,POST,DELETE",
            "allow-headers": "authorization,content-type",
            "max-age": "600",
        }


def test_a_preflight_does_nothing(stage: Stage) -> None:
    before = stage.books.read()
    stage.send(preflight(ALLOWED, "DELETE", "/connections/$id"))
    stage.send(preflight(ALLOWED, "GET", "/authorize?ticket=$fresh_ticket"))
    assert stage.books.read() == before


def origin_of(stage: Stage) -> str:
    return f"{stage.known['scheme']}://{stage.known['authority']}"
