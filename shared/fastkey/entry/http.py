"""Between API Gateway and a use case: requests, answers, and problems (payload format 2.0 of HTTP APIs).

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import json
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from fastkey.domain.authorization import AuthorizationResponse
from fastkey.domain.connection import Connection
from fastkey.domain.errors import BodyTooLarge, FastkeyError, InvalidRequest, NotJson, Unexpected, by_code
from fastkey.domain.permissions import access_of
from fastkey.domain.secret import Secret
from fastkey.domain.status import Status
from fastkey.logging import begin, log, log_defect
from fastkey.ports import Clock

BODY_LIMIT = 16 * 1024  # bytes; the largest body that is meant holds one URL

SUBJECT_LIMIT = 255  # characters: OpenID Connect Core 1.0, section 2

_RULED_OUT = re.compile(r"\s*q=0(\.0*)?\s*")

_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}

REVOKING = (
    "The connection is being revoked. WhiteBIT has not confirmed yet that the key is deleted. Whoever does not want "
    "to wait for that can remove the key in WhiteBIT's dashboard."
)
REVOKED = (
    "The connection was revoked, and WhiteBIT has confirmed that the key is gone. If its dashboard shows another for "
    "this platform, remove that."
)
LEFTOVER = "If WhiteBIT's dashboard shows a key for this platform later, remove it."
USER_ACTION = (
    "WhiteBIT could not be made to delete the key. Remove it in WhiteBIT's dashboard; you can connect again after that."
)


class Request:
    """A request as the handlers read it.

    remaining: how long this invocation may take, when it began. What is not of the expected form raises InvalidRequest,
    and none of it is repeated in the answer.
    """

    def __init__(self, event: Mapping[str, Any], remaining: timedelta) -> None:
        self._event = event
        self._remaining = remaining

    def deadline(self, clock: Clock) -> datetime:
        """When Lambda stops this invocation. For the first line of a handler: time passes."""
        return clock.now() + self._remaining

    @property
    def id(self) -> str:
        return str(self._event["requestContext"]["requestId"])

    @property
    def route(self) -> str:
        """The route as the template names it, such as `GET /connections/{connection_id}`."""
        return str(self._event["routeKey"])

    @property
    def user_id(self) -> str:
        """The user: the `sub` of the JWT that API Gateway has checked. Raises InvalidRequest for one that is none."""
        claims = self._event["requestContext"].get("authorizer", {}).get("jwt", {}).get("claims") or {}
        subject = str(claims.get("sub", ""))
        if not 0 < len(subject) <= SUBJECT_LIMIT:
            raise InvalidRequest
        return subject

    @property
    def connection_id(self) -> str:
        return str(self._event["pathParameters"]["connection_id"])

    @property
    def accepts_pages(self) -> bool:
        """Whether `Accept` names text/html, and not to rule it out (RFC 9110, section 12.5.1)."""
        ranges = [each.split(";") for each in self._header("accept").lower().split(",")]
        return any(
            media_range.strip() == "text/html" and not any(map(_RULED_OUT.fullmatch, parameters))
            for media_range, *parameters in ranges
        )

    def query(self, name: str) -> Secret | None:
        """A parameter of the query, decoded; None where it is missing or empty.

        Raises InvalidRequest if it is there twice (RFC 6749, section 3.1).
        """
        values = [value for parameter, value in self._query() if parameter == name]
        if len(values) > 1:
            raise InvalidRequest
        return Secret(values[0]) if values and values[0] else None

    def required(self, name: str) -> Secret:
        """A parameter of the query that has to be there. Raises InvalidRequest if it is not."""
        return self.query(name) or _refuse()

    def parameters(self) -> Mapping[str, str]:
        """The whole query, by names. Raises InvalidRequest for one that is there twice."""
        return _object(self._query())

    def authorization_response(self) -> AuthorizationResponse:
        """What a browser comes back with.

        Raises InvalidRequest unless there is one state, and either one code or one error.
        """
        state, code, error = self.required("state"), self.query("code"), self.query("error")
        if (code is None) == (error is None):
            raise InvalidRequest
        return AuthorizationResponse(state, code, error, self.query("iss"))

    def cookie(self, name: str) -> Secret:
        """A cookie; an empty one where it is missing, or there more than once, so that it matches nothing."""
        pairs = [cookie.partition("=") for cookie in self._event.get("cookies", ())]
        values = [value for cookie, _, value in pairs if cookie.strip() == name]
        return Secret(values[0] if len(values) == 1 else "")

    def body(self) -> Any:
        """The document in the body, which is JSON. Raises NotJson, BodyTooLarge, InvalidRequest."""
        if self._header("content-type").partition(";")[0].strip().lower() != "application/json":
            raise NotJson
        try:
            text = self._event.get("body", "")
            octets = b64decode(text) if self._event["isBase64Encoded"] else text.encode()
            if len(octets) > BODY_LIMIT:
                raise BodyTooLarge
            document = json.loads(octets.decode(), object_pairs_hook=_object, parse_constant=_refuse)
            # Half a character, which JSON can escape (RFC 8259, section 8.2), has no octets.
            json.dumps(document, ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            raise InvalidRequest from None
        return document

    def _header(self, name: str) -> str:
        """API Gateway writes their names small."""
        return str(self._event["headers"].get(name, ""))

    def _query(self) -> list[tuple[str, str]]:
        try:
            query = self._event["rawQueryString"]
            return parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=20)
        except ValueError:
            raise InvalidRequest from None


@dataclass(frozen=True, slots=True)
class Response:
    """An answer.

    `document` becomes JSON, unless it is a text already. Every answer forbids to store it, to pass its address on, and
    to make anything of it but what it says.
    """

    status: int
    document: Mapping[str, Any] | str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()
    media_type: str = "application/json"

    def to_payload(self) -> dict[str, Any]:
        """The answer in API Gateway's form."""
        content = {"Content-Type": self.media_type} if self.document is not None else {}
        return {
            "statusCode": self.status,
            "headers": {**_HEADERS, **content, **self.headers},
            "cookies": list(self.cookies),
            "body": self._body(),
        }

    def _body(self) -> str:
        match self.document:
            case None:
                return ""
            case str():
                return self.document
            case document:
                return json.dumps(document)


