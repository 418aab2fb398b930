"""What ends a key, and what a user can have."""

import pytest

from local.whitebit.keys import IDLE_LIFE, KEYS_PER_USER
from local.whitebit.users import User
from tests.sandbox.partner import ADA, BALANCE, Partner

DAY = 24 * 3600


def is_enabled(partner: Partner) -> bool:
    return bool(partner.data(partner.client.get("/oauth2/api-key/info", headers=partner.bearer()))["isEnabled"])


@pytest.mark.parametrize(("idle", "enabled"), [(IDLE_LIFE - 10, True), (IDLE_LIFE, False)])
def test_a_key_is_disabled_after_two_idle_weeks(partner: Partner, idle: float, enabled: bool) -> None:
    partner.key("trade_balance")
    partner.sandbox.clock.advance(idle)
    assert is_enabled(partner) is enabled


def test_any_signed_call_starts_the_two_weeks_again(partner: Partner) -> None:
    key = partner.key("trade_balance")
    partner.sandbox.clock.advance(13 * DAY)
    assert partner.signed(key).status_code == 200
    partner.sandbox.clock.advance(13 * DAY)
    assert partner.signed(key, "/api/v4/main-account/balance").status_code == 403
    partner.sandbox.clock.advance(13 * DAY)
    assert is_enabled(partner)


def test_a_disabled_key_cannot_bring_itself_back(partner: Partner) -> None:
    key = partner.key("trade_balance")
    partner.sandbox.clock.advance(14 * DAY)
    response = partner.signed(key)
    assert response.status_code == 403
    assert response.get_json()["message"] == "This action is unauthorized. Enable your key in API settings"
    assert not is_enabled(partner)


@pytest.mark.parametrize("path", ["/dashboard/password", "/dashboard/withdraw"])
def test_a_new_password_and_a_withdrawal_kill_key_and_tokens(partner: Partner, path: str) -> None:
    key, headers = partner.key("trade_balance"), partner.bearer()
    partner.log_in()
    assert partner.client.post(path, data={"password": "new"}).status_code == 303
    assert partner.client.get("/oauth2/api-key/info", headers=headers).status_code == 401
    assert partner.signed(key).status_code == 401
    assert partner.sandbox.keys.of(ADA) == []


def test_a_new_password_ends_the_session_and_is_then_the_one_that_works(partner: Partner) -> None:
    partner.log_in()
    partner.client.post("/dashboard/password", data={"password": "new"})
    assert partner.client.get("/dashboard").location == "/login"
    partner.log_in(password="new")
    assert partner.client.get("/dashboard").status_code == 200


def test_a_withdrawal_leaves_other_keys_alone(partner: Partner) -> None:
    by_hand = partner.sandbox.keys.create(ADA, None, frozenset({BALANCE}))
    partner.key("trade_balance")
    partner.log_in()
    partner.client.post("/dashboard/withdraw")
    assert partner.sandbox.keys.of(ADA) == [by_hand]
    assert partner.signed(by_hand).status_code == 200


def test_a_blocked_account_has_no_keys_no_tokens_and_no_session(partner: Partner) -> None:
    key, headers = partner.key("trade_balance"), partner.bearer()
    assert partner.client.patch(f"/_control/users/{ADA}", json={"blocked": True}).get_json()["keys"] == []
    assert partner.client.get("/oauth2/api-key/info", headers=headers).status_code == 401
    assert partner.signed(key).status_code == 401
    assert partner.client.post("/login", data={"email": ADA, "password": "sandbox"}).status_code == 403


def test_a_user_has_one_key_for_a_partner_active_or_not(partner: Partner) -> None:
    partner.key().disabled = True
    again = partner.client.post(f"/_control/users/{ADA}/keys", json={})
    assert (again.status_code, again.get_json()) == (409, {"error": "You already have a key for this partner."})


def test_a_user_has_at_most_fifty_keys(partner: Partner) -> None:
    for _ in range(KEYS_PER_USER):
        partner.sandbox.keys.create(ADA, None, frozenset())
    assert partner.client.post(f"/_control/users/{ADA}/keys", json={}).status_code == 409


def test_a_user_deletes_a_disabled_key_and_nobody_elses(partner: Partner) -> None:
    partner.sandbox.users.add(User("eve@example.com", "pass"))
    mine, hers = partner.key(), partner.key(email="eve@example.com")
    mine.disabled = True
    partner.log_in()
    for key in (mine, hers):
        partner.client.post(f"/dashboard/keys/{key.external_id}/delete")
    assert partner.sandbox.keys.get(mine.external_id) is None
    assert partner.sandbox.keys.get(hers.external_id) is hers
