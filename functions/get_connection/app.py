"""GET /connections/{connection_id} and GET /connections: a user looks at one connection, or at all of them."""

from fastkey import bootstrap
from fastkey.entry.http import Request, Response, describe, endpoint
from fastkey.usecases.get_connection import get_connection, list_connections

world = bootstrap.start("connections")


def one(request: Request) -> Response:
    return Response(200, describe(get_connection(world, request.connection_id, request.user_id)))


def page(request: Request) -> Response:
    cursor = request.query("cursor")
    found = list_connections(world, request.user_id, cursor.reveal() if cursor else None)
    return Response(200, {"connections": [describe(c) for c in found.connections], "next_cursor": found.next_cursor})


ROUTES = {"GET /connections/{connection_id}": one, "GET /connections": page}


@endpoint
def handler(request: Request) -> Response:
    return ROUTES[request.route](request)
