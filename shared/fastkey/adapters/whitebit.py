"""WhiteBIT's endpoints over HTTPS: each call is exactly one request."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from time import monotonic
from typing import Annotated, Any, NoReturn, TypeVar
from urllib.parse import urlencode

import urllib3
from msgspec import Meta, Struct, convert

from fastkey.domain import errors
from fastkey.domain.account import Data, Read
from fastkey.domain.key import KEY_REFUSED, NOT_PERMITTED, TOO_MANY, CapturedKey, KeyInfo, KeyState, sign
from fastkey.domain.secret import Secret
from fastkey.domain.tokens import TokenGrant
from fastkey.ports import Clock

# urllib3 limits each read, not the call. Once its header has come, an answer is over 5 s after LAST_READ at the latest;
# a server that drips its header is stopped by Lambda alone, and every lease outlasts that.
TIMEOUT = urllib3.Timeout(connect=3, read=5)
LAST_READ = 11  # seconds after the call's beginning

# Several times a page of a hundred transactions, the longest answer in the contract; what is longer is not WhiteBIT's.
ANSWER_LIMIT = 512 * 1024

BALANCE = "/api/v4/trade-account/balance"


class WhiteBitClient:
    """Implements the port over urllib3.

    base_url: without a slash at the end. read_client_secret: called by `prepare`, so that functions that never need the
    secret never read it.
    """

    def __init__(self, base_url: str, client_id: str, read_client_secret: Callable[[], Secret], clock: Clock) -> None:
        self._base_url = base_url
        self._client_id = client_id
        self._read_client_secret = read_client_secret
        self._client_secret = Secret("")
        self._clock = clock
        # No kept-alive connections: one that died while the function slept would lose an answer that counts.
        self._http = urllib3.PoolManager(
            timeout=TIMEOUT, retries=False, headers={"Connection": "close", "Accept": "application/json"}
        )

    # ---- Tokens ------------------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        self._client_secret = self._read_client_secret()

    def exchange_code(self, code: Secret, verifier: Secret) -> TokenGrant:
        status, answer = self._send_form("/oauth2/token", code=code, code_verifier=verifier)
        if status in (400, 401, 403, 422):
            raise errors.ExchangeRefused
        return _grant(status, answer)

    def refresh_token(self, refresh_token: Secret) -> TokenGrant:
        status, answer = self._send_form("/oauth2/refresh_token", token=refresh_token)
        if status in (400, 401, 403, 422):
            raise errors.ConsentLost
        return _grant(status, answer)

    # ---- The key -----------------------------------------------------------------------------------------------------

    def key_info(self, access_token: Secret) -> KeyInfo:
        status, answer = self._send_bearer("GET", "/oauth2/api-key/info", access_token)
        info = _read(_InfoAnswer, status, answer).data
        if not info.exists:
            return KeyInfo(KeyState.ABSENT)
        if info.external_id is None:
            raise errors.UnexpectedAnswer
        granted = tuple(group.name for group in info.permissions if any(url.enable for url in group.urls))
        return KeyInfo(KeyState.ACTIVE if info.is_enabled else KeyState.DISABLED, info.external_id, granted)

    def read_secret(self, access_token: Secret, external_id: str) -> Secret:
        status, answer = self._send_bearer("GET", f"/oauth2/api-key/{external_id}/secret", access_token)
        match status:
            case 404:
                raise errors.KeyGone
            case 409:
                raise errors.SecretLost
            case 423:
                raise errors.SecretLocked
            case _:
                return Secret(_read(_SecretAnswer, status, answer).data.api_secret)

    def delete_key(self, access_token: Secret, external_id: str) -> None:
        status, _ = self._send_bearer("DELETE", f"/oauth2/api-key/{external_id}", access_token)
        if status == 404:
            raise errors.KeyGone
        if status != 200:
            raise errors.UnexpectedAnswer

    def try_key(self, key: CapturedKey) -> None:
        nonce = int(self._clock.now().timestamp() * 1000)
        request = sign(key, BALANCE, nonce)
        status, answer = self._send(
            "POST", request.path, {**request.headers, "Content-Type": "application/json"}, request.body
        )
        if status != 200:
            _judge_signed(_parse(_Refusal, answer))

    # ---- The account -------------------------------------------------------------------------------------------------

    def read_signed(self, key: CapturedKey, nonce: int, read: Read, filters: Mapping[str, str | int]) -> Data:
        request = sign(key, read.signed_path, nonce, **filters)
        status, answer = self._send_read(request.path, request.headers, request.body)
        if status != 200:
            refusal = _parse(_Refusal, answer)
            _judge_read(status, refusal)
            _judge_signed(refusal)
            raise errors.PermissionMissing
        return _data(read, answer)

    def read_by_token(self, access_token: Secret, read: Read, filters: Mapping[str, str | int]) -> Data:
        authorization = {"Authorization": f"Bearer {access_token.reveal()}"}
        status, answer = self._send_read(read.bearer_path, authorization, json.dumps(filters).encode())
        if status == 401:
            raise errors.ConsentLost
        if status == 403:
            raise errors.PermissionMissing
        if status != 200:
            _judge_read(status, _parse(_Refusal, answer))
            raise errors.UnexpectedAnswer
        return _data(read, answer)

    # ---- The wire ----------------------------------------------------------------------------------------------------

    def _send_form(self, path: str, **fields: Secret) -> tuple[int, Any]:
        form = {"client_id": self._client_id, "client_secret": self._client_secret.reveal()}
        form |= {name: value.reveal() for name, value in fields.items()}
        body = urlencode(form).encode()
        return self._send("POST", path, {"Content-Type": "application/x-www-form-urlencoded"}, body)

    def _send_bearer(self, method: str, path: str, token: Secret) -> tuple[int, Any]:
        status, answer = self._send(method, path, {"Authorization": f"Bearer {token.reveal()}"})
        if status in (401, 403):
            raise errors.ConsentLost
        return status, answer

    def _send_read(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        """As `_send`. What was refused for its frequency may be repeated, and so is told apart."""
        headers = {**headers, "Content-Type": "application/json"}
        return self._send("POST", path, headers, body, throttled=errors.WhiteBitBusy)

    def _send(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes | None = None,
        throttled: type[errors.FastkeyError] = errors.WhiteBitUnavailable,
    ) -> tuple[int, Any]:
        """One request.

        Gives the status and the JSON of the answer; raises WhiteBitUnavailable, `throttled`, and UnexpectedAnswer for
        what is no JSON.
        """
        until = monotonic() + LAST_READ
        try:
            response = self._http.request(
                method,
                self._base_url + path,
                headers={**self._http.headers, **headers},
                body=body,
                redirect=False,
                preload_content=False,
            )
            with response:
                text = b"".join(_chunks(response, until))
        except urllib3.exceptions.HTTPError:
            raise errors.WhiteBitUnavailable from None
        finally:
            # urllib3 keeps a connection that the other side would keep, whatever we have said.
            self._http.clear()
        if response.status == 429:
            raise throttled
        if response.status >= 500:
            raise errors.WhiteBitUnavailable
        if response.status in range(300, 400):
            raise errors.UnexpectedAnswer
        try:
            return response.status, json.loads(text, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            raise errors.UnexpectedAnswer from None


def _refuse_constant(_: str) -> NoReturn:
    """NaN and Infinity, which Python reads and writes, are no JSON (RFC 8259, section 6)."""
    raise ValueError


def _chunks(response: urllib3.BaseHTTPResponse, until: float) -> Iterator[bytes]:
    """The answer as it comes, up to the limits of size and time.

    The time is looked at after a chunk: an answer whose header came late may hold the secret, and is not thrown away.
    """
    size = 0
    while chunk := response.read1(ANSWER_LIMIT):
        size += len(chunk)
        if size > ANSWER_LIMIT:
            raise errors.UnexpectedAnswer
        yield chunk
        if monotonic() >= until:
            return


# ---- Answers ---------------------------------------------------------------------------------------------------------


Answer = TypeVar("Answer")

# RFC 6749, appendix A.12 and A.17, for tokens: what can be sent in a header, and has as many bytes as characters.
_VISIBLE = r"^[ -~]+\Z"

# KMS encrypts 4,096 bytes at most.
_Token = Annotated[str, Meta(pattern=_VISIBLE, max_length=4096)]


class _Tokens(Struct):
    access_token: _Token
    expires_in: Annotated[int, Meta(gt=0, le=366 * 86400)]
    refresh_token: _Token | None = None
    # Another type would not be sent as we send it (RFC 6749, section 7.1).
    token_type: Annotated[str, Meta(pattern=r"(?i)^bearer\Z")] = "Bearer"  # noqa: S105 - a name


class _TokenAnswer(Struct):
    data: _Tokens


class _Url(Struct):
    enable: bool


class _Group(Struct):
    name: Annotated[str, Meta(max_length=64)]
    urls: list[_Url] = []


class _Info(Struct, rename="camel"):
    exists: bool
    is_enabled: bool
    # It becomes a part of paths: nothing that could lead elsewhere.
    external_id: Annotated[str, Meta(pattern=r"^[0-9A-Za-z-]{1,64}\Z")] | None = None
    # They are stored beside the secret, where there is room for 65,536 bytes.
    permissions: Annotated[list[_Group], Meta(max_length=64)] = []


class _InfoAnswer(Struct):
    data: _Info


class _ApiSecret(Struct, rename="camel"):
    api_secret: Annotated[str, Meta(pattern=_VISIBLE, max_length=2048)]


class _SecretAnswer(Struct):
    data: _ApiSecret


class _Refusal(Struct):
    code: int | None = None
    message: str = ""


def _read(model: type[Answer], status: int, answer: Any) -> Answer:
    if status != 200:
        raise errors.UnexpectedAnswer
    return _parse(model, answer)


def _parse(model: type[Answer], answer: Any) -> Answer:
    try:
        # Not strict: a number may come as a text.
        return convert(answer, model, strict=False)
    except ValueError:
        raise errors.UnexpectedAnswer from None


def _grant(status: int, answer: Any) -> TokenGrant:
    tokens = _read(_TokenAnswer, status, answer).data
    return TokenGrant(
        access_token=Secret(tokens.access_token),
        expires_in=timedelta(seconds=tokens.expires_in),
        refresh_token=Secret(tokens.refresh_token) if tokens.refresh_token else None,
    )


def _judge_signed(refusal: _Refusal) -> None:
    """Says what a signed call's refusal means for the key.

    Nothing, if a permission is missing; otherwise raises KeyUnusable, or an error that passes.
    """
    if refusal.code == 4 or refusal.message.startswith(NOT_PERMITTED):
        return
    if refusal.message == TOO_MANY:
        raise errors.WhiteBitUnavailable
    if refusal.message.startswith(KEY_REFUSED):
        raise errors.KeyUnusable
    raise errors.UnexpectedAnswer


# ---- Answers to reads ------------------------------------------------------------------------------------------------

# The shapes alone: what is in them is passed on as it is. They keep out what is no account data, such as an error under
# status 200, or a proxy's echo of the request.
_Row = dict[str, Any]
_Grouped = dict[str, list[_Row]] | list[_Row]  # by market; PHP's empty object is a list


class _Records(Struct):
    records: list[_Row]
    offset: int
    limit: int


# That of one ticker comes without the ticker's name.
_BALANCES = (dict[str, dict[str, str]], dict[str, str])

# By resource, what the answer is one of.
_SHAPES: Mapping[str, Sequence[Any]] = {
    "transactions": (_Records,),
    "balances/main": _BALANCES,
    "balances/spot": _BALANCES,
    "orders": (_Grouped,),
    "deals": (_Grouped,),
    "conversions": (_Records,),
}


def _data(read: Read, answer: Any) -> Data:
    if not any(_has_shape(answer, shape) for shape in _SHAPES[read.resource]):
        raise errors.UnexpectedAnswer
    data: Data = answer
    return data


def _has_shape(answer: Any, shape: Any) -> bool:
    try:
        convert(answer, shape)
    except ValueError:
        return False
    return True


def _judge_read(status: int, refusal: _Refusal) -> None:
    """Says what the refusal of a read means, unless it is about the key: raises what passes, or is the caller's."""
    # Another nonce, a moment later, is accepted.
    if refusal.message == TOO_MANY or refusal.message.startswith("Your nonce"):
        raise errors.WhiteBitBusy
    if status == 422 or refusal.message in ("Validation failed", "Currency not found"):
        raise errors.InvalidRequest
