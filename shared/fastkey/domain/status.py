"""Where a connection can be, and where it can go from there."""

from enum import StrEnum


class Status(StrEnum):
    """The status of a connection. The steps from `started` to `closing` are shown to users as `pending`."""

    STARTED = "started"
    CONSENTING = "consenting"
    EXCHANGING = "exchanging"
    AUTHORIZED = "authorized"
    DETECTING = "detecting"
    CAPTURING = "capturing"
    VERIFYING = "verifying"
    CLOSING = "closing"
    ACTIVE = "active"
    REVOKING = "revoking"
    REVOKED = "revoked"
    DENIED = "denied"
    EXPIRED = "expired"
    FAILED = "failed"
    NEEDS_CONSENT = "needs_consent"
    NEEDS_USER_ACTION = "needs_user_action"
    DEAD = "dead"

    @property
    def public(self) -> str:
        """What a frontend is told: the steps before the end of provisioning are one."""
        return "pending" if self in PENDING else self.value

    @property
    def is_end(self) -> bool:
        """Whether nothing follows."""
        return not TRANSITIONS[self]


_S = Status

PENDING = frozenset(
    {_S.STARTED, _S.CONSENTING, _S.EXCHANGING, _S.AUTHORIZED, _S.DETECTING, _S.CAPTURING, _S.VERIFYING, _S.CLOSING}
)

# Nobody has consented yet.
AWAITING_CONSENT = frozenset({_S.STARTED, _S.CONSENTING})

# A connection in one of these may hold a key: no other connection may hold the same one.
HOLDING = frozenset({_S.CAPTURING, _S.VERIFYING, _S.CLOSING, _S.ACTIVE, _S.DEAD, _S.REVOKING})

# A connection in one of these has a captured key, which is tried from time to time.
CHECKED = frozenset({_S.ACTIVE, _S.DEAD})

_AFTER_CLOSING = frozenset({_S.EXPIRED, _S.FAILED, _S.NEEDS_CONSENT, _S.NEEDS_USER_ACTION})

TRANSITIONS: dict[Status, frozenset[Status]] = {
    _S.STARTED: frozenset({_S.CONSENTING, _S.EXPIRED, _S.REVOKED}),
    _S.CONSENTING: frozenset({_S.EXCHANGING, _S.DENIED, _S.EXPIRED, _S.FAILED, _S.CLOSING, _S.REVOKED}),
    _S.EXCHANGING: frozenset({_S.AUTHORIZED, _S.CLOSING, _S.REVOKING}),
    _S.AUTHORIZED: frozenset({_S.DETECTING, _S.CLOSING, _S.REVOKING}),
    _S.DETECTING: frozenset({_S.CAPTURING, _S.CLOSING, _S.REVOKING}),
    _S.CAPTURING: frozenset({_S.VERIFYING, _S.CLOSING, _S.REVOKING}),
    _S.VERIFYING: frozenset({_S.ACTIVE, _S.CLOSING, _S.REVOKING}),
    # Back to capturing: a copy of the secret turned up before the key was deleted.
    _S.CLOSING: _AFTER_CLOSING | {_S.CAPTURING, _S.REVOKING},
    _S.ACTIVE: frozenset({_S.DEAD, _S.REVOKING}),
    # Back to active: WhiteBIT accepts the key again, as it does once our address is allowed again.
    _S.DEAD: frozenset({_S.ACTIVE, _S.REVOKING}),
    _S.REVOKING: frozenset({_S.REVOKED, _S.NEEDS_USER_ACTION}),
    _S.REVOKED: frozenset(),
    _S.DENIED: frozenset(),
    _S.EXPIRED: frozenset(),
    _S.FAILED: frozenset(),
    _S.NEEDS_CONSENT: frozenset(),
    _S.NEEDS_USER_ACTION: frozenset(),
}
