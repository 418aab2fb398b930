"""What bad input gets: a problem with a stable type, nothing of the input in it, and nothing lost."""

from collections.abc import Callable

import pytest
import requests

from local.world import World
from tests.e2e.journey import PASSWORD, PERMISSIONS, SECOND_FACTOR, Journey, Sandbox

NewJourney = Callable[..., Journey]

CANARY = "canary-b1f9"


def refused(answer: requests.Response, status: int, code: str) -> None:
    """The answer is this problem, and repeats nothing."""
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    problem = answer.json()
    assert problem["type"] == f"urn:fastkey:problem:{code}"
    assert problem["status"] == status
    assert set(problem) == {"type", "title", "status", "instance"}
    assert CANARY not in answer.text


@pytest.mark.parametrize(
    ("query", "code"),
    [
        (f"state={CANARY}&code=1", "authorization_invalid"),
        (f"state={CANARY}&error=access_denied", "authorization_invalid"),
        (f"code={CANARY}", "invalid_request"),
        (f"state={CANARY}", "invalid_request"),
        (f"state={CANARY}&code=1&code=2", "invalid_request"),
        (f"state={CANARY}&state=2&code=1", "invalid_request"),
        (f"state={CANARY}&code=1&error=access_denied", "invalid_request"),
        (f"state={CANARY}%ff&code=1", "invalid_request"),
        ("", "invalid_request"),
    ],
)
def test_a_callback_that_belongs_to_nothing(world: World, sandbox: Sandbox, query: str, code: str) -> None:
    sandbox.forget_calls()
    answer = requests.get(f"{world.gateway}/callback?{query}", allow_redirects=False, timeout=30)
    refused(answer, 400, code)
    assert sandbox.ask("/calls") == []


def test_a_callback_without_its_cookie_or_with_another_browsers(journey: NewJourney, sandbox: Sandbox) -> None:
    user, other = journey().start(), journey().start()
    back = user.consent_and_stop()
    other.visit()
    sandbox.forget_calls()
    name = user.cookie_header()["Cookie"].partition("=")[0]
    others = other.cookie_header()["Cookie"].partition("=")[2]
    for cookie in (
        "",
        other.cookie_header()["Cookie"],
        f"{name}={others}",
        f"{name}=a; {user.cookie_header()['Cookie']}",
    ):
        answer = requests.get(back, headers={"Cookie": cookie}, allow_redirects=False, timeout=30)
        refused(answer, 400, "authorization_invalid")
    assert sandbox.calls("POST", "/oauth2/token") == 0
    user.land(user.browser.open(back))
    assert user.complete().create_key().end()["status"] == "active"


def test_a_state_that_was_used_is_refused_once_the_cookie_is_gone(journey: NewJourney, sandbox: Sandbox) -> None:
    user = journey().start()
    back = user.consent_and_stop()
    user.land(user.browser.open(back))
    sandbox.forget_calls()
    refused(user.browser.http.get(back, allow_redirects=False, timeout=30), 400, "authorization_invalid")
    assert sandbox.calls("POST", "/oauth2/token") == 0
    assert user.complete().create_key().end()["status"] == "active"


@pytest.mark.parametrize("ticket", ["", "x", f"{CANARY}.{CANARY}", "%ff", "a" * 5000])
def test_a_ticket_that_is_none(world: World, ticket: str) -> None:
    answer = requests.get(f"{world.gateway}/authorize?ticket={ticket}", allow_redirects=False, timeout=30)
    refused(answer, 400, "invalid_request" if ticket in ("", "%ff") else "ticket_invalid")


def test_a_ticket_is_used_once(journey: NewJourney) -> None:
    user = journey().start().visit()
    refused(requests.get(user.authorize_url, allow_redirects=False, timeout=30), 400, "ticket_invalid")
    assert user.consent().complete().create_key().end()["status"] == "active"


@pytest.mark.parametrize(
    "change",
    [
        lambda url: url + "/",
        lambda url: url + "?a=1",
        lambda url: url.upper(),
        lambda url: url.replace("http://", "https://"),
        lambda url: url.replace("localhost", "localhost.evil.example"),
        lambda url: url.replace("localhost", "user@localhost"),
        lambda url: url[:-1],
        lambda url: f"javascript:alert('{CANARY}')",
    ],
)
def test_a_return_url_is_allowed_to_the_character(
    journey: NewJourney, world: World, change: Callable[[str], str]
) -> None:
    answer = journey().frontend.call("POST", "/connections", {"return_url": change(world.return_url)})
    refused(answer, 400, "return_url_not_allowed")


