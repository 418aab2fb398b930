"""The port's reads of an account, by key and by token, in both revisions of WhiteBIT's contract."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

from fastkey.domain.account import READS, Data, Read
from fastkey.domain.authorization import code_challenge
from fastkey.domain.errors import ConsentLost, InvalidRequest, KeyUnusable, PermissionMissing, WhiteBitBusy
from fastkey.domain.key import CapturedKey
from fastkey.domain.pace import milliseconds
from fastkey.domain.secret import Secret
from local.whitebit import Revision
from local.whitebit.permissions import CATALOGUE
from tests.contract.whitebits import Fake, Real, Subject

VERIFIER = Secret("fastkey-contract-verifier-of-43-characters--")
EACH_READ = pytest.mark.parametrize("read", READS.values(), ids=READS)
WITH_PAGES = {"transactions": 120, "orders": 60, "deals": 60, "conversions": 12}


class User:
    """A user with a key and a live token."""

    def __init__(self, whitebit: Subject, *permissions: str) -> None:
        self.whitebit = whitebit
        self.token = whitebit.port.exchange_code(whitebit.consent(code_challenge(VERIFIER)), VERIFIER).access_token
        # In revision 2026-05 the key is there already.
        whitebit.remove_key()
        external_id, secret = whitebit.create_key(*permissions)
        self.key = CapturedKey(external_id, Secret(secret), permissions, datetime(2026, 1, 1, tzinfo=UTC))
        self.nonces = count(milliseconds(whitebit.now()))

    def sign(self, read: Read, **filters: str | int) -> Data:
        return self.whitebit.port.read_signed(self.key, next(self.nonces), read, filters)

    def show(self, read: Read, **filters: str | int) -> Data:
        return self.whitebit.port.read_by_token(self.token, read, filters)


@pytest.fixture(params=list(Revision))
def revision(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(params=["fake", "real"])
def whitebit(request: pytest.FixtureRequest, revision: Revision) -> Iterator[Subject]:
    if request.param == "fake":
        yield Fake(revision)
    else:
        real = Real(revision)
        yield real
        real.close()


@pytest.fixture
def user(whitebit: Subject) -> User:
    return User(whitebit, *(group.name for group in CATALOGUE))


def size(data: Data) -> int:
    """The number of rows of a page."""
    if isinstance(data, list):
        return len(data)
    return len(data["records"]) if "records" in data else sum(len(rows) for rows in data.values())


@EACH_READ
def test_both_ways_give_the_same(user: User, read: Read) -> None:
    assert user.sign(read)
    assert user.sign(read) == user.show(read)


@pytest.mark.parametrize(("resource", "whole"), WITH_PAGES.items())
def test_pages_make_up_the_whole(user: User, resource: str, whole: int) -> None:
    read = READS[resource]
    for ask in (user.sign, user.show):
        pages = [ask(read, limit=50, offset=offset) for offset in (0, 50, 100)]
        assert sum(map(size, pages)) == whole
        assert size(ask(read, limit=1, offset=whole)) == 0


def test_amounts_are_texts(user: User) -> None:
    assert user.sign(READS["balances/spot"], ticker="BTC") == {"BTC": {"available": "0.123", "freeze": "0.01"}}
    assert user.show(READS["balances/main"], ticker="ETH") == {"ETH": {"main_balance": "4"}}


def test_filters_are_whitebits_own(user: User) -> None:
    for ask in (user.sign, user.show):
        withdrawals: Any = ask(READS["transactions"], transactionMethod=2, ticker="USDT")
        assert {row["method"] for row in withdrawals["records"]} == {2}
        deals: Any = ask(READS["deals"], market="ETH_BTC")
        assert len(deals) == 20
        assert set(ask(READS["orders"], market="ETH_BTC")) == {"ETH_BTC"}


@pytest.mark.parametrize(("resource", "filters"), [("orders", {"limit": 1_000}), ("balances/spot", {"ticker": "NONE"})])
def test_a_filter_that_whitebit_refuses_is_the_callers(user: User, resource: str, filters: dict[str, Any]) -> None:
    for ask in (user.sign, user.show):
        with pytest.raises(InvalidRequest):
            ask(READS[resource], **filters)


@EACH_READ
def test_a_read_needs_its_group_alone(whitebit: Subject, read: Read) -> None:
    assert User(whitebit, read.group).sign(read)


@EACH_READ
def test_a_read_whose_group_was_not_granted_is_refused(whitebit: Subject, read: Read) -> None:
    others = [group.name for group in CATALOGUE if group.name != read.group]
    with pytest.raises(PermissionMissing):
        User(whitebit, *others).sign(read)


def test_a_nonce_works_once_and_close_to_now(user: User) -> None:
    read, now = READS["orders"], milliseconds(user.whitebit.now())
    user.whitebit.port.read_signed(user.key, now - 500, read, {})
    for nonce in (now - 500, now - 60_000, now + 60_000):
        with pytest.raises(WhiteBitBusy):
            user.whitebit.port.read_signed(user.key, nonce, read, {})
    user.whitebit.port.read_signed(user.key, now - 501, read, {})


def test_a_key_that_whitebit_does_not_accept_is_unusable(user: User) -> None:
    user.key = replace(user.key, secret=Secret("another"))
    with pytest.raises(KeyUnusable):
        user.sign(READS["orders"])


def test_a_disabled_key_is_unusable(user: User) -> None:
    user.whitebit.disable()
    with pytest.raises(KeyUnusable):
        user.sign(READS["orders"])


def test_a_token_that_is_over_reads_nothing(user: User) -> None:
    user.whitebit.advance(hours=4)
    with pytest.raises(ConsentLost):
        user.show(READS["orders"])
