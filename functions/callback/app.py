"""GET /callback: the browser comes back from WhiteBIT, and goes on to the partner's page."""

from fastkey import bootstrap
from fastkey.domain.authorization import cookie_name
from fastkey.domain.secret import Secret
from fastkey.entry.http import Request, Response, redirect, set_cookie
from fastkey.entry.page import visit
from fastkey.usecases.callback import callback

world = bootstrap.start("authorizations", "connections", "sealer", "whitebit", "workflows")


@visit
def handler(request: Request) -> Response:
    deadline = request.deadline(world.clock)
    response = request.authorization_response()
    name = cookie_name(response.state)
    url = callback(world, response, request.cookie(name), deadline)
    return redirect(303, url, set_cookie(name, Secret(""), max_age=0))