@pytest.mark.parametrize(
    ("body", "media_type", "status", "code"),
    [
        (b"", "application/json", 400, "invalid_request"),
        (b"{", "application/json", 400, "invalid_request"),
        (b"[]", "application/json", 400, "invalid_request"),
        (b"null", "application/json", 400, "invalid_request"),
        (b'{"return_url": 1}', "application/json", 400, "invalid_request"),
        (b'{"return_url": "a", "return_url": "b"}', "application/json", 400, "invalid_request"),
        (b'{"return_url": NaN}', "application/json", 400, "invalid_request"),
        (b'{"return_url": "a", "canary-b1f9": 1}', "application/json", 400, "invalid_request"),
        (b"[" * 10_000, "application/json", 400, "invalid_request"),
        (b'{"return_url": "' + b"a" * 20_000 + b'"}', "application/json", 413, "body_too_large"),
        (b"return_url=canary-b1f9", "application/x-www-form-urlencoded", 415, "not_json"),
    ],
)
def test_a_body_that_is_none(
    journey: NewJourney, world: World, body: bytes, media_type: str, status: int, code: str
) -> None:
    user = journey()
    headers = {"Authorization": f"Bearer {world.token(user.sub)}", "Content-Type": media_type}
    answer = requests.post(f"{world.gateway}/connections", data=body, headers=headers, timeout=30)
    refused(answer, status, code)


def test_somebody_elses_connection_is_not_there(journey: NewJourney) -> None:
    user, other = journey().start(), journey()
    for method, path in (
        ("GET", f"/connections/{user.connection_id}"),
        ("DELETE", f"/connections/{user.connection_id}"),
        ("GET", "/connections/00000000-0000-4000-8000-000000000000"),
        ("DELETE", "/connections/00000000-0000-4000-8000-000000000000"),
    ):
        refused(other.frontend.call(method, path), 404, "connection_not_found")
    guess = {"completion": "guess"}
    path = f"/connections/{user.connection_id}/complete"
    refused(other.frontend.call("POST", path, guess), 404, "connection_not_found")
    assert other.frontend.call("GET", "/connections").json() == {"connections": [], "next_cursor": None}


def test_a_cursor_that_no_page_gave(journey: NewJourney) -> None:
    for cursor in ("x", "eA==", CANARY, "%ff"):
        refused(journey().frontend.call("GET", f"/connections?cursor={cursor}"), 400, "invalid_request")


def test_a_wrong_completion_changes_nothing(journey: NewJourney) -> None:
    user = journey().consented()
    answer = user.frontend.call("POST", f"/connections/{user.connection_id}/complete", {"completion": CANARY})
    refused(answer, 403, "completion_invalid")
    assert user.complete().create_key().end()["status"] == "active"


def test_a_forwarded_link_ends_the_connection_and_deletes_the_key(journey: NewJourney) -> None:
    attacker, victim = journey().start(), journey()
    victim.browser.open(attacker.authorize_url)
    victim.browser.log_in(victim.email, PASSWORD)
    victim.land(victim.browser.consent(PERMISSIONS, SECOND_FACTOR))
    victim.create_key()
    assert len(victim.whitebit_keys()) == 1
    completion = {"completion": victim.completion}
    answer = victim.frontend.call("POST", f"/connections/{attacker.connection_id}/complete", completion)
    refused(answer, 403, "completion_refused")
    ended = attacker.end()
    assert (ended["status"], ended["reason"]) == ("failed", "completion_refused")
    assert victim.whitebit_keys() == []
    assert attacker.stored() is None


def test_the_api_wants_a_token_and_the_browser_routes_none(world: World) -> None:
    for method, path in (("POST", "/connections"), ("GET", "/connections"), ("DELETE", "/connections/x")):
        assert requests.request(method, world.gateway + path, timeout=30).status_code == 401
    assert requests.get(f"{world.gateway}/authorize", timeout=30).status_code == 400
