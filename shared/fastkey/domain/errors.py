"""Every way in which fastkey says no: one class each, with a stable code and a public text.

A class name is the error's name in the state machines (the Lambda runtime sends it as `errorType`); its code is the
`type` of the problem that a caller gets, or the `reason` of the connection that it ended. No error takes an argument,
so none can carry input, a token or a secret into a log, an answer or an execution history.
"""

from typing import ClassVar

from fastkey.domain.status import Status


class FastkeyError(Exception):
    """What all of fastkey's errors have.

    code: stable, for programs. text: public, for people. http_status: of the answer, where a request meets it.
    retryable: whether the same call may go well later, which should come in retry_after seconds. ends: the status in
    which it leaves a connection that it ends.
    may_leave_key: whether WhiteBIT may show a key after that of which the text says nothing, because it is told where
    there can be none, too.
    """

    code: ClassVar[str]
    text: ClassVar[str]
    http_status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False
    retry_after: ClassVar[int] = 1
    ends: ClassVar[Status] = Status.FAILED
    may_leave_key: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__(self.text)


# ---- What a caller did -----------------------------------------------------------------------------------------------


class InvalidRequest(FastkeyError):
    code = "invalid_request"
    text = "The request is not of the form that this operation takes."
    http_status = 400


class BodyTooLarge(FastkeyError):
    code = "body_too_large"
    text = "The body is larger than this operation takes."
    http_status = 413


class NotJson(FastkeyError):
    code = "not_json"
    text = "The body must be JSON, sent as application/json."
    http_status = 415


class ReturnUrlNotAllowed(FastkeyError):
    code = "return_url_not_allowed"
    text = "The return URL is not one of those that this deployment allows. It is compared character by character."
    http_status = 400


class TooManyStarts(FastkeyError):
    code = "too_many_starts"
    text = "You have started too many connections within an hour. Wait, and start again."
    http_status = 429
    retryable = True
    retry_after = 3600


class TicketInvalid(FastkeyError):
    code = "ticket_invalid"
    text = "This link is unknown, used or expired. Start again from the page that you came from."
    http_status = 400


class AuthorizationInvalid(FastkeyError):
    code = "authorization_invalid"
    text = (
        "This return from WhiteBIT does not belong to an authorization that this browser has open. If you were "
        "connecting, start again. If a link that somebody sent you led here, do not; and if WhiteBIT's dashboard shows "
        "a key for this platform that you do not know, remove it there."
    )
    http_status = 400


class ConnectionNotFound(FastkeyError):
    code = "connection_not_found"
    text = "There is no such connection."
    http_status = 404


class CompletionInvalid(FastkeyError):
    code = "completion_invalid"
    text = "The completion is not the one that this connection was given."
    http_status = 403


class CompletionRefused(FastkeyError):
    code = "completion_refused"
    text = (
        "Another user started this connection, and it has been ended. A key that was made by now is deleted, if that "
        "can be done. If WhiteBIT's dashboard shows a key for this platform in a few minutes, remove it."
    )
    http_status = 403


class ConnectionClosed(FastkeyError):
    code = "connection_closed"
    text = "The connection is no longer where this step could change it."
    http_status = 409


class PermissionMissing(FastkeyError):
    code = "permission_missing"
    text = "The permission that this read needs was not granted at WhiteBIT."
    http_status = 403


class AccessMissing(FastkeyError):
    code = "access_missing"
    text = "The connection has no key with which the account could be read. Look at its status."
    http_status = 409


# ---- How a connection can end ----------------------------------------------------------------------------------------


class ConsentDenied(FastkeyError):
    code = "consent_denied"
    text = "The user declined at WhiteBIT."
    ends = Status.DENIED


class ConsentFailed(FastkeyError):
    code = "consent_failed"
    text = "WhiteBIT could not take the consent. Connect again later."
    ends = Status.FAILED
    may_leave_key = True


class ConsentMissing(FastkeyError):
    code = "consent_missing"
    text = (
        "Nobody came back from WhiteBIT in time. If its dashboard shows a key for this platform, remove it, then "
        "connect again."
    )
    ends = Status.EXPIRED


class ExchangeRefused(FastkeyError):
    code = "exchange_refused"
    text = (
        "WhiteBIT did not accept the authorization. If its dashboard shows a key for this platform, remove it, "
        "then connect again."
    )
    ends = Status.NEEDS_USER_ACTION


class ExchangeLost(FastkeyError):
    code = "exchange_lost"
    text = (
        "WhiteBIT's answer to the authorization was lost. If its dashboard shows a key for this platform, remove "
        "it, then connect again."
    )
    ends = Status.NEEDS_USER_ACTION


class CompletionMissing(FastkeyError):
    code = "completion_missing"
    text = (
        "The frontend did not complete the connection in time. "
        "If WhiteBIT's dashboard shows a key for this platform later, remove it, then connect again."
    )
    ends = Status.EXPIRED


class KeyNotCreated(FastkeyError):
    code = "key_not_created"
    text = "No key was created at WhiteBIT in time. If you create it later, remove it there, then connect again."
    ends = Status.EXPIRED
    may_leave_key = True


