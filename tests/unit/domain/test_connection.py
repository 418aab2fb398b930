"""The life of a connection: whatever is done to it in whatever order, some things never happen."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastkey.domain import errors
from fastkey.domain.connection import IDLE_KEY_LIFE, REQUEST_LIFE, TICKET_LIFE, Connection
from fastkey.domain.event import KINDS
from fastkey.domain.key import KeyInfo, KeyState
from fastkey.domain.secret import Secret
from fastkey.domain.status import HOLDING, PENDING, TRANSITIONS, Status
from fastkey.domain.tokens import SealedTokens

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LEASE = timedelta(seconds=60)
TICKET, COMPLETION = Secret("ticket"), Secret("completion")
TOKENS = SealedTokens(b"access", NOW + timedelta(hours=4))
KEYS = [KeyInfo(KeyState.ACTIVE, external_id, ("trading",)) for external_id in ("key-1", "key-2")]
CAUSES = [errors.KeyNotCreated, errors.SecretLost, errors.KeyUnusable, errors.CompletionRefused]
ENDS = [status for status in Status if not TRANSITIONS[status]]

KEEPING = (Status.CAPTURING, Status.CLOSING, Status.REVOKING)
LEASED = (Status.CAPTURING, Status.VERIFYING, Status.CLOSING, Status.REVOKING)

Deed = Callable[[Connection, datetime], Connection]


def claim(key: KeyInfo) -> Deed:
    return lambda c, now: c.claim(key, now)


def close(cause: type[errors.FastkeyError]) -> Deed:
    return lambda c, now: c.close(cause, now)


def end(status: Status) -> Deed:
    # Whatever ends is closing or revoking before.
    return lambda c, now: c.end(status, errors.by_code(c.reason), now) if c.reason else c


LEASED = (Status.CAPTURING, Status.VERIFYING, Status.CLOSING, Status.REVOKING)

DEEDS: dict[str, Deed] = {
    "consent": lambda c, now: c.consent(TICKET, COMPLETION.digest(), now),
    "exchange": lambda c, now: c.exchange(now + LEASE, now),
    # Only whoever spent the code, and holds its lease, has an answer to it.
    "authorize": lambda c, now: c.authorize(TOKENS, c.busy_until, now) if c.busy_until and not c.tokens else c,
    "fail_exchange": lambda c, now: c.fail_exchange(errors.ExchangeLost, c.busy_until, now) if c.busy_until else c,
    "deny": lambda c, now: c.deny(errors.ConsentDenied, now),
    "complete": lambda c, now: c.complete("user-1", COMPLETION, now),
    "complete as another": lambda c, now: c.complete("user-2", COMPLETION, now),
    "detect": lambda c, now: c.detect(now),
    **{f"claim {key.external_id}": claim(key) for key in KEYS},
    "lease": lambda c, now: c.lease(c.status if c.status in LEASED else Status.CAPTURING, now + LEASE, now),
    "release": lambda c, now: c.under(now + LEASE).release(now),
    # Only whoever holds a lease of a capture, which may be closed meanwhile, has a secret to keep.
    "keep_in_escrow": lambda c, now: c.keep_in_escrow(b"sealed", now) if c.permissions and c.status in KEEPING else c,
    "verify": lambda c, now: c.verify(now),
    "activate": lambda c, now: c.activate(now),
    # Nobody refreshes tokens that are not there.
    "lease_refresh": lambda c, now: c.lease_refresh(c.tokens, now + LEASE, now) if c.tokens else c,
    "renew": lambda c, now: c.renew(TOKENS, c.refresh_until or now, now),
    **{f"close for {cause.code}": close(cause) for cause in CAUSES},
    # Only a copy of the secret reopens what is closing.
    "reopen": lambda c, now: c.reopen(now) if c.escrow else c,
    "hold": lambda c, now: c.hold(c.external_id or "key-1", now),
    "survive": lambda c, now: c.survive(c.permissions[1:], None, now),
    "refuse_key": lambda c, now: c.refuse_key(now),
    "check_again": lambda c, now: c.check_again(now),
    "tell the first": lambda c, now: c.told(c.untold[:1]),
    "revoke": lambda c, now: c.revoke(now),
    **{f"end {status}": end(status) for status in ENDS},
}


WAY = ["consent", "exchange", "authorize", "complete", "detect", "claim key-1", "lease", "verify", "activate"]


def started() -> Connection:
    return Connection.start("connection-1", "user-1", "https://partner.example", TICKET, NOW)


def after(*names: str) -> Connection:
    """The connection after these deeds, all at once."""
    connection = started()
    for name in names:
        connection = DEEDS[name](connection, NOW)
    return connection


def check_step(before: Connection, changed: Connection, now: datetime) -> None:
    """What holds of every single change."""
    assert changed.status is before.status or changed.status in TRANSITIONS[before.status]
    if changed is not before:
        assert changed.version > before.version
        is_told = set(before.untold) - set(changed.untold)
        assert changed.updated_at == (before.updated_at if is_told else now)
    assert (changed.connection_id, changed.user_id, changed.return_url, changed.created_at) == (
        before.connection_id,
        before.user_id,
        before.return_url,
        before.created_at,
    )
    assert changed.completed_at == (before.completed_at or changed.completed_at)
    if before.held_key and changed.held_key:
        assert changed.held_key == before.held_key
    check_events(before, changed)


def check_events(before: Connection, changed: Connection) -> None:
    """A status that partners are told of comes with its event, which says it; and an event leaves when it is told."""
    new = [event for event in changed.untold if event not in before.untold]
    if changed.status is not before.status and changed.status in KINDS:
        assert [(event.kind, event.status) for event in new][:1] == [(KINDS[changed.status], changed.status)]
    assert changed.untold[-len(new) :] == tuple(new) or not new
    assert len(before.untold) - len(changed.untold) + len(new) in (0, 1)


def check_state(connection: Connection) -> None:
    """What holds of every connection."""
    if connection.status.is_end:
        assert connection.reason
        assert (connection.tokens, connection.escrow, connection.task_token) == (None, None, None)
    if connection.status in (Status.VERIFYING, Status.ACTIVE, Status.DEAD):
        assert connection.completed_at
        assert connection.external_id
        assert connection.escrow is None
    if connection.status is Status.ACTIVE:
        assert connection.reason is None
        assert connection.due_at
    if connection.status in (Status.CLOSING, Status.REVOKING, Status.DEAD):
        assert connection.reason
    assert len({event.event_id for event in connection.untold}) == len(connection.untold)


@given(st.integers(0, len(WAY)), st.lists(st.tuples(st.sampled_from(sorted(DEEDS)), st.integers(0, 400)), max_size=30))
def test_no_order_of_deeds_leads_where_it_must_not(steps: int, deeds: list[tuple[str, int]]) -> None:
    connection, now = after(*WAY[:steps]), NOW
    for name, seconds in deeds:
        now += timedelta(seconds=seconds)
        try:
            changed = DEEDS[name](connection, now)
        except errors.FastkeyError:
            continue
        check_step(connection, changed, now)
        check_state(changed)
        connection = changed


@given(st.permutations(sorted(DEEDS)))
def test_no_deed_leads_out_of_an_end(names: list[str]) -> None:
    ended = started().revoke(NOW)
    for name in names:
        try:
            assert DEEDS[name](ended, NOW).status is Status.REVOKED
        except errors.FastkeyError:
            continue


def test_the_way_leads_to_active() -> None:
    assert after(*WAY).status is Status.ACTIVE


@pytest.mark.parametrize("steps", range(len(WAY) + 1))
def test_a_connection_can_be_revoked_at_any_step(steps: int) -> None:
    revoked = after(*WAY[:steps], "revoke")
    assert revoked.status is (Status.REVOKED if steps < 2 else Status.REVOKING)
    assert revoked.reason == "revoked"


@pytest.mark.parametrize("steps", range(1, len(WAY)))
def test_provisioning_can_be_closed_at_any_step(steps: int) -> None:
    assert after(*WAY[:steps], "close for key_not_created").status is Status.CLOSING


def test_what_is_active_is_not_closed() -> None:
    with pytest.raises(errors.SecretHeld):
        after(*WAY, "close for key_not_created")


def test_the_first_cause_is_the_reason() -> None:
    closed = after(*WAY[:3], "close for key_not_created", "close for secret_lost")
    assert closed.reason == "key_not_created"


def test_every_status_can_be_reached_from_the_start() -> None:
    reached = {Status.STARTED}
    for _ in Status:
        reached |= {there for here in reached for there in TRANSITIONS[here]}
    assert reached == set(Status)


def test_every_status_leads_to_an_end() -> None:
    leading = set(ENDS)
    for _ in Status:
        leading |= {here for here in Status if TRANSITIONS[here] & leading}
    assert leading == set(Status)


def test_an_end_leads_nowhere_and_holds_nothing() -> None:
    assert all(status.is_end for status in ENDS)
    assert not HOLDING & set(ENDS)
    assert not PENDING & set(ENDS)


@pytest.mark.parametrize("status", Status)
def test_a_frontend_is_told_one_word_for_all_that_is_under_way(status: Status) -> None:
    assert status.public == ("pending" if status in PENDING else status.value)


def test_a_key_is_held_from_its_claim_to_the_end() -> None:
    assert after(*WAY[:5]).held_key is None
    assert after(*WAY[:6]).held_key == "key-1"
    assert after(*WAY).held_key == "key-1"
    assert after(*WAY, "revoke").held_key == "key-1"
    assert after(*WAY, "revoke", "end revoked").held_key is None


@pytest.mark.parametrize("steps", range(3, len(WAY) + 1))
def test_a_key_that_nobody_has_seen_gone_lives_two_weeks_at_the_most(steps: int) -> None:
    now = NOW + timedelta(days=1)
    revoking = after(*WAY[:steps]).revoke(now)
    assert revoking.key_lives_until == now + IDLE_KEY_LIFE
    assert revoking.end(Status.NEEDS_USER_ACTION, errors.Revoked, now).key_lives_until == now + IDLE_KEY_LIFE
    assert revoking.end(Status.REVOKED, errors.Revoked, now).key_lives_until is None


def test_of_a_key_in_use_nobody_knows_how_long_it_lives() -> None:
    assert after(*WAY).key_lives_until is None


def test_only_what_never_had_a_key_is_forgotten() -> None:
    assert after("consent").remove_at
    assert after(*WAY).remove_at is None


@pytest.mark.parametrize(("seconds", "status"), [(334, Status.STARTED), (335, Status.EXPIRED)])
def test_a_reader_sees_that_nobody_came(seconds: int, status: Status) -> None:
    """Once whoever came in time has surely been let in."""
    assert timedelta(seconds=335) == TICKET_LIFE + REQUEST_LIFE
    assert started().as_of(NOW + timedelta(seconds=seconds)).status is status


def test_time_does_not_expire_what_has_gone_on() -> None:
    authorized = after("consent", "exchange", "authorize")
    assert authorized.as_of(NOW + timedelta(days=1)) is authorized


def test_who_has_lost_a_lease_changes_nothing() -> None:
    leased = after(*WAY[:7])
    assert leased.under(NOW + LEASE).release(NOW).busy_until is None
    for other in (leased.release(NOW), replace(leased, busy_until=NOW + 2 * LEASE)):
        with pytest.raises(errors.StepInProgress):
            other.under(NOW + LEASE)


def test_an_exchange_counts_under_its_lease_and_once() -> None:
    exchanging = after("consent", "exchange")
    authorized = exchanging.authorize(TOKENS, NOW + LEASE, NOW)
    assert authorized.authorize(TOKENS, NOW + LEASE, NOW) is authorized
    undone = exchanging.close(errors.ExchangeLost, NOW).lease(Status.CLOSING, NOW + 2 * LEASE, NOW + LEASE)
    assert undone.authorize(TOKENS, NOW + LEASE, NOW) is undone
    assert undone.fail_exchange(errors.ExchangeLost, NOW + LEASE, NOW) is undone


def test_tokens_are_renewed_under_the_lease_only() -> None:
    leased = after(*WAY[:3], "lease_refresh")
    newer = SealedTokens(b"newer", NOW)
    assert leased.renew(newer, NOW + LEASE, NOW).tokens == newer
    assert leased.renew(newer, NOW, NOW) is leased


def test_tokens_that_come_while_it_is_undone_are_kept_for_undoing() -> None:
    for undone in (after("consent", "exchange", "revoke"), after("consent", "exchange", "close for secret_lost")):
        authorized = undone.authorize(TOKENS, NOW + LEASE, NOW)
        assert (authorized.status, authorized.tokens) == (undone.status, TOKENS)
