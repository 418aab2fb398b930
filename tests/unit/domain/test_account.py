"""What can be read, by what, and how often."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from fastkey.domain.account import READS, Read, Source, source_of
from fastkey.domain.pace import HISTORY, MAIN_ACCOUNT, TRADE_ACCOUNT, milliseconds, pace_of, pause_after
from fastkey.domain.permissions import GROUPS
from fastkey.domain.status import Status
from local.whitebit import account
from local.whitebit.permissions import CATALOGUE
from tests.contract.given import NOW, detecting

EACH_READ = pytest.mark.parametrize("read", READS.values(), ids=READS)


def test_the_reads_are_those_that_the_sandbox_has() -> None:
    ours = {(read.signed_path, read.bearer_path) for read in READS.values()}
    assert ours == {(read.signed_path, read.bearer_path) for read in account.READS}


@EACH_READ
def test_a_read_is_in_the_group_that_the_sandbox_says(read: Read) -> None:
    assert {group.name for group in CATALOGUE} == GROUPS
    assert [group.name for group in CATALOGUE if read.signed_path in group.urls] == [read.group]


# ---- Permissions -----------------------------------------------------------------------------------------------------


@EACH_READ
def test_a_read_may_be_granted_by_its_group_alone(read: Read) -> None:
    assert read.may_be_granted([read.group])
    assert not read.may_be_granted(GROUPS - {read.group})
    assert not read.may_be_granted([])


@EACH_READ
def test_what_a_group_that_is_not_known_grants_only_whitebit_knows(read: Read) -> None:
    assert read.may_be_granted(["accounts_v5"])
    assert read.may_be_granted(["trading", "accounts_v5"])


# ---- By what ---------------------------------------------------------------------------------------------------------

BY_TOKEN = {Status.AUTHORIZED, Status.DETECTING, Status.CAPTURING, Status.VERIFYING}


@pytest.mark.parametrize("status", Status)
def test_an_account_is_read_by_key_when_active_and_by_token_on_the_way_to_that(status: Status) -> None:
    expected = Source.KEY if status is Status.ACTIVE else Source.TOKEN if status in BY_TOKEN else None
    assert source_of(replace(detecting(), status=status)) is expected


@pytest.mark.parametrize("status", sorted(BY_TOKEN))
def test_whoever_has_not_completed_reads_nothing(status: Status) -> None:
    assert source_of(replace(detecting(), status=status, completed_at=None)) is None


# ---- How often -------------------------------------------------------------------------------------------------------


def test_paths_without_a_limit_of_their_own_share_that_of_the_main_account() -> None:
    paces = {path: pace_of(path) for read in READS.values() for path in (read.signed_path, read.bearer_path)}
    fast = {path for path, pace in paces.items() if pace is TRADE_ACCOUNT}
    assert fast == {path for path in paces if path.startswith("/api/v4/trade-account/")}
    assert [path for path, pace in paces.items() if pace is HISTORY] == [READS["transactions"].signed_path]
    assert set(paces.values()) == {HISTORY, MAIN_ACCOUNT, TRADE_ACCOUNT}


def test_pauses_double_up_to_half_a_minute_and_chance_takes_up_to_half_of_them() -> None:
    latest, second = timedelta(microseconds=999_999), timedelta(seconds=1)
    shortest = [pause_after(attempt, timedelta(0)) / second for attempt in range(8)]
    assert shortest == [0.5, 1, 2, 4, 8, 15, 15, 15]
    for attempt, least in enumerate(shortest):
        assert pause_after(attempt, latest) / second == pytest.approx(2 * least, rel=1e-5)


def test_milliseconds_of_moments_that_differ_by_one_differ() -> None:
    """By floats, that of 122 and that of 123 are the same for some seconds."""
    moments = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(milliseconds=n) for n in range(3_000)]
    assert [milliseconds(moment) for moment in moments] == list(range(1767225600000, 1767225603000))
    assert milliseconds(NOW) == 1767323045678
