"""POST /connections/{connection_id}/complete: the frontend of the user who started says that the browser is back."""

from typing import Annotated

from msgspec import Meta, Struct

from fastkey import bootstrap
from fastkey.domain.secret import Secret
from fastkey.entry.http import Request, Response, describe, endpoint
from fastkey.entry.model import parsed
from fastkey.usecases.complete_connection import complete_connection

world = bootstrap.start("connections", "workflows")


class Complete(Struct, forbid_unknown_fields=True):
    """The body. completion: from the query of the page to which the browser came back."""

    completion: Annotated[str, Meta(max_length=128)]


@endpoint
def handler(request: Request) -> Response:
    completion = Secret(parsed(request.body(), Complete).completion)
    return Response(202, describe(complete_connection(world, request.connection_id, request.user_id, completion)))
