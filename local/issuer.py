"""The partner's identity provider on this machine: OpenID Connect as far as a JWT authorizer needs it."""

import json
import time
from ipaddress import ip_address

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from werkzeug.wrappers import Request, Response

from local.web import WebServer

DEFAULT_PORT = 8083

_KEY_ID = "local"
_LIFETIME_SECONDS = 3600


class Issuer:
    """Signs JWTs with a key of its own, made when it starts, and publishes that key."""

    def __init__(self, host: str, port: int, audience: str) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._audience = audience
        self._server = WebServer(host, port)
        self.url = self._server.url
        self.application = Request.application(self._answer)
        self._server.start(self.application)

    def token(self, sub: str, **claims: object) -> str:
        """A JWT for a user. `claims` are added to the usual ones, or replace them; None takes one away."""
        now = int(time.time())
        usual = {"iss": self.url, "sub": sub, "aud": self._audience, "iat": now, "exp": now + _LIFETIME_SECONDS}
        chosen = {name: value for name, value in {**usual, **claims}.items() if value is not None}
        return jwt.encode(chosen, self._key, algorithm="RS256", headers={"kid": _KEY_ID})

    def close(self) -> None:
        """Stop serving."""
        self._server.close()

    def _answer(self, request: Request) -> Response:
        match request.method, request.path:
            case "GET", "/.well-known/openid-configuration":
                return _json({"issuer": self.url, "jwks_uri": f"{self.url}/.well-known/jwks.json"})
            case "GET", "/.well-known/jwks.json":
                public = RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
                return _json({"keys": [{**public, "kid": _KEY_ID, "alg": "RS256", "use": "sig"}]})
            case "POST", "/token" if request.form.get("sub") and ip_address(request.remote_addr or "::").is_loopback:
                # For anybody on this machine, who could have the key too.
                return _json(
                    {
                        "access_token": self.token(request.form["sub"]),
                        "token_type": "Bearer",
                        "expires_in": _LIFETIME_SECONDS,
                    }
                )
            case _:
                return Response(status=404)


def _json(body: object) -> Response:
    return Response(json.dumps(body), content_type="application/json")
