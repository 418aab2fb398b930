"""What stands before AWS's services, and lets a role do what its policies allow."""

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from werkzeug import Request, Response

from local.aws.calls import caller, calls
from local.aws.policy import Call, Permission

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_log = logging.getLogger("local.aws")


@dataclass(frozen=True, slots=True)
class Judgement:
    """A call of a role, and whether one of its permissions covered it."""

    role: str
    call: Call
    allowed: bool


class Guard:
    """Judges the calls of roles. `judgements` are all of them so far, and `services` answers what is allowed.

    `roles` are permissions by a role's name, which is the access key id that its calls are signed with. Whoever signs
    with another is the account's administrator.
    """

    def __init__(self, services: "WSGIApplication") -> None:
        self.roles: Mapping[str, tuple[Permission, ...]] = {}
        self.judgements: list[Judgement] = []
        self.services = services

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        request = Request(environ)
        role = caller(request)
        if role in self.roles:
            body = request.get_data()
            for call in calls(request):
                if not self._judge(role, call):
                    refuse = _refusal_of_query if "Action" in request.form else _refusal
                    return refuse(_denial(role, call))(environ, start_response)
            environ["wsgi.input"] = BytesIO(body)
        return self.services(environ, start_response)

    def denied(self) -> list[Judgement]:
        """The calls that were refused."""
        return [judgement for judgement in self.judgements if not judgement.allowed]

    def _judge(self, role: str, call: Call) -> bool:
        allowed = any(permission.covers(call) for permission in self.roles[role])
        self.judgements.append(Judgement(role, call, allowed))
        if not allowed:
            _log.warning("%s may not %s on %s", role, call.action, call.resource)
        return allowed


def _denial(role: str, call: Call) -> str:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html"""
    return (
        f"User: {role} is not authorized to perform: {call.action} on resource: {call.resource} "
        f"because no identity-based policy allows the {call.action} action"
    )


def _refusal_of_query(message: str) -> Response:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/CommonErrors.html"""
    error = f"<Error><Type>Sender</Type><Code>AccessDenied</Code><Message>{escape(message)}</Message></Error>"
    return Response(f"<ErrorResponse>{error}</ErrorResponse>", 403, content_type="text/xml")


def _refusal(message: str) -> Response:
    body = json.dumps({"__type": "AccessDeniedException", "message": message})
    headers = {"x-amzn-ErrorType": "AccessDeniedException"}
    return Response(body, 400, headers, content_type="application/x-amz-json-1.1")
