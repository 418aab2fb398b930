"""The control API."""

import hashlib

import pytest

from tests.sandbox.partner import ADA, Partner


def test_a_user_can_be_made_and_looked_at(partner: Partner) -> None:
    eve = {"email": "eve@example.com", "password": "pass", "second_factor": "777777", "kyc": False}
    made = partner.client.post("/_control/users", json=eve)
    assert made.status_code == 201
    shown = partner.client.get("/_control/users/eve@example.com").get_json()
    assert (shown["kyc"], shown["two_factor"], shown["keys"]) == (False, True, [])
    assert "password" not in shown
    partner.log_in("eve@example.com", "pass")
    assert [user["email"] for user in partner.client.get("/_control/users").get_json()] == [ADA, "eve@example.com"]


def test_a_keys_state_is_shown_without_its_secret(partner: Partner) -> None:
    key = partner.key("wallet")
    partner.client.get(f"/oauth2/api-key/{key.external_id}/secret", headers=partner.bearer())
    response = partner.client.get(f"/_control/users/{ADA}")
    [shown] = response.get_json()["keys"]
    assert (shown["retrieved"], shown["enabled"], shown["locked"], shown["calls"]) == (True, True, False, 0)
    assert shown["secret_sha256"] == hashlib.sha256(key.secret.encode()).hexdigest()
    assert key.secret not in response.text


def test_a_key_can_be_disabled_and_locked(partner: Partner) -> None:
    path = f"/_control/keys/{partner.key().external_id}"
    assert partner.client.post(f"{path}/lock", json={"seconds": 30}).get_json()["locked"] is True
    assert partner.client.post("/_control/clock", json={"advance_seconds": 30}).status_code == 200
    assert (
        partner.client.post(f"{path}/disable", json={}).get_json() | {"locked": False, "enabled": False}
        == (partner.client.get(f"/_control/users/{ADA}").get_json()["keys"][0])
    )


@pytest.mark.parametrize(("client_id", "status"), [(None, 201), ("another", 201)])
def test_keys_of_no_partner_and_of_another_can_be_made(partner: Partner, client_id: str | None, status: int) -> None:
    partner.key()
    made = partner.client.post(f"/_control/users/{ADA}/keys", json={"client_id": client_id, "permissions": ["wallet"]})
    assert (made.status_code, made.get_json()["client_id"]) == (status, client_id)


def test_the_clock_moves_forward_only(partner: Partner) -> None:
    before = partner.client.get("/_control/clock").get_json()["now"]
    assert partner.client.post("/_control/clock", json={"advance_seconds": 3600}).get_json()["now"] >= before + 3600
    assert partner.client.post("/_control/clock", json={"advance_seconds": -1}).status_code == 400


def test_calls_are_written_down_without_anything_secret(partner: Partner) -> None:
    key, headers = partner.key(), partner.bearer()
    partner.client.get(f"/oauth2/api-key/{key.external_id}/secret?query=1", headers=headers)
    partner.client.get("/nowhere%0Aat%20all?query=1")
    calls = partner.client.get("/_control/calls").get_json()
    assert [(call["method"], call["path"], call["status"]) for call in calls] == [
        ("POST", "/oauth2/token", 200),
        ("GET", "/oauth2/api-key/{external_id}/secret", 200),
        ("GET", "/nowhere%0Aat%20all", 404),
    ]
    assert partner.client.delete("/_control/calls").status_code == 204
    assert partner.client.get("/_control/calls").get_json() == []


def test_everything_secret_that_was_issued_can_be_listed_for_leak_tests(partner_08: Partner) -> None:
    tokens, key = partner_08.tokens(), partner_08.key()
    issued = partner_08.client.get("/_control/secrets").get_json()
    assert issued.keys() == {"code", "access_token", "refresh_token", "api_secret"}
    assert issued["access_token"] == [tokens["access_token"]]
    assert issued["api_secret"] == [key.secret]


def test_a_reset_is_the_first_day_again(partner: Partner) -> None:
    headers, key = partner.bearer(), partner.key()
    partner.client.post("/_control/users", json={"email": "eve@example.com", "password": "pass"})
    partner.client.post("/_control/faults", json={"path": "/nowhere", "kind": "drop_before"})
    partner.client.post("/_control/clock", json={"advance_seconds": 1e6})
    assert partner.client.post("/_control/reset", json={}).status_code == 204
    assert partner.client.get("/oauth2/api-key/info", headers=headers).status_code == 401
    assert partner.sandbox.keys.get(key.external_id) is None
    assert [user["email"] for user in partner.client.get("/_control/users").get_json()] == [ADA]
    assert partner.client.get("/_control/faults").get_json() == []
    assert partner.sandbox.clock.now() < partner.client.get("/_control/clock").get_json()["now"] + 1


WRONG_ORDERS: list[tuple[str, object, int]] = [
    ("/_control/users", {"email": "eve@example.com"}, 400),
    ("/_control/users", {"email": "eve@example.com", "password": 1}, 400),
    ("/_control/users", {"email": "eve@example.com", "password": "pass", "unknown": 1}, 400),
    ("/_control/users", {"email": ADA, "password": "pass"}, 409),
    ("/_control/users/nobody/keys", {}, 404),
    (f"/_control/users/{ADA}/keys", {"permissions": ["everything"]}, 400),
    ("/_control/keys/none/disable", {}, 404),
    ("/_control/keys/none/lock", {"seconds": 1}, 404),
    ("/_control/clock", {"advance_seconds": "1"}, 400),
    ("/_control/clock", [], 400),
    ("/_control/faults", {"kind": "latency"}, 400),
    ("/_control/faults", {"path": "/x", "kind": "unknown"}, 400),
    ("/_control/faults", {"path": "/x", "kind": "status"}, 400),
    ("/_control/faults", {"path": "/x", "kind": "redirect"}, 400),
    ("/_control/faults", {"path": "/x", "kind": "body"}, 400),
    ("/_control/faults", {"path": "/x", "kind": "latency", "times": 0}, 400),
    ("/_control/faults", {"path": "/x", "kind": "latency", "seconds": "1"}, 400),
    ("/_control/faults", {"path": "/x", "kind": "latency", "id": 3}, 400),
    ("/_control/faults", [], 400),
]


@pytest.mark.parametrize(("path", "order", "status"), WRONG_ORDERS)
def test_an_order_that_cannot_be_carried_out_is_refused(
    partner: Partner, path: str, order: object, status: int
) -> None:
    response = partner.client.post(path, json=order)
    assert response.status_code == status
    assert response.get_json().keys() == {"error"}


def test_no_other_machine_and_no_web_page_controls_the_sandbox(partner: Partner) -> None:
    elsewhere = {"REMOTE_ADDR": "192.0.2.1"}
    assert partner.client.get("/_control/secrets", environ_overrides=elsewhere).status_code == 403
    assert partner.client.post("/_control/reset", data="{}", content_type="text/plain").status_code == 415
