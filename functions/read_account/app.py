"""GET /connections/{connection_id}/account/...: a user's account at WhiteBIT is read."""

from fastkey import bootstrap
from fastkey.domain.account import READS, Query
from fastkey.entry.filters import filters_of
from fastkey.entry.http import Request, Response, endpoint
from fastkey.usecases.read_account import read_account

world = bootstrap.start("chosen_vault", "connections", "keys", "limits", "whitebit")


@endpoint
def handler(request: Request) -> Response:
    deadline = request.deadline(world.clock)
    resource = request.route.partition("/account/")[2]
    filters = filters_of(resource, request.parameters())
    query = Query(READS[resource], filters)
    account = read_account(world, request.connection_id, request.user_id, query, deadline)
    return Response(200, {"resource": resource, "source": account.source, "data": account.data})
