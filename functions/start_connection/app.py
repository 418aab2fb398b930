"""POST /connections: a user's frontend asks for a connection, and is told where to send the browser."""

from typing import Annotated

from msgspec import Meta, Struct

from fastkey import bootstrap
from fastkey.entry.http import Request, Response, endpoint
from fastkey.entry.model import parsed
from fastkey.usecases.start_connection import start_connection

world = bootstrap.start("connections", "starts")


class Start(Struct, forbid_unknown_fields=True):
    """The body. return_url: where the browser ends up, one of the deployment's, to the character. keep_token: whether
    the connection's tokens are to be kept alive.
    """

    return_url: Annotated[str, Meta(max_length=2048)]
    keep_token: bool = False


@endpoint
def handler(request: Request) -> Response:
    body = parsed(request.body(), Start)
    started = start_connection(world, request.user_id, body.return_url, keep_token=body.keep_token)
    document = {
        "connection_id": started.connection.connection_id,
        "authorize_url": started.authorize_url.reveal(),
        "expires_at": started.connection.expires_at.isoformat(),
    }
    return Response(201, document)
