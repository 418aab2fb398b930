"""A user in front of the sandbox, scripted: clicks through the real pages over HTTP, with a browser's cookie rules.

browser = UserAgent(server.url, stop_at="https://partner.example/connected")
browser.open(authorize_url)
browser.log_in("ada@example.com", "sandbox")
landed = browser.consent(permissions=["trade_balance"], second_factor="123456")
"""

import time
import urllib.request
from collections.abc import Collection, Iterable, Mapping
from http.cookiejar import Cookie, DefaultCookiePolicy
from ipaddress import ip_address
from urllib.parse import urljoin, urlsplit

import requests
from bs4 import BeautifulSoup, Tag
from requests.cookies import RequestsCookieJar

MOST_REDIRECTS = 20
POLL_SECONDS = 0.1


class UnexpectedPageError(Exception):
    """The browser is not on the page on which this could be done. The text is what the page itself says."""


class BrowserCookiePolicy(DefaultCookiePolicy):
    """What Chromium does and Python's cookie jar does not: loopback counts as secure, and prefixes are enforced."""

    def set_ok(self, cookie: Cookie, request: urllib.request.Request) -> bool:
        name = cookie.name.lower()
        if name.startswith(("__host-", "__secure-")) and not cookie.secure:
            return False
        if name.startswith("__host-") and (cookie.path != "/" or not cookie.path_specified or cookie.domain_specified):
            return False
        return super().set_ok(cookie, request)

    def return_ok_secure(self, cookie: Cookie, request: urllib.request.Request) -> bool:
        return is_loopback(request.get_full_url()) or super().return_ok_secure(cookie, request)


def is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class BrowserSession(requests.Session):
    """Requests made with the browser's cookies, for what is not a click."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        self.cookies = RequestsCookieJar(policy=BrowserCookiePolicy())

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """A plain session merges its jar into one that has Python's cookie rules: the header is made once more."""
        prepared = super().prepare_request(request)
        prepared.headers.pop("Cookie", None)
        prepared.prepare_cookies(self.cookies)
        return prepared


