"""The six reads: the same data signed and with a Bearer token, and the public data."""

from typing import Any

import pytest

from fastkey.domain import account
from local.whitebit.account import READS, Read
from tests.narrowed import NARROWED, Narrowed, numbers
from tests.sandbox.partner import Partner


@pytest.mark.parametrize("read", READS, ids=lambda read: read.bearer_path)
def test_both_ways_of_reading_give_the_same(partner: Partner, read: Read) -> None:
    signed = partner.signed(partner.key("trade_balance", "wallet", "convert"), read.signed_path)
    bearer = partner.client.post(read.bearer_path, json={}, headers=partner.bearer())
    assert (signed.status_code, bearer.status_code) == (200, 200)
    assert signed.get_json() == bearer.get_json()


@pytest.mark.parametrize("read", READS, ids=lambda read: read.bearer_path)
def test_a_bearer_read_needs_a_token_of_its_scope(partner: Partner, read: Read) -> None:
    path = read.bearer_path
    without = Partner(partner.options.revision, scopes=("apikeys.read",))
    assert partner.client.post(path, json={}).status_code == 401
    assert without.client.post(path, json={}, headers=without.bearer()).status_code == 403


def test_history_comes_in_pages(partner: Partner) -> None:
    headers = partner.bearer()

    def page(**fields: int) -> dict[str, Any]:
        body: dict[str, Any] = partner.client.post(
            "/api/v4/accounts/transactions", json=fields, headers=headers
        ).get_json()
        return body

    everything = page(limit=100)["records"] + page(limit=100, offset=100)["records"]
    assert len({record["uniqueId"] for record in everything}) == page()["total"] == 120
    assert page(limit=2, offset=1)["records"] == everything[1:3]
    assert len(page()["records"]) == 50
    assert {record["method"] for record in page(transactionMethod=1)["records"]} == {1}


@pytest.mark.parametrize("fields", [{"limit": 0}, {"limit": 101}, {"limit": "many"}, {"offset": -1}, {"limit": None}])
def test_a_page_that_cannot_be_is_refused(partner: Partner, fields: dict[str, object]) -> None:
    response = partner.client.post("/api/v4/accounts/converts", json=fields, headers=partner.bearer())
    assert response.status_code == 422
    assert response.get_json()["message"] == "Validation failed"
    assert list(response.get_json()["errors"]) == list(fields)


@pytest.mark.parametrize("case", NARROWED, ids=lambda case: f"{case.resource}-{'-'.join(case.filters)}")
def test_a_filter_leaves_what_it_names_both_ways(partner: Partner, case: Narrowed) -> None:
    read = account.READS[case.resource]
    signed = partner.signed(partner.key(read.group), read.signed_path, **case.filters)
    bearer = partner.client.post(read.bearer_path, json=case.filters, headers=partner.bearer())
    assert numbers(case.resource, signed.get_json()) == case.left
    assert bearer.get_json() == signed.get_json()


@pytest.mark.parametrize(
    ("path", "fields", "wrong"),
    [
        ("orders", {"status": "OPEN"}, "status"),
        ("orders", {"startDate": "yesterday"}, "startDate"),
        ("orders", {"startDate": 2, "endDate": 1}, "endDate"),
        ("deals", {"startDate": 2, "endDate": 1}, "endDate"),
        ("deals", {"clientOrderId": "nobodys"}, "clientOrderId"),
        ("converts", {"from": "2", "to": "1"}, "to"),
    ],
)
def test_a_filter_that_cannot_be_is_refused(partner: Partner, path: str, fields: dict[str, object], wrong: str) -> None:
    response = partner.client.post(f"/api/v4/accounts/{path}", json=fields, headers=partner.bearer())
    assert response.status_code == 422
    assert response.get_json()["message"] == "Validation failed"
    assert list(response.get_json()["errors"]) == [wrong]


def test_orders_and_deals_come_by_market(partner: Partner) -> None:
    headers = partner.bearer()
    for path in ("orders", "deals"):
        every = partner.client.post(f"/api/v4/accounts/{path}", json={}, headers=headers).get_json()
        assert set(every) == {"BTC_USDT", "ETH_USDT", "ETH_BTC"}
    of_one = partner.client.post("/api/v4/accounts/deals", json={"market": "ETH_BTC"}, headers=headers).get_json()
    assert isinstance(of_one, list)
    past_the_end = partner.client.post("/api/v4/accounts/orders", json={"offset": 9000}, headers=headers)
    assert past_the_end.get_json() == []


def test_a_balance_can_be_asked_for_by_ticker(partner: Partner) -> None:
    key = partner.key("trade_balance")
    assert partner.signed(key, ticker="BTC").get_json() == {"BTC": {"available": "0.123", "freeze": "0.01"}}
    assert partner.signed(key, ticker="NONE").status_code == 400


def test_what_clients_load_before_anything_else_is_there(partner: Partner) -> None:
    markets = partner.client.get("/api/v4/public/markets").get_json()
    assert {"name", "stock", "money", "stockPrec", "moneyPrec", "takerFee", "type"} <= markets[0].keys()
    assert "BTC" in partner.client.get("/api/v4/public/assets").get_json()
    assert partner.client.get("/api/v4/public/ping").get_json() == ["pong"]
    partner.sandbox.clock.advance(1_000_000)
    assert abs(partner.client.get("/api/v4/public/time").get_json()["time"] - partner.sandbox.clock.now()) < 5
