"""The filters of account reads: WhiteBIT's own, by its names."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _number(text: str) -> int | str:
    """What is written in digits, as a number; anything else as it is, for the model to refuse."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text


_DIGITS = BeforeValidator(_number)

Ticker = Annotated[str, Field(pattern=r"^[0-9A-Za-z._-]{1,32}$")]
Market = Annotated[str, Field(pattern=r"^[0-9A-Za-z]{1,32}_[0-9A-Za-z]{1,32}$")]


class Filters(BaseModel):
    """Nothing but what is named, each once."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class Paging(Filters):
    """A page: WhiteBIT's own default, and no more than all of its paths give."""

    limit: Annotated[int, Field(ge=1, le=100), _DIGITS] = 50
    offset: Annotated[int, Field(ge=0, le=10_000), _DIGITS] = 0


class Transactions(Paging):
    """Of all tickers, or of one. transactionMethod: 1 for deposits, 2 for withdrawals."""

    transactionMethod: Annotated[int, Field(ge=1, le=2), _DIGITS] | None = None  # noqa: N815 - WhiteBIT's name
    ticker: Ticker | None = None


class Balances(Filters):
    """Of all tickers, or of one."""

    ticker: Ticker | None = None


class Trades(Paging):
    """Of all markets, or of one."""

    market: Market | None = None


FILTERS: Mapping[str, type[Filters]] = {
    "transactions": Transactions,
    "balances/main": Balances,
    "balances/spot": Balances,
    "orders": Trades,
    "deals": Trades,
    "conversions": Paging,
}
