"""The world in one process: the shipped functions and state machines over the fakes, with a fate for every call."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any, cast

from fastkey.adapters.keys import CachedKeys
from fastkey.domain.connection import Connection
from fastkey.domain.errors import FastkeyError
from fastkey.domain.permissions import Ability
from fastkey.ports import Vault
from local.whitebit import Revision
from tests.fakes.system import FakeClock
from tests.fakes.world import FakeWorld
from tests.simulation.asl import Failure
from tests.simulation.dice import Dice
from tests.simulation.executions import Execution, Workflows
from tests.simulation.faults import FAULTS
from tests.simulation.kernel import Kernel, Process, SimulatedClock
from tests.simulation.lambdas import Invocation, InvocationClock, Killed, Log, logging_to
from tests.simulation.moving import DeployedPolicy, VaultPort, Vaults, WatchedVaults
from tests.simulation.plan import LATEST, OFF, WILDLY_OFF, Die, Fail, Fate, Jump, Plan, Stall, When
from tests.simulation.schedule import Schedule, guarding, keeping
from tests.simulation.shipped import shipped
from tests.simulation.watch import Watch

GATEWAY_PATIENCE = 29.0  # seconds: the longest that an HTTP API waits for a function


@dataclass(frozen=True, slots=True)
class Conditions:
    """How well the world does when nothing fails, in seconds: how long a call is on its way or back, how stale a read
    may be, how wrong a function's clock, each at most.
    """

    latency: float
    lag: float
    skew: float

    @classmethod
    def of(cls, dice: Dice) -> "Conditions":
        """The conditions of a seed."""
        return cls(
            latency=dice.choose("latency", (0.002, 0.02, 0.2)),
            lag=dice.choose("lag", (0.0, 0.0, 1.0, 10.0)),
            skew=dice.choose("skew", (0.0, 0.5, OFF)),
        )


class Port:
    """A port, each call of which lets time pass, may meet its fate, and is watched."""

    def __init__(self, name: str, fake: object, simulation: "Simulation") -> None:
        self._name = name
        self._fake = fake
        self._simulation = simulation

    def __getattr__(self, method: str) -> Callable[..., Any]:
        """Of the many calls that there are, a run makes few."""
        if method not in FAULTS[self._name]:
            raise AttributeError(method)
        # The simulation interrupts in its own way: it goes past what lets a test interrupt the fake.
        effect = getattr(type(self._fake), method)
        effect = partial(getattr(effect, "__wrapped__", effect), self._fake)
        call = partial(self._simulation.call, self._name, method, effect)
        setattr(self, method, call)
        return call


class Ports:
    """The world of the use cases."""

    def __init__(self, simulation: "Simulation") -> None:
        world = simulation.fakes
        self.policy = DeployedPolicy(world.policy, simulation)
        self.entropy = world.entropy
        self.clock = InvocationClock(simulation.kernel)
        self.sealer = Port("sealer", world.sealer, simulation)
        self.starts = Port("starts", world.starts, simulation)
        self.limits = Port("limits", world.limits, simulation)
        self.authorizations = Port("authorizations", world.authorizations, simulation)
        self.connections = Port("connections", world.connections, simulation)
        self.chosen_vault = VaultPort("chosen_vault", simulation.vaults.of, simulation)
        self.other_vault = VaultPort("other_vault", simulation.vaults.other_of, simulation)
        self.vault = WatchedVaults(self, simulation)
        self.keys = CachedKeys(self.vault, self.clock)
        self.whitebit = Port("whitebit", world.whitebit, simulation)
        self.workflows = Port("workflows", Workflows(simulation), simulation)
        self.events = Port("events", world.events, simulation)


class Simulation:
    """One run. trace: what happened, as (seconds, who, what). days: for how many keys are tried. most: what the
    partner wants a key to be able to at most. vault: where keys are stored at the beginning.
    """

    def __init__(
        self,
        revision: Revision,
        dice: Dice,
        plan: Plan,
        days: float = 0,
        most: Ability = Ability.WITHDRAW,
        vault: Vault = Vault.SECRETS_MANAGER,
    ) -> None:
        self.kernel = Kernel()
        self.dice = dice
        self.plan = plan
        self.trace: list[tuple[float, str, str]] = []
        self.fates: dict[str, Fate] = {}
        self.points: list[tuple[str, str, str]] = []
        self.fakes = FakeWorld(revision, cast(FakeClock, SimulatedClock(self.kernel)), self._lag)
        self.fakes.policy = replace(self.fakes.policy, maximum_permissions=most)
        self.log: list[str] = []
        self.defects: list[str] = []
        self.executions: dict[str, Execution] = {}
        self.waiting: dict[str, Execution] = {}
        self.vaults = Vaults(self, vault)
        self.watch = Watch(self.fakes, self.kernel, plan, days)
        self._ports = Ports(self)
        self._schedules = Schedule(self, "GuardKeys", guarding(days)), Schedule(self, "KeepTokens", keeping)
        self._labels: Counter[str] = Counter()
        self._conditions = Conditions.of(dice)
        self._skew = WILDLY_OFF if plan.wild else self._conditions.skew

    # ---- Running -----------------------------------------------------------------------------------------------------

    def run(self, horizon: float) -> None:
        """Lets everything happen."""
        with shipped().stage.playing(self._ports), logging_to(Log(self.log, self.defects)):
            self.kernel.run(horizon)

    def check_end(self) -> None:
        """Nothing moves any more."""
        self.watch.check_end(self.log, self.defects, self.executions.values(), untroubled=not self.fates)

    def note(self, who: str, what: str) -> None:
        """Writes down what happened."""
        self.trace.append((self.kernel.now, who, what))

    def label(self, name: str) -> str:
        """The name with its number: the same in every run of the same seed."""
        self._labels[name] += 1
        return f"{name}#{self._labels[name]}"

    def _lag(self) -> timedelta:
        if not self._conditions.lag:
            return timedelta()
        return timedelta(seconds=self.dice.between(f"lag at {self.kernel.now}", 0, self._conditions.lag))

    def fate_of_start(self, name: str, resource: str) -> Fate | None:
        """What befalls the start of a function, or another task of a state machine."""
        point = self.label(name)
        self.points.append((point, "start", resource))
        fate = self.plan.of_start(point, resource, self.kernel.now)
        if fate is not None:
            self.fates[point] = fate
            self.note(point, str(fate))
        return fate

    # ---- Calls of ports ----------------------------------------------------------------------------------------------

    def call(self, port: str, method: str, effect: Callable[..., Any], *args: Any) -> Any:
        """A call of a port by the current invocation."""
        invocation = cast(Invocation, self.kernel.current)
        call = f"{port}.{method}"
        point = invocation.point(call)
        self.points.append((point, port, method))
        self.watch.calling(call, invocation, args)
        invocation.latest = call
        fate = self.plan.of_call(point, port, method, self.kernel.now)
        invocation.pass_time(invocation.chance * self._conditions.latency)
        if fate is None:
            result, error = self._act(invocation, call, effect, args)
            invocation.pass_time((1 - invocation.chance) * self._conditions.latency)
        else:
            self.fates[point] = fate
            self.note(point, str(fate))
            result, error = self._suffer(invocation, point, fate, partial(self._act, invocation, call, effect, args))
        if error is not None:
            if isinstance(fate, Fail):
                self.watch.failed(call, invocation)
            else:
                self.watch.told_no(call, invocation, args, error)
            raise error
        self.watch.told(call, invocation, args)
        return result

    def _act(
        self, invocation: Invocation, call: str, effect: Callable[..., Any], args: tuple[Any, ...]
    ) -> tuple[Any, FastkeyError | None]:
        result, error = None, None
        try:
            result = effect(*args)
        except FastkeyError as refusal:
            error = refusal
        self.note(invocation.label, f"{call} -> {type(error).__name__ if error else 'ok'}")
        self.watch.after(call, invocation, args, result, error)
        if error is None and call in ("connections.add", "connections.save"):
            self._stored(args[-1])
        return result, error

    def _suffer(
        self, invocation: Invocation, point: str, fate: Fate, act: Callable[[], tuple[Any, FastkeyError | None]]
    ) -> tuple[Any, FastkeyError | None]:
        match fate:
            case Die(When.BEFORE):
                raise Killed("Lambda.Unknown")
            case Die(When.IN_FLIGHT):
                self.later(self.dice.between(f"{point} flight", 0, LATEST), act)
                raise Killed("Lambda.Unknown")
            case Die(When.AFTER):
                act()
                raise Killed("Lambda.Unknown")
            case Stall(when, seconds):
                if when is When.BEFORE:
                    invocation.pass_time(seconds)
                answer = act()
                if when is When.AFTER:
                    invocation.pass_time(seconds)
                return answer
            case Jump(off):
                invocation.skew = off
                return act()
            case Fail(fault, late):
                took = self.dice.between(f"{point} took", *fault.seconds)
                if fault.effect and late:
                    self.later(took + late, act)
                elif fault.effect:
                    act()
                invocation.pass_time(took)
                return None, fault.error()
        raise AssertionError(fate)

    def _stored(self, connection: Connection) -> None:
        for schedule in self._schedules:
            schedule.plan(connection)

    def later(self, seconds: float, act: Callable[[], object]) -> None:
        """Something happens by itself, after a while."""
        self.kernel.start(Process("later", act), seconds)

    # ---- Functions ---------------------------------------------------------------------------------------------------

    def start(self, name: str, who: str, event: dict[str, Any], delay: float = 0) -> Invocation:
        """Starts a function. who: in whose name, for the trace."""
        label = self.label(f"{who}.{name}")
        invocation = Invocation(label, shipped().functions[name], event, self.kernel)
        invocation.skew = self.dice.between(f"{label} skew", -self._skew, self._skew)
        invocation.vault = self.vaults.chosen_by(label)
        invocation.chance = self.dice.fraction(f"{label} latency")
        self.kernel.start(invocation, delay)
        return invocation

    def wait_for(self, invocation: Invocation, patience: float | None) -> Any:
        """Waits for an invocation's answer. None if it does not come in time."""
        invocation.invoker = self.kernel.current
        self.kernel.wait(patience)
        invocation.invoker = None
        self.note(invocation.label, f"answers {invocation.answer}")
        if isinstance(invocation.answer, Failure):
            self.watch.crashed(invocation.answer)
        return invocation.answer

    def request(self, name: str, who: str, event: dict[str, Any]) -> dict[str, Any] | None:
        """A request through the gateway. Gives the answer; None where the gateway gives one of its own."""
        invocation = self.start(name, who, event)
        answer = self.wait_for(invocation, GATEWAY_PATIENCE)
        document: dict[str, Any] | None = json.loads(answer) if isinstance(answer, str) else None
        if document is not None:
            self.watch.answer(invocation, document)
        return document
