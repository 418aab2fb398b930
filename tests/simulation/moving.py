"""The vault of a deployment, which an operator changes, and the command that moves keys from the other one."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from fastkey.adapters.vaults import BothVaults
from fastkey.domain.key import CapturedKey
from fastkey.domain.status import Status
from fastkey.ports import Policy, Vault
from tests.fakes.stores import FakeVault
from tests.simulation.dice import Dice
from tests.simulation.kernel import Process
from tests.simulation.lambdas import Invocation
from tests.simulation.plan import DAY, Lost, NotStarted, Twice

if TYPE_CHECKING:
    from tests.simulation.world import Simulation

OTHER = {Vault.SECRETS_MANAGER: Vault.DYNAMODB, Vault.DYNAMODB: Vault.SECRETS_MANAGER}

# For so many seconds after a change some functions still run as they were deployed before.
ROLLING = 30.0

# So long after the last fault whoever captures has captured, and all can be moved.
SETTLED = 2 * DAY

PASSES = 60

# How often a program looks for a key while keys are moved.
LOOKS = 40


@dataclass(frozen=True, slots=True)
class Change:
    """The other vault is chosen, and keys are moved.

    after: so many seconds after the change before. begins: the command, after the change. patience: how long it waits
    for each run of the function. runs: how many it begins before somebody stops it.
    """

    after: float
    begins: float
    patience: float
    runs: int


@dataclass(frozen=True, slots=True)
class Moving:
    """What an operator does. first: the vault at the beginning."""

    first: Vault = Vault.SECRETS_MANAGER
    changes: tuple[Change, ...] = ()

    @property
    def begins(self) -> float | None:
        """When keys begin to be moved, if they are."""
        return self.changes[0].after + self.changes[0].begins if self.changes else None

    @classmethod
    def draw(cls, dice: Dice) -> "Moving":
        """What the operator of a seed does."""
        first, number = dice.choose("vault", tuple(Vault)), dice.choose("changes of the vault", (0, 0, 0, 1, 1, 2, 3))
        return cls(first, tuple(cls._change(dice, f"change {i} of the vault") for i in range(number)))

    @staticmethod
    def _change(dice: Dice, name: str) -> Change:
        return Change(
            after=dice.between(name, 0, dice.choose(f"{name} until", (60, 200, 1000, 5000, DAY))),
            begins=dice.between(f"{name} begins", 0, dice.choose(f"{name} begins until", (1, 40, 400))),
            patience=dice.choose(f"{name} patience", (5.0, 62.0, 300.0, 300.0)),
            runs=dice.choose(f"{name} runs", (1, 2, 5, PASSES)),
        )


# Keys are stored in Secrets Manager, and stay there.
NOT_MOVING = Moving()


class Operator:
    """Changes the vault, and has keys moved; in the end, until there are none in the other one."""

    def __init__(self, simulation: "Simulation", moving: Moving) -> None:
        self._simulation = simulation
        self._moving = moving
        if moving.changes:
            simulation.kernel.start(Process("operator", self._live))

    def _live(self) -> None:
        kernel = self._simulation.kernel
        for change in self._moving.changes:
            kernel.pause(change.after)
            self._simulation.vaults.change()
            self._simulation.note("operator", f"chooses {self._simulation.vaults.chosen}")
            kernel.pause(change.begins)
            kernel.start(Process("program", self._use_keys))
            self._command(change.runs, change.patience)
        kernel.pause(max(0.0, self._simulation.plan.until + SETTLED - kernel.now))
        self._command(PASSES, 300)
        self._simulation.watch.check_moved(self._simulation.vaults.other_of(self._simulation.vaults.chosen))

    def _command(self, runs: int, patience: float) -> None:
        cursor, left = None, 0
        for _ in range(runs):
            answer = self._run(cursor, patience)
            if answer is None:
                self._simulation.kernel.pause(2)
                continue
            cursor, left = answer["cursor"], left + answer["moved"] + len(answer["left"])
            if cursor is None:
                if not left:
                    return
                left = 0

    def _use_keys(self) -> None:
        """A program of the partner's uses keys meanwhile, and looks for them as fastkey.client does."""
        simulation, both = self._simulation, BothVaults(self._simulation.vaults)
        for number in range(LOOKS):
            simulation.kernel.pause(simulation.dice.between(f"program {simulation.kernel.now} {number}", 0, 10))
            for connection in simulation.fakes.connections.all():
                if connection.status is Status.ACTIVE and both.find(connection.connection_id) is None:
                    simulation.watch.missed(connection.connection_id, simulation.kernel.now)

    def _run(self, cursor: str | None, patience: float) -> Any:
        """One run of the function. None where nobody hears what came of it."""
        simulation, event = self._simulation, {"to": self._simulation.vaults.chosen.value, "cursor": cursor}
        fate = simulation.fate_of_start("operator.MigrateVault.start", "${MigrateVault}")
        if isinstance(fate, NotStarted):
            return None
        invocation = simulation.start("MigrateVault", "operator", event)
        if isinstance(fate, Twice):
            simulation.start("MigrateVault", "operator", event, fate.delay)
        answer = simulation.wait_for(invocation, patience)
        return json.loads(answer) if isinstance(answer, str) and not isinstance(fate, Lost) else None


