"""The control API: what a test arranges and looks up. JSON, from this machine only; no part of WhiteBIT."""

import hashlib
import ipaddress
from collections.abc import Mapping
from dataclasses import asdict, fields
from types import UnionType
from typing import Any

from flask import Blueprint, Response, abort, jsonify, request
from flask.typing import ResponseReturnValue

from local.whitebit import permissions
from local.whitebit.faults import Fault, Kind
from local.whitebit.keys import Key, KeyCreationError
from local.whitebit.users import User
from local.whitebit.web.context import sandbox
from local.whitebit.web.faulty import CONTROL

control = Blueprint("control", __name__, url_prefix=CONTROL)

Types = Mapping[str, type | UnionType]

FLAGS: Types = {"kyc": bool, "two_factor": bool, "gate": bool, "blocked": bool, "region": str, "language": str}
FAULT: Types = {
    "path": str,
    "kind": str,
    "method": str,
    "times": int,
    "status": int,
    "body": object,
    "content_type": str,
    "location": str,
    "seconds": int | float,
    "size": int,
    "gzip": bool,
    "truncate": int,
}
CREDENTIALS: Types = {"email": str, "password": str, "second_factor": str}


@control.before_request
def only_from_this_machine() -> None:
    """JSON is asked for so that no page in a browser can send these requests without a preflight."""
    if not ipaddress.ip_address(request.remote_addr or "0.0.0.0").is_loopback:  # noqa: S104 - an address that is refused
        abort(403, "the control API answers this machine only")
    if request.method in ("POST", "PATCH") and not request.is_json:
        abort(415, "send JSON")


def order(allowed: Types, *needed: str) -> dict[str, Any]:
    """The request's JSON object, with these fields of these types and no others."""
    given = request.get_json()
    if not isinstance(given, dict) or any(not isinstance(v, allowed.get(k, ())) for k, v in given.items()):
        abort(400, f"a JSON object with {', '.join(allowed)}")
    if missing := [name for name in needed if name not in given]:
        abort(400, f"missing: {', '.join(missing)}")
    return given


def the_user(email: str) -> User:
    try:
        return sandbox().users.get(email)
    except KeyError:
        abort(404, "no such user")


def the_key(external_id: str) -> Key:
    return sandbox().keys.get(external_id) or abort(404, "no such key")


def user_shown(user: User) -> dict[str, Any]:
    shown = {f.name: getattr(user, f.name) for f in fields(user) if f.name not in ("password", "second_factor")}
    return shown | {"keys": [key_shown(key) for key in sandbox().keys.of(user.email)]}


def key_shown(key: Key) -> dict[str, Any]:
    """A key's state. The secret itself is not in it, only its digest."""
    now = sandbox().clock.now()
    return {
        "externalId": key.external_id,
        "client_id": key.client_id,
        "enabled": key.is_enabled(now),
        "retrieved": key.retrieved,
        "locked": key.is_locked(now),
        "granted": sorted(key.granted),
        "created_at": key.created_at,
        "last_used_at": key.last_used_at,
        "calls": key.calls,
        "secret_sha256": hashlib.sha256(key.secret.encode()).hexdigest(),
    }


@control.post("/users")
def add_user() -> ResponseReturnValue:
    given = order({**CREDENTIALS, **FLAGS}, "email", "password")
    try:
        user = sandbox().users.add(User(**given))
    except ValueError as error:
        abort(409, str(error))
    return user_shown(user), 201


@control.get("/users")
def list_users() -> Response:
    return jsonify([user_shown(user) for user in sandbox().users.all()])


@control.get("/users/<email>")
def show_user(email: str) -> Response:
    return jsonify(user_shown(the_user(email)))


@control.patch("/users/<email>")
def change_user(email: str) -> Response:
    """Change flags. `blocked: true` is WhiteBIT freezing the account: keys and tokens die."""
    user = the_user(email)
    for name, value in order(FLAGS).items():
        setattr(user, name, value)
    if user.blocked:
        sandbox().block(user)
    return jsonify(user_shown(user))


@control.post("/users/<email>/keys")
def add_key(email: str) -> ResponseReturnValue:
    """A key without the pages. `client_id` is the sandbox's partner unless given; null is a key made by hand."""
    given = order({"permissions": list, "client_id": str | None})
    client_id = given.get("client_id", sandbox().options.client_id)
    try:
        granted = permissions.resolve(given.get("permissions", []))
        key = sandbox().keys.create(the_user(email).email, client_id, granted)
    except ValueError as error:
        abort(400, str(error))
    except KeyCreationError as error:
        abort(409, str(error))
    return key_shown(key), 201


@control.patch("/keys/<external_id>")
def change_key(external_id: str) -> Response:
    """The user grants other `permissions` to a key that there is: those, and no others."""
    key = the_key(external_id)
    try:
        key.granted = permissions.resolve(order({"permissions": list}, "permissions")["permissions"])
    except ValueError as error:
        abort(400, str(error))
    return jsonify(key_shown(key))


@control.post("/keys/<external_id>/disable")
def disable_key(external_id: str) -> Response:
    key = the_key(external_id)
    key.disabled = True
    return jsonify(key_shown(key))


@control.post("/keys/<external_id>/lock")
def lock_key(external_id: str) -> Response:
    """Lock the secret for `seconds` of the sandbox's time: reading it is told 423."""
    key = the_key(external_id)
    key.locked_until = sandbox().clock.now() + order({"seconds": int | float}, "seconds")["seconds"]
    return jsonify(key_shown(key))


@control.get("/clock")
def show_clock() -> Response:
    return jsonify({"now": sandbox().clock.now()})


@control.post("/clock")
def move_clock() -> Response:
    try:
        sandbox().clock.advance(order({"advance_seconds": int | float}, "advance_seconds")["advance_seconds"])
    except ValueError as error:
        abort(400, str(error))
    return show_clock()


@control.post("/faults")
def order_fault() -> ResponseReturnValue:
    try:
        given = order(FAULT, "path", "kind")
        fault = Fault(**given | {"kind": Kind(given["kind"])})
    except ValueError as error:
        abort(400, str(error))
    return asdict(sandbox().faults.order(fault)), 201


@control.get("/faults")
def list_faults() -> Response:
    return jsonify(sandbox().faults.pending())


@control.delete("/faults")
def clear_faults() -> ResponseReturnValue:
    sandbox().faults.clear()
    return "", 204


@control.get("/calls")
def list_calls() -> Response:
    return jsonify([asdict(call) for call in sandbox().journal.calls])


@control.delete("/calls")
def clear_calls() -> ResponseReturnValue:
    sandbox().journal.clear()
    return "", 204


@control.get("/secrets")
def list_secrets() -> Response:
    """FOR TESTS ONLY: every code, token and API secret ever issued, to look for where none may be."""
    return jsonify(sandbox().mint.issued())


@control.post("/reset")
def reset() -> ResponseReturnValue:
    sandbox().reset()
    return "", 204
