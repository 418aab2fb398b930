"""What befalls the world's calls: a fate for each, by the call's name."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from tests.simulation.dice import Dice
from tests.simulation.faults import Fault, faults_of


class When(Enum):
    """Where a call is when it happens."""

    BEFORE = "before it is sent"
    IN_FLIGHT = "while it is on its way"
    AFTER = "before its answer arrives"


@dataclass(frozen=True, slots=True)
class Fail:
    """The call fails. late: its effect comes so many seconds after the caller gave up."""

    fault: Fault
    late: float = 0

    def __str__(self) -> str:
        return self.fault.name + (f", {self.late:.1f} s late" if self.late else "")


@dataclass(frozen=True, slots=True)
class Die:
    """Whoever calls is killed."""

    when: When

    def __str__(self) -> str:
        return f"dies {self.when.value}"


@dataclass(frozen=True, slots=True)
class Stall:
    """The call takes long, and goes well."""

    when: When
    seconds: float

    def __str__(self) -> str:
        return f"stalls {self.seconds:.1f} s {self.when.value}"


@dataclass(frozen=True, slots=True)
class NotStarted:
    """The service refuses to start the function: nothing runs."""

    def __str__(self) -> str:
        return "is not started"


@dataclass(frozen=True, slots=True)
class Twice:
    """The function is started a second time, so many seconds later, and nobody waits for what comes of that."""

    delay: float

    def __str__(self) -> str:
        return f"is started again {self.delay:.1f} s later"


@dataclass(frozen=True, slots=True)
class Lost:
    """The function runs, and its answer does not arrive."""

    def __str__(self) -> str:
        return "answers, and nobody hears"


Fate = Fail | Die | Stall | NotStarted | Twice | Lost


class Plan(Protocol):
    """Decides what befalls each call."""

    @property
    def until(self) -> float:
        """From when on, in seconds since the beginning, nothing befalls any more."""
        ...

    def of_call(self, point: str, port: str, method: str, now: float) -> Fate | None:
        """The fate of a call of a port."""
        ...

    def of_start(self, point: str, now: float) -> Fate | None:
        """The fate of a start of a function by Step Functions."""
        ...


@dataclass(slots=True)
class Told:
    """A plan that names the calls that something befalls."""

    fates: Mapping[str, Fate]
    until: float = 1e9

    def of_call(self, point: str, port: str, method: str, now: float) -> Fate | None:
        return self.fates.get(point)

    def of_start(self, point: str, now: float) -> Fate | None:
        return self.fates.get(point)


@dataclass(slots=True)
class Drawn:
    """A plan that a seed decides. only: the points at which something may happen, to look for those that matter."""

    dice: Dice
    only: Collection[str] | None = None
    until: float = field(init=False)
    _rate: float = field(init=False)
    _where: str = field(init=False)
    _weights: tuple[float, float, float] = field(init=False)

    def __post_init__(self) -> None:
        choose = self.dice.choose
        self._rate = choose("fault rate", (0, 0.003, 0.01, 0.03, 0.1, 0.3))
        self.until = choose("faults until", (20, 60, 300, 1200, 7200, 100_000))
        self._where = choose("faults where", ("", "", "", "whitebit", "connections", "vault", "sealer", "workflows"))
        deaths = choose("share of deaths", (0.0, 0.1, 0.4, 1.0))
        stalls = choose("share of stalls", (0.0, 0.2, 0.5))
        self._weights = deaths, deaths + (1 - deaths) * stalls, choose("share of late effects", (0.0, 0.3))

    def of_call(self, point: str, port: str, method: str, now: float) -> Fate | None:
        if not self._happens(point, now) or self._where not in ("", port):
            return None
        dice, (deaths, stalls, late) = self.dice, self._weights
        kind = dice.fraction(f"{point} kind")
        if kind < deaths:
            return Die(dice.choose(f"{point} when", tuple(When)))
        if kind < stalls:
            when = dice.choose(f"{point} when", (When.BEFORE, When.AFTER))
            return Stall(when, dice.choose(f"{point} stall", (0.5, 3, 10, 28, 70, 130)))
        fault = dice.choose(f"{point} fault", faults_of(port, method))
        is_late = fault.effect and dice.chance(f"{point} is late", late)
        return Fail(fault, dice.between(f"{point} late", 0, LATEST) if is_late else 0)

    def of_start(self, point: str, now: float) -> Fate | None:
        if not self._happens(point, now) or self._where not in ("", "workflows"):
            return None
        delay = self.dice.choose(f"{point} delay", (0.0, 0.01, 0.1, 1, 10, 60, 250, 600))
        fates: tuple[Fate, ...] = NotStarted(), Twice(delay), Twice(delay), Lost()
        return self.dice.choose(f"{point} kind", fates)

    def _happens(self, point: str, now: float) -> bool:
        if now >= self.until or self._rate == 0 or (self.only is not None and point not in self.only):
            return False
        return self.dice.chance(point, self._rate)


# How long after its sender's death or patience a request may still have its effect, in seconds.
LATEST = 2.0
