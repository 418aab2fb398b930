"""The cookie that ties a consent to the browser that left for it, as a browser treats it."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from local.whitebit import Revision
from tests.browser.attacker import Attacker
from tests.browser.person import NewPerson
from tests.until import until

pytestmark = pytest.mark.parametrize("revision", [Revision.MAY_2026], indirect=True)

# What a page on another site can have a browser send without the user seeing it.
FORGERIES = {
    "a form": '<form method="post" action="{url}"></form><script>document.forms[0].submit()</script>',
    "a frame": '<iframe src="{url}"></iframe>',
    "an image": '<img src="{url}">',
    "a script": '<script>fetch("{url}", {{mode: "no-cors", credentials: "include"}})</script>',
}


class CookieDecisions:
    """Why Chromium sent a page's requests without the cookie that it holds for their host; nothing if it sent it."""

    def __init__(self, page: Page) -> None:
        self._urls: dict[str, str] = {}
        self._decisions: list[tuple[str, list[str]]] = []
        self._session = page.context.new_cdp_session(page)
        self._session.on("Network.requestWillBeSent", self._sent)
        self._session.on("Network.requestWillBeSentExtraInfo", self._decided)
        self._session.send("Network.enable")

    def about(self, url: str, number: int) -> list[str]:
        """The reasons for one of the requests for this URL, the first of which is number 1, once they are told."""

        def told() -> list[list[str]]:
            self._session.send("Network.enable")  # again, for what comes along with the answer
            found = [reasons for request_id, reasons in self._decisions if self._urls.get(request_id) == url]
            return found[number - 1 :]

        return until(told)[0]

    def _sent(self, event: dict[str, Any]) -> None:
        self._urls[event["requestId"]] = event["request"]["url"]

    def _decided(self, event: dict[str, Any]) -> None:
        self._decisions += [(event["requestId"], cookie["blockedReasons"]) for cookie in event["associatedCookies"]]


def test_it_is_set_on_the_visit_sent_on_the_return_and_cleared_by_it(person: NewPerson) -> None:
    ada = person().sign_in().leave()
    (cookie,) = ada.cookies()
    assert cookie["name"].startswith("__Host-fastkey-")
    # Without a dot: it is this host's alone.
    assert (cookie["domain"], cookie["path"]) == (urlsplit(ada.world.gateway).hostname, "/")
    assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Lax")
    (visit,) = ada.visits(f"{ada.world.gateway}/authorize")
    answer = visit.response()
    assert answer
    assert "Max-Age=600;" in answer.all_headers()["set-cookie"]

    ada.log_in().allow().arrive()
    (back,) = ada.visits(f"{ada.world.gateway}/callback")
    headers = back.all_headers()
    assert headers["cookie"] == f"{cookie['name']}={cookie['value']}"
    assert headers["sec-fetch-site"] == "cross-site"
    assert ada.cookies() == []


def test_no_other_site_can_have_it_sent(person: NewPerson, attacker: Attacker) -> None:
    ada = person().sign_in().leave().log_in()
    callback = ada.consent_and_stop()
    ada.sandbox.forget_calls()
    lure = ada.context.new_page()
    decisions = CookieDecisions(lure)
    for number, (name, forgery) in enumerate(FORGERIES.items(), start=1):
        attacker.html = forgery.format(url=callback)
        with lure.expect_request(callback) as forged:
            lure.goto(attacker.url)
        forged.value.response()
        assert "SchemefulSameSiteLax" in decisions.about(callback, number), name
    assert ada.sandbox.calls("POST", "/oauth2/token") == 0
    assert all("frame-ancestors" in complaint for complaint in ada.complaints)
    ada.complaints.clear()
    ada.go_on().arrive()
    expect(ada.status).to_have_text("Connected")


@pytest.mark.parametrize("route", ["authorize", "callback"])
def test_nothing_of_fastkeys_is_shown_in_a_frame_and_no_frame_gets_a_cookie(
    person: NewPerson, attacker: Attacker, route: str
) -> None:
    mallory = person()
    started = mallory.frontend.start(mallory.world.return_url)
    urls = {
        "authorize": started["authorize_url"],
        "callback": f"{mallory.world.gateway}/callback?state=s&code=c",
    }
    attacker.html = f'<iframe src="{urls[route]}"></iframe>'
    victim = person()
    victim.page.goto(attacker.url)
    (frame,) = victim.page.frames[1:]
    expect(victim.page.frame_locator("iframe").locator("main")).to_have_count(0)
    assert frame.url == "chrome-error://chromewebdata/"
    assert victim.cookies() == []
    assert any("frame" in complaint for complaint in victim.complaints)
    victim.complaints.clear()
