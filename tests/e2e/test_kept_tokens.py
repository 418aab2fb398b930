"""Tokens live on where the partner asked for that, and nowhere else."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fastkey.domain.tokens import REFRESH_TOKEN_LIFE
from fastkey.usecases.keep_tokens import KEEP_MARGIN
from local.whitebit import Revision
from local.world import World
from tests.e2e.heard import Heard
from tests.e2e.journey import Journey

REFRESH = ("POST", "/oauth2/refresh_token")
BALANCE = "/api/v4/trade-account/balance"

# WhiteBIT gave no refresh tokens before.
pytestmark = pytest.mark.parametrize("revision", [Revision.AUGUST_2026], indirect=True, scope="module")


@pytest.fixture
def user(journey: Callable[..., Journey]) -> Journey:
    """Whose tokens are to be kept."""
    user = journey(permissions=[BALANCE, "/api/v4/main-account/balance"])
    assert user.connect(keep_token=True)["status"] == "active"
    user.sandbox.forget_calls()
    return user


def near_the_end(user: Journey) -> datetime:
    """The refresh token dies before the run after the next."""
    end = datetime.now(UTC) + KEEP_MARGIN / 2
    user.set_times(refresh_expires_at=end, refresh_by=end)
    return end


def keep(world: World) -> dict[str, Any]:
    answer: dict[str, Any] = world.fire("KeepTokens")
    return {name.removeprefix("keep_tokens."): count for name, count in answer.items()}


def test_tokens_are_refreshed_before_they_die_and_once(user: Journey) -> None:
    assert keep(user.world)["refreshed"] == 0
    near_the_end(user)
    done = keep(user.world)
    assert (done["refreshed"], done["failed"]) == (1, 0)
    assert done["kept"] == done["fit"] >= 1
    assert user.sandbox.calls(*REFRESH) == 1
    left = datetime.fromisoformat(user.item()["refresh_by"]["S"]) - datetime.now(UTC)
    assert REFRESH_TOKEN_LIFE - timedelta(minutes=1) < left <= REFRESH_TOKEN_LIFE
    assert keep(user.world)["refreshed"] == 0
    assert user.sandbox.calls(*REFRESH) == 1


def test_what_the_key_may_do_is_looked_at_with_the_token(user: Journey, heard: Heard) -> None:
    user.sandbox.grant(user.external_id, BALANCE, "trading")
    near_the_end(user)
    assert keep(user.world)["refreshed"] == 1
    shown = user.frontend.get(user.connection_id)
    assert set(shown["permissions"]) == {"trade_balance", "trading"}
    assert shown["access"] == {"read": True, "trade": True, "withdraw": False}
    user.fall_due()
    assert heard.kinds(user.connection_id) == ["activated", "permissions_changed"]


def test_tokens_that_nobody_asked_to_keep_die(journey: Callable[..., Journey]) -> None:
    user = journey()
    user.connect()
    end = near_the_end(user)
    user.sandbox.forget_calls()
    keep(user.world)
    assert user.sandbox.calls(*REFRESH) == 0
    assert user.item()["refresh_expires_at"]["S"] == end.isoformat()


def test_tokens_that_whitebit_has_ended_are_asked_for_once_and_not_again(user: Journey) -> None:
    user.browser.withdraw_authorization()
    near_the_end(user)
    assert keep(user.world)["failed"] == 1
    assert user.sandbox.calls(*REFRESH) == 1
    assert "refresh_by" not in user.item()
    assert keep(user.world)["failed"] == 0
    assert user.sandbox.calls(*REFRESH) == 1


def test_tokens_that_died_unkept_are_not_asked_for(user: Journey) -> None:
    died = datetime.now(UTC) - timedelta(minutes=1)
    user.set_times(refresh_expires_at=died, refresh_by=died)
    done = keep(user.world)
    assert (done["refreshed"], done["failed"]) == (0, 0)
    assert user.sandbox.calls(*REFRESH) == 0
    assert "refresh_by" not in user.item()


def test_who_disconnects_has_no_tokens_that_could_be_kept(user: Journey) -> None:
    near_the_end(user)
    user.frontend.revoke(user.connection_id)
    assert user.end()["status"] == "revoked"
    user.sandbox.forget_calls()
    keep(user.world)
    assert user.sandbox.calls(*REFRESH) == 0
    assert "refresh_by" not in user.item()