def redirect(status: int, url: Secret, *cookies: str) -> Response:
    """Sends the browser elsewhere: 302 to consent, 303 back (RFC 9110, section 15.4)."""
    return Response(status, headers={"Location": url.reveal()}, cookies=cookies)


def set_cookie(name: str, value: Secret, max_age: int) -> str:
    """A cookie for this host alone, unseen by scripts, that comes back on a top-level visit from elsewhere.

    max_age: seconds; 0 removes it.
    """
    return f"{name}={value.reveal()}; Max-Age={max_age}; Path=/; Secure; HttpOnly; SameSite=Lax"


def describe(connection: Connection) -> dict[str, Any]:
    """A connection as its user may see it: never a secret, and of the key only what it may do."""
    return {
        "connection_id": connection.connection_id,
        "status": connection.status.public,
        "step": connection.status.value,
        "reason": connection.reason,
        "detail": _detail(connection),
        "access": asdict(access_of(connection.permissions)),
        "permissions": list(connection.permissions),
        "created_at": connection.created_at.isoformat(),
        "updated_at": connection.updated_at.isoformat(),
        "key_lives_until": connection.key_lives_until.isoformat() if connection.key_lives_until else None,
    }


def problem(error: FastkeyError, request_id: str) -> Response:
    """An error as a problem (RFC 9457): constant texts, and the id under which the logs tell more."""
    document = {
        "type": f"urn:fastkey:problem:{error.code}",
        "title": error.text,
        "status": error.http_status,
        "instance": f"urn:fastkey:request:{request_id}",
    }
    headers = {"Retry-After": str(error.retry_after)} if error.retryable else {}
    return Response(error.http_status, document, headers, media_type="application/problem+json")


Handler = Callable[[dict[str, Any], Any], dict[str, Any]]
Refusal = Callable[[FastkeyError, str], Response]


def endpoint(answer: Callable[[Request], Response]) -> Handler:
    """Makes a Lambda handler, for programs, of a function from request to response.

    Errors become problems; what nobody foresaw says nothing of itself.
    """
    return handler_of(answer, lambda request: problem)


def handler_of(answer: Callable[[Request], Response], refusal: Callable[[Request], Refusal]) -> Handler:
    """Makes a Lambda handler as `endpoint` does. refusal: how errors are answered, for a request."""

    @wraps(answer)
    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        request = Request(event, timedelta(milliseconds=context.get_remaining_time_in_millis()))
        refuse = refusal(request)
        begin(context.function_name, context.aws_request_id)
        try:
            response = answer(request)
            log(request.route, request_id=request.id, status=str(response.status))
        except FastkeyError as error:
            log(request.route, request_id=request.id, code=error.code)
            response = refuse(error, request.id)
        except Exception as error:  # noqa: BLE001 - the last line: a traceback would reach the caller's screen and the log
            log_defect(error)
            response = refuse(Unexpected(), request.id)
        return response.to_payload()

    return handler


def _detail(connection: Connection) -> str | None:
    """What a person should know of a revocation, and of an end: the error's own text, unless it came to an end other
    than that text says.
    """
    if connection.status is Status.REVOKING:
        return REVOKING
    if connection.status is Status.REVOKED and connection.issued_at:
        return REVOKED
    if connection.reason is None or not (connection.status.is_end or connection.status is Status.DEAD):
        return None
    ended_by = by_code(connection.reason)
    if connection.status is not ended_by.ends:
        return USER_ACTION
    return f"{ended_by.text} {LEFTOVER}" if ended_by.may_leave_key else ended_by.text


def _refuse(_: object = None) -> NoReturn:
    raise InvalidRequest


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose names are unique (RFC 8259, section 4, leaves the others to chance)."""
    names = {name for name, _ in pairs}
    return dict(pairs) if len(names) == len(pairs) else _refuse()
