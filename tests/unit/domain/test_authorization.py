"""The authorization request: PKCE, cookie and completion."""

from urllib.parse import parse_qs, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from fastkey.domain.authorization import authorization_url, code_challenge, completion, cookie_name
from fastkey.domain.secret import Secret

VERIFIER = Secret("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"  # pragma: allowlist secret


def test_the_challenge_is_that_of_the_rfc() -> None:
    """RFC 7636, appendix B."""
    assert code_challenge(VERIFIER) == CHALLENGE


def test_the_url_asks_for_a_code_by_pkce_and_nothing_else() -> None:
    url = authorization_url(
        "https://whitebit.example", "me & co", "https://f.example/callback", Secret("s+1"), VERIFIER
    )
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc, parts.path, parts.fragment) == ("https", "whitebit.example", "/auth/login", "")
    assert parse_qs(parts.query, strict_parsing=True) == {
        "clientId": ["me & co"],
        "redirect_uri": ["https://f.example/callback"],
        "state": ["s+1"],
        "code_challenge": [CHALLENGE],
        "code_challenge_method": ["S256"],
    }


def test_each_authorization_request_has_a_cookie_of_its_own() -> None:
    names = {cookie_name(Secret(state)) for state in ("one", "two")}
    assert len(names) == 2
    assert all(name.startswith("__Host-fastkey-") for name in names)


def test_the_cookie_name_tells_nothing_of_the_state() -> None:
    assert "one" not in cookie_name(Secret("one"))


@given(cookie=st.text(), state=st.text())
def test_a_completion_is_the_same_for_the_same_browser_and_return(cookie: str, state: str) -> None:
    assert completion(Secret(cookie), Secret(state)) == completion(Secret(cookie), Secret(state))


def test_a_completion_needs_both_cookie_and_state() -> None:
    right = completion(Secret("cookie"), Secret("state"))
    assert completion(Secret("cookie"), Secret("state2")) != right
    assert completion(Secret("cookie2"), Secret("state")) != right
    assert completion(Secret("state"), Secret("cookie")) != right


def test_a_completion_is_safe_in_a_url() -> None:
    text = completion(Secret("cookie"), Secret("state")).reveal()
    assert len(text) == 43
    assert text.replace("-", "").replace("_", "").isalnum()
