"""The partner's page: who is signed in there, and what it does when nobody answers."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest
import requests
from playwright.sync_api import Browser, Page, Route, expect

from local.partner import Partner
from local.web import WebServer
from local.whitebit import Revision
from tests.browser.attacker import Attacker
from tests.browser.person import NewPerson, Person

# ---- A sibling subdomain ---------------------------------------------------------------------------------------------

# What a page on another subdomain of the partner's domain may try, to have a visitor carry its session.
TOSSED = {
    "for the whole domain": "{name}={session}; Secure; Path=/; Domain=partner.localhost",
    "for a path of its own": "{name}={session}; Secure; Path=/session; Domain=partner.localhost",
}


@pytest.fixture(scope="module")
def sites() -> Iterator[tuple[str, Attacker]]:
    """The partner's URL, and another site below the same domain. fastkey is nowhere: it has no part in this."""
    with ExitStack() as running:
        partner = running.enter_context(closing(WebServer("127.0.0.1", 0, "app.partner.localhost")))
        sibling = running.enter_context(closing(WebServer("127.0.0.1", 0, "blog.partner.localhost")))
        partner.start(Partner("http://127.0.0.1:9", lambda user: user).application)
        site = Attacker(sibling.url)
        sibling.start(site.application)
        yield partner.url, site


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    with closing(chromium.new_context()) as context:
        yield context.new_page()


def sign_in_elsewhere(partner: str) -> tuple[str, str]:
    """Mallory's own cookie, which may be anybody's: its name and its value."""
    port = partner.rpartition(":")[2]
    answer = requests.post(f"http://127.0.0.1:{port}/login", json={"user": "mallory"}, timeout=10)
    name, _, session = answer.headers["Set-Cookie"].partition(";")[0].partition("=")
    return name, session


def sign_in(page: Page, partner: str, user: str) -> None:
    page.goto(partner)
    page.get_by_label("Who are you?").fill(user)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text(user, exact=True)).to_be_visible()


@pytest.mark.parametrize("user", [None, "ada"])
@pytest.mark.parametrize("cookie", TOSSED.values(), ids=TOSSED)
def test_no_sibling_subdomain_signs_a_visitor_in_as_another(
    page: Page, sites: tuple[str, Attacker], cookie: str, user: str | None
) -> None:
    partner, sibling = sites
    name, session = sign_in_elsewhere(partner)
    if user:
        sign_in(page, partner, user)
    tossed = (cookie.format(name=name, session=session), "other=1; Path=/; Domain=partner.localhost")
    sibling.html = "".join(f"<script>document.cookie = '{each}'</script>" for each in tossed)
    page.goto(sibling.url)
    page.goto(partner)
    # Other cookies the partner's page does get from there.
    assert "other" in {held["name"] for held in page.context.cookies(partner)}
    expect(page.get_by_text(user, exact=True) if user else page.get_by_label("Who are you?")).to_be_visible()
    expect(page.get_by_text("mallory", exact=True)).to_be_hidden()


# ---- Nobody answers --------------------------------------------------------------------------------------------------

# Playwright's clock does not move this timer of the browser's own.
MOVABLE = """AbortSignal.timeout = (milliseconds) => {
    const controller = new AbortController()
    setTimeout(() => controller.abort(), milliseconds)
    return controller.signal
}"""

in_2026_08 = pytest.mark.parametrize("revision", [Revision.AUGUST_2026], indirect=True)


def reject(route: Route) -> None:
    route.abort("connectionrefused")


def keep_silent(route: Route) -> None:
    """No answer, ever."""


@pytest.fixture
def ada(person: NewPerson) -> Person:
    """Signed in, with a connection that is under way, at a browser whose clock the test moves."""
    ada = person()
    ada.frontend.start(ada.world.return_url)
    ada.page.add_init_script(MOVABLE)
    ada.page.clock.install()
    return ada.sign_in()


@in_2026_08
@pytest.mark.parametrize("fail", [reject, keep_silent])
def test_who_cannot_complete_is_told_so_after_six_minutes_and_the_completion_is_forgotten(
    ada: Person, fail: Callable[[Route], None]
) -> None:
    notice = ada.page.get_by_role("alert")
    ada.page.route(f"{ada.world.gateway}/**", fail)
    with ada.page.expect_request("**/complete"):
        ada.page.goto(f"{ada.world.return_url}?connection_id=1&completion=2")
    ada.page.clock.fast_forward("00:30")
    expect(notice).to_have_text("This takes longer than usual. Please keep this page open.")
    assert "completion" in ada.page.url
    ada.page.clock.fast_forward("06:00")
    expect(notice).to_contain_text("could not be completed in time")
    assert ada.page.url == f"{ada.world.partner}/"
    ada.page.clock.fast_forward("00:30")
    expect(notice).to_contain_text("could not be completed in time")
    expect(notice).to_contain_text("There was no answer.")


@in_2026_08
@pytest.mark.parametrize("fail", [reject, keep_silent])
def test_a_completion_that_gets_no_answer_is_sent_again_and_what_comes_of_it_is_said(
    ada: Person, fail: Callable[[Route], None]
) -> None:
    ada.page.route("**/complete", fail, times=1)
    with ada.page.expect_request("**/complete"):
        ada.page.goto(f"{ada.world.return_url}?connection_id={ada.connection()['connection_id']}&completion=2")
    ada.page.clock.fast_forward("00:30")
    expect(ada.page.get_by_role("alert")).to_have_text("The completion is not the one that this connection was given.")
    expect(ada.status).to_be_visible()


@in_2026_08
@pytest.mark.parametrize("fail", [reject, keep_silent])
def test_a_look_that_fails_is_followed_by_another(ada: Person, fail: Callable[[Route], None]) -> None:
    ada.page.route(f"{ada.world.gateway}/connections/*", fail, times=1)
    with ada.page.expect_request(f"{ada.world.gateway}/connections/*"):
        pass
    ada.frontend.revoke(ada.connection()["connection_id"])
    ada.page.clock.fast_forward("00:30")
    expect(ada.status).to_have_text("Disconnected")
