"""A user's account is read: with the key, and on the way to it, where the deployment wants that, with the token."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fastkey.domain.account import READS
from local.whitebit import Revision
from local.whitebit.account import MAIN_BALANCES, SPOT_BALANCES
from local.whitebit.permissions import CATALOGUE
from local.world import World
from tests.e2e.journey import Journey, Sandbox
from tests.machines import hurried
from tests.narrowed import NARROWED, ROWS, numbers, rows

EVERYTHING = [group.name for group in CATALOGUE]
BALANCES = {"balances/main": MAIN_BALANCES, "balances/spot": SPOT_BALANCES}


@pytest.fixture(scope="module")
def world(revision: Revision) -> Iterator[World]:
    with hurried(World(revision, BearerReads="on")) as running:
        yield running


@pytest.fixture(scope="module")
def users(world: World, revision: Revision) -> dict[str, Journey]:
    """By what they are read: one with a key, and one who has completed, and takes long to make it."""
    with_key = Journey(world, revision, permissions=EVERYTHING)
    assert with_key.connect()["status"] == "active"
    if revision is Revision.MAY_2026:
        return {"key": with_key}
    return {"key": with_key, "token": Journey(world, revision).consented().complete()}


@pytest.fixture(params=["key", "token"])
def source(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def user(users: dict[str, Journey], source: str) -> Journey:
    if source not in users:
        pytest.skip("there the key is created before the callback")
    return users[source]


@pytest.mark.parametrize("resource", BALANCES)
def test_a_balance_is_read(user: Journey, source: str, resource: str) -> None:
    whole = user.frontend.read(user.connection_id, resource)
    assert whole == {"resource": resource, "source": source, "data": BALANCES[resource]}
    one = user.frontend.read(user.connection_id, resource, ticker="ETH")["data"]
    assert one == {"ETH": BALANCES[resource]["ETH"]}


@pytest.mark.parametrize("resource", ROWS)
def test_rows_are_read_page_by_page(user: Journey, source: str, resource: str) -> None:
    found: list[Any] = []
    while True:
        page = user.frontend.read(user.connection_id, resource, limit=50, offset=len(found))
        assert (page["resource"], page["source"]) == (resource, source)
        if not rows(page["data"]):
            break
        found += rows(page["data"])
    assert len(found) == len(ROWS[resource])


@pytest.mark.parametrize("resource", ROWS)
def test_filters_are_whitebits_own(user: Journey, resource: str) -> None:
    for case in NARROWED:
        if case.resource == resource:
            page = user.frontend.read(user.connection_id, resource, **case.filters)
            assert numbers(resource, page["data"]) == case.left


@pytest.mark.parametrize("resource", ROWS)
def test_a_limit_that_whitebit_does_not_know_does_not_come_as_far(user: Journey, resource: str) -> None:
    user.sandbox.forget_calls()
    answer = user.frontend.call("GET", f"/connections/{user.connection_id}/account/{resource}?limit=101")
    assert answer.status_code == 400
    assert user.sandbox.calls("POST", READS[resource].signed_path) == 0


def problem(user: Journey, resource: str) -> tuple[int, str]:
    answer = user.frontend.call("GET", f"/connections/{user.connection_id}/account/{resource}")
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


def test_what_was_not_granted_is_refused(journey: Callable[..., Journey], sandbox: Sandbox) -> None:
    user = journey()
    user.connect()  # with one path of one group
    sandbox.forget_calls()
    assert problem(user, "balances/main") == (403, "permission_missing")
    # Others wait for their keys meanwhile.
    assert sandbox.calls("POST", READS["balances/main"].signed_path) == 0
    assert problem(user, "deals") == (403, "permission_missing")
    assert sandbox.calls("POST", "/api/v4/trade-account/executed-history") == 1


def test_a_key_that_whitebit_disabled_is_unusable_and_the_connection_stays(
    journey: Callable[..., Journey], sandbox: Sandbox
) -> None:
    user = journey()
    user.connect()
    sandbox.order(f"/keys/{user.whitebit_keys()[0]['externalId']}/disable")
    assert problem(user, "balances/spot") == (409, "key_unusable")
    assert user.frontend.get(user.connection_id)["status"] == "active"


def test_after_a_revocation_nothing_is_read(journey: Callable[..., Journey], sandbox: Sandbox) -> None:
    user = journey()
    user.connect()
    user.frontend.read(user.connection_id, "balances/spot")
    user.frontend.revoke(user.connection_id)
    sandbox.forget_calls()
    assert problem(user, "balances/spot") == (409, "access_missing")
    assert sandbox.calls("POST", "/api/v4/trade-account/balance") == 0


def test_before_the_completion_nobody_reads(journey: Callable[..., Journey]) -> None:
    assert problem(journey().consented(), "balances/spot") == (409, "access_missing")


def test_a_429_is_waited_out(journey: Callable[..., Journey], sandbox: Sandbox) -> None:
    user = journey()
    user.connect()
    path = "/api/v4/trade-account/balance"
    sandbox.forget_calls()
    sandbox.fault("POST", path, "status", status=429, times=1)
    assert user.frontend.read(user.connection_id, "balances/spot")["source"] == "key"
    assert sandbox.calls("POST", path) == 2
