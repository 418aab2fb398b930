"""What views need of the application they run in."""

from typing import cast

from flask import current_app, request

from local.whitebit.sandbox import Sandbox
from local.whitebit.users import User


def sandbox() -> Sandbox:
    """The sandbox that this application serves."""
    return cast(Sandbox, current_app.extensions["whitebit"])


def session_cookie() -> str:
    """The session cookie's name. Cookies ignore ports, so two sandboxes on one host need two names."""
    return f"whitebit_sandbox_{request.environ['SERVER_PORT']}"


def logged_in() -> User | None:
    """The user of this browser's session."""
    return sandbox().users.in_session(request.cookies.get(session_cookie(), ""))


def bearer(scope: str) -> User:
    """The user whose token came with this request, or an ApiError."""
    return sandbox().bearer(request.headers.get("Authorization", ""), scope)
