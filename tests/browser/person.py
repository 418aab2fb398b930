"""Somebody who sits at a browser, and clicks."""

import re
from collections.abc import Callable
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Request, Route, expect

from local.frontend import Frontend
from local.whitebit import Revision
from local.world import World
from tests.e2e.journey import PASSWORD, SECOND_FACTOR, Sandbox, stored

PERMISSION = "/api/v4/trade-account/balance"
GROUP = "trade balance"

# What a page writes to its console reaches us shortened: objects are spelled out before.
SPELL_OUT = """for (const level of ['debug', 'info', 'log', 'warn', 'error']) {
    const write = console[level]
    console[level] = (...said) => write(JSON.stringify(said))
}"""

NewPerson = Callable[[], "Person"]

_numbers = count(1)


class Person:
    """A user of the partner's with an account at WhiteBIT, in one tab of one browser.

    requests: everything that the browser sent. console: everything that pages said there. complaints: what was wrong
    there, violations of a content security policy among it.
    """

    def __init__(self, world: World, revision: Revision, context: BrowserContext, name: str = "") -> None:
        number = next(_numbers)
        self.world, self.revision, self.context = world, revision, context
        self.name, self.email = name or f"person-{number}", f"person-{number}@example.com"
        self.sandbox = Sandbox(world)
        self.sandbox.order("/users", email=self.email, password=PASSWORD, second_factor=SECOND_FACTOR)
        self.frontend = Frontend(world.gateway, world.token(self.name))
        self.requests: list[Request] = []
        self.console: list[str] = []
        self.complaints: list[str] = []
        context.add_init_script(SPELL_OUT)
        context.on("request", self._notice)
        context.on("console", self._listen)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        self.page = context.new_page()
        self.key_page: Page | None = None

    # ---- At the partner's -----------------------------------------------------------------------------------------

    def sign_in(self) -> "Person":
        self.page.goto(self.world.partner)
        return self.say_who()

    def say_who(self) -> "Person":
        self.page.get_by_label("Who are you?").fill(self.name)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_text(self.name, exact=True)).to_be_visible()
        return self

    def leave(self) -> "Person":
        """Click Connect, and arrive at WhiteBIT."""
        self.page.get_by_role("button", name="Connect WhiteBIT").click()
        self.page.wait_for_url(f"{self.world.whitebit}/auth/login?*")
        return self

    def disconnect(self) -> "Person":
        self.page.get_by_role("button", name="Disconnect").click()
        return self

    @property
    def status(self) -> Locator:
        """What the partner's page says of each connection, the newest first."""
        return self.page.get_by_role("status")

    # ---- At WhiteBIT ----------------------------------------------------------------------------------------------

    def log_in(self) -> "Person":
        self.page.get_by_label("Email").fill(self.email)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Log in").click()
        expect(self.page.get_by_role("button", name="Allow")).to_be_visible()
        return self

    def allow(self) -> "Person":
        """Consent; in 2026-08 that opens a tab in which the key is made later, in 2026-05 it is made now."""
        allow = self.page.get_by_role("button", name="Allow")
        if self.revision is Revision.AUGUST_2026:
            with self.context.expect_page() as opened:
                allow.click()
            self.key_page = opened.value
        else:
            allow.click()
            self._make_key(self.page)
        return self

    def create_key(self) -> "Person":
        """In 2026-08, when the tab of the key stops waiting for the platform; in 2026-05 the key is there by now."""
        if self.key_page:
            self._make_key(self.key_page)
            expect(self.key_page.get_by_role("button", name="Delete this key")).to_be_visible()
        return self

    def _make_key(self, page: Page) -> None:
        page.get_by_label(PERMISSION).check()
        page.get_by_role("button", name="Continue").click()
        page.get_by_label("Code").fill(SECOND_FACTOR)
        page.get_by_role("button", name="Create the key").click()

    def arrive(self) -> "Person":
        """Back at the partner's, with a clean address."""
        self.page.wait_for_url(f"{self.world.partner}/")
        return self

    # ---- The whole way --------------------------------------------------------------------------------------------

    def consent(self) -> "Person":
        return self.sign_in().leave().log_in().allow().arrive()

    def consent_and_stop(self, head: str = "") -> str:
        """As far as WhiteBIT's answer to the consent: the URL of the callback, where the browser is not sent.

        head: markup for the page on which the browser stops.
        """
        last = "consent" if self.revision is Revision.AUGUST_2026 else "confirm"
        stopped: list[str] = []

        def stop(route: Route) -> None:
            stopped.append(route.fetch(max_redirects=0).headers["location"])
            # A link, because Playwright cannot hold a redirect; the browser comes from WhiteBIT's site all the same.
            route.fulfill(content_type="text/html", body=f"{head}<a>Continue</a>")

        self.page.route(f"{self.world.whitebit}/auth/{last}?*", stop)
        self.allow()
        expect(self.page.get_by_text("Continue")).to_be_visible()
        self.page.unroute_all()
        self.page.locator("a").evaluate("(link, url) => { link.href = url }", stopped[0])
        return stopped[0]

    def go_on(self) -> "Person":
        """From where `consent_and_stop` stopped."""
        self.page.get_by_text("Continue").click(no_wait_after=True)
        return self

    def another_tab(self) -> "Person":
        """The same user of the partner's in another tab of the same browser, with another account at WhiteBIT."""
        tab = Person(self.world, self.revision, self.context, self.name)
        tab.page.goto(self.world.partner)
        return tab

    # ---- What is left ---------------------------------------------------------------------------------------------

    def connection(self) -> dict[str, Any]:
        """The newest connection, as fastkey tells it."""
        newest: dict[str, Any] = self.frontend.call("GET", "/connections").json()["connections"][0]
        return newest

    def captured(self) -> str | None:
        """The captured key as Secrets Manager has it."""
        return stored(self.world, self.connection()["connection_id"])

    def keys(self) -> list[dict[str, Any]]:
        """The keys of this person's account at WhiteBIT."""
        return self.sandbox.keys(self.email)

    def cookies(self) -> list[dict[str, Any]]:
        """What the browser holds for fastkey."""
        held: list[Any] = self.context.cookies()
        return [cookie for cookie in held if "fastkey" in cookie["name"]]

    def visits(self, url: str) -> list[Request]:
        """The requests for this URL, whatever their query."""
        return [request for request in self.requests if request.url.partition("?")[0] == url]

    def parameter(self, url: str, name: str) -> str:
        """A parameter of the last visit to this URL."""
        return parse_qs(urlsplit(self.visits(url)[-1].url).query)[name][0]

    def _notice(self, request: Request) -> None:
        self.requests.append(request)

    def _listen(self, message: ConsoleMessage) -> None:
        self.console.append(message.text)
        # A refused request is noted there too; the test sees it in what the page says.
        if message.type in ("error", "warning") and not re.match("Failed to load resource", message.text):
            self.complaints.append(message.text)
