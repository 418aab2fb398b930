"""A partner that wants to read takes no key with which somebody could do more."""

from collections.abc import Callable, Iterator

import pytest

from local.whitebit import Revision
from local.world import World
from tests.e2e.journey import Journey
from tests.machines import hurried

SECRET = ("GET", "/oauth2/api-key/{external_id}/secret")


@pytest.fixture(scope="module")
def world(revision: Revision) -> Iterator[World]:
    with hurried(World(revision, MaximumPermissions="read")) as running:
        yield running


@pytest.mark.parametrize("more", ["trading", "/v2/order", "withdraw", "convert"])
def test_a_key_that_may_do_more_is_deleted_its_secret_unread_and_the_user_is_told(
    journey: Callable[..., Journey], more: str
) -> None:
    user = journey(permissions=["trade_balance", more])
    user.sandbox.forget_calls()
    ended = user.connect()
    assert (ended["status"], ended["reason"]) == ("failed", "permissions_exceeded")
    assert "may do more than this platform wants" in ended["detail"]
    assert user.sandbox.calls(*SECRET) == 0
    assert user.whitebit_keys() == []
    assert user.stored() is None
    again = journey(user.email, ["trade_balance"])
    assert again.connect()["access"] == {"read": True, "trade": False, "withdraw": False}


def test_a_key_that_may_read_is_taken(journey: Callable[..., Journey]) -> None:
    user = journey(permissions=["trade_balance", "wallet"])
    shown = user.connect()
    assert (shown["status"], set(shown["permissions"])) == ("active", {"trade_balance", "wallet"})
    assert shown["access"] == {"read": True, "trade": False, "withdraw": False}