class Vaults:
    """The two vaults, and which of them is chosen; for programs, which look into Secrets Manager first, it is that."""

    def __init__(self, simulation: "Simulation", first: Vault) -> None:
        fakes = simulation.fakes
        self.chosen = first
        self._kept = {Vault.SECRETS_MANAGER: fakes.chosen_vault, Vault.DYNAMODB: fakes.other_vault}
        self.chosen_vault, self.other_vault = fakes.chosen_vault, fakes.other_vault
        self._changed_at = -ROLLING
        self._simulation = simulation

    def change(self) -> None:
        """The deployment is changed."""
        self.chosen = OTHER[self.chosen]
        self._changed_at = self._simulation.kernel.now

    def chosen_by(self, label: str) -> Vault:
        """The vault that is chosen for an invocation that begins now, which may still run as it was deployed before."""
        simulation = self._simulation
        is_old = simulation.kernel.now < self._changed_at + ROLLING and simulation.dice.chance(f"{label} is old", 0.5)
        return OTHER[self.chosen] if is_old else self.chosen

    def other_of(self, vault: Vault) -> FakeVault:
        """What is not this vault."""
        return self._kept[OTHER[vault]]

    def of(self, vault: Vault) -> FakeVault:
        """What is this vault."""
        return self._kept[vault]


class VaultPort:
    """One of the two vaults, as the current invocation names them."""

    def __init__(self, name: str, find: Callable[[Vault], FakeVault], simulation: "Simulation") -> None:
        self._name = name
        self._find = find
        self._simulation = simulation

    def __getattr__(self, method: str) -> Callable[..., Any]:
        invocation = self._simulation.kernel.current
        assert isinstance(invocation, Invocation)
        # As in `Port`: it goes past what lets a test interrupt the fake.
        effect = getattr(FakeVault, method)
        effect = getattr(effect, "__wrapped__", effect)
        return partial(self._simulation.call, self._name, method, partial(effect, self._find(invocation.vault)))


class WatchedVaults(BothVaults):
    """Both vaults, and somebody who sees what is found."""

    def __init__(self, vaults: Any, simulation: "Simulation") -> None:
        super().__init__(vaults)
        self._simulation = simulation

    def find(self, connection_id: str) -> CapturedKey | None:
        began = self._simulation.kernel.now
        key = super().find(connection_id)
        if key is None:
            self._simulation.watch.missed(connection_id, began)
        return key


class DeployedPolicy:
    """The deployment's decisions, as they are for the current invocation."""

    def __init__(self, policy: Policy, simulation: "Simulation") -> None:
        self._policy = policy
        self._simulation = simulation

    def __getattr__(self, name: str) -> Any:
        return getattr(self._policy, name)

    @property
    def vault(self) -> Vault:
        """The vault that is chosen."""
        invocation = self._simulation.kernel.current
        assert isinstance(invocation, Invocation)
        return invocation.vault
