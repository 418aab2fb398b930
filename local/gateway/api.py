"""An HTTP API as the translated template describes it: an OpenAPI document with Amazon's extensions.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-open-api.html
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_INTEGRATION = "x-amazon-apigateway-integration"
_ANY_METHOD = "x-amazon-apigateway-any-method"
_DEFAULT_TIMEOUT_MS = 30_000


@dataclass(frozen=True, slots=True)
class JwtRule:
    """Which tokens an authorizer takes. `scopes` are the route's own: one of them is enough, none asks for nothing."""

    issuer: str
    audiences: tuple[str, ...]
    header: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path pattern, and the function behind them."""

    method: str
    path: str
    function_arn: str
    timeout_seconds: float
    jwt: JwtRule | None

    @property
    def key(self) -> str:
        """API Gateway's name for the route."""
        return self.path if self.path == "$default" else f"{self.method} {self.path}"

    def parameters(self, method: str, path: str) -> dict[str, str] | None:
        """The path parameters of a request to this route, or None if the request is not for it."""
        if self.method not in (method, "ANY"):
            return None
        if self.path == "$default":
            return {}
        found = re.fullmatch(_pattern(self.path), path)
        return found.groupdict() if found else None

    @property
    def precedence(self) -> tuple[int, ...]:
        """Sorts routes: literal segments, then variables, greedy variables, `$default`; a method before ANY.

        https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html#http-api-develop-routes.evaluation
        """
        if self.path == "$default":
            return (3,)
        kinds = (2 if part.endswith("+}") else int(part.startswith("{")) for part in self.path.split("/"))
        return (*kinds, int(self.method == "ANY"))


# A route and the values of its path parameters.
Match = tuple[Route, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Cors:
    """The API's CORS configuration. An empty tuple allows nothing."""

    origins: tuple[str, ...]
    methods: tuple[str, ...]
    headers: tuple[str, ...]
    exposed: tuple[str, ...]
    max_age_seconds: int | None
    credentials: bool


@dataclass(frozen=True, slots=True)
class HttpApi:
    """Routes and CORS configuration of one API."""

    id: str
    routes: tuple[Route, ...]
    cors: Cors | None

    @classmethod
    def parse(cls, api_id: str, body: Mapping[str, Any]) -> "HttpApi":
        """Read the resolved `Body` of an `AWS::ApiGatewayV2::Api`."""
        schemes = body.get("components", {}).get("securitySchemes", {})
        routes = [
            _route(method, path, operation, schemes)
            for path, operations in body["paths"].items()
            for method, operation in operations.items()
        ]
        cors = body.get("x-amazon-apigateway-cors")
        return cls(api_id, tuple(sorted(routes, key=lambda route: route.precedence)), _cors(cors) if cors else None)

    def match(self, method: str, path: str) -> Match | None:
        """The route that takes a request, if one does. `path` is decoded."""
        for route in self.routes:
            parameters = route.parameters(method, path)
            if parameters is not None:
                return route, parameters
        return None


def _pattern(path: str) -> str:
    def segment(match: re.Match[str]) -> str:
        return f"(?P<{match[1]}>.+)" if match[2] else f"(?P<{match[1]}>[^/]+)"

    return re.sub(r"\{(\w+)(\+)?\}", segment, path)


def _route(method: str, path: str, operation: Mapping[str, Any], schemes: Mapping[str, Any]) -> Route:
    integration = operation[_INTEGRATION]
    if integration["payloadFormatVersion"] != "2.0":
        raise ValueError(f"{path}: only payload format 2.0 is known to the local world")
    arn = re.search(r"functions/(arn:[^/]+)/invocations", integration["uri"])
    if arn is None:
        raise ValueError(f"{path}: the integration is not a Lambda function")
    return Route(
        method="ANY" if method == _ANY_METHOD else method.upper(),
        path=path.removeprefix("/") if path == "/$default" else path,
        function_arn=arn[1],
        timeout_seconds=integration.get("timeoutInMillis", _DEFAULT_TIMEOUT_MS) / 1000,
        jwt=_jwt_rule(operation.get("security", []), schemes),
    )


def _jwt_rule(security: list[Mapping[str, list[str]]], schemes: Mapping[str, Any]) -> JwtRule | None:
    for requirement in security:
        for name, scopes in requirement.items():
            if name == "NONE":  # how SAM writes that a route has no authorizer
                continue
            authorizer = schemes[name]["x-amazon-apigateway-authorizer"]
            jwt = authorizer["jwtConfiguration"]
            source = authorizer["identitySource"]
            header = source[0] if isinstance(source, list) else source
            return JwtRule(
                issuer=jwt["issuer"],
                audiences=tuple(jwt["audience"]),
                header=header.removeprefix("$request.header."),
                scopes=tuple(scopes),
            )
    return None


def _cors(configuration: Mapping[str, Any]) -> Cors:
    return Cors(
        origins=tuple(configuration.get("allowOrigins", ())),
        methods=tuple(configuration.get("allowMethods", ())),
        headers=tuple(configuration.get("allowHeaders", ())),
        exposed=tuple(configuration.get("exposeHeaders", ())),
        max_age_seconds=configuration.get("maxAge"),
        credentials=bool(configuration.get("allowCredentials", False)),
    )
