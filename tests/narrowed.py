"""Filters of account reads, and which of the sandbox's made-up rows are left by them."""

from collections.abc import Mapping, Set
from typing import Any, NamedTuple

from local.whitebit.account import CONVERSIONS, DEALS, HOUR, NEWEST, ORDERS, TRANSACTIONS

ROWS = {"transactions": TRANSACTIONS, "orders": ORDERS, "deals": DEALS, "conversions": CONVERSIONS}

DAY = 24 * HOUR


class Narrowed(NamedTuple):
    """left: the numbers of the rows, from the newest on."""

    resource: str
    filters: Mapping[str, str | int]
    left: Set[int]


NARROWED = [
    Narrowed("transactions", {"address": "sandbox-address-7"}, {7}),
    Narrowed("transactions", {"memo": "memo 7"}, {7}),
    Narrowed("transactions", {"uniqueId": "sandbox-7"}, {7}),
    Narrowed("transactions", {"uniqueId": "sandbox-7", "transactionMethod": 1}, set()),
    Narrowed("transactions", {"transactionMethod": 2, "ticker": "USDT", "limit": 2}, {1, 3}),
    Narrowed("orders", {"orderId": 699_993}, {7}),
    Narrowed("orders", {"clientOrderId": "sandbox-order-7"}, {7}),
    Narrowed("orders", {"orderId": 699_993, "status": "CANCELED", "startDate": NEWEST}, {7}),
    Narrowed("orders", {"orderId": 1}, set()),
    Narrowed("orders", {"status": "PARTIALLY_FILLED", "limit": 2}, {3, 7}),
    Narrowed("orders", {"status": "ALL", "limit": 2}, {0, 1}),
    Narrowed("orders", {"status": "CANCELED"}, set()),
    Narrowed("orders", {"status": "MAINTENANCE"}, set()),
    Narrowed("orders", {"startDate": NEWEST - 3 * HOUR, "endDate": NEWEST - HOUR}, {1, 2, 3}),
    Narrowed("orders", {"startDate": NEWEST - 2 * HOUR, "market": "ETH_BTC"}, {2}),
    Narrowed("deals", {"clientOrderId": "sandbox-order-7"}, {7}),
    Narrowed("deals", {"clientOrderId": "sandbox-order-7", "startDate": NEWEST}, {7}),
    Narrowed("deals", {"startDate": NEWEST - HOUR}, {0, 1}),
    Narrowed("deals", {"endDate": NEWEST - 58 * HOUR}, {58, 59}),
    Narrowed("deals", {"startDate": NEWEST - 2 * HOUR, "market": "ETH_BTC"}, {2}),
    Narrowed("conversions", {"fromTicker": "BTC"}, {0, 3, 6, 9}),
    Narrowed("conversions", {"toTicker": "BTC"}, {2, 5, 8, 11}),
    Narrowed("conversions", {"fromTicker": "BTC", "toTicker": "BTC"}, set()),
    Narrowed("conversions", {"quoteId": "8993"}, {7}),
    Narrowed("conversions", {"from": NEWEST - 3 * DAY, "to": NEWEST - DAY}, {1, 2, 3}),
]


def rows(data: Any) -> list[Any]:
    """The rows of a page, without the names of markets."""
    if isinstance(data, list):
        return data
    return data["records"] if "records" in data else [row for its in data.values() for row in its]


def numbers(resource: str, data: Any) -> Set[int]:
    """The numbers of the rows of a page."""
    name = "uniqueId" if resource == "transactions" else "id"
    every = [row[name] for row in ROWS[resource]]
    return {every.index(row[name]) for row in rows(data)}
