"""POST /connections/{connection_id}/complete: the frontend of the user who started says that the browser is back."""

from pydantic import BaseModel, ConfigDict, Field

from fastkey import bootstrap
from fastkey.domain.secret import Secret
from fastkey.entry.http import Request, Response, describe, endpoint
from fastkey.usecases.complete_connection import complete_connection

world = bootstrap.start()


class Complete(BaseModel):
    """The body. completion: from the query of the page to which the browser came back."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

    completion: str = Field(max_length=128)


@endpoint
def handler(request: Request) -> Response:
    completion = Secret(request.body(Complete).completion)
    return Response(202, describe(complete_connection(world, request.connection_id, request.user_id, completion)))
