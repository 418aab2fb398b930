"""The gateway with the shipped handlers behind it, on a world of fakes: requests at which all can go wrong."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from werkzeug.test import Client, TestResponse

from local.functions import Outcome
from local.gateway import Gateway, HttpApi
from local.gateway.api import JwtRule, Route
from local.issuer import Issuer
from tests.fakes.system import FakeEntropy
from tests.fakes.world import RETURN_URL, FakeWorld
from tests.simulation.shipped import shipped
from tests.template import routes
from tests.unit.entry.events import LambdaContext
from tests.unit.journey import Journey

AUDIENCE = "partner"

Invoke = Callable[[str, Any], Outcome]


class UuidEntropy(FakeEntropy):
    """Identifiers of the form that those of a deployment have."""

    def identifier(self) -> str:
        return str(UUID(int=next(self._numbers)))


@dataclass(slots=True)
class Call:
    """A request of one operation, that is right unless a test makes it wrong."""

    operation: str
    connection_id: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    cookie: str = ""
    body: bytes = b""
    content_type: str = "application/json"
    user_id: str | None = "user-1"
    headers: Mapping[str, str] = field(default_factory=dict)


def _route(function: str, operation: str, takes_jwt: bool, rule: JwtRule) -> Route:
    method, path = operation.split(" ")
    return Route(method, path, function, timeout_seconds=29, jwt=rule if takes_jwt else None)


class Counter:
    """Takes calls. Each `journey` is on a world of its own; the last one's is the world of all calls."""

    # As Lambda's context has them.
    function_name, aws_request_id = LambdaContext.function_name, LambdaContext.aws_request_id

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer
        rule = JwtRule(issuer.url, (AUDIENCE,), "Authorization", scopes=())
        api = HttpApi("api", tuple(_route(*route, rule) for route in routes()), cors=None)
        # What stands in for Lambda; a test may put something else there.
        self.invoke: Invoke = self.run
        self._gateway = Gateway(api, lambda function, event: self.invoke(function, event))
        self.remaining_ms = LambdaContext.get_remaining_time_in_millis()

    def journey(self) -> Journey:
        self.invoke, self.remaining_ms = self.run, LambdaContext.get_remaining_time_in_millis()
        self.world = FakeWorld()
        self.world.entropy = UuidEntropy()
        return Journey(self.world)

    def get_remaining_time_in_millis(self) -> int:
        """As Lambda's context has it."""
        return self.remaining_ms

    def run(self, function: str, event: Any) -> Outcome:
        with shipped().stage.playing(self.world):
            answer = shipped().functions[function].module.handler(event, self)
        return Outcome(json.dumps(answer).encode(), failed=False)

    def take(self, call: Call) -> TestResponse:
        method, path = call.operation.split(" ")
        token = {"Authorization": f"Bearer {self._issuer.token(call.user_id)}"} if call.user_id else {}
        cookie = {"Cookie": call.cookie} if call.cookie else {}
        return Client(self._gateway, use_cookies=False).open(
            path.format(connection_id=call.connection_id),
            method=method,
            query_string=call.query,
            data=call.body,
            content_type=call.content_type,
            headers={**token, **cookie, **call.headers},
        )

    def close(self) -> None:
        self._gateway.close()


def call_of(operation: str, user: Journey) -> Call:
    """A call that goes well, for a user who has come as far as is needed for it."""
    match operation:
        case "POST /connections":
            return Call(operation, body=json.dumps({"return_url": RETURN_URL}).encode())
        case "GET /authorize":
            user.start()
            return Call(operation, query={"ticket": user.ticket.reveal()}, user_id=None)
        case "GET /callback":
            user.come_to_consent()
            cookie = f"{user.departure.cookie_name}={user.departure.cookie.reveal()}"
            query = {"state": user.state.reveal(), "code": user.code.reveal()}
            return Call(operation, query=query, cookie=cookie, user_id=None)
        case "POST /connections/{connection_id}/complete":
            user.authorize()
            body = json.dumps({"completion": user.completion.reveal()}).encode()
            return Call(operation, connection_id=user.connection_id, body=body)
        case "GET /connections":
            user.start()
            return Call(operation)
        case _ if "/account/" in operation:
            user.authorize().complete().create_key("trade_balance", "wallet", "convert").detect()
            user.capture()
            user.verify()
            return Call(operation, connection_id=user.connection_id)
        case _:
            user.start()
            return Call(operation, connection_id=user.connection_id)
