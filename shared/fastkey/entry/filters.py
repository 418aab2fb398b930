"""The filters of account reads: WhiteBIT's own, by its names.

WhiteBIT's `addresses` and `status` of transactions are not among them. They are lists, and a query has no form for a
list that everybody reads alike: a name that is there twice is refused here, and a separator would be our invention.
"""
# ruff: noqa: N815 - WhiteBIT's names

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, to_builtins

from fastkey.entry.model import parsed

# The digits of the largest integer that JSON carries everywhere (RFC 8259, section 6).
_DIGITS_AT_MOST = 16

# A query has texts alone.
_NUMBERS = frozenset({"limit", "offset", "transactionMethod", "orderId", "startDate", "endDate", "from", "to"})

# WhiteBIT documents these times as texts, unlike those of orders.
_SENT_AS_TEXT = frozenset({"from", "to"})

Ticker = Annotated[str, Meta(pattern=r"^[0-9A-Za-z._-]{1,32}\Z")]
Market = Annotated[str, Meta(pattern=r"^[0-9A-Za-z]{1,32}_[0-9A-Za-z]{1,32}\Z")]
ClientOrderId = Annotated[str, Meta(pattern=r"^[0-9A-Za-z._-]{1,128}\Z")]
OrderId = Annotated[int, Meta(ge=1, le=2**53 - 1)]

# Chosen by users, banks and networks: visible ASCII, and, in a memo, spaces.
Name = Annotated[str, Meta(pattern=r"^[!-~]{1,255}\Z")]
Memo = Annotated[str, Meta(pattern=r"^[ -~]{1,255}\Z")]

# Unix seconds, of ten digits at most: milliseconds are refused, instead of finding nothing.
Time = Annotated[int, Meta(ge=0, le=9_999_999_999)]


class Filters(Struct, forbid_unknown_fields=True):
    """Nothing but what is named, each once."""


class Paging(Filters):
    """A page: WhiteBIT's own default, and no more than all of its paths give."""

    limit: Annotated[int, Meta(ge=1, le=100)] = 50
    offset: Annotated[int, Meta(ge=0, le=10_000)] = 0


class Transactions(Paging):
    """Of all tickers, or of one. transactionMethod: 1 for deposits, 2 for withdrawals."""

    transactionMethod: Annotated[int, Meta(ge=1, le=2)] | UnsetType = UNSET
    ticker: Ticker | UnsetType = UNSET
    address: Name | UnsetType = UNSET
    memo: Memo | UnsetType = UNSET
    uniqueId: Name | UnsetType = UNSET


class Balances(Filters):
    """Of all tickers, or of one."""

    ticker: Ticker | UnsetType = UNSET


class Deals(Paging):
    """Of all markets, or of one. clientOrderId: those of one order alone; WhiteBIT does not look at dates then."""

    market: Market | UnsetType = UNSET
    clientOrderId: ClientOrderId | UnsetType = UNSET
    startDate: Time | UnsetType = UNSET
    endDate: Time | UnsetType = UNSET

    def __post_init__(self) -> None:
        _refuse_backwards(self.startDate, self.endDate)


class Orders(Deals):
    """As of deals. orderId, clientOrderId: one order alone; WhiteBIT does not look at dates and status then."""

    orderId: OrderId | UnsetType = UNSET
    status: Literal["ALL", "FILLED", "CANCELED", "PARTIALLY_FILLED", "MAINTENANCE"] | UnsetType = UNSET


class Conversions(Paging, rename={"from_": "from"}):
    """Of all tickers, or from one, or to one."""

    fromTicker: Ticker | UnsetType = UNSET
    toTicker: Ticker | UnsetType = UNSET
    quoteId: Name | UnsetType = UNSET
    from_: Time | UnsetType = UNSET
    to: Time | UnsetType = UNSET

    def __post_init__(self) -> None:
        _refuse_backwards(self.from_, self.to)


FILTERS: Mapping[str, type[Filters]] = {
    "transactions": Transactions,
    "balances/main": Balances,
    "balances/spot": Balances,
    "orders": Orders,
    "deals": Deals,
    "conversions": Conversions,
}


def filters_of(resource: str, parameters: Mapping[str, str]) -> Mapping[str, str | int]:
    """The filters of a read, as WhiteBIT takes them, out of a query's parameters. Raises InvalidRequest."""
    values = {name: _number(text) if name in _NUMBERS else text for name, text in parameters.items()}
    filters = to_builtins(parsed(values, FILTERS[resource]))
    return {name: str(value) if name in _SENT_AS_TEXT else value for name, value in filters.items()}


def _number(text: str) -> int | str:
    """What is written in digits, as a number; anything else as it is, for the model to refuse."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS_AT_MOST else text


def _refuse_backwards(start: int | UnsetType, end: int | UnsetType) -> None:
    if start is not UNSET and end is not UNSET and start > end:
        raise ValueError("it ends before it begins")
