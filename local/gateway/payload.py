"""Requests as events and results as answers, in payload format 2.0.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import base64
import binascii
import json
import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from werkzeug.wrappers import Request, Response

from local.aws.stack import ACCOUNT_ID
from local.gateway.api import Route
from local.gateway.authorizer import event_claims

_TEXT_TYPES = {"application/json", "application/javascript", "application/xml"}


class MalformedResultError(Exception):
    """The function returned what API Gateway cannot turn into an answer (500)."""


def event_of(
    request: Request,
    route: Route,
    path_parameters: Mapping[str, str],
    claims: Mapping[str, Any] | None,
    api_id: str,
    request_id: str,
) -> dict[str, Any]:
    """The event for a request. Paths are decoded, the raw query string is not, as in API Gateway."""
    raw_query = request.environ.get("QUERY_STRING", "")
    body = request.get_data()
    is_text = request.mimetype in _TEXT_TYPES or request.mimetype.startswith("text/")
    optional = {
        "cookies": [pair.strip() for pair in request.headers.get("Cookie", "").split(";") if pair.strip()],
        "queryStringParameters": _joined(parse_qsl(raw_query, keep_blank_values=True)),
        "pathParameters": dict(path_parameters),
        "body": body.decode(errors="replace") if is_text else base64.b64encode(body).decode(),
    }
    return {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": request.path,
        "rawQueryString": raw_query,
        "headers": _headers(request),
        "requestContext": _request_context(request, route, claims, api_id, request_id),
        "isBase64Encoded": bool(body) and not is_text,
        **{name: value for name, value in optional.items() if value},
    }


def answer_of(result: object) -> Response:
    """The answer that a function's result stands for. Raises MalformedResultError.

    A result without `statusCode` is the body of a 200 with JSON.
    """
    if not isinstance(result, dict) or "statusCode" not in result:
        return Response(result if isinstance(result, str) else json.dumps(result), content_type="application/json")
    status, headers, body = result["statusCode"], result.get("headers") or {}, result.get("body") or ""
    if not isinstance(status, int) or not isinstance(body, str) or not isinstance(headers, dict):
        raise MalformedResultError
    response = Response(_decoded(body) if result.get("isBase64Encoded") else body, status)
    response.headers["Content-Type"] = "text/plain;charset=UTF-8"
    for name, value in headers.items():
        response.headers[name] = str(value)
    for cookie in result.get("cookies") or []:
        response.headers.add("Set-Cookie", cookie)
    return response


def _decoded(body: str) -> bytes:
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise MalformedResultError from error


def _joined(pairs: list[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _headers(request: Request) -> dict[str, str]:
    """The request's headers without its cookies, and those that API Gateway adds."""
    own = _joined([(name.lower(), value) for name, value in request.headers.items() if name != "Cookie"])
    source_ip = request.remote_addr or ""
    return own | {
        "x-amzn-trace-id": f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)}",
        "x-forwarded-for": ", ".join(filter(None, [own.get("x-forwarded-for"), source_ip])),
        "x-forwarded-port": str(request.environ["SERVER_PORT"]),
        "x-forwarded-proto": request.scheme,
    }


def _request_context(
    request: Request, route: Route, claims: Mapping[str, Any] | None, api_id: str, request_id: str
) -> dict[str, Any]:
    now = datetime.now(UTC)
    domain = request.host.split(":")[0]
    context = {
        "accountId": ACCOUNT_ID,
        "apiId": api_id,
        "domainName": domain,
        "domainPrefix": domain.split(".")[0],
        "http": {
            "method": request.method,
            "path": request.path,
            "protocol": request.environ["SERVER_PROTOCOL"],
            "sourceIp": request.remote_addr,
            "userAgent": request.headers.get("User-Agent", ""),
        },
        "requestId": request_id,
        "routeKey": route.key,
        "stage": "$default",
        "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "timeEpoch": int(now.timestamp() * 1000),
    }
    if claims is not None:
        scopes = list(route.jwt.scopes) if route.jwt and route.jwt.scopes else None
        context["authorizer"] = {"jwt": {"claims": event_claims(claims), "scopes": scopes}}
    return context
