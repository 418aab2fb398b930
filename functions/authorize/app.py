"""GET /authorize: a browser appears with its ticket, gets its cookie, and leaves for WhiteBIT."""

from fastkey import bootstrap
from fastkey.domain.authorization import AUTHORIZATION_LIFE
from fastkey.entry.http import Request, Response, redirect, set_cookie
from fastkey.entry.page import visit
from fastkey.usecases.authorize import authorize

world = bootstrap.start("authorizations", "connections", "sealer")


@visit
def handler(request: Request) -> Response:
    departure = authorize(world, request.required("ticket"))
    cookie = set_cookie(departure.cookie_name, departure.cookie, max_age=int(AUTHORIZATION_LIFE.total_seconds()))
    return redirect(302, departure.url, cookie)
