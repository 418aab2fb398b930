"""What can be read of a user's account at WhiteBIT, and by what."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fastkey.domain.connection import Connection
from fastkey.domain.permissions import GROUPS
from fastkey.domain.status import Status

# WhiteBIT's answer, as it is: amounts are texts.
Data = dict[str, Any] | list[Any]

# Completed, and on the way to a key. Before the completion nobody knows whose account it is.
_BY_TOKEN = frozenset({Status.AUTHORIZED, Status.DETECTING, Status.CAPTURING, Status.VERIFYING})


class Source(StrEnum):
    """By what an account is read."""

    KEY = "key"
    TOKEN = "token"  # noqa: S105 - a name, not a token


@dataclass(frozen=True, slots=True)
class Read:
    """One of the six reads.

    resource: its path in our API. signed_path: WhiteBIT's, for calls that are signed with the key. bearer_path:
    WhiteBIT's, for calls with an access token. group: that of WhiteBIT's permissions to which signed_path belongs.
    """

    resource: str
    signed_path: str
    bearer_path: str
    group: str

    def may_be_granted(self, permissions: Collection[str]) -> bool:
        """Whether a key with something granted in these groups may read this.

        Where one of the groups is not known here, WhiteBIT has changed them, and only WhiteBIT can tell.
        """
        return self.group in permissions or not GROUPS.issuperset(permissions)


READS: Mapping[str, Read] = {
    read.resource: read
    for read in (
        Read("transactions", "/api/v4/main-account/history", "/api/v4/accounts/transactions", "wallet"),
        Read("balances/main", "/api/v4/main-account/balance", "/api/v4/accounts/balances/main", "wallet"),
        Read("balances/spot", "/api/v4/trade-account/balance", "/api/v4/accounts/balances/spot", "trade_balance"),
        Read("orders", "/api/v4/trade-account/order/history", "/api/v4/accounts/orders", "trade_balance"),
        Read("deals", "/api/v4/trade-account/executed-history", "/api/v4/accounts/deals", "trade_balance"),
        Read("conversions", "/api/v4/convert/history", "/api/v4/accounts/converts", "convert"),
    )
}


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for. filters: WhiteBIT's own, by its names; paging is among them."""

    read: Read
    filters: Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Account:
    """What was read, and by what."""

    source: Source
    data: Data


def source_of(connection: Connection) -> Source | None:
    """By what the connection's account can be read now. None where it cannot, or not any more."""
    if connection.status is Status.ACTIVE:
        return Source.KEY
    if connection.status in _BY_TOKEN and connection.completed_at is not None:
        return Source.TOKEN
    return None