class UserAgent:
    """One browser with its cookies. `url` is where it is; it stops, without a request, at `stop_at` and below."""

    def __init__(self, whitebit_url: str, *, stop_at: str | None = None, timeout: float = 30.0) -> None:
        """`stop_at` is a URL prefix, such as a return URL that no server listens on; `timeout` is in seconds."""
        self.url = "about:blank"
        self._whitebit_url = whitebit_url
        self.stop_at = stop_at
        self._timeout = timeout
        self._page = BeautifulSoup("", "html.parser")
        self._key_page = urljoin(whitebit_url, "/keys/new")
        self.http = BrowserSession()

    @property
    def page(self) -> str:
        """The name of the page that is shown: "login", "consent", "refused", ..."""
        main = self._page.find("main")
        return str(main.get("data-page", "")) if isinstance(main, Tag) else ""

    @property
    def text(self) -> str:
        """What the page says."""
        return self._page.get_text(" ", strip=True)

    @property
    def cookies(self) -> RequestsCookieJar:
        return self.http.cookies

    def open(self, url: str) -> str:
        """Visit `url` and follow redirects. Returns where that led."""
        return self._visit("GET", url)

    def log_in(self, email: str, password: str) -> str:
        """Fill in the login page. Returns where that led."""
        return self._submit("login", {"email": email, "password": password})

    def consent(self, permissions: Collection[str] = (), second_factor: str = "") -> str:
        """Click Allow, and go on to the callback. Returns where that led.

        `permissions` are group names or endpoint paths. In revision 2026-05 they are chosen now, and confirmed with the
        `second_factor`; in revision 2026-08 that is done with `create_key`, afterwards.
        """
        self._submit("consent", {"decision": "allow"})
        if self.page == "permissions":
            self._choose(permissions, second_factor)
        elif self.page == "allowed":
            self._key_page = self._link("create-key")
            self.open(self._link("continue"))
        return self.url

    def deny(self) -> str:
        """Click Deny. Returns where that led."""
        return self._submit("consent", {"decision": "deny"})

    def create_key(self, permissions: Collection[str], second_factor: str, *, patience: float = 30.0) -> None:
        """Revision 2026-08: create the key in the tab that consent opened, once the platform is ready for it.

        Raises UnexpectedPageError when it is not after `patience` seconds.
        """
        deadline = time.monotonic() + patience
        while self.open(self._key_page) and self.page == "waiting" and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        self._choose(permissions, second_factor)

    def keys(self) -> list[str]:
        """The external ids of the keys on the user's dashboard."""
        self.open(urljoin(self._whitebit_url, "/dashboard"))
        self._expect("dashboard")
        return [str(section["id"]).removeprefix("key-") for section in self._page.find_all("section", id=True)]

    def delete_key(self, external_id: str) -> None:
        """Delete a key on the dashboard, whatever its state."""
        if external_id not in self.keys():
            raise UnexpectedPageError(f"the dashboard shows no key {external_id}")
        self._submit("dashboard", {}, to=f"/dashboard/keys/{external_id}/delete")

    def change_password(self, password: str) -> None:
        """On the dashboard. Every key and token of the user dies, and so does this session."""
        self.keys()
        self._submit("dashboard", {"password": password}, to="/dashboard/password")

    def withdraw_authorization(self) -> None:
        """On the dashboard: the partner's tokens and its key die."""
        self.keys()
        self._submit("dashboard", {}, to="/dashboard/withdraw")

    def _choose(self, permissions: Collection[str], second_factor: str) -> None:
        self._expect("permissions")
        labels = {
            str(box["value"]): {str(box["value"]), str(group["name"])}
            for group in self._page.find_all("fieldset")
            for box in group.find_all("input")
        }
        if unknown := set(permissions).difference(*labels.values()):
            raise UnexpectedPageError(f"the page does not offer {', '.join(sorted(unknown))}")
        self._submit("permissions", {"permission": [url for url in labels if labels[url] & set(permissions)]})
        self._submit("second_factor", {"second_factor": second_factor})
        if self.page == "second_factor":
            raise UnexpectedPageError("the second factor was wrong")

    def _expect(self, page: str) -> None:
        if self.page != page:
            alert = self._page.find(role="alert")
            said = f": {alert.get_text(strip=True)}" if alert else ""
            raise UnexpectedPageError(f"expected the page {page!r}, but it is {self.page!r}{said}")

    def _submit(self, page: str, fields: Mapping[str, str | Iterable[str]], *, to: str = "") -> str:
        """Submit a form of this `page` (the one whose action is `to`, where there are more) with its hidden fields."""
        self._expect(page)
        form = self._page.find("form", action=to) if to else self._page.find("form")
        if not isinstance(form, Tag):
            raise UnexpectedPageError(f"the page {page!r} has no such form")
        hidden = [(str(tag["name"]), str(tag.get("value", ""))) for tag in form.find_all("input", type="hidden")]
        filled = [
            (name, each) for name, value in fields.items() for each in ([value] if isinstance(value, str) else value)
        ]
        return self._visit("POST", urljoin(self.url, str(form["action"])), hidden + filled)

    def _link(self, identifier: str) -> str:
        link = self._page.find("a", id=identifier)
        if not isinstance(link, Tag):
            raise UnexpectedPageError(f"the page {self.page!r} has no link {identifier!r}")
        return urljoin(self.url, str(link["href"]))

    def _visit(self, method: str, url: str, form: list[tuple[str, str]] | None = None) -> str:
        for _ in range(MOST_REDIRECTS):
            self.url = url
            self._page = BeautifulSoup("", "html.parser")
            if self.stop_at is not None and url.startswith(self.stop_at):
                return url
            response = self.http.request(method, url, data=form, allow_redirects=False, timeout=self._timeout)
            if not response.is_redirect:
                self._page = BeautifulSoup(response.text, "html.parser")
                return url
            url = urljoin(url, response.headers["Location"])
            if response.status_code not in (307, 308):
                method, form = "GET", None
        raise UnexpectedPageError("too many redirects")
