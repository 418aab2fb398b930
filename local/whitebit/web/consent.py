"""The pages between the partner's redirect and the way back: log in, be let through the gate, consent.

Each page carries the authorization request in its query, so nothing is kept between them.
"""

from urllib.parse import urlencode

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from local.whitebit.authorization import AuthorizationRequest
from local.whitebit.keys import KeyCreationError
from local.whitebit.options import Revision
from local.whitebit.users import User
from local.whitebit.web.context import logged_in, sandbox
from local.whitebit.web.forms import (
    choose_permissions,
    chosen,
    enter_second_factor,
    log_in,
    not_possible,
    second_factor_is_right,
)

consent = Blueprint("consent", __name__, url_prefix="/auth")


def asked() -> AuthorizationRequest:
    return AuthorizationRequest.parse(request.args.getlist, sandbox().options)


def step(endpoint: str) -> str:
    """The address of another step of this authorization."""
    return f"{url_for(f'consent.{endpoint}')}?{urlencode(list(request.args.items(multi=True)))}"


def eligible_user() -> User:
    """The user who may consent. Any other browser gets the login page, or WhiteBIT's refusal, and no callback."""
    asked()
    user = logged_in()
    if user is None:
        abort(make_response(render_template("login.html", action=step("login"))))
    if objection := sandbox().objection(user):
        abort(not_possible(objection))
    return user


@consent.get("/login")
def login() -> ResponseReturnValue:
    """Where the partner's redirect arrives."""
    user = eligible_user()
    return render_template("consent.html", action=step("decide"), key=sandbox().partner_key(user), user=user)


@consent.post("/login")
def submit_login() -> ResponseReturnValue:
    asked()
    return log_in(goal=step("login"), again=step("login"))


@consent.post("/consent")
def decide() -> ResponseReturnValue:
    """Allow or deny. What comes after Allow is where the revisions differ."""
    user = eligible_user()
    if request.form.get("decision") != "allow":
        return redirect(asked().answer(error="access_denied"))
    if sandbox().options.revision is Revision.AUGUST_2026:
        return allowed_2026_08(user)
    if sandbox().partner_key(user) or not sandbox().may_create_keys:
        return redirect(way_back(user))
    return choose_permissions(user, action=step("permissions"))


def allowed_2026_08(user: User) -> ResponseReturnValue:
    """To the callback at once if a script opened the key page in its own tab; else both as links."""
    if request.form.get("key_page") == "opened":
        return redirect(way_back(user))
    return render_template("allowed.html", way_back=way_back(user))


@consent.post("/permissions")
def permissions() -> ResponseReturnValue:
    """2026-05: permissions chosen; now the second factor."""
    return enter_second_factor(eligible_user(), action=step("confirm"))


@consent.post("/confirm")
def confirm() -> ResponseReturnValue:
    """2026-05: the key is made, then the browser goes back."""
    user = eligible_user()
    if not second_factor_is_right(user):
        return enter_second_factor(user, action=step("confirm"), wrong=True)
    try:
        sandbox().create_partner_key(user, chosen())
    except KeyCreationError as error:
        return not_possible(str(error))
    return redirect(way_back(user))


def way_back(user: User) -> str:
    """The callback, with a new code."""
    return asked().answer(code=sandbox().tokens.issue_code(user.email, asked().challenge))
