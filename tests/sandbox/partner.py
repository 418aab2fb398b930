"""A partner of WhiteBIT, for tests: calls the sandbox as a partner's backend does, without a socket."""

import base64
import hashlib
import json
from typing import Any
from urllib.parse import urlencode

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from local.whitebit import Options, Revision
from local.whitebit.keys import Key
from local.whitebit.sandbox import FIRST_USER_EMAIL, FIRST_USER_PASSWORD, Sandbox
from local.whitebit.signed import sign
from local.whitebit.web.app import create_app

VERIFIER = "fastkey-sandbox-verifier-of-43-characters-ok"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
CALLBACK = "https://partner.test/callback"
ADA = FIRST_USER_EMAIL
ALL_SCOPES = Options().scopes
BALANCE = "/api/v4/trade-account/balance"


class Partner:
    """One sandbox, and what is needed to talk to it."""

    def __init__(
        self, revision: Revision, scopes: tuple[str, ...] = ALL_SCOPES, allowed_ips: tuple[str, ...] = ()
    ) -> None:
        self.options = Options(revision=revision, redirect_uris=(CALLBACK,), scopes=scopes, allowed_ips=allowed_ips)
        self.app = create_app(self.options)
        self.sandbox: Sandbox = self.app.extensions["whitebit"]
        self.client: FlaskClient = self.app.test_client()

    def code(self, email: str = ADA) -> str:
        """What the callback brings after a consent."""
        return self.sandbox.tokens.issue_code(email, CHALLENGE)

    def token_form(self, **changes: str) -> dict[str, str]:
        """A right form for /oauth2/token, with changes; an empty value takes a field out."""
        form = {
            "client_id": self.options.client_id,
            "client_secret": self.options.client_secret,
            "code": changes.pop("code", "") or self.code(),
            "code_verifier": VERIFIER,
        } | changes
        return {name: value for name, value in form.items() if value}

    def tokens(self, email: str = ADA) -> dict[str, Any]:
        """The `data` of a successful exchange."""
        response = self.client.post("/oauth2/token", data=self.token_form(code=self.code(email)))
        assert response.status_code == 200
        return self.data(response)

    def refresh(self, token: str) -> TestResponse:
        client = {"client_id": self.options.client_id, "client_secret": self.options.client_secret}
        return self.client.post("/oauth2/refresh_token", data=client | {"token": token})

    def bearer(self, email: str = ADA) -> dict[str, str]:
        """The headers of a call with a new token of this user."""
        return {"Authorization": f"Bearer {self.tokens(email)['access_token']}"}

    def key(self, *permissions: str, email: str = ADA) -> Key:
        """A key of this partner, made without the pages."""
        created = self.client.post(f"/_control/users/{email}/keys", json={"permissions": permissions}).get_json()
        key = self.sandbox.keys.get(created["externalId"])
        assert key is not None
        return key

    def now_ms(self) -> int:
        return int(self.sandbox.clock.now() * 1000)

    def signed(self, key: Key, path: str = BALANCE, **fields: object) -> TestResponse:
        """A signed call with a fresh nonce, unless `fields` say otherwise."""
        fresh = max(self.now_ms(), key.nonces.last + 1)
        body = {"request": path, "nonce": fresh, "nonceWindow": True} | fields
        return self.send(path, json.dumps(body, separators=(",", ":")).encode(), key)

    def send(self, path: str, body: bytes, key: Key, **headers: str) -> TestResponse:
        """`body` as it is, signed with the key's secret."""
        payload = base64.b64encode(body).decode()
        signed = {
            "X-TXC-APIKEY": key.external_id,
            "X-TXC-PAYLOAD": payload,
            "X-TXC-SIGNATURE": sign(payload, key.secret),
        }
        return self.client.post(path, data=body, headers=signed | headers)

    def authorize_path(self, **changes: str) -> str:
        """A right path for GET /auth/login, with changes; an empty value takes a parameter out."""
        query = {
            "clientId": self.options.client_id,
            "redirect_uri": CALLBACK,
            "state": "the state",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        } | changes
        return "/auth/login?" + urlencode({name: value for name, value in query.items() if value})

    def log_in(self, email: str = ADA, password: str = FIRST_USER_PASSWORD) -> None:
        """The client becomes a browser in which this user is logged in."""
        assert self.client.post("/login", data={"email": email, "password": password}).status_code == 303

    @staticmethod
    def data(response: TestResponse) -> dict[str, Any]:
        body: dict[str, Any] = response.get_json()["data"]
        return body
