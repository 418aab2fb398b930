"""What is fixed when a sandbox starts: the revision of the contract, and the partner's registration."""

from dataclasses import dataclass
from enum import StrEnum

KEY_SCOPES = ("apikeys.create", "apikeys.read", "apikeys.delete")
READ_SCOPES = (
    "users.transactions.read",
    "users.converts.read",
    "users.orders.read",
    "users.deals.read",
    "users.balances.read",
)


class Revision(StrEnum):
    """The two published versions of the OAuth flow."""

    MAY_2026 = "2026-05"
    AUGUST_2026 = "2026-08"


@dataclass(frozen=True, slots=True)
class Options:
    """A sandbox with one registered partner (OAuth client).

    `redirect_uris` are matched exactly. `scopes` are granted to every token. `allowed_ips` are the partner's registered
    ranges (CIDR), to which the token endpoints and the issued keys are restricted; empty means no restriction.
    """

    revision: Revision = Revision.AUGUST_2026
    client_id: str = "sandbox-client"
    client_secret: str = "sandbox-client-secret"
    client_name: str = "Sandbox Partner"
    redirect_uris: tuple[str, ...] = ("http://127.0.0.1:8000/callback",)
    scopes: tuple[str, ...] = KEY_SCOPES + READ_SCOPES
    allowed_ips: tuple[str, ...] = ()
