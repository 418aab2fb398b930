"""Revision 2026-08: the pages, in a tab of their own, on which a user who consented creates the partner's key."""

from flask import Blueprint, abort, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from local.whitebit.keys import KeyCreationError
from local.whitebit.options import Revision
from local.whitebit.users import User
from local.whitebit.web.context import logged_in, sandbox
from local.whitebit.web.forms import (
    choose_permissions,
    chosen,
    enter_second_factor,
    not_possible,
    second_factor_is_right,
)

keys = Blueprint("keys", __name__, url_prefix="/keys")


def creator() -> User:
    """The user who can create the key now. Any other browser is sent elsewhere, or waits."""
    user = logged_in()
    if user is None:
        abort(redirect(url_for("dashboard.login", goal="new_key"), 303))
    if sandbox().partner_key(user):
        abort(redirect(url_for("dashboard.show"), 303))
    if sandbox().options.revision is Revision.MAY_2026 or not sandbox().may_create_keys:
        abort(not_possible("This partner's keys are not created here."))
    if not sandbox().tokens.is_exchanged(user.email):
        abort(make_response(render_template("waiting.html")))
    return user


@keys.get("/new")
def new() -> ResponseReturnValue:
    """Waits, by reloading itself, until the partner has exchanged its code."""
    return choose_permissions(creator(), action=url_for("keys.permissions"))


@keys.post("/permissions")
def permissions() -> ResponseReturnValue:
    return enter_second_factor(creator(), action=url_for("keys.create"))


@keys.post("")
def create() -> ResponseReturnValue:
    user = creator()
    if not second_factor_is_right(user):
        return enter_second_factor(user, action=url_for("keys.create"), wrong=True)
    try:
        sandbox().create_partner_key(user, chosen())
    except KeyCreationError as error:
        return not_possible(str(error))
    return redirect(url_for("dashboard.show"), 303)
