"""The JWT authorizer of an HTTP API.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jwt
import requests
from werkzeug.datastructures import Headers

from local.gateway.api import JwtRule

_ALGORITHMS = ("RS256", "RS384", "RS512")


class UnauthorizedError(Exception):
    """The request has no token, or one that does not hold (401). The text says why, for `www-authenticate`."""


class ForbiddenError(Exception):
    """The token holds, but has none of the route's scopes (403)."""


@dataclass(frozen=True)
class Authorizer:
    """Checks tokens of one issuer, whose keys it fetches when it first sees a token."""

    issuer: str

    def claims(self, rule: JwtRule, headers: Headers) -> dict[str, Any]:
        """The claims of a request's token. Raises UnauthorizedError or ForbiddenError."""
        token = headers.get(rule.header, "").removeprefix("Bearer ").strip()
        if not token:
            raise UnauthorizedError
        try:
            claims = self._verified(token)
        except jwt.InvalidTokenError as invalid:
            raise UnauthorizedError(_description(invalid)) from invalid
        except (jwt.PyJWKClientError, requests.RequestException) as unavailable:
            raise UnauthorizedError("the token's key is not known") from unavailable
        _check_audience(claims, rule)
        _check_scopes(claims, rule)
        return claims

    @cached_property
    def _keys(self) -> jwt.PyJWKClient:
        configuration = requests.get(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration", timeout=5).json()
        return jwt.PyJWKClient(configuration["jwks_uri"])

    def _verified(self, token: str) -> dict[str, Any]:
        if jwt.get_unverified_header(token).get("alg") not in _ALGORITHMS:
            raise jwt.InvalidAlgorithmError
        return dict(
            jwt.decode(
                token,
                self._keys.get_signing_key_from_jwt(token).key,
                algorithms=_ALGORITHMS,
                issuer=self.issuer,
                options={"require": ["exp", "iss"], "verify_aud": False},
            )
        )


def event_claims(claims: Mapping[str, Any]) -> dict[str, str]:
    """Claims as an event carries them: every value is a text, a list is `[a b]`."""
    return {name: _text(value) for name, value in claims.items()}


def _text(value: object) -> str:
    match value:
        case str():
            return value
        case list():
            return f"[{' '.join(_text(item) for item in value)}]"
        case _:
            return json.dumps(value)


def _check_audience(claims: Mapping[str, Any], rule: JwtRule) -> None:
    # client_id counts only where there is no aud.
    named = claims.get("aud", claims.get("client_id", []))
    audiences = [named] if isinstance(named, str) else named
    if not set(audiences) & set(rule.audiences):
        raise UnauthorizedError("the token does not have a valid audience")


def _check_scopes(claims: Mapping[str, Any], rule: JwtRule) -> None:
    scopes = claims.get("scope", claims.get("scp", ""))
    granted = scopes.split() if isinstance(scopes, str) else scopes
    if rule.scopes and not set(granted) & set(rule.scopes):
        raise ForbiddenError


def _description(invalid: jwt.InvalidTokenError) -> str:
    match invalid:
        case jwt.ExpiredSignatureError():
            return "the token has expired"
        case jwt.ImmatureSignatureError():
            return "the token is not yet valid"
        case jwt.InvalidIssuerError() | jwt.MissingRequiredClaimError():
            return "the token does not have a valid issuer or expiry"
        case jwt.InvalidAlgorithmError() | jwt.InvalidSignatureError():
            return "the token is not signed as it must be"
        case _:
            return "the token is not a JWT"
