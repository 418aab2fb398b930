"""Somebody answers in WhiteBIT's place, or WhiteBIT has lost its mind."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from local.web import WebServer
from tests.attack.conftest import NewJourney
from tests.e2e.journey import Journey, Sandbox


@dataclass(frozen=True, slots=True)
class Call:
    """One of fastkey's calls to WhiteBIT: `route` as the sandbox's journal names it, `path` as a pattern; how a user
    comes to where it is made, and what the user does to have it made.
    """

    method: str
    route: str
    before: Callable[[Journey], object]
    cause: Callable[[Journey], object]

    @property
    def path(self) -> str:
        return self.route.replace("{external_id}", "*")

    def __str__(self) -> str:
        return f"{self.method} {self.route}"


EXCHANGE = Call("POST", "/oauth2/token", lambda user: user.start().visit(), lambda user: user.consent())
INFO = Call("GET", "/oauth2/api-key/info", lambda user: user.consented().create_key(), lambda user: user.complete())
SECRET = Call("GET", "/oauth2/api-key/{external_id}/secret", INFO.before, INFO.cause)
DELETE = Call(
    "DELETE",
    "/oauth2/api-key/{external_id}",
    lambda user: user.connect(),
    lambda user: user.frontend.revoke(user.connection_id),
)

TRAP = "the trap"
MEGABYTE = 1024 * 1024

HTML_500 = {"kind": "status", "status": 500, "body": "<html>oops</html>"}
ELSEWHERE = {"kind": "redirect", "location": TRAP}
ELSEWHERE_AS_IT_IS = {"kind": "redirect", "location": TRAP, "status": 307}
TEN_MEGABYTES = {"kind": "padded", "size": 10 * MEGABYTE}
GZIP_BOMB = {"kind": "padded", "size": 10 * MEGABYTE, "gzip": True}
ENDLESS = {"kind": "endless"}
NULL = {"kind": "body", "body": "null", "content_type": "application/json"}
DEEP = {"kind": "body", "body": "[" * 10_000, "content_type": "application/json"}
ECHO = {"kind": "echo"}
ECHO_400 = {"kind": "echo", "status": 400}

LOST = ("needs_user_action", "exchange_lost")
REFUSED = ("needs_user_action", "exchange_refused")
ACTIVE = ("active", None)
SECRET_LOST = ("needs_consent", "secret_lost")
REVOKED = ("revoked", "revoked")

# What comes, to which call, in which form; how often WhiteBIT gets that call in all, and how the connection ends.
Row = tuple[str, Call, dict[str, Any], int, tuple[str, str | None]]

ANSWERS: list[Row] = [
    ("500 HTML", EXCHANGE, HTML_500, 1, LOST),
    ("302 to elsewhere", EXCHANGE, ELSEWHERE, 1, LOST),
    ("307 to elsewhere", EXCHANGE, ELSEWHERE_AS_IT_IS, 1, LOST),
    ("10 MB", EXCHANGE, TEN_MEGABYTES, 1, LOST),
    ("a gzip bomb", EXCHANGE, GZIP_BOMB, 1, LOST),
    ("no end", EXCHANGE, ENDLESS, 1, LOST),
    ("null", EXCHANGE, NULL, 1, LOST),
    ("depth 10,000", EXCHANGE, DEEP, 1, LOST),
    ("an echo", EXCHANGE, ECHO, 1, LOST),
    ("400 and an echo", EXCHANGE, ECHO_400, 1, REFUSED),
    ("500 HTML", INFO, HTML_500, 2, ACTIVE),
    ("302 to elsewhere", INFO, ELSEWHERE, 2, ACTIVE),
    ("10 MB", INFO, TEN_MEGABYTES, 2, ACTIVE),
    ("null", INFO, NULL, 2, ACTIVE),
    ("an echo", INFO, ECHO, 2, ACTIVE),
    ("500 HTML", SECRET, HTML_500, 2, ACTIVE),
    ("302 to elsewhere", SECRET, ELSEWHERE, 2, ACTIVE),
    ("10 MB", SECRET, TEN_MEGABYTES, 2, SECRET_LOST),
    ("a gzip bomb", SECRET, GZIP_BOMB, 2, SECRET_LOST),
    ("null", SECRET, NULL, 2, SECRET_LOST),
    ("an echo", SECRET, ECHO, 2, SECRET_LOST),
    ("500 HTML", DELETE, HTML_500, 2, REVOKED),
    ("302 to elsewhere", DELETE, ELSEWHERE, 2, REVOKED),
    # Deleted, whatever the answer: seen before it is asked for again.
    ("10 MB", DELETE, TEN_MEGABYTES, 1, REVOKED),
    ("null", DELETE, NULL, 1, REVOKED),
    ("400 and an echo", DELETE, ECHO_400, 1, REVOKED),
]


class Trap:
    """A server elsewhere, which nobody is to come to."""

    def __init__(self, server: WebServer) -> None:
        self.url = f"{server.url}/trap"
        self.visits: list[str] = []
        server.start(Request.application(self._visit))

    def _visit(self, request: Request) -> Response:
        self.visits.append(f"{request.method} {request.full_path}")
        return Response('{"data": {}}', content_type="application/json")


@pytest.fixture(scope="module")
def trap() -> Iterator[Trap]:
    server = WebServer("127.0.0.1", 0)
    yield Trap(server)
    server.close()


@pytest.mark.parametrize("row", ANSWERS, ids=lambda row: f"{row[0]} to {row[1]}")
def test_an_answer_that_is_none_ends_the_connection_or_is_asked_for_again_and_nothing_goes_elsewhere(
    row: Row, journey: NewJourney, sandbox: Sandbox, trap: Trap
) -> None:
    _, call, answer, calls, end = row
    user = journey()
    call.before(user)
    sandbox.forget_calls()
    sandbox.fault(call.method, call.path, **{k: trap.url if v == TRAP else v for k, v in answer.items()})
    call.cause(user)
    ended = user.end()
    assert (ended["status"], ended["reason"]) == end
    assert sandbox.calls(call.method, call.route) == calls
    assert trap.visits == []
    assert len(user.whitebit_keys()) == (1 if end == ACTIVE else 0)
    assert (user.stored() is not None) == (end == ACTIVE)
