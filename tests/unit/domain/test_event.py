"""What partners are told of a connection: each status that matters to them, once, with the change itself."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from fastkey.domain import errors
from fastkey.domain.connection import CHECK_AGAIN, Connection
from fastkey.domain.event import KINDS, PATIENCE, Event, Kind
from fastkey.domain.key import KeyInfo, KeyState
from fastkey.domain.secret import Secret
from fastkey.domain.status import PENDING, Status
from fastkey.domain.tokens import SealedTokens

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + CHECK_AGAIN
TICKET, COMPLETION = Secret("ticket"), Secret("completion")


def started() -> Connection:
    return Connection.start("connection-1", "user-1", "https://partner.example", TICKET, NOW)


def consenting() -> Connection:
    return started().consent(TICKET, COMPLETION.digest(), NOW)


def verifying() -> Connection:
    lease = NOW + timedelta(minutes=1)
    authorized = consenting().exchange(lease, NOW).authorize(SealedTokens(b"access", NOW), lease, NOW)
    detecting = authorized.complete("user-1", COMPLETION, NOW).detect(NOW)
    return detecting.claim(KeyInfo(KeyState.ACTIVE, "key-1", ("trading", "wallet")), NOW).verify(NOW)


def active() -> Connection:
    return replace(verifying().activate(NOW), untold=())


def closing() -> Connection:
    return verifying().close(errors.SecretLost, NOW)


def dead() -> Connection:
    return active().refuse_key(NOW).refuse_key(LATER)


CHANGES: dict[Status, Callable[[], Connection]] = {
    Status.ACTIVE: lambda: verifying().activate(LATER),
    Status.DENIED: lambda: consenting().deny(errors.ConsentDenied, LATER),
    Status.EXPIRED: lambda: started().expire(LATER),
    Status.FAILED: lambda: closing().end(Status.FAILED, errors.SecretLost, LATER),
    Status.NEEDS_CONSENT: lambda: closing().end(Status.NEEDS_CONSENT, errors.SecretLost, LATER),
    Status.NEEDS_USER_ACTION: lambda: closing().end(Status.NEEDS_USER_ACTION, errors.SecretLost, LATER),
    Status.REVOKED: lambda: started().revoke(LATER),
    Status.DEAD: dead,
}


def test_a_connection_is_told_of_when_it_is_active_or_dead_and_at_each_end() -> None:
    assert set(KINDS) == {Status.ACTIVE, Status.DEAD} | {status for status in Status if status.is_end}
    assert not set(KINDS) & PENDING
    assert set(CHANGES) == set(KINDS)


@pytest.mark.parametrize("status", CHANGES)
def test_an_event_says_what_the_connection_is_with_the_change(status: Status) -> None:
    changed = CHANGES[status]()
    assert changed.untold == (
        Event(
            event_id=f"connection-1.{changed.version}.{KINDS[status].name.lower()}",
            kind=KINDS[status],
            at=LATER,
            connection_id="connection-1",
            user_id="user-1",
            status=status,
            reason=changed.reason,
            permissions=changed.permissions,
        ),
    )


def test_on_the_way_nothing_is_told() -> None:
    for connection in (started(), consenting(), verifying(), closing(), active().revoke(NOW), active().refuse_key(NOW)):
        assert connection.untold == ()


def test_a_revocation_is_told_when_it_is_done_and_not_when_it_begins() -> None:
    revoked = active().revoke(NOW).end(Status.REVOKED, errors.Revoked, LATER)
    assert [event.kind for event in revoked.untold] == [Kind.REVOKED]


def test_events_wait_in_the_order_in_which_they_happened() -> None:
    back = dead().survive(("wallet",), None, LATER)
    assert [event.kind for event in back.untold] == [Kind.DEAD, Kind.ACTIVATED, Kind.PERMISSIONS_CHANGED]
    assert len({event.event_id for event in back.untold}) == 3
    assert back.untold[-1].permissions == ("wallet",)


def test_an_end_takes_nothing_away_from_what_is_untold() -> None:
    revoked = verifying().activate(NOW).revoke(NOW).end(Status.REVOKED, errors.Revoked, NOW)
    assert [event.kind for event in revoked.untold] == [Kind.ACTIVATED, Kind.REVOKED]


def test_what_was_told_is_untold_no_more() -> None:
    back = dead().survive(("wallet",), None, LATER)
    first, *others = back.untold
    left = back.told((first,))
    assert left.untold == tuple(others)
    assert left.told((first,)) is left
    assert left.told(back.untold).untold == ()


def test_to_have_been_told_is_a_new_version_and_no_change_of_the_connections_own() -> None:
    told = dead().told(dead().untold)
    assert told == replace(dead(), version=dead().version + 1, untold=())


def test_what_happens_while_it_is_told_is_still_to_be_told() -> None:
    before = dead()
    meanwhile = before.survive(before.permissions, None, LATER)
    assert [event.kind for event in meanwhile.told(before.untold).untold] == [Kind.ACTIVATED]


def test_an_event_is_given_up_after_a_day() -> None:
    (event,) = dead().untold
    assert timedelta(days=1) == PATIENCE
    assert not event.is_given_up(LATER + PATIENCE - timedelta(microseconds=1))
    assert event.is_given_up(LATER + PATIENCE)
