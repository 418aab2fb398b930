"""GET /connections/{connection_id}/account/...: a user's account at WhiteBIT is read."""

from fastkey import bootstrap
from fastkey.domain.account import READS, Query
from fastkey.entry.filters import FILTERS
from fastkey.entry.http import Request, Response, endpoint
from fastkey.usecases.read_account import read_account

world = bootstrap.start()


@endpoint
def handler(request: Request) -> Response:
    deadline = request.deadline(world.clock)
    resource = request.route.partition("/account/")[2]
    filters = request.parameters(FILTERS[resource]).model_dump(exclude_none=True)
    query = Query(READS[resource], filters)
    account = read_account(world, request.connection_id, request.user_id, query, deadline)
    return Response(200, {"resource": resource, "source": account.source, "data": account.data})
