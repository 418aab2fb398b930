"""What a key may be allowed to do: groups of endpoint paths, each path granted or not."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from local.whitebit.options import Revision


@dataclass(frozen=True, slots=True)
class Group:
    """A permission group. `name` is stable; a title is for people, and translated."""

    name: str
    titles: Mapping[str, str]
    urls: tuple[str, ...]

    def title(self, language: str) -> str:
        return self.titles.get(language, self.titles["en"])


CATALOGUE = (
    Group(
        "trading",
        {"en": "Trading", "de": "Handel", "es": "Operaciones"},
        ("/v2/order", "/api/v4/order/new", "/api/v4/order/cancel"),
    ),
    Group(
        "trade_balance",
        {"en": "Trade balance and order history", "de": "Handelsguthaben und Orders", "es": "Saldo comercial"},
        (
            "/api/v4/trade-account/balance",
            "/api/v4/trade-account/order/history",
            "/api/v4/trade-account/executed-history",
        ),
    ),
    Group(
        "wallet",
        {"en": "Wallet balance and history", "de": "Wallet-Guthaben und Verlauf", "es": "Saldo e historial"},
        ("/api/v4/main-account/balance", "/api/v4/main-account/history"),
    ),
    Group("convert", {"en": "Convert", "de": "Umtausch", "es": "Convertir"}, ("/api/v4/convert/history",)),
    Group("withdraw", {"en": "Withdrawals", "de": "Auszahlungen", "es": "Retiros"}, ("/api/v4/main-account/withdraw",)),
)


def resolve(names: Iterable[str]) -> frozenset[str]:
    """The endpoint paths meant by `names`, each a path or the name of a group. Raises ValueError for any other."""
    by_name = {group.name: group.urls for group in CATALOGUE} | {u: (u,) for group in CATALOGUE for u in group.urls}
    names = list(names)
    if not by_name.keys() >= set(names):
        raise ValueError("no such permission")
    return frozenset(url for name in names for url in by_name[name])


def described(granted: Collection[str], language: str, revision: Revision) -> list[dict[str, Any]]:
    """The `permissions` of an API key's info. With nothing granted the revisions differ: see the contract."""
    if not granted and revision is Revision.AUGUST_2026:
        return []
    return [
        {
            "name": group.name,
            "title": group.title(language),
            "urls": [{"url": url, "enable": url in granted} for url in group.urls],
        }
        for group in CATALOGUE
    ]
