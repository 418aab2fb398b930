"""Made-up account data, the same for every user, with the shapes, filters and paging that WhiteBIT documents.

Amounts are decimal strings and times are Unix seconds, as WhiteBIT gives them. Newest first.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any

from local.whitebit.refusals import ApiError, invalid_field, v4

NEWEST = 1_780_000_000
HOUR = 3600
MAX_LIMIT = 100
DEFAULT_LIMIT = 50
LATEST = 9_999_999_999
STATUSES = ("ALL", "FILLED", "CANCELED", "PARTIALLY_FILLED", "MAINTENANCE")
MARKETS = (("BTC", "USDT", "64000"), ("ETH", "USDT", "3200"), ("ETH", "BTC", "0.05"))

MAIN_BALANCES = {
    "BTC": {"main_balance": "0.25"},
    "ETH": {"main_balance": "4"},
    "USDT": {"main_balance": "1500.5"},
    "EUR": {"main_balance": "0"},
}
SPOT_BALANCES = {
    "BTC": {"available": "0.123", "freeze": "0.01"},
    "ETH": {"available": "2", "freeze": "0"},
    "USDT": {"available": "1000", "freeze": "200"},
    "EUR": {"available": "0", "freeze": "0"},
}
TRANSACTIONS = [
    {
        "address": f"sandbox-address-{i}",
        "uniqueId": f"sandbox-{i}",
        "createdAt": NEWEST - i * HOUR,
        "currency": "Tether US" if i % 2 else "Bitcoin",
        "ticker": "USDT" if i % 2 else "BTC",
        "method": 1 + i % 2,
        "amount": "10",
        "description": "",
        "memo": f"memo {i}" if i % 2 else "",
        "fee": "0",
        "status": 7 if i % 2 else 3,
        "network": "TRC20" if i % 2 else "BTC",
        "transactionHash": f"{i:064x}",
        "details": {"partial": {"requestAmount": "10", "processedAmount": "10", "fee": "0", "normalizeMoney": ""}},
        "confirmations": {"actual": 3, "required": 2},
    }
    for i in range(120)
]


def conversion(i: int) -> dict[str, Any]:
    """The i-th newest conversion."""
    stock, money, price = MARKETS[i % len(MARKETS)]
    return {
        "id": str(9000 - i),
        "path": [{"from": stock, "to": money, "rate": price}],
        "date": NEWEST - i * 24 * HOUR,
        "give": "1",
        "receive": price,
        "rate": price,
    }


def order(i: int) -> dict[str, Any]:
    """The i-th newest executed order."""
    stock, money, price = MARKETS[i % len(MARKETS)]
    is_filled = i % 4 != 3
    return {
        "market": f"{stock}_{money}",
        "id": 700_000 - i,
        "clientOrderId": f"sandbox-order-{i}",
        "ctime": NEWEST - i * HOUR + 0.25,
        "ftime": NEWEST - i * HOUR + 0.5,
        "amount": "0.01" if is_filled else "0.02",
        "price": price,
        "type": "limit",
        "side": "buy" if i % 2 else "sell",
        "takerFee": "0.001",
        "makerFee": "0.001",
        "dealFee": "0",
        "dealStock": "0.01",
        "dealMoney": price,
        "status": "FILLED" if is_filled else "PARTIALLY_FILLED",
    }


def deal(i: int) -> dict[str, Any]:
    """The deal that executed the i-th newest order."""
    executed = order(i)
    return {
        "market": executed["market"],
        "id": 900_000 - i,
        "clientOrderId": executed["clientOrderId"],
        "time": executed["ftime"],
        "side": executed["side"],
        "role": 2,
        "amount": executed["dealStock"],
        "price": executed["price"],
        "deal": executed["dealMoney"],
        "fee": executed["dealFee"],
        "orderId": executed["id"],
    }


ORDERS = [order(i) for i in range(60)]
DEALS = [deal(i) for i in range(60)]
CONVERSIONS = [conversion(i) for i in range(12)]


def balances(of: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """All balances, or that of the `ticker` asked for."""
    ticker = fields.get("ticker")
    if ticker is None:
        return dict(of)
    if ticker not in of:
        raise v4(400, 0, "Currency not found")
    return {ticker: of[ticker]}


def page(rows: list[dict[str, Any]], fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows from `offset`, at most `limit` of them."""
    limit = whole_number(fields, "limit", DEFAULT_LIMIT, 1, MAX_LIMIT)
    offset = whole_number(fields, "offset", 0, 0, 10_000)
    return rows[offset : offset + limit]


def records(rows: list[dict[str, Any]], fields: Mapping[str, Any]) -> dict[str, Any]:
    """A page of rows, with its place in the whole."""
    shown = page(rows, fields)
    limit = fields.get("limit", DEFAULT_LIMIT)
    return {"limit": int(limit), "offset": int(fields.get("offset", 0)), "records": shown, "total": len(rows)}


