"""Events as Lambda's triggers send them, cut down to what is read of them."""

from base64 import b64encode
from typing import Any


def http_event(
    route: str = "GET /",
    *,
    query: str = "",
    cookies: list[str] | None = None,
    body: str | bytes | None = None,
    content_type: str = "application/json",
    user_id: str | None = "user-1",
    **path: str,
) -> dict[str, Any]:
    """A request in payload format 2.0. A body of bytes comes in base64; without a user, no authorizer is asked.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """
    authorizer = {"authorizer": {"jwt": {"claims": {"sub": user_id}, "scopes": None}}} if user_id is not None else {}
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route,
        "rawQueryString": query,
        "headers": {"content-type": content_type},
        "requestContext": {"requestId": "request-1", **authorizer},
        "isBase64Encoded": isinstance(body, bytes),
    }
    if cookies is not None:
        event["cookies"] = cookies
    if body is not None:
        event["body"] = b64encode(body).decode() if isinstance(body, bytes) else body
    if path:
        event["pathParameters"] = path
    return event


class LambdaContext:
    """The context of an invocation that has four minutes left."""

    function_name = "function"
    aws_request_id = "invocation-1"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 240_000
