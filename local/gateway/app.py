"""The HTTP API as a WSGI application."""

import json
import logging
import secrets
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Request, Response

from local.functions import Outcome
from local.gateway import cors
from local.gateway.api import HttpApi, Match, Route
from local.gateway.authorizer import Authorizer, ForbiddenError, UnauthorizedError
from local.gateway.payload import MalformedResultError, answer_of, event_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
_MAX_BODY_BYTES = 10 * 1024 * 1024
_MAX_HEADER_BYTES = 10_240

_log = logging.getLogger("local.gateway")


class Gateway:
    """Serves an API's routes by invoking the functions behind them.

    `invoke` takes a function's ARN and an event. The log has the route's key, never the path or the query: they hold
    ids, codes and tickets.
    """

    def __init__(self, api: HttpApi, invoke: Callable[[str, object], Outcome]) -> None:
        self._api = api
        self._invoke = invoke
        self._authorizer = cache(Authorizer)
        self._workers = ThreadPoolExecutor(max_workers=64)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request (WSGI)."""
        started = time.monotonic()
        request = Request(environ)
        request.max_content_length = _MAX_BODY_BYTES
        request_id = secrets.token_urlsafe(12)
        found = self._api.match(request.method, _path(environ))
        response = self._respond(request, found, request_id)
        response.headers["Apigw-Requestid"] = request_id
        milliseconds = (time.monotonic() - started) * 1000
        _log.info("%s %d %.0f ms", found[0].key if found else f"{request.method} -", response.status_code, milliseconds)
        return response(environ, start_response)

    def close(self) -> None:
        """Let go of the threads that wait for functions."""
        self._workers.shutdown(wait=False, cancel_futures=True)

    def _respond(self, request: Request, found: Match | None, request_id: str) -> Response:
        if self._api.cors is None:
            return self._answer(request, found, request_id)
        if not found and cors.is_preflight(request):
            return cors.preflight_answer(self._api.cors, request)
        response = self._answer(request, found, request_id)
        cors.mark(self._api.cors, request, response.headers)
        return response

    def _answer(self, request: Request, found: Match | None, request_id: str) -> Response:
        if _header_bytes(request) > _MAX_HEADER_BYTES:
            return _message(431, "Request Header Fields Too Large")
        if not found:
            return _message(404, "Not Found")
        route, path_parameters = found
        try:
            claims = self._authorizer(route.jwt.issuer).claims(route.jwt, request.headers) if route.jwt else None
        except UnauthorizedError as error:
            return _unauthorized(route, str(error))
        except ForbiddenError:
            return _message(403, "Forbidden")
        try:
            event = event_of(request, route, path_parameters, claims, self._api.id, request_id)
        except RequestEntityTooLarge:
            return _message(413, "Request Entity Too Large")
        return self._integrate(route, event)

    def _integrate(self, route: Route, event: dict[str, Any]) -> Response:
        try:
            outcome = self._workers.submit(self._invoke, route.function_arn, event).result(route.timeout_seconds)
        except TimeoutError:
            return _message(503, "Service Unavailable")
        if outcome.failed:
            return _message(500, "Internal Server Error")
        try:
            return answer_of(outcome.json())
        except MalformedResultError:
            return _message(500, "Internal Server Error")


def _path(environ: "WSGIEnvironment") -> str:
    """The path as it came, decoded: PATH_INFO has lost all but one of the slashes at its beginning."""
    return unquote(environ["REQUEST_URI"].partition("?")[0])


def _message(status: int, text: str) -> Response:
    return Response(json.dumps({"message": text}, separators=(",", ":")), status, content_type="application/json")


def _unauthorized(route: Route, reason: str) -> Response:
    scopes = " ".join(route.jwt.scopes) if route.jwt else ""
    challenge = f'Bearer scope="{scopes}" error="invalid_token" error_description="{reason}"' if reason else "Bearer"
    response = _message(401, "Unauthorized")
    response.headers["WWW-Authenticate"] = challenge
    return response


def _header_bytes(request: Request) -> int:
    """The size of the request line and the headers, as they came over the wire."""
    line = f"{request.method} {request.environ.get('REQUEST_URI', request.path)} {request.environ['SERVER_PROTOCOL']}"
    return len(line) + sum(len(name) + len(value) + len(": \r\n") for name, value in request.headers.items())