def by_market(rows: list[dict[str, Any]], fields: Mapping[str, Any]) -> dict[str, Any] | list[Any]:
    """A page of rows under the name of their market; the empty page is a list, as PHP has it."""
    shown = sorted(page(rows, fields), key=lambda row: str(row["market"]))
    grouped = {
        market: [{name: value for name, value in row.items() if name != "market"} for row in its]
        for market, its in groupby(shown, key=lambda row: str(row["market"]))
    }
    return grouped or []


def matching(rows: list[dict[str, Any]], fields: Mapping[str, Any], **columns: str) -> list[dict[str, Any]]:
    """The rows with what the fields ask for, each in its column."""
    wanted = {column: fields[name] for name, column in columns.items() if name in fields}
    return [row for row in rows if wanted.items() <= row.items()]


def within(
    rows: list[dict[str, Any]], fields: Mapping[str, Any], first: str, last: str, column: str
) -> list[dict[str, Any]]:
    """The rows of the seconds from that in the field `first` to that in `last`, both included."""
    since = whole_number(fields, first, 0, 0, LATEST)
    until = whole_number(fields, last, LATEST, since, LATEST)
    return [row for row in rows if since <= int(row[column]) <= until]


def transactions(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Deposits (`transactionMethod` 1) and withdrawals (2)."""
    same = {name: name for name in ("ticker", "address", "memo", "uniqueId")}
    return records(matching(TRANSACTIONS, fields, transactionMethod="method", **same), fields)


def conversions(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Conversions from the ticker in `fromTicker` to that in `toTicker`."""
    rows = within(matching(CONVERSIONS, fields, quoteId="id"), fields, "from", "to", "date")
    for name, end in (("fromTicker", "from"), ("toTicker", "to")):
        rows = [row for row in rows if fields.get(name) in (None, row["path"][0][end])]
    return records(rows, fields)


def orders(fields: Mapping[str, Any]) -> dict[str, Any] | list[Any]:
    """Orders, or the one whose id is given, whatever the dates and the status are."""
    rows = matching(ORDERS, fields, market="market", orderId="id", clientOrderId="clientOrderId")
    if "orderId" not in fields and "clientOrderId" not in fields:
        status = fields.get("status", "ALL")
        if status not in STATUSES:
            raise invalid_field("status", "The selected status is invalid.")
        rows = within(rows, fields, "startDate", "endDate", "ftime")
        rows = [row for row in rows if status in ("ALL", row["status"])]
    return by_market(rows, fields)


def deals(fields: Mapping[str, Any]) -> dict[str, Any] | list[Any]:
    """Deals of all markets under their names, or of the `market` asked for as a list."""
    rows = matching(DEALS, fields, market="market", clientOrderId="clientOrderId")
    if "clientOrderId" not in fields:
        rows = within(rows, fields, "startDate", "endDate", "time")
    elif not rows:
        raise invalid_field("clientOrderId", "Order not found.")
    grouped = by_market(rows, fields)
    if "market" in fields and isinstance(grouped, dict):
        return list(*grouped.values())
    return grouped


def whole_number(fields: Mapping[str, Any], name: str, default: int, least: int, most: int) -> int:
    try:
        number = int(fields.get(name, default))
    except (TypeError, ValueError) as error:
        raise not_in_range(name, least, most) from error
    if not least <= number <= most:
        raise not_in_range(name, least, most)
    return number


def not_in_range(name: str, least: int, most: int) -> ApiError:
    return invalid_field(name, f"The {name} must be between {least} and {most}.")


@dataclass(frozen=True, slots=True)
class Read:
    """One of the six reads: its two paths, the scope that the Bearer token needs, and what answers."""

    signed_path: str
    bearer_path: str
    scope: str
    answer: Callable[[Mapping[str, Any]], Any]


READS = (
    Read(
        "/api/v4/main-account/history",
        "/api/v4/accounts/transactions",
        "users.transactions.read",
        transactions,
    ),
    Read(
        "/api/v4/convert/history",
        "/api/v4/accounts/converts",
        "users.converts.read",
        conversions,
    ),
    Read(
        "/api/v4/trade-account/order/history",
        "/api/v4/accounts/orders",
        "users.orders.read",
        orders,
    ),
    Read(
        "/api/v4/trade-account/executed-history",
        "/api/v4/accounts/deals",
        "users.deals.read",
        deals,
    ),
    Read(
        "/api/v4/main-account/balance",
        "/api/v4/accounts/balances/main",
        "users.balances.read",
        partial(balances, MAIN_BALANCES),
    ),
    Read(
        "/api/v4/trade-account/balance",
        "/api/v4/accounts/balances/spot",
        "users.balances.read",
        partial(balances, SPOT_BALANCES),
    ),
)
