"""A user's whole way through the real pages, over sockets, in each revision."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

from local.whitebit import Options, Revision, Server, serve
from local.whitebit.sandbox import FIRST_USER_EMAIL
from local.whitebit.user import UnexpectedPageError, UserAgent
from tests.sandbox.partner import CHALLENGE, VERIFIER

RETURN = "https://partner.test/"
CALLBACK = RETURN + "callback"


@pytest.fixture(params=list(Revision))
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with serve(Options(revision=request.param, redirect_uris=(CALLBACK,))) as running:
        yield running


@pytest.fixture
def browser(server: Server) -> UserAgent:
    """At the consent page's door: the login page."""
    query = {
        "clientId": Options().client_id,
        "redirect_uri": CALLBACK,
        "state": "s",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    agent = UserAgent(server.url, stop_at=RETURN)
    agent.open(f"{server.url}/auth/login?{urlencode(query)}")
    return agent


def exchange(server: Server, landed: str) -> dict[str, str]:
    """What the partner's callback does: the headers of its calls with the new token."""
    form = {
        "client_id": Options().client_id,
        "client_secret": Options().client_secret,
        "code": parse_qs(urlsplit(landed).query)["code"][0],
        "code_verifier": VERIFIER,
    }
    token = requests.post(f"{server.url}/oauth2/token", data=form, timeout=5).json()["data"]["access_token"]
    return {"Authorization": f"Bearer {token}"}


def connect(server: Server, browser: UserAgent, permissions: list[str], second_factor: str) -> dict[str, str]:
    """The user's and the partner's part of a connection, in either revision."""
    headers = exchange(server, browser.consent(permissions, second_factor))
    if not browser.keys():
        browser.create_key(permissions, second_factor)
    return headers


def test_from_consent_to_a_key_and_its_deletion(server: Server, browser: UserAgent) -> None:
    browser.log_in(FIRST_USER_EMAIL, "sandbox")
    headers = connect(server, browser, ["trade_balance", "/api/v4/convert/history"], "123456")
    info = requests.get(f"{server.url}/oauth2/api-key/info", headers=headers, timeout=5).json()["data"]
    granted = [url["url"] for group in info["permissions"] for url in group["urls"] if url["enable"]]
    assert granted == [
        "/api/v4/trade-account/balance",
        "/api/v4/trade-account/order/history",
        "/api/v4/trade-account/executed-history",
        "/api/v4/convert/history",
    ]
    assert browser.keys() == [info["externalId"]]
    browser.delete_key(info["externalId"])
    assert browser.keys() == []


def test_denying_comes_back_with_an_error(browser: UserAgent) -> None:
    browser.log_in(FIRST_USER_EMAIL, "sandbox")
    assert browser.deny() == f"{CALLBACK}?error=access_denied&state=s"


def test_withdrawing_and_a_new_password_leave_the_partner_with_nothing(server: Server, browser: UserAgent) -> None:
    browser.log_in(FIRST_USER_EMAIL, "sandbox")
    headers = connect(server, browser, ["wallet"], "123456")
    browser.withdraw_authorization()
    assert requests.get(f"{server.url}/oauth2/api-key/info", headers=headers, timeout=5).status_code == 401
    browser.change_password("another")
    assert browser.page == "login"


def test_the_scripted_user_says_what_went_wrong(server: Server, browser: UserAgent) -> None:
    with pytest.raises(UnexpectedPageError, match="expected the page 'consent', but it is 'login'"):
        browser.consent()
    browser.log_in(FIRST_USER_EMAIL, "wrong")
    assert "Wrong email address or password." in browser.text
    browser.log_in(FIRST_USER_EMAIL, "sandbox")
    with pytest.raises(UnexpectedPageError, match="the second factor was wrong"):
        connect(server, browser, ["wallet"], "000000")


def test_a_permission_that_is_not_offered_cannot_be_chosen(server: Server, browser: UserAgent) -> None:
    browser.log_in(FIRST_USER_EMAIL, "sandbox")
    with pytest.raises(UnexpectedPageError, match="does not offer everything"):
        connect(server, browser, ["everything"], "123456")


def test_the_key_page_is_not_waited_for_for_ever(server: Server, browser: UserAgent) -> None:
    browser.log_in(FIRST_USER_EMAIL, "sandbox")
    browser.consent(["wallet"], "123456")
    with pytest.raises(UnexpectedPageError, match="expected the page 'permissions'"):
        browser.create_key(["wallet"], second_factor="123456", patience=0.0)
