"""What more than one way leads to: log in, choose permissions, enter the second factor, be refused."""

from flask import Response, abort, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from local.whitebit import permissions
from local.whitebit.users import User, same
from local.whitebit.web.context import sandbox, session_cookie


def log_in(goal: str, again: str) -> ResponseReturnValue:
    """Check the login form: on to `goal` in a new session, or the form once more, to be sent to `again`."""
    session = sandbox().users.log_in(request.form.get("email", ""), request.form.get("password", ""))
    if session is None:
        return render_template("login.html", action=again, wrong=True), 403
    response = redirect(goal, 303)
    response.set_cookie(session_cookie(), session, httponly=True, samesite="Lax")
    return make_response(response)


def choose_permissions(user: User, action: str) -> ResponseReturnValue:
    groups = permissions.CATALOGUE
    return render_template("permissions.html", action=action, groups=groups, language=user.language)


def chosen() -> frozenset[str]:
    """The permissions that the form carries."""
    try:
        return permissions.resolve(request.form.getlist("permission"))
    except ValueError as error:
        abort(400, str(error))


def enter_second_factor(user: User, action: str, *, wrong: bool = False) -> ResponseReturnValue:
    page = render_template("second_factor.html", action=action, granted=sorted(chosen()), user=user, wrong=wrong)
    return page, 403 if wrong else 200


def second_factor_is_right(user: User) -> bool:
    return same(user.second_factor, request.form.get("second_factor", "").strip())


def not_possible(reason: str) -> Response:
    """WhiteBIT's own page that refuses a user."""
    return make_response(render_template("message.html", page="refused", title="Not possible", message=reason), 403)
