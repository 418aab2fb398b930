"""A connection: one user's try to connect one WhiteBIT account, from the first click to its end.

Every change is a method that gives the changed connection, or raises when the connection is not where that change is
allowed. Whoever stores it does so on condition that the version is still the one that was read: two writers never both
win.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Self

from fastkey.domain import errors
from fastkey.domain.authorization import AUTHORIZATION_LIFE
from fastkey.domain.event import GRACE, KINDS, Event, Kind
from fastkey.domain.key import KeyInfo, KeyState
from fastkey.domain.secret import Secret
from fastkey.domain.status import AWAITING_CONSENT, CHECKED, HOLDING, TRANSITIONS, Status
from fastkey.domain.tokens import SealedTokens

TICKET_LIFE = timedelta(minutes=5)

# The exchange is one request of a function that lives 29 s; after this it has ended, whatever came of it.
EXCHANGE_LIFE = timedelta(seconds=60)

# So long after it was sent a request may still have its effect: a function behind the gateway lives for thirty seconds,
# and clocks may differ by five.
REQUEST_LIFE = timedelta(seconds=35)

# From the completion: a person chooses permissions and finds a phone.
DETECTION_LIFE = timedelta(minutes=10)

# From the key's discovery: WhiteBIT may be away for long, and a key that was captured is not given up lightly.
VERIFICATION_LIFE = timedelta(hours=24)

# WhiteBIT disables a key that makes no call for this long.
IDLE_KEY_LIFE = timedelta(days=14)

# How often a captured key is tried: half of the time that it lives unused, so that WhiteBIT may be away for the other.
CHECK_PERIOD = timedelta(days=7)

# How often a dead one is: what is refused because of our address is allowed again before WhiteBIT disables it, perhaps.
DEAD_CHECK_PERIOD = timedelta(days=1)

# When to look again at what is not sure.
CHECK_AGAIN = timedelta(hours=1)

# From the first refusal: after this WhiteBIT has disabled the key, whatever was the reason.
DEAD_KEY_LIFE = 2 * IDLE_KEY_LIFE

# Connections that are due are kept in so many queues.
SHARDS = 8

# WhiteBIT is not asked for new tokens again and again while it does not answer, however many want them.
REFRESH_PAUSE = timedelta(seconds=10)

# What never came as far as a key is removed from the table after this.
ABANDONED_LIFE = timedelta(days=30)

_DETECTABLE = frozenset({Status.CONSENTING, Status.EXCHANGING, Status.AUTHORIZED, Status.DETECTING, Status.CAPTURING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """The state of one connection. Digests are SHA-256 in hex; bytes are ciphertext; times are UTC.

    reason: the code of the error that ended it, or is ending it. expires_at: when a consent that nobody gave is given
    up. busy_until: the lease of whoever is at a step whose result counts (spends the code, reads the secret, uses it,
    undoes), and refresh_until that of whoever refreshes the tokens; refresh_again_at: until when nobody does, because
    WhiteBIT has just not answered. keep_token: whether the partner wants the tokens
    kept alive. check_at: when the key is tried next, refused_at: when WhiteBIT first refused it, since it last did not,
    and checked_by: the read that went well then. key_given_up: the key is dead for good, and our copy goes. untold:
    what partners are yet to be told, oldest first.
    """

    connection_id: str
    user_id: str
    return_url: str
    status: Status
    version: int
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
    reason: str | None = None
    ticket_digest: str | None = None
    completion_digest: str | None = None
    completed_at: datetime | None = None
    task_token: str | None = None
    tokens: SealedTokens | None = None
    refresh_until: datetime | None = None
    refresh_again_at: datetime | None = None
    external_id: str | None = None
    permissions: tuple[str, ...] = ()
    issued_at: datetime | None = None
    busy_until: datetime | None = None
    escrow: bytes | None = None
    keep_token: bool = False
    check_at: datetime | None = None
    refused_at: datetime | None = None
    checked_by: str | None = None
    key_given_up: bool = False
    untold: tuple[Event, ...] = ()

    # ---- What it is --------------------------------------------------------------------------------------------------

    @property
    def held_key(self) -> str | None:
        """The key that this connection holds, if it does: no other may hold the same."""
        return self.external_id if self.status in HOLDING else None

    @property
    def key_lives_until(self) -> datetime | None:
        """When WhiteBIT disables the key by itself at the latest, where nobody knows that it is gone.

        That is the key that may be there now, seen or not, unless somebody who has had it from our copy still uses it.
        """
        if self.status not in (Status.REVOKING, Status.NEEDS_USER_ACTION):
            return None
        # Nothing of ours has signed since.
        return self.updated_at + IDLE_KEY_LIFE

    @property
    def remove_at(self) -> datetime | None:
        """When the table may forget it: only what ended without ever having had a key."""
        return self.expires_at + ABANDONED_LIFE if self.external_id is None else None

    @property
    def shard(self) -> int:
        """The queue in which it stands when it is due."""
        return _number(self.connection_id) % SHARDS

    @property
    def due_at(self) -> datetime | None:
        """When somebody has to look at it who does so by the clock: to tell, to give up a consent, to try the key."""
        if self.untold:
            return self.untold[0].at + GRACE
        if self.status in AWAITING_CONSENT:
            return self.expires_at + REQUEST_LIFE
        return self.check_at if self.status in CHECKED else None

    @property
    def refresh_by(self) -> datetime | None:
        """Until when its tokens have to be refreshed, where they are to be kept alive."""
        is_wanted = self.keep_token and self.status is Status.ACTIVE
        return self.tokens.refresh_expires_at if is_wanted and self.tokens else None

    def has_expired(self, now: datetime) -> bool:
        """Whether nobody consented in time; a moment later, for a request that came in time may still be under way."""
        return self.status in AWAITING_CONSENT and now >= self.expires_at + REQUEST_LIFE

    def is_refreshing(self, now: datetime) -> bool:
        """Whether an attempt may be refreshing the tokens."""
        return self.refresh_until is not None and now < self.refresh_until

    def may_refresh(self, now: datetime) -> bool:
        """Whether WhiteBIT may be asked for new tokens, after it did not answer."""
        return self.refresh_again_at is None or now >= self.refresh_again_at

    def is_overdue(self, now: datetime) -> bool:
        """Whether the key was found so long ago that storing it and trying it is given up."""
        return self.issued_at is not None and now >= self.issued_at + VERIFICATION_LIFE

    def expect(self, *statuses: Status) -> None:
        """Does nothing for a connection in one of these statuses.

        For one that is closing it raises what is closing it, so that whoever meets it undoes what was made; for one
        that is capturing again because a copy turned up, SecretHeld, so that whoever meets it goes on; for any other,
        ConnectionClosed.
        """
        if self.status not in statuses:
            if self.status is Status.CAPTURING:
                raise errors.SecretHeld
            closing = self.reason if self.status is Status.CLOSING else None
            raise errors.by_code(closing) if closing else errors.ConnectionClosed

    def as_of(self, now: datetime) -> Self:
        """The connection as a reader should see it.

        A consent that nobody gave in time has expired, whether or not that was written.
        """
        if self.has_expired(now):
            return replace(self, status=Status.EXPIRED, reason=errors.ConsentMissing.code)
        return self

    # ---- From the click to the tokens --------------------------------------------------------------------------------

    @classmethod
    def start(
        cls,
        connection_id: str,
        user_id: str,
        return_url: str,
        ticket: Secret,
        now: datetime,
        *,
        keep_token: bool = False,
    ) -> Self:
        """A new connection, whose browser has the ticket's life to appear."""
        return cls(
            connection_id=connection_id,
            user_id=user_id,
            return_url=return_url,
            status=Status.STARTED,
            version=1,
            created_at=now,
            updated_at=now,
            expires_at=now + TICKET_LIFE,
            ticket_digest=ticket.digest(),
            keep_token=keep_token,
        )

    def consent(self, ticket: Secret, completion_digest: str, now: datetime) -> Self:
        """The browser came with its ticket, which is used up.

        Raises TicketInvalid for any other ticket, and for one that came late.
        """
        if not ticket.matches(self.ticket_digest) or self.status is not Status.STARTED or now >= self.expires_at:
            raise errors.TicketInvalid
        return self._move(
            Status.CONSENTING,
            now,
            ticket_digest=None,
            completion_digest=completion_digest,
            expires_at=now + AUTHORIZATION_LIFE,
        )

    def exchange(self, until: datetime, now: datetime) -> Self:
        """The code is about to be spent, by whoever stores this lease and nobody else. A second time changes nothing.

        Raises ConnectionClosed for everybody else, and for whoever comes late.
        """
        if self.busy_until == until:
            return self
        if now >= self.expires_at:
            raise errors.ConnectionClosed
        return self._move(Status.EXCHANGING, now, busy_until=until)

    def authorize(self, tokens: SealedTokens, lease: datetime, now: datetime) -> Self:
        """The exchange under this lease gave tokens. Under another's lease, and a second time, nothing changes.

        A connection that is being undone meanwhile keeps the tokens too: undoing needs them.
        """
        if self.busy_until != lease:
            return self
        if self.status in (Status.CLOSING, Status.REVOKING):
            return self._change(now, tokens=tokens, busy_until=None)
        return self._move(Status.AUTHORIZED, now, tokens=tokens, busy_until=None)

    def fail_exchange(self, cause: type[errors.FastkeyError], lease: datetime, now: datetime) -> Self:
        """The exchange under this lease gave no tokens: there is nothing to wait for. Under another's lease, and a
        second time, nothing changes.
        """
        if self.busy_until != lease:
            return self
        if self.status is Status.EXCHANGING:
            return self._move(Status.CLOSING, now, reason=cause.code, busy_until=None)
        return self._change(now, busy_until=None)

    def deny(self, cause: type[errors.FastkeyError], now: datetime) -> Self:
        """WhiteBIT sent the browser back without a code. A second time changes nothing."""
        return self._move(cause.ends, now, reason=cause.code) if self.status is Status.CONSENTING else self

    def expire(self, now: datetime) -> Self:
        """Nobody consented in time. What is not so, or is written already, stays as it is."""
        if not self.has_expired(now):
            return self
        return self._move(Status.EXPIRED, now, reason=errors.ConsentMissing.code, ticket_digest=None)

    def complete(self, user_id: str, completion: Secret, now: datetime) -> Self:
        """The frontend completes.

        Another user's completion, if it is the first, ends the connection: somebody was made to consent with a
        forwarded link. Raises ConnectionNotFound for another user without the completion or after it, CompletionInvalid
        for the right user without it, and ConnectionClosed where there is nothing left to complete.
        """
        is_owner, is_right = user_id == self.user_id, completion.matches(self.completion_digest)
        if not is_owner and (self.completed_at or not is_right):
            raise errors.ConnectionNotFound
        if not is_right:
            raise errors.CompletionInvalid
        if self.status is Status.CONSENTING:
            raise errors.ConnectionClosed
        if not is_owner:
            return self.close(errors.CompletionRefused, now)
        if self.completed_at is not None:
            return self
        if self.status not in (Status.EXCHANGING, Status.AUTHORIZED):
            raise errors.ConnectionClosed
        return self._change(now, completed_at=now)

    # ---- From the tokens to the key ----------------------------------------------------------------------------------

    def detect(self, now: datetime) -> Self:
        """The user who started has completed: the key may be looked for.

        Raises what is closing the connection; CompletionMissing or ExchangeLost for what did not happen in time; and
        ConnectionClosed where detection is over. A connection that still waits for its tokens is given back as it is.
        """
        self.as_of(now).expect(*_DETECTABLE)
        if self.completed_at is None:
            raise errors.CompletionMissing
        if self.status is Status.EXCHANGING and not self._is_busy(now):
            raise errors.ExchangeLost
        return self._move(Status.DETECTING, now) if self.status is Status.AUTHORIZED else self

    def await_key(self, now: datetime) -> None:
        """WhiteBIT has said that there is no key yet. Raises KeyNotCreated when the time for that is over.

        It is not over by the clock alone: while WhiteBIT says nothing, nobody knows whether the user has made the key.
        """
        if self.completed_at and now >= self.completed_at + DETECTION_LIFE:
            raise errors.KeyNotCreated

    def claim(self, key: KeyInfo, now: datetime) -> Self:
        """The key was found: this connection is to hold it, and to read its secret. A second time changes nothing."""
        if self.status is Status.CAPTURING:
            return self
        self.expect(Status.DETECTING)
        return self._move(
            Status.CAPTURING, now, external_id=key.external_id, permissions=key.permissions, issued_at=now
        )

    def keep_in_escrow(self, sealed: bytes, now: datetime) -> Self:
        """The secret was read, and the vault did not answer: it is kept here until a later attempt moves it over, or
        until the key is deleted. Raises ConnectionClosed where a faster attempt stored it, or nobody wants it any more.
        """
        if self.status not in (Status.CAPTURING, Status.CLOSING):
            raise errors.ConnectionClosed
        return self._change(now, escrow=sealed)

    def verify(self, now: datetime) -> Self:
        """The secret is stored."""
        self.expect(Status.CAPTURING)
        return self._move(Status.VERIFYING, now, escrow=None, busy_until=None)

    def activate(self, now: datetime) -> Self:
        """A signed call went well."""
        self.expect(Status.VERIFYING)
        first = CHECK_PERIOD * (_number(self.connection_id) / _NUMBERS)
        return self._move(Status.ACTIVE, now, busy_until=None, task_token=None, check_at=now + first)

    # ---- The life of the key -----------------------------------------------------------------------------------------

    def survive(self, permissions: tuple[str, ...], checked_by: str | None, now: datetime) -> Self:
        """WhiteBIT accepted the key. Something is granted in these groups; checked_by: the read that went well, if any.

        Raises ConnectionClosed for what has no key to be tried, or none any more.
        """
        self.expect(*CHECKED)
        if self.key_given_up:
            raise errors.ConnectionClosed
        alive: dict[str, Any] = {
            "check_at": now + CHECK_PERIOD,
            "refused_at": None,
            "checked_by": checked_by,
            # With the status, so that the events of one change say the same.
            "permissions": permissions,
        }
        if self.status is Status.DEAD:
            survived = self._move(Status.ACTIVE, now, reason=None, **alive)
        else:
            survived = self._change(now, **alive)
        return survived._tell_permissions(self.permissions, now)

    def permissions_without(self, group: str | None) -> tuple[str, ...]:
        """The groups in which something is granted, but for this one."""
        return tuple(each for each in self.permissions if each != group)

    def look_at(self, key: KeyInfo, now: datetime) -> Self:
        """WhiteBIT said this of the user's key. What it may do is kept; whether it is alive, only the key itself shows:
        where there is a doubt, it is tried next. Raises ConnectionClosed for what has no key to be tried.
        """
        self.expect(*CHECKED)
        if key.state is KeyState.ACTIVE and key.external_id == self.external_id:
            if set(key.permissions) == set(self.permissions):
                return self
            return self._change(now, permissions=key.permissions)._tell_permissions(self.permissions, now)
        # One that was refused is tried again in its time.
        is_due = self.check_at is None or self.check_at <= now or self.refused_at is not None
        return self if is_due else self._change(now, check_at=now)

    def refuse_key(self, now: datetime) -> Self:
        """WhiteBIT did not accept the key. If it still does not an hour later, the key is dead.

        A dead one is tried until WhiteBIT has surely disabled it: our address may have been the reason, and nothing is
        lost until then.
        """
        self.expect(*CHECKED)
        if self.refused_at is None:
            return self._change(now, refused_at=now, check_at=now + CHECK_AGAIN)
        if self.status is Status.ACTIVE:
            if now < self.refused_at + CHECK_AGAIN:
                return self
            return self._move(Status.DEAD, now, reason=errors.KeyDead.code, check_at=now + DEAD_CHECK_PERIOD)
        if now < self.refused_at + DEAD_KEY_LIFE:
            return self._change(now, check_at=now + DEAD_CHECK_PERIOD)
        # Before the copy goes, because that cannot be undone: whoever finds the key alive from now on is late.
        # And again an hour later, when every place shows that one was made.
        return self._change(now, key_given_up=True, check_at=now + CHECK_AGAIN)

    def forget_key(self, now: datetime) -> Self:
        """Our copy of the key that was given up is gone: there is nothing left to look at."""
        return self._change(now, check_at=None) if self.key_given_up else self

    def check_again(self, now: datetime) -> Self:
        """Nobody knows whether the key is alive: WhiteBIT, or something of ours, was away."""
        self.expect(*CHECKED)
        return self._change(now, check_at=now + CHECK_AGAIN)

    def told(self, events: tuple[Event, ...]) -> Self:
        """Partners have been told these. A second time changes nothing; nor is it a change of the connection's own."""
        left = tuple(event for event in self.untold if event not in events)
        return self if left == self.untold else replace(self, version=self.version + 1, untold=left)

    # ---- Leases ------------------------------------------------------------------------------------------------------

    def lease(self, status: Status, until: datetime, now: datetime) -> Self:
        """One attempt at a time is at a step whose result counts, in this status.

        A second time changes nothing. Raises StepInProgress while another may be, and what `expect` raises.
        """
        self.expect(status)
        if self.busy_until == until:
            return self
        if self._is_busy(now):
            raise errors.StepInProgress
        return self._change(now, busy_until=until)

    def under(self, lease: datetime | None) -> Self:
        """The connection, for whoever holds this lease. Raises StepInProgress for whoever has lost it.

        Its end, to the microsecond, tells it from every other.
        """
        if self.busy_until != lease:
            raise errors.StepInProgress
        return self

    def release(self, now: datetime) -> Self:
        """The attempt under the lease failed, and the next need not wait."""
        return self._change(now, busy_until=None)

    # ---- Tokens ------------------------------------------------------------------------------------------------------

    def lease_refresh(self, tokens: SealedTokens, until: datetime, now: datetime) -> Self:
        """One attempt at a time refreshes these tokens. A second time changes nothing.

        Raises RefreshInProgress while another may, and where another has.
        """
        if self.refresh_until == until:
            return self
        if self.is_refreshing(now) or not self.may_refresh(now) or self.tokens != tokens:
            raise errors.RefreshInProgress
        return self._change(now, refresh_until=until)

    def renew(self, tokens: SealedTokens, lease: datetime, now: datetime) -> Self:
        """The refresh under this lease came to an end, with these tokens: the same refresh token, where no answer came.
        Under another's lease nothing changes.
        """
        if self.refresh_until != lease:
            return self
        is_answered = self.tokens is None or self.tokens.refresh != tokens.refresh
        again = None if is_answered else now + REFRESH_PAUSE
        return self._change(now, tokens=tokens, refresh_until=None, refresh_again_at=again)

    def give_up_tokens(self, now: datetime) -> Self:
        """A refresh token that was not used in time is not used any more. What lives stays as it is."""
        if self.tokens is None or self.tokens.refresh is None or self.tokens.refresh_lives(now):
            return self
        return self._change(now, tokens=self.tokens.without_refresh())

    def refuse(self, tokens: SealedTokens, now: datetime) -> Self:
        """WhiteBIT does not accept the access token of these tokens, because they are being replaced: it is not used
        again, and those that have replaced them stay.

        Raises ConsentLost where nobody replaces them.
        """
        if self.tokens is None or (self.tokens == tokens and not self.is_refreshing(now)):
            raise errors.ConsentLost
        return self._change(now, tokens=tokens.without_access(now)) if self.tokens == tokens else self

    # ---- Ends --------------------------------------------------------------------------------------------------------

    def close(self, cause: type[errors.FastkeyError], now: datetime) -> Self:
        """Provisioning ends for this cause: from here on nothing is captured, and what was made is undone.

        What is closing, revoking or at its end already stays as it is, for its first cause. Raises SecretHeld for what
        is or was active: whoever verified it was not heard, and it is to be told.
        """
        if self.status in (Status.CLOSING, Status.REVOKING) or self.status.is_end:
            return self
        if self.status in CHECKED:
            raise errors.SecretHeld
        return self._move(Status.CLOSING, now, reason=cause.code)

    def reopen(self, now: datetime) -> Self:
        """A copy of the secret turned up: capturing goes on."""
        self.expect(Status.CLOSING)
        return self._move(Status.CAPTURING, now, reason=None, busy_until=None)

    def hold(self, external_id: str, now: datetime) -> Self:
        """Takes hold of a key in order to delete it: whoever does not hold it may not."""
        if self.status not in (Status.CLOSING, Status.REVOKING):
            raise errors.ConnectionClosed
        return self if self.external_id == external_id else self._change(now, external_id=external_id, issued_at=now)

    def revoke(self, now: datetime) -> Self:
        """The user disconnects, and nothing signs from here on. A second time changes nothing.

        Before there was a token that is all.
        """
        if self.status is Status.REVOKING or self.status.is_end:
            return self
        end = Status.REVOKED if self.status in AWAITING_CONSENT else Status.REVOKING
        return self._move(end, now, reason=errors.Revoked.code, escrow=None)

    def end(self, status: Status, cause: type[errors.FastkeyError], now: datetime) -> Self:
        """The end, with nothing left of tokens and secrets.

        Raises ConnectionClosed where it is not for this cause any more that it is undone: the user has revoked it.
        """
        if self.reason != cause.code:
            raise errors.ConnectionClosed
        if self.status is status:
            return self
        return self._move(status, now, tokens=None, refresh_until=None, escrow=None, busy_until=None, task_token=None)

    # ---- How ---------------------------------------------------------------------------------------------------------

    def _is_busy(self, now: datetime) -> bool:
        return self.busy_until is not None and now < self.busy_until

    def _move(self, to: Status, now: datetime, **changes: Any) -> Self:
        if to not in TRANSITIONS[self.status]:
            raise errors.ConnectionClosed
        moved = self._change(now, status=to, **changes)
        return moved._told_as(KINDS[to], now) if to in KINDS else moved

    def _tell_permissions(self, before: tuple[str, ...], now: datetime) -> Self:
        """With an event if what the key may do has changed."""
        is_same = set(before) == set(self.permissions)
        return self if is_same else self._told_as(Kind.PERMISSIONS_CHANGED, now)

    def _told_as(self, kind: Kind, now: datetime) -> Self:
        """With an event that tells of this version. It is written with it: neither is ever there without the other."""
        event = Event(
            event_id=f"{self.connection_id}.{self.version}.{kind.name.lower()}",
            kind=kind,
            at=now,
            connection_id=self.connection_id,
            user_id=self.user_id,
            status=self.status,
            reason=self.reason,
            permissions=self.permissions,
        )
        return replace(self, untold=(*self.untold, event))

    def _change(self, now: datetime, **changes: Any) -> Self:
        return replace(self, version=self.version + 1, updated_at=now, **changes)


_NUMBERS = 2**32


def _number(connection_id: str) -> int:
    """One of as many numbers, evenly spread over connections, and always the same for one."""
    return int.from_bytes(sha256(connection_id.encode()).digest()[:4])
