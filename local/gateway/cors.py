"""CORS, answered by the gateway itself.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
"""

from werkzeug.datastructures import Headers
from werkzeug.wrappers import Request, Response

from local.gateway.api import Cors


def is_preflight(request: Request) -> bool:
    """Whether a browser asks before it sends the request itself."""
    return request.method == "OPTIONS" and {"Origin", "Access-Control-Request-Method"} <= set(request.headers.keys())


def preflight_answer(cors: Cors, request: Request) -> Response:
    """What is allowed: nothing is said to an origin that is not."""
    response = Response(status=204)
    del response.headers["Content-Type"]
    if _allow_origin(cors, request, response.headers):
        response.headers["Access-Control-Allow-Methods"] = ",".join(cors.methods)
        response.headers["Access-Control-Allow-Headers"] = ",".join(cors.headers)
        if cors.max_age_seconds is not None:
            response.headers["Access-Control-Max-Age"] = str(cors.max_age_seconds)
    return response


def mark(cors: Cors, request: Request, headers: Headers) -> None:
    """Put the API's own CORS headers on an answer, and take away what the function said of it."""
    for name in [name for name, _ in headers if name.lower().startswith("access-control-")]:
        headers.remove(name)
    if _allow_origin(cors, request, headers) and cors.exposed:
        headers["Access-Control-Expose-Headers"] = ",".join(cors.exposed)


def _allow_origin(cors: Cors, request: Request, headers: Headers) -> bool:
    origin = request.headers.get("Origin", "")
    if not origin or not {origin, "*"} & set(cors.origins):
        return False
    headers["Access-Control-Allow-Origin"] = "*" if "*" in cors.origins else origin
    if cors.credentials:
        headers["Access-Control-Allow-Credentials"] = "true"
    return True
