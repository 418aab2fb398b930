"""DELETE /connections/{connection_id}: a user disconnects."""

from fastkey import bootstrap
from fastkey.entry.http import Request, Response, describe, endpoint
from fastkey.usecases.revoke_connection import revoke_connection

world = bootstrap.start("connections", "workflows")


@endpoint
def handler(request: Request) -> Response:
    return Response(202, describe(revoke_connection(world, request.connection_id, request.user_id)))
