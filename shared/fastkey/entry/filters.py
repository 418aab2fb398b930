"""The filters of account reads: WhiteBIT's own, by its names.

WhiteBIT's `addresses` and `status` of transactions are not among them. They are lists, and a query has no form for a
list that everybody reads alike: a name that is there twice is refused here, and a separator would be our invention.
"""
# ruff: noqa: N815 - WhiteBIT's names

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

# The digits of the largest integer that JSON carries everywhere (RFC 8259, section 6).
_DIGITS_AT_MOST = 16


def _number(text: str) -> int | str:
    """What is written in digits, as a number; anything else as it is, for the model to refuse."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS_AT_MOST else text


def _refuse_backwards(start: int | None, end: int | None) -> None:
    if start is not None and end is not None and start > end:
        raise ValueError("it ends before it begins")


_DIGITS = BeforeValidator(_number)

Ticker = Annotated[str, Field(pattern=r"^[0-9A-Za-z._-]{1,32}$")]
Market = Annotated[str, Field(pattern=r"^[0-9A-Za-z]{1,32}_[0-9A-Za-z]{1,32}$")]
ClientOrderId = Annotated[str, Field(pattern=r"^[0-9A-Za-z._-]{1,128}$")]
OrderId = Annotated[int, Field(ge=1, le=2**53 - 1), _DIGITS]

# Chosen by users, banks and networks: visible ASCII, and, in a memo, spaces.
Name = Annotated[str, Field(pattern=r"^[!-~]{1,255}$")]
Memo = Annotated[str, Field(pattern=r"^[ -~]{1,255}$")]

# Unix seconds, of ten digits at most: milliseconds are refused, instead of finding nothing.
Time = Annotated[int, Field(ge=0, le=9_999_999_999), _DIGITS]


class Filters(BaseModel):
    """Nothing but what is named, each once."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True, serialize_by_alias=True)


class Paging(Filters):
    """A page: WhiteBIT's own default, and no more than all of its paths give."""

    limit: Annotated[int, Field(ge=1, le=100), _DIGITS] = 50
    offset: Annotated[int, Field(ge=0, le=10_000), _DIGITS] = 0


class Transactions(Paging):
    """Of all tickers, or of one. transactionMethod: 1 for deposits, 2 for withdrawals."""

    transactionMethod: Annotated[int, Field(ge=1, le=2), _DIGITS] | None = None
    ticker: Ticker | None = None
    address: Name | None = None
    memo: Memo | None = None
    uniqueId: Name | None = None


class Balances(Filters):
    """Of all tickers, or of one."""

    ticker: Ticker | None = None


class Deals(Paging):
    """Of all markets, or of one. clientOrderId: those of one order alone; WhiteBIT does not look at dates then."""

    market: Market | None = None
    clientOrderId: ClientOrderId | None = None
    startDate: Time | None = None
    endDate: Time | None = None

    @model_validator(mode="after")
    def _is_not_backwards(self) -> Self:
        _refuse_backwards(self.startDate, self.endDate)
        return self


class Orders(Deals):
    """As of deals. orderId, clientOrderId: one order alone; WhiteBIT does not look at dates and status then."""

    orderId: OrderId | None = None
    status: Literal["ALL", "FILLED", "CANCELED", "PARTIALLY_FILLED", "MAINTENANCE"] | None = None


class Conversions(Paging):
    """Of all tickers, or from one, or to one. WhiteBIT documents these times as texts, unlike those of orders."""

    fromTicker: Ticker | None = None
    toTicker: Ticker | None = None
    quoteId: Name | None = None
    from_: Annotated[Time, PlainSerializer(str)] | None = Field(default=None, alias="from")
    to: Annotated[Time, PlainSerializer(str)] | None = None

    @model_validator(mode="after")
    def _is_not_backwards(self) -> Self:
        _refuse_backwards(self.from_, self.to)
        return self


FILTERS: Mapping[str, type[Filters]] = {
    "transactions": Transactions,
    "balances/main": Balances,
    "balances/spot": Balances,
    "orders": Orders,
    "deals": Deals,
    "conversions": Conversions,
}
