"""Every "no" that WhiteBIT's APIs say, in its own words and shapes: a status and a JSON body."""

from collections.abc import Iterable
from typing import Any


class ApiError(Exception):
    """An answer other than 200: raised by the state, turned into a response by the web layer."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


def oauth(status: int, message: str) -> ApiError:
    """The shape of everything under /oauth2 that is not about a form field."""
    return ApiError(status, {"data": {"message": [message]}})


def invalid_request() -> ApiError:
    return oauth(401, "Invalid request")


def required(fields: Iterable[str]) -> ApiError:
    return ApiError(422, {"errors": {field: ["validation.required"] for field in fields}, "notification": None})


def invalid_refresh_token() -> ApiError:
    return ApiError(400, {"data": {"token": ["Invalid token."]}})


def unauthorized() -> ApiError:
    return oauth(401, "Unauthorized.")


def forbidden() -> ApiError:
    return oauth(403, "Forbidden.")


def key_not_found() -> ApiError:
    return oauth(404, "Key not found.")


def secret_already_retrieved() -> ApiError:
    return oauth(409, "Secret already retrieved.")


def temporary_lock() -> ApiError:
    return oauth(423, "Temporary lock, retry shortly.")


def too_many_refreshes() -> ApiError:
    return oauth(429, "Too many requests.")


def v4(status: int, code: int, message: str) -> ApiError:
    """The shape of errors of the V4 API."""
    return ApiError(status, {"code": code, "message": message})


def invalid_payload() -> ApiError:
    return v4(400, 9, "Invalid payload.")


def invalid_field(field: str, message: str) -> ApiError:
    return ApiError(422, {"code": 0, "message": "Validation failed", "errors": {field: [message]}})
