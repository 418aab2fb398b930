"""The partner's endpoints: /oauth2/token, /oauth2/refresh_token and /oauth2/api-key/*."""

from typing import Any

from flask import Blueprint, Response, jsonify, request

from local.whitebit import permissions, refusals
from local.whitebit.options import Revision
from local.whitebit.signed import ip_is_allowed
from local.whitebit.tokens import Pair
from local.whitebit.web.context import bearer, sandbox
from local.whitebit.web.faulty import release_after_answer

oauth = Blueprint("oauth", __name__, url_prefix="/oauth2")


@oauth.post("/token")
def token() -> Response:
    check_ip()
    return pair(sandbox().tokens.exchange(request.form))


@oauth.post("/refresh_token")
def refresh_token() -> Response:
    check_ip()
    return pair(sandbox().tokens.refresh(request.form))


@oauth.get("/api-key/info")
def info() -> Response:
    options = sandbox().options
    if options.revision is Revision.MAY_2026 and "apikeys.read" not in options.scopes:
        raise refusals.unauthorized()  # this revision's info has no 403
    user = bearer("apikeys.read")
    key = sandbox().partner_key(user)
    return data(
        {
            "exists": key is not None,
            "isEnabled": key is not None and key.is_enabled(sandbox().clock.now()),
            "externalId": key and key.external_id,
            "permissions": permissions.described(key.granted, user.language, options.revision) if key else [],
        }
    )


@oauth.get("/api-key/<external_id>/secret")
def secret(external_id: str) -> Response:
    """The key is locked until the answer is on its way: a second read at the same time is told 423."""
    user = bearer("apikeys.read")
    key = sandbox().keys.read_secret(user.email, sandbox().options.client_id, external_id)
    release_after_answer(key)
    response = data({"apiSecret": key.secret})
    response.headers["Cache-Control"] = "no-store"
    return response


@oauth.delete("/api-key/<external_id>")
def delete(external_id: str) -> Response:
    user = bearer("apikeys.delete")
    sandbox().keys.delete(user.email, sandbox().options.client_id, external_id)
    user.mails.append("An API key of yours was deleted by a partner.")
    return data([])


def check_ip() -> None:
    if not ip_is_allowed(request.remote_addr or "", sandbox().options.allowed_ips):
        raise refusals.invalid_request()


def pair(issued: Pair) -> Response:
    body: dict[str, Any] = {
        "access_token": issued.access,
        "expires_in": sandbox().tokens.expires_in(),
        "scope": ",".join(sandbox().options.scopes),
        "token_type": "Bearer",
    }
    return data(body | ({"refresh_token": issued.refresh} if issued.refresh else {}))


def data(body: object) -> Response:
    """WhiteBIT wraps every OAuth answer in `data`."""
    return jsonify({"data": body})
