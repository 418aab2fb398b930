"""A key that was captured is tried from time to time: for it dies unused, and nobody tells."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fastkey.domain.connection import CHECK_AGAIN, CHECK_PERIOD, DEAD_KEY_LIFE
from tests.e2e.heard import Heard
from tests.e2e.journey import Journey

NewJourney = Callable[..., Journey]

BALANCE = "/api/v4/trade-account/balance"
MAIN_BALANCE = "/api/v4/main-account/balance"
REFUSED = {"code": 10, "message": "Unauthorized request."}


@pytest.fixture
def user(journey: NewJourney) -> Journey:
    """With a captured key."""
    user = journey()
    assert user.connect()["status"] == "active"
    user.sandbox.forget_calls()
    return user


def seconds_until(user: Journey, attribute: str) -> float:
    return (datetime.fromisoformat(user.item()[attribute]["S"]) - datetime.now(UTC)).total_seconds()


def ago(time: timedelta) -> datetime:
    return datetime.now(UTC) - time


def shown(user: Journey) -> dict[str, Any]:
    return user.frontend.get(user.connection_id)


def test_a_key_is_tried_within_its_period_once_and_lives_on(user: Journey) -> None:
    assert 0 <= seconds_until(user, "check_at") <= CHECK_PERIOD.total_seconds()
    assert user.fall_due() >= {"alive"}
    assert user.sandbox.calls("POST", BALANCE) == 1
    assert CHECK_PERIOD.total_seconds() - 60 < seconds_until(user, "check_at") < CHECK_PERIOD.total_seconds()
    user.world.fire("GuardKeys")
    assert user.sandbox.calls("POST", BALANCE) == 1
    assert shown(user)["status"] == "active"


def test_a_key_that_its_user_removed_is_dead_once_it_was_refused_twice(user: Journey, heard: Heard) -> None:
    user.browser.delete_key(user.external_id)
    assert user.fall_due() >= {"refused"}
    assert shown(user)["status"] == "active"
    assert user.fall_due(refused_at=ago(CHECK_AGAIN)) >= {"dead"}
    ended = shown(user)
    assert (ended["status"], ended["reason"]) == ("dead", "key_dead")
    assert "removed" in ended["detail"]
    assert heard.kinds(user.connection_id)[-1] == "dead"
    assert user.frontend.call("GET", f"/connections/{user.connection_id}/account/balances/spot").status_code == 409


def test_whose_key_is_dead_connects_again_and_disconnects_the_dead_one(user: Journey, journey: NewJourney) -> None:
    die(user)
    again = journey(user.email)
    assert again.connect()["status"] == "active"
    assert user.stored() is not None
    user.frontend.revoke(user.connection_id)
    assert user.end()["status"] == "revoked"
    assert user.stored() is None
    assert shown(again)["status"] == "active"
    assert len(again.whitebit_keys()) == 1


def test_a_dead_key_whose_copy_nobody_will_ever_need_is_shredded_and_not_tried_again(user: Journey) -> None:
    die(user)
    user.fall_due(refused_at=ago(DEAD_KEY_LIFE))
    assert user.stored() is None
    user.fall_due()
    assert "due_at" not in user.item()
    assert shown(user)["status"] == "dead"


def die(user: Journey) -> None:
    user.browser.delete_key(user.external_id)
    user.fall_due()
    user.fall_due(refused_at=ago(CHECK_AGAIN))
    assert shown(user)["status"] == "dead"


def test_a_key_that_was_refused_for_a_while_comes_back(user: Journey, heard: Heard) -> None:
    user.sandbox.fault("POST", BALANCE, "status", status=401, body=REFUSED, times=2)
    user.fall_due()
    user.fall_due(refused_at=ago(CHECK_AGAIN))
    assert shown(user)["status"] == "dead"
    assert user.stored() is not None
    assert user.fall_due() >= {"alive"}
    back = shown(user)
    assert (back["status"], back["reason"]) == ("active", None)
    assert heard.kinds(user.connection_id)[-3:] == ["activated", "dead", "activated"]


@pytest.mark.parametrize("fault", [{"kind": "status", "status": 500}, {"kind": "drop_after"}], ids=str)
def test_of_what_is_not_sure_nothing_is_concluded(user: Journey, fault: dict[str, Any]) -> None:
    user.sandbox.fault("POST", BALANCE, **fault, times=1)
    assert user.fall_due() >= {"unknown"}
    assert shown(user)["status"] == "active"
    assert "refused_at" not in user.item()
    assert 0 < seconds_until(user, "check_at") <= CHECK_AGAIN.total_seconds()
    assert user.fall_due() >= {"alive"}


def test_a_key_that_may_do_less_than_before_is_alive_and_that_is_told(journey: NewJourney, heard: Heard) -> None:
    user = journey(permissions=[BALANCE, MAIN_BALANCE])
    assert set(user.connect()["permissions"]) == {"trade_balance", "wallet"}
    assert user.fall_due() >= {"alive"}
    user.sandbox.grant(user.external_id, MAIN_BALANCE)
    assert user.fall_due() >= {"alive"}
    changed = shown(user)
    assert (changed["status"], changed["permissions"]) == ("active", ["wallet"])
    *_, told = heard.of(user.connection_id)
    assert heard.kinds(user.connection_id)[-1] == "permissions_changed"
    assert told["permissions"] == ["wallet"]
