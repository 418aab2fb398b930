"""A user's account is read, by key or by token."""

from dataclasses import replace
from datetime import timedelta

import pytest

from fastkey.domain import errors
from fastkey.domain.account import READS, Account, Query, Source
from fastkey.domain.pace import HISTORY, NONCE_LIFE, milliseconds, nonces_of
from fastkey.domain.status import Status
from fastkey.usecases.read_account import TIME_TO_READ, read_account
from local.whitebit.account import SPOT_BALANCES, TRANSACTIONS
from tests.fakes.world import FakeWorld
from tests.unit.journey import Journey

# What a function behind the API has.
TIMEOUT = timedelta(seconds=29)


def read(journey: Journey, resource: str = "balances/spot", user_id: str = "user-1", **filters: str | int) -> Account:
    deadline = journey.world.clock.now() + TIMEOUT
    return read_account(journey.world, journey.connection_id, user_id, Query(READS[resource], filters), deadline)


def calls(world: FakeWorld) -> list[str]:
    """The reads that WhiteBIT has heard of."""
    return [call for call in world.whitebit.calls if call.startswith("read_") and call != "read_secret"]


@pytest.fixture
def active(journey: Journey) -> Journey:
    journey.authorize().complete().create_key("trade_balance", "wallet").detect()
    journey.capture()
    journey.verify()
    return journey


@pytest.fixture
def detecting(journey: Journey) -> Journey:
    """With a token, and no key yet, where the deployment reads by token."""
    journey.world.policy = replace(journey.world.policy, bearer_reads=True)
    journey.authorize().complete().detect()
    return journey


# ---- By key ----------------------------------------------------------------------------------------------------------


def test_an_account_is_read_with_the_key(active: Journey) -> None:
    assert read(active) == Account(Source.KEY, SPOT_BALANCES)
    assert calls(active.world) == ["read_signed"]


def test_pages_and_filters_go_to_whitebit(active: Journey) -> None:
    page = read(active, "transactions", limit=2, offset=3, ticker="USDT").data
    assert isinstance(page, dict)
    mine = [row for row in TRANSACTIONS if row["ticker"] == "USDT"]
    assert page == {"limit": 2, "offset": 3, "records": mine[3:5], "total": 60}


def test_the_key_is_preferred_to_the_token(active: Journey) -> None:
    active.world.policy = replace(active.world.policy, bearer_reads=True)
    assert read(active).source is Source.KEY


@pytest.mark.parametrize("connection_id", ["connection-1", "connection-9"])
def test_somebody_elses_account_is_as_one_that_is_not_there(active: Journey, connection_id: str) -> None:
    active.connection_id = connection_id
    with pytest.raises(errors.ConnectionNotFound):
        read(active, user_id="user-2")
    assert calls(active.world) == []


def test_what_was_not_granted_is_refused_before_any_call(active: Journey) -> None:
    before = finds(active)
    with pytest.raises(errors.PermissionMissing):
        read(active, "conversions")
    assert calls(active.world) == []
    assert finds(active) == before


def test_whitebit_has_the_last_word_about_permissions(active: Journey) -> None:
    active.key.permissions = ("wallet",)
    with pytest.raises(errors.PermissionMissing):
        read(active)
    assert calls(active.world) == ["read_signed"]


def test_a_key_that_whitebit_refuses_leaves_the_connection_as_it_is(active: Journey) -> None:
    before = active.connection
    active.key.enabled = False
    with pytest.raises(errors.KeyUnusable):
        read(active)
    assert active.connection == before
    assert calls(active.world) == ["read_signed"]


@pytest.mark.parametrize("error", [errors.WhiteBitUnavailable, errors.UnexpectedAnswer])
def test_what_whitebit_did_not_answer_is_not_asked_again(active: Journey, error: type[errors.FastkeyError]) -> None:
    active.world.whitebit.fail_next("read_signed", error)
    with pytest.raises(error):
        read(active)
    assert calls(active.world) == ["read_signed"]


# ---- The key at hand -------------------------------------------------------------------------------------------------


def finds(journey: Journey) -> int:
    return journey.world.chosen_vault.calls.count("find")


def test_the_key_is_fetched_once_a_minute(active: Journey) -> None:
    before = finds(active)
    for _ in range(3):
        read(active)
    assert finds(active) == before + 1


@pytest.mark.parametrize("error", [errors.KeyUnusable, errors.UnexpectedAnswer])
def test_a_key_with_which_something_is_wrong_is_fetched_anew(active: Journey, error: type[errors.FastkeyError]) -> None:
    before = finds(active)
    active.world.whitebit.fail_next("read_signed", error)
    with pytest.raises(error):
        read(active)
    read(active)
    assert finds(active) == before + 2


def test_a_stored_key_that_does_not_show_may_show_later(active: Journey) -> None:
    active.world.vault.shred(active.connection_id)
    with pytest.raises(errors.StorageUnavailable):
        read(active)


# ---- Revocation ------------------------------------------------------------------------------------------------------


def test_nothing_is_read_after_a_revocation_though_the_key_is_at_hand(active: Journey) -> None:
    read(active)
    active.revoke()
    with pytest.raises(errors.AccessMissing):
        read(active)
    assert calls(active.world) == ["read_signed"]
    assert active.world.keys._kept == {}


@pytest.mark.parametrize(("port", "method"), [("chosen_vault", "find"), ("limits", "take")])
def test_nothing_is_signed_once_the_user_disconnects(active: Journey, port: str, method: str) -> None:
    getattr(active.world, port).meanwhile(method, active.revoke)
    with pytest.raises(errors.Conflict):
        read(active)
    assert calls(active.world) == []
    assert active.world.keys._kept == {}


