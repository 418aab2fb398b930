"""The partner's server: who is signed in, and what its page may do."""

import jwt
import pytest
from werkzeug.test import Client, TestResponse

from local.partner import RETURN_PATH, Partner

GATEWAY = "http://127.0.0.1:8080"


@pytest.fixture
def browser() -> Client:
    partner = Partner(GATEWAY, lambda user: jwt.encode({"sub": user}, "k" * 32))
    return Client(partner.application)


def subject(answer: TestResponse) -> str:
    claims = jwt.decode(answer.get_json()["token"], options={"verify_signature": False})
    return str(claims["sub"])


def test_nobody_is_signed_in_without_saying_who(browser: Client) -> None:
    assert browser.get("/session").get_json() is None


def test_who_is_signed_in_gets_a_jwt_of_theirs_and_fastkeys_address(browser: Client) -> None:
    assert browser.post("/login", json={"user": " ada "}).status_code == 204
    answer = browser.get("/session")
    assert subject(answer) == "ada"
    assert (answer.get_json()["user"], answer.get_json()["gateway"]) == ("ada", GATEWAY)
    browser.post("/login", json={"user": "grace"})
    assert subject(browser.get("/session")) == "grace"


def test_the_session_is_no_matter_of_scripts_or_of_other_sites(browser: Client) -> None:
    """`__Host-` holds a cookie to its host: RFC 6265bis, section 4.1.3.2."""
    name, *attributes = browser.post("/login", json={"user": "ada"}).headers["Set-Cookie"].split("; ")
    assert name.startswith("__Host-")
    assert set(attributes) == {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"}
    assert "ada" not in name


def test_no_form_of_another_site_signs_anybody_in(browser: Client) -> None:
    """A form sends one of these three; with any other type a browser asks first, and is refused."""
    for media_type in ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain"):
        assert browser.post("/login", data='{"user": "mallory"}', content_type=media_type).status_code == 415
    preflight = {"Origin": "http://attacker.localhost", "Access-Control-Request-Method": "POST"}
    assert "Access-Control-Allow-Origin" not in browser.options("/login", headers=preflight).headers
    assert browser.get("/session").get_json() is None


@pytest.mark.parametrize("body", ["", "null", "[]", "{}", '{"user": 1}', '{"user": " "}', f'{{"user": "{"a" * 65}"}}'])
def test_a_name_that_is_none_is_refused(browser: Client, body: str) -> None:
    assert browser.post("/login", data=body, content_type="application/json").status_code == 400


@pytest.mark.parametrize("path", ["/", RETURN_PATH, "/partner.js", "/session", "/nothing"])
def test_every_answer_is_kept_to_itself(browser: Client, path: str) -> None:
    headers = browser.get(path).headers
    policy = dict(directive.split(" ", 1) for directive in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert (policy["script-src"], policy["connect-src"]) == ("'self'", f"'self' {GATEWAY}")
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_the_page_holds_no_secret_and_makes_markup_of_nothing(browser: Client) -> None:
    script = browser.get("/partner.js").text
    for sink in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Storage."):
        assert sink not in script
    page = browser.get("/").text
    assert page == browser.get(RETURN_PATH).text
    assert page.count("<script") == page.count('<script type="module" src="/partner.js"></script>') == 1
