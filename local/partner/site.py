"""The partner's server: a page, and who is signed in. What matters for fastkey happens in `page/partner.js`."""

import json
import secrets
from collections.abc import Callable
from pathlib import Path

from werkzeug.wrappers import Request, Response

# The port that the events of `sam local` name.
DEFAULT_PORT = 3000
RETURN_PATH = "/connected"

_PAGE = Path(__file__).parent / "page"
_FILES = {
    "/": ("index.html", "text/html"),
    RETURN_PATH: ("index.html", "text/html"),
    "/partner.js": ("partner.js", "text/javascript"),
    "/partner.css": ("partner.css", "text/css"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
# With this prefix, browsers take it from this host alone. Without it, any sibling subdomain could set one for the whole
# domain, and sign a visitor in as somebody else: what `_log_in` says of a forwarded link would not hold.
_COOKIE = "__Host-partner_session"
_LONGEST_NAME = 64


class Partner:
    """A WSGI application.

    gateway: fastkey's URL. token: gives a user's JWT, as fastkey's JWT authorizer takes it.
    """

    def __init__(self, gateway: str, token: Callable[[str], str]) -> None:
        self._gateway = gateway
        self._token = token
        self._users: dict[str, str] = {}
        self.application = Request.application(self._protected)

    def _protected(self, request: Request) -> Response:
        response = self._answer(request)
        response.headers.update(
            {
                # Nothing but the partner's own files runs here, and nothing but fastkey is called from here.
                "Content-Security-Policy": (
                    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
                    f"connect-src 'self' {self._gateway}; base-uri 'none'; form-action 'none'; "
                    "frame-ancestors 'none'; require-trusted-types-for 'script'"
                ),
                # For the moment in which the completion is in the address.
                "Referrer-Policy": "no-referrer",
                "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff",
                # WhiteBIT opened a tab of its own: that tab must not be able to lead this one elsewhere.
                "Cross-Origin-Opener-Policy": "same-origin",
            }
        )
        return response

    def _answer(self, request: Request) -> Response:
        match request.method, request.path:
            case "GET", path if path in _FILES:
                name, media_type = _FILES[path]
                return Response((_PAGE / name).read_bytes(), content_type=f"{media_type}; charset=utf-8")
            case "GET", "/session":
                return self._session(request)
            case "POST", "/login":
                return self._log_in(request)
            case _:
                return Response(status=404)

    def _session(self, request: Request) -> Response:
        """Who is signed in, and with what they call fastkey; null for nobody."""
        user = self._users.get(request.cookies.get(_COOKIE, ""))
        document = {"user": user, "token": self._token(user), "gateway": self._gateway} if user else None
        return Response(json.dumps(document), content_type="application/json")

    def _log_in(self, request: Request) -> Response:
        """Anybody may be anybody: it is an example. What it does show is that nobody is signed in without knowing.

        A forwarded link is found out because its victim is signed in here as themselves. A page that could sign them in
        as the attacker would undo that; no form of another origin can send JSON.
        """
        if request.mimetype != "application/json":
            return Response(status=415)
        document = request.get_json(silent=True)
        user = document.get("user") if isinstance(document, dict) else None
        if not isinstance(user, str) or not 0 < len(user.strip()) <= _LONGEST_NAME:
            return Response(status=400)
        session = secrets.token_urlsafe(32)
        self._users[session] = user.strip()
        response = Response(status=204)
        response.set_cookie(_COOKIE, session, secure=True, httponly=True, samesite="Lax")
        return response
