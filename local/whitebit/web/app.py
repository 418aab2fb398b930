"""The Flask application: the parts put together, and errors in the shape of the part they happen in."""

import threading

from flask import Flask, Response, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from local.whitebit.authorization import AuthorizationRequestError
from local.whitebit.options import Options
from local.whitebit.refusals import ApiError, oauth, v4
from local.whitebit.sandbox import Sandbox
from local.whitebit.web import faulty
from local.whitebit.web.api import api
from local.whitebit.web.consent import consent
from local.whitebit.web.context import sandbox
from local.whitebit.web.control import control
from local.whitebit.web.dashboard import dashboard
from local.whitebit.web.keys import keys
from local.whitebit.web.oauth import oauth as oauth_endpoints

MAX_BODY = 64 * 1024


class OneAtATime(Flask):
    """Views run one at a time, so the state behind them needs no locks. Ordered faults run outside of that."""

    def __init__(self, name: str) -> None:
        super().__init__(name, static_folder=None)
        self._turn = threading.Lock()

    def dispatch_request(self) -> ResponseReturnValue:
        with self._turn:
            return super().dispatch_request()


def create_app(options: Options) -> Flask:
    """A WSGI application with a new sandbox behind it."""
    app = OneAtATime(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.extensions["whitebit"] = Sandbox(options)
    for part in (consent, keys, dashboard, oauth_endpoints, api, control):
        app.register_blueprint(part)
    app.register_error_handler(ApiError, refused)
    app.register_error_handler(AuthorizationRequestError, bad_authorization_request)
    app.register_error_handler(HTTPException, http_error)
    app.after_request(protect_page)
    app.context_processor(lambda: {"options": sandbox().options})
    faulty.install(app)
    return app


def refused(refusal: ApiError) -> ResponseReturnValue:
    return jsonify(refusal.body), refusal.status


def bad_authorization_request(error: AuthorizationRequestError) -> ResponseReturnValue:
    return render_template("message.html", page="error", title="This link does not work", message=str(error)), 400


def http_error(error: HTTPException) -> ResponseReturnValue:
    """Unknown paths get a page; anything else gets the shape of the API that was called."""
    status, name = error.code or 500, error.name
    if status != 404 and request.path.startswith("/oauth2/"):
        return refused(oauth(status, f"{name}."))
    if status != 404 and request.path.startswith("/api/"):
        return refused(v4(status, 0, f"{name}."))
    if request.path.startswith(faulty.CONTROL):
        return jsonify({"error": error.description}), status
    text = "There is no such page." if status == 404 else "This request cannot be answered."
    return render_template("message.html", page="error", title=f"{status} {name}", message=text), status


def protect_page(response: Response) -> Response:
    """Pages are not framed, not kept, and tell nobody where the browser came from: their addresses carry a state."""
    if response.mimetype == "text/html":
        response.headers["X-Frame-Options"] = "DENY"
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "no-referrer"
    return response