def test_a_revocation_during_a_pause_is_seen(active: Journey) -> None:
    def refuse() -> None:
        active.revoke()
        raise errors.WhiteBitBusy

    active.world.whitebit.meanwhile("read_signed", refuse)
    with pytest.raises(errors.Conflict):
        read(active)
    assert calls(active.world) == ["read_signed"]


# ---- Nonces and limits -----------------------------------------------------------------------------------------------


def test_reads_at_the_same_moment_have_nonces_of_their_own(active: Journey) -> None:
    for _ in range(20):
        read(active)
    assert len(active.key.nonces._recent) == 20


def test_a_nonce_that_somebody_else_used_is_not_the_end_of_the_key(active: Journey) -> None:
    now = milliseconds(active.world.clock.now())
    active.key.nonces.use(now, window=True, now_ms=now)
    assert read(active).data == SPOT_BALANCES
    assert calls(active.world) == ["read_signed"] * 2
    assert active.connection.status is Status.ACTIVE


def test_what_whitebit_has_no_room_for_is_asked_again_a_while_later(active: Journey) -> None:
    before = active.world.clock.now()
    active.world.whitebit.fail_next("read_signed", errors.WhiteBitBusy, times=3)
    assert read(active).data == SPOT_BALANCES
    pauses = active.world.clock.now() - before
    assert timedelta(seconds=3.5) <= pauses <= timedelta(seconds=7)


def test_asking_again_ends_before_the_function_does(active: Journey) -> None:
    before = active.world.clock.now()
    active.world.whitebit.fail_next("read_signed", errors.WhiteBitBusy, times=20)
    with pytest.raises(errors.WhiteBitBusy):
        read(active)
    assert active.world.clock.now() - before + TIME_TO_READ <= TIMEOUT
    assert 3 <= len(calls(active.world)) <= 5


def test_a_deployment_that_has_used_up_its_limit_does_not_call(active: Journey) -> None:
    world = active.world
    # So many that it stays empty for longer than a function lives.
    for _ in range(HISTORY.burst + 60 * HISTORY.rate):
        world.limits.take(replace(HISTORY, burst=10_000), world.clock.now())
    with pytest.raises(errors.WhiteBitBusy):
        read(active, "transactions")
    assert calls(world) == []
    assert read(active, "balances/spot").source is Source.KEY


def test_a_nonce_that_has_become_old_is_not_used(active: Journey) -> None:
    """WhiteBIT's words for it are those for a dead key."""
    world = active.world
    world.connections.meanwhile("get", lambda: None)
    world.connections.meanwhile("get", lambda: active.wait_for(NONCE_LIFE + timedelta(microseconds=1)))
    assert read(active).source is Source.KEY
    assert (len(calls(world)), world.limits.calls.count("take")) == (1, 4)


def test_a_key_that_signs_too_often_waits(active: Journey) -> None:
    nonces, world = nonces_of(active.key.external_id), active.world
    before = world.clock.now()
    for _ in range(nonces.burst):
        world.limits.take(nonces, before)
    assert read(active).source is Source.KEY
    assert world.clock.now() > before


# ---- By token --------------------------------------------------------------------------------------------------------


def test_an_account_is_read_by_token_where_there_is_no_key_yet(detecting: Journey) -> None:
    assert read(detecting) == Account(Source.TOKEN, SPOT_BALANCES)
    assert calls(detecting.world) == ["read_by_token"]


def test_by_default_nothing_is_read_by_token(detecting: Journey) -> None:
    detecting.world.policy = replace(detecting.world.policy, bearer_reads=False)
    with pytest.raises(errors.AccessMissing):
        read(detecting)
    assert calls(detecting.world) == []


def test_an_account_of_which_nobody_knows_whose_it_is_is_not_read(journey: Journey) -> None:
    """Before the completion it may be that of the victim of a forwarded link."""
    journey.world.policy = replace(journey.world.policy, bearer_reads=True)
    journey.authorize()
    with pytest.raises(errors.AccessMissing):
        read(journey)
    assert calls(journey.world) == []


def test_a_token_at_its_end_is_refreshed_first(detecting: Journey) -> None:
    detecting.wait(seconds=299)
    assert read(detecting).source is Source.TOKEN
    assert detecting.world.whitebit.calls.count("refresh_token") == 1


def test_without_a_key_and_without_a_token_nothing_is_read(detecting: Journey) -> None:
    detecting.wait(seconds=601)
    with pytest.raises(errors.AccessMissing):
        read(detecting)
    assert calls(detecting.world) == []


def test_a_token_that_whitebit_refuses_is_no_token(detecting: Journey) -> None:
    detecting.world.whitebit.withdraw(detecting.account)
    with pytest.raises(errors.AccessMissing):
        read(detecting)


def test_a_token_that_is_being_replaced_is_waited_for_by_the_caller(detecting: Journey) -> None:
    detecting.world.whitebit.fail_next("refresh_token", errors.WhiteBitUnavailable)
    detecting.wait(seconds=301)
    with pytest.raises(errors.WhiteBitUnavailable):
        read(detecting)


def test_nothing_is_read_by_token_once_the_user_disconnects(detecting: Journey) -> None:
    detecting.world.limits.meanwhile("take", detecting.revoke)
    with pytest.raises(errors.Conflict):
        read(detecting)
    assert calls(detecting.world) == []
