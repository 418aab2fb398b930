"""The port WhiteBit, in both revisions of WhiteBIT's contract."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from fastkey.domain.authorization import code_challenge
from fastkey.domain.errors import (
    ConsentLost,
    ExchangeRefused,
    KeyGone,
    KeyUnusable,
    SecretLocked,
    SecretLost,
    WhiteBitUnavailable,
)
from fastkey.domain.key import CapturedKey, KeyState
from fastkey.domain.secret import Secret
from fastkey.domain.tokens import TokenGrant
from fastkey.ports import WhiteBit
from local.whitebit import Revision
from tests.contract.whitebits import LOCK, Fake, Real, Subject

VERIFIER = Secret("fastkey-contract-verifier-of-43-characters--")
ANOTHER_ID = "00000000-0000-4000-8000-ffffffffffff"


def make(kind: str, revision: Revision) -> Iterator[Subject]:
    if kind == "fake":
        yield Fake(revision)
    else:
        real = Real(revision)
        yield real
        real.close()


@pytest.fixture(params=["fake", "real"])
def may(request: pytest.FixtureRequest) -> Iterator[Subject]:
    yield from make(request.param, Revision.MAY_2026)


@pytest.fixture(params=["fake", "real"])
def august(request: pytest.FixtureRequest) -> Iterator[Subject]:
    yield from make(request.param, Revision.AUGUST_2026)


def consented(whitebit: Subject) -> TokenGrant:
    return whitebit.port.exchange_code(whitebit.consent(code_challenge(VERIFIER)), VERIFIER)


def captured(whitebit: Subject, *permissions: str) -> tuple[Secret, CapturedKey]:
    """A live token, and the key that the user has made."""
    token = consented(whitebit).access_token
    external_id, secret = whitebit.create_key(*permissions)
    return token, CapturedKey(external_id, Secret(secret), permissions, datetime(2026, 1, 1, tzinfo=UTC))


def assert_gone(port: WhiteBit, token: Secret, key: CapturedKey) -> None:
    """WhiteBIT knows the key no more, and says so of each thing that could be done with it but to delete it."""
    assert port.key_info(token).state is KeyState.ABSENT
    with pytest.raises(KeyGone):
        port.read_secret(token, key.external_id)
    with pytest.raises(KeyUnusable):
        port.try_key(key)


# ---- Codes and tokens ------------------------------------------------------------------------------------------------


def test_revision_2026_08_gives_a_short_token_and_a_refresh_token(august: Subject) -> None:
    grant = consented(august)
    assert grant.expires_in == timedelta(seconds=300)
    assert grant.refresh_token
    assert august.port.key_info(grant.access_token).state is KeyState.ABSENT


def test_revision_2026_05_gives_a_four_hour_token_and_a_key(may: Subject) -> None:
    grant = consented(may)
    assert grant.expires_in == timedelta(hours=4)
    assert grant.refresh_token is None
    assert may.port.key_info(grant.access_token).state is KeyState.ACTIVE


def test_a_code_works_once(august: Subject) -> None:
    code = august.consent(code_challenge(VERIFIER))
    august.port.exchange_code(code, VERIFIER)
    with pytest.raises(ExchangeRefused):
        august.port.exchange_code(code, VERIFIER)


def test_a_code_works_with_its_verifier_only_and_is_used_up_by_another(august: Subject) -> None:
    code = august.consent(code_challenge(VERIFIER))
    for verifier in (Secret("x" * 43), VERIFIER):
        with pytest.raises(ExchangeRefused):
            august.port.exchange_code(code, verifier)


def test_an_unknown_code_is_refused(august: Subject) -> None:
    with pytest.raises(ExchangeRefused):
        august.port.exchange_code(Secret("unknown"), VERIFIER)


def test_a_code_lives_a_minute(august: Subject) -> None:
    code = august.consent(code_challenge(VERIFIER))
    august.advance(seconds=59)
    august.port.exchange_code(code, VERIFIER)
    code = august.consent(code_challenge(VERIFIER))
    august.advance(seconds=60)
    with pytest.raises(ExchangeRefused):
        august.port.exchange_code(code, VERIFIER)


def test_a_second_consent_leaves_the_tokens_of_the_first_alive(august: Subject) -> None:
    first, second = consented(august), consented(august)
    for grant in (first, second):
        august.port.key_info(grant.access_token)


@pytest.mark.parametrize("token", ["unknown", "x" * 2000])
def test_an_unknown_token_is_no_consent(august: Subject, token: str) -> None:
    for call in (
        lambda: august.port.key_info(Secret(token)),
        lambda: august.port.read_secret(Secret(token), ANOTHER_ID),
        lambda: august.port.delete_key(Secret(token), ANOTHER_ID),
        lambda: august.port.refresh_token(Secret(token)),
    ):
        with pytest.raises(ConsentLost):
            call()


def test_an_access_token_expires(august: Subject) -> None:
    token = consented(august).access_token
    august.advance(seconds=290)
    august.port.key_info(token)
    august.advance(seconds=10)
    with pytest.raises(ConsentLost):
        august.port.key_info(token)


def test_a_four_hour_token_lives_four_hours(may: Subject) -> None:
    token = consented(may).access_token
    may.advance(hours=3, minutes=59)
    may.port.key_info(token)
    may.advance(minutes=1)
    with pytest.raises(ConsentLost):
        may.port.key_info(token)


def test_a_refresh_gives_a_new_pair_and_the_old_one_is_dead(august: Subject) -> None:
    old = consented(august)
    assert old.refresh_token
    new = august.port.refresh_token(old.refresh_token)
    assert new.refresh_token
    august.port.key_info(new.access_token)
    with pytest.raises(ConsentLost):
        august.port.key_info(old.access_token)
    august.advance(seconds=1)  # WhiteBIT refreshes once a second
    with pytest.raises(ConsentLost):
        august.port.refresh_token(old.refresh_token)


def test_a_second_refresh_within_a_second_is_not_answered_and_costs_nothing(august: Subject) -> None:
    first, second = consented(august).refresh_token, consented(august).refresh_token
    assert first
    assert second
    august.port.refresh_token(first)
    with pytest.raises(WhiteBitUnavailable):
        august.port.refresh_token(second)
    august.advance(seconds=1)
    august.port.refresh_token(second)


def test_a_refresh_that_is_refused_counts_too(august: Subject) -> None:
    refresh_token = consented(august).refresh_token
    assert refresh_token
    with pytest.raises(ConsentLost):
        august.port.refresh_token(Secret("unknown"))
    with pytest.raises(WhiteBitUnavailable):
        august.port.refresh_token(refresh_token)


def test_a_refresh_token_revives_a_dead_access_token_for_ten_minutes(august: Subject) -> None:
    refresh_token = consented(august).refresh_token
    assert refresh_token
    august.advance(seconds=590)
    revived = august.port.refresh_token(refresh_token)
    august.port.key_info(revived.access_token)
    assert revived.refresh_token
    august.advance(seconds=600)
    with pytest.raises(ConsentLost):
        august.port.refresh_token(revived.refresh_token)


@pytest.mark.parametrize("end", ["withdraw", "change_password"])
def test_tokens_and_key_die_with_the_authorization(august: Subject, end: str) -> None:
    grant = consented(august)
    external_id, secret = august.create_key()
    key = CapturedKey(external_id, Secret(secret), (), datetime(2026, 1, 1, tzinfo=UTC))
    getattr(august, end)()
    with pytest.raises(ConsentLost):
        august.port.key_info(grant.access_token)
    assert grant.refresh_token
    with pytest.raises(ConsentLost):
        august.port.refresh_token(grant.refresh_token)
    with pytest.raises(KeyUnusable):
        august.port.try_key(key)


@pytest.mark.parametrize("end", ["withdraw", "change_password"])
def test_a_code_dies_with_the_authorization(august: Subject, end: str) -> None:
    code = august.consent(code_challenge(VERIFIER))
    getattr(august, end)()
    with pytest.raises(ExchangeRefused):
        august.port.exchange_code(code, VERIFIER)


# ---- What a person can do --------------------------------------------------------------------------------------------


def test_the_gate_refuses_whoever_has_a_key(august: Subject) -> None:
    assert not august.refuses()
    august.create_key()
    assert august.refuses()
    august.disable()
    assert august.refuses()
    august.remove_key()
    assert not august.refuses()


def test_revision_2026_05_has_no_gate(may: Subject) -> None:
    consented(may)
    assert not may.refuses()
    assert not may.may_create_key()


def test_the_key_page_waits_for_the_exchange_of_the_latest_code(august: Subject) -> None:
    assert not august.may_create_key()
    consented(august)
    assert august.may_create_key()
    code = august.consent(code_challenge(VERIFIER))
    assert not august.may_create_key()
    august.port.exchange_code(code, VERIFIER)
    assert august.may_create_key()


def test_a_code_that_is_refused_does_not_open_the_key_page(august: Subject) -> None:
    with pytest.raises(ExchangeRefused):
        august.port.exchange_code(august.consent(code_challenge(VERIFIER)), Secret("x" * 43))
    assert not august.may_create_key()


def test_the_key_page_makes_one_key_at_a_time(august: Subject) -> None:
    captured(august)
    assert not august.may_create_key()
    august.remove_key()
    assert august.may_create_key()


def test_the_key_page_is_closed_with_the_authorization(august: Subject) -> None:
    consented(august)
    august.withdraw()
    assert not august.may_create_key()


# ---- The key ---------------------------------------------------------------------------------------------------------


def test_a_key_is_known_by_its_id_and_the_groups_that_were_granted(august: Subject) -> None:
    token, key = captured(august, "trading", "wallet")
    info = august.port.key_info(token)
    assert (info.state, info.external_id) == (KeyState.ACTIVE, key.external_id)
    assert set(info.permissions) == {"trading", "wallet"}


def test_a_key_without_permissions_grants_nothing(may: Subject) -> None:
    assert may.port.key_info(consented(may).access_token).permissions == ()


def test_a_disabled_key_is_shown_as_that(august: Subject) -> None:
    token, key = captured(august)
    august.disable()
    info = august.port.key_info(token)
    assert (info.state, info.external_id) == (KeyState.DISABLED, key.external_id)


def test_a_secret_is_given_once(august: Subject) -> None:
    token, key = captured(august)
    assert august.port.read_secret(token, key.external_id) == key.secret
    for _ in range(2):
        with pytest.raises(SecretLost):
            august.port.read_secret(token, key.external_id)


def test_a_locked_secret_is_not_given(august: Subject) -> None:
    token, key = captured(august)
    august.lock()
    with pytest.raises(SecretLocked):
        august.port.read_secret(token, key.external_id)
    august.advance(seconds=LOCK.total_seconds())
    assert august.port.read_secret(token, key.external_id) == key.secret


def test_a_lock_hides_whether_the_secret_was_given(august: Subject) -> None:
    token, key = captured(august)
    august.port.read_secret(token, key.external_id)
    august.lock()
    with pytest.raises(SecretLocked):
        august.port.read_secret(token, key.external_id)


def test_an_unknown_key_is_gone(august: Subject) -> None:
    token, _ = captured(august)
    with pytest.raises(KeyGone):
        august.port.read_secret(token, ANOTHER_ID)
    with pytest.raises(KeyGone):
        august.port.delete_key(token, ANOTHER_ID)
    assert august.port.key_info(token).state is KeyState.ACTIVE


def test_a_deleted_key_is_gone(august: Subject) -> None:
    token, key = captured(august)
    august.port.delete_key(token, key.external_id)
    assert_gone(august.port, token, key)
    with pytest.raises(KeyGone):
        august.port.delete_key(token, key.external_id)


def test_a_key_that_its_user_removed_is_gone_and_the_tokens_live(august: Subject) -> None:
    token, key = captured(august)
    august.remove_key()
    assert_gone(august.port, token, key)


def test_an_earlier_key_is_not_taken_for_the_one_that_replaced_it(august: Subject) -> None:
    token, earlier = captured(august)
    august.remove_key()
    later, _ = august.create_key()
    with pytest.raises(KeyGone):
        august.port.delete_key(token, earlier.external_id)
    with pytest.raises(KeyUnusable):
        august.port.try_key(earlier)
    assert august.port.key_info(token).external_id == later


def test_a_key_that_made_no_call_for_two_weeks_is_disabled(may: Subject) -> None:
    consented(may)
    may.advance(days=14)
    token = consented(may).access_token
    assert may.port.key_info(token).state is KeyState.DISABLED
    with pytest.raises(ConsentLost):
        may.port.read_secret(token, may.external_id())
    with pytest.raises(ConsentLost):
        may.port.delete_key(token, may.external_id())


def test_a_disabled_key_is_neither_read_nor_deleted(august: Subject) -> None:
    token, key = captured(august)
    august.disable()
    with pytest.raises(ConsentLost):
        august.port.read_secret(token, key.external_id)
    with pytest.raises(ConsentLost):
        august.port.delete_key(token, key.external_id)


# ---- Signed calls ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("permissions", [("trade_balance",), ("wallet",), ()])
def test_a_key_signs_whatever_it_may_do(august: Subject, permissions: tuple[str, ...]) -> None:
    august.port.try_key(captured(august, *permissions)[1])


def test_a_key_signs_in_revision_2026_05_too(may: Subject) -> None:
    token = consented(may).access_token
    secret = may.port.read_secret(token, may.external_id())
    may.port.try_key(CapturedKey(may.external_id(), secret, (), datetime(2026, 1, 1, tzinfo=UTC)))


def test_a_key_with_another_secret_is_unusable(august: Subject) -> None:
    _, key = captured(august)
    with pytest.raises(KeyUnusable):
        august.port.try_key(replace(key, secret=Secret("another")))


def test_an_unknown_key_is_unusable(august: Subject) -> None:
    _, key = captured(august)
    with pytest.raises(KeyUnusable):
        august.port.try_key(replace(key, external_id=ANOTHER_ID))


def test_a_disabled_key_is_unusable(august: Subject) -> None:
    _, key = captured(august)
    august.disable()
    with pytest.raises(KeyUnusable):
        august.port.try_key(key)


def test_a_signed_call_keeps_a_key_alive_for_two_weeks(august: Subject) -> None:
    _, key = captured(august)
    for _ in range(3):
        august.advance(days=13, hours=23)
        august.port.try_key(key)
    august.advance(days=14)
    with pytest.raises(KeyUnusable):
        august.port.try_key(key)


def test_a_call_that_is_refused_does_not_keep_a_key_alive(august: Subject) -> None:
    _, key = captured(august)
    august.advance(days=13)
    with pytest.raises(KeyUnusable):
        august.port.try_key(replace(key, secret=Secret("another")))
    august.advance(days=1)
    with pytest.raises(KeyUnusable):
        august.port.try_key(key)
