"""What becomes of a key in the sandbox of WhiteBIT while fastkey is not looking."""

import pytest

from local.whitebit import Revision
from tests.sandbox.partner import BALANCE, Partner

DAY = 24 * 3600
WALLET = "/api/v4/main-account/balance"


@pytest.fixture(params=list(Revision))
def partner(request: pytest.FixtureRequest) -> Partner:
    return Partner(request.param)


def info(partner: Partner) -> dict[str, object]:
    return partner.data(partner.client.get("/oauth2/api-key/info", headers=partner.bearer()))


def test_a_user_grants_a_key_other_permissions(partner: Partner) -> None:
    key = partner.key("trade_balance")
    assert [partner.signed(key, path).status_code for path in (BALANCE, WALLET)] == [200, 403]
    changed = partner.client.patch(f"/_control/keys/{key.external_id}", json={"permissions": ["wallet"]})
    assert (changed.status_code, changed.get_json()["enabled"]) == (200, True)
    assert [partner.signed(key, path).status_code for path in (BALANCE, WALLET)] == [403, 200]
    granted = [url["url"] for group in info(partner)["permissions"] for url in group["urls"] if url["enable"]]  # type: ignore[attr-defined]
    assert WALLET in granted
    assert BALANCE not in granted


def test_a_user_takes_every_permission_from_a_key_and_it_lives(partner: Partner) -> None:
    key = partner.key("trade_balance")
    partner.client.patch(f"/_control/keys/{key.external_id}", json={"permissions": []})
    assert partner.signed(key).status_code == 403
    assert (info(partner)["exists"], info(partner)["isEnabled"]) == (True, True)


@pytest.mark.parametrize("order", [{}, {"permissions": "wallet"}, {"permissions": ["nothing"]}, {"enabled": True}])
def test_an_order_that_grants_nothing_that_there_is_changes_nothing(partner: Partner, order: dict[str, object]) -> None:
    key = partner.key("trade_balance")
    assert partner.client.patch(f"/_control/keys/{key.external_id}", json=order).status_code == 400
    assert partner.client.patch("/_control/keys/nobodys", json={"permissions": []}).status_code == 404
    assert partner.signed(key).status_code == 200


def test_calls_refused_for_a_permission_keep_a_key_alive_for_as_long_as_they_are_made(partner: Partner) -> None:
    key = partner.key()
    for _ in range(5):
        partner.sandbox.clock.advance(13 * DAY)
        assert partner.signed(key).status_code == 403
    assert info(partner)["isEnabled"] is True
    partner.sandbox.clock.advance(14 * DAY)
    assert info(partner)["isEnabled"] is False


def test_calls_that_are_too_many_are_refused_for_as_long_as_it_is_ordered(partner: Partner) -> None:
    key = partner.key("trade_balance")
    order = {"path": "/api/v4/trade-account/*", "kind": "status", "status": 429, "times": 2}
    refusal = {"code": 0, "message": "Too many requests."}
    assert partner.client.post("/_control/faults", json={**order, "body": refusal}).status_code == 201
    answers = [partner.signed(key) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert answers[0].get_json() == refusal
