"""The user's own pages: log in, see keys and mail, delete a key, change the password, withdraw the authorization."""

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from local.whitebit.users import User
from local.whitebit.web.context import logged_in, sandbox, session_cookie
from local.whitebit.web.forms import log_in

dashboard = Blueprint("dashboard", __name__)

GOALS = {"new_key": "keys.new"}


def visitor() -> User:
    """The user who is logged in. Any other browser is sent to the login page."""
    return logged_in() or abort(redirect(url_for("dashboard.login"), 303))


@dashboard.get("/")
def home() -> ResponseReturnValue:
    return redirect(url_for("dashboard.show"))


@dashboard.get("/login")
def login() -> ResponseReturnValue:
    return render_template("login.html", action=request.full_path)


@dashboard.post("/login")
def submit_login() -> ResponseReturnValue:
    goal = GOALS.get(request.args.get("goal", ""), "dashboard.show")
    return log_in(goal=url_for(goal), again=request.full_path)


@dashboard.post("/logout")
def logout() -> ResponseReturnValue:
    sandbox().users.log_out(request.cookies.get(session_cookie(), ""))
    return redirect(url_for("dashboard.login"), 303)


@dashboard.get("/dashboard")
def show() -> ResponseReturnValue:
    user = visitor()
    tokens = sandbox().tokens
    return render_template(
        "dashboard.html",
        user=user,
        keys=sandbox().keys.of(user.email),
        now=sandbox().clock.now(),
        authorized=tokens.is_authorized(user.email),
        may_create=tokens.is_exchanged(user.email) and not sandbox().partner_key(user),
    )


@dashboard.post("/dashboard/keys/<external_id>/delete")
def delete_key(external_id: str) -> ResponseReturnValue:
    """A user deletes keys in any state, disabled ones too."""
    user, key = visitor(), sandbox().keys.get(external_id)
    if key is not None and key.email == user.email:
        sandbox().keys.remove(external_id)
    return redirect(url_for("dashboard.show"), 303)


@dashboard.post("/dashboard/password")
def change_password() -> ResponseReturnValue:
    user = visitor()
    sandbox().change_password(user, request.form["password"])
    return redirect(url_for("dashboard.login"), 303)


@dashboard.post("/dashboard/withdraw")
def withdraw() -> ResponseReturnValue:
    sandbox().withdraw_authorization(visitor())
    return redirect(url_for("dashboard.show"), 303)