class KeyDisabled(FastkeyError):
    code = "key_disabled"
    text = "WhiteBIT has disabled the key of this account. Remove it in WhiteBIT's dashboard, then connect again."
    ends = Status.NEEDS_USER_ACTION


class KeyGone(FastkeyError):
    code = "key_gone"
    text = (
        "The key was removed at WhiteBIT. If its dashboard shows another for this platform, remove that too, then "
        "connect again."
    )
    ends = Status.NEEDS_CONSENT


class AccountAlreadyConnected(FastkeyError):
    code = "account_already_connected"
    text = (
        "This WhiteBIT account is connected already, and a WhiteBIT account can be connected once. If it was "
        "disconnected just now, connect again in some minutes."
    )
    ends = Status.FAILED


class ConsentLost(FastkeyError):
    code = "consent_lost"
    text = (
        "WhiteBIT no longer accepts this authorization. If its dashboard shows a key for this platform, remove it, "
        "then connect again."
    )
    ends = Status.NEEDS_USER_ACTION


class SecretLost(FastkeyError):
    code = "secret_lost"
    text = (
        "The key's secret was lost on its way, and WhiteBIT gives it only once. The key has been deleted; connect "
        "again."
    )
    ends = Status.NEEDS_CONSENT
    may_leave_key = True


class SecretLocked(FastkeyError):
    code = "secret_locked"
    text = "WhiteBIT kept the key's secret locked for too long. The key has been deleted; connect again."
    retryable = True
    ends = Status.NEEDS_CONSENT
    may_leave_key = True


class KeyUnusable(FastkeyError):
    code = "key_unusable"
    text = (
        "WhiteBIT does not accept calls with the key, perhaps because of the address that they come from. "
        "If that has ended the connection, the key has been deleted; connect again."
    )
    http_status = 409
    ends = Status.FAILED
    may_leave_key = True


class PermissionsExceeded(FastkeyError):
    code = "permissions_exceeded"
    text = (
        "The key may do more than this platform wants, and has been deleted. Connect again, and grant no more than it "
        "asks for."
    )
    ends = Status.FAILED
    may_leave_key = True


class KeyDead(FastkeyError):
    code = "key_dead"
    text = (
        "WhiteBIT does not accept the key any more: it was removed, or disabled because of a new password, a blocked "
        "account or fourteen days without use. If WhiteBIT's dashboard still shows it, remove it, and connect again."
    )
    ends = Status.DEAD


class Revoked(FastkeyError):
    code = "revoked"
    text = "The connection was revoked. If WhiteBIT's dashboard shows a key for this platform later, remove it."
    ends = Status.REVOKED


# ---- What passes -----------------------------------------------------------------------------------------------------


class Conflict(FastkeyError):
    code = "conflict"
    text = "Somebody else changed the connection at the same moment. Try again."
    http_status = 503
    retryable = True


class StepInProgress(FastkeyError):
    code = "step_in_progress"
    text = "Another attempt at this step may still be under way."
    retryable = True


class RefreshInProgress(FastkeyError):
    code = "refresh_in_progress"
    text = "Another attempt is refreshing the token."
    http_status = 503
    retryable = True


class NoTimeLeft(FastkeyError):
    code = "no_time_left"
    text = "There is too little time left for a step that must not be cut off. Try again."
    http_status = 503
    retryable = True


class SecretHeld(FastkeyError):
    code = "secret_held"
    text = "A copy of the secret was found: the key is not deleted."


class WhiteBitUnavailable(FastkeyError):
    code = "whitebit_unavailable"
    text = "WhiteBIT could not be reached, or could not answer. Try again later."
    http_status = 503
    retryable = True
    may_leave_key = True


class WhiteBitBusy(FastkeyError):
    code = "whitebit_busy"
    text = "WhiteBIT takes no more calls at the moment. Try again in some seconds."
    http_status = 503
    retryable = True
    retry_after = 10
    may_leave_key = True


class UnexpectedAnswer(FastkeyError):
    code = "unexpected_answer"
    text = "WhiteBIT gave an answer that fastkey does not know."
    http_status = 502
    retryable = True
    ends = Status.NEEDS_USER_ACTION
    may_leave_key = True


class StorageUnavailable(FastkeyError):
    code = "storage_unavailable"
    text = "A service that fastkey stores in could not answer. Try again later."
    http_status = 503
    retryable = True
    may_leave_key = True


class Unexpected(FastkeyError):
    code = "unexpected"
    text = "Something went wrong that fastkey did not foresee. Try again later."
    retryable = True
    may_leave_key = True


CATALOGUE: dict[str, type[FastkeyError]] = {error.__name__: error for error in FastkeyError.__subclasses__()}
_PASSING = (Conflict, StepInProgress, RefreshInProgress, NoTimeLeft, SecretHeld)
_BY_CODE = {error.code: error for error in CATALOGUE.values()}


def by_name(name: str) -> type[FastkeyError]:
    """The error of a class name, as state machines know it, in so far as it can be the reason of an end.

    `Unexpected` for what should have passed, and for names that are not ours, such as `Lambda.Unknown`.
    """
    error = CATALOGUE.get(name, Unexpected)
    return Unexpected if error in _PASSING else error


def by_code(code: str) -> type[FastkeyError]:
    """The error of a code, as a connection's `reason` holds it."""
    return _BY_CODE[code]
