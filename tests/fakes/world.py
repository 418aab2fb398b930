"""Everything that a use case may touch, in memory."""

from dataclasses import dataclass, replace

from fastkey.adapters.keys import CachedKeys
from fastkey.adapters.vaults import BothVaults
from fastkey.domain.permissions import Ability
from fastkey.ports import Vault
from local.whitebit import Revision
from tests.fakes.events import FakeEvents
from tests.fakes.lag import Lag, no_lag
from tests.fakes.stores import FakeAuthorizations, FakeConnections, FakeLimits, FakeStarts, FakeVault
from tests.fakes.system import FakeClock, FakeEntropy, FakeSealer
from tests.fakes.whitebit import FakeWhiteBit
from tests.fakes.workflows import FakeWorkflows

RETURN_URL = "https://partner.example/connected"


@dataclass(frozen=True, slots=True)
class FakePolicy:
    """A deployment's decisions."""

    client_id: str = "client-1"
    whitebit_base_url: str = "https://whitebit.example"
    public_url: str = "https://fastkey.example"
    allowed_return_urls: frozenset[str] = frozenset({RETURN_URL, "https://partner.example/connected?theme=dark"})
    bearer_reads: bool = False
    maximum_permissions: Ability = Ability.WITHDRAW
    vault: Vault = Vault.SECRETS_MANAGER


class FakeWorld:
    """A world of fakes that share one clock, against WhiteBIT in one revision.

    lag: how far behind the stores are where they may be.
    """

    def __init__(
        self, revision: Revision = Revision.AUGUST_2026, clock: FakeClock | None = None, lag: Lag = no_lag
    ) -> None:
        self.policy = FakePolicy()
        self.clock = clock or FakeClock()
        self.entropy = FakeEntropy()
        self.sealer = FakeSealer()
        self.starts = FakeStarts()
        self.limits = FakeLimits()
        self.authorizations = FakeAuthorizations()
        self.connections = FakeConnections(self.clock, lag)
        # As Secrets Manager, and as DynamoDB, whose reads are consistent.
        self.chosen_vault = FakeVault(self.clock, lag)
        self.other_vault = FakeVault(self.clock)
        self.vault = BothVaults(self)
        self.keys = CachedKeys(self.vault, self.clock)
        self.whitebit = FakeWhiteBit(self.clock, revision)
        self.workflows = FakeWorkflows()
        self.events = FakeEvents()

    def choose_other_vault(self) -> None:
        """The deployment changes: the other vault is the chosen one from now on."""
        self.chosen_vault, self.other_vault = self.other_vault, self.chosen_vault
        is_dynamodb = self.policy.vault is Vault.DYNAMODB
        self.policy = replace(self.policy, vault=Vault.SECRETS_MANAGER if is_dynamodb else Vault.DYNAMODB)
