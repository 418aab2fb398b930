"""What befalls the world's calls: a fate for each, by the call's name."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Protocol

from tests.simulation.dice import Dice
from tests.simulation.faults import FAULTS, Fault, faults_of


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
class Jump:
    """The call goes well, and the clock of the machine on which the caller runs is so many seconds off from then on."""

    off: float

    def __str__(self) -> str:
        return f"has its clock jump to {self.off:+.1f} s"


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


Fate = Fail | Die | Stall | Jump | NotStarted | Twice | Lost

DAY = 86400.0  # seconds

# How long after its sender's death or patience a request may still have its effect, in seconds.
LATEST = 2.0

# How far off a clock may be, in seconds; and how far off it is where more goes wrong than fastkey promises to bear.
OFF, WILDLY_OFF = 2.5, 200.0


class Plan(Protocol):
    """Decides what befalls each call."""

    @property
    def until(self) -> float:
        """From when on, in seconds since the beginning, nothing befalls any more."""
        ...

    @property
    def wild(self) -> bool:
        """Whether clocks may be off by more than fastkey promises to bear."""
        ...

    def of_call(self, point: str, port: str, method: str, now: float) -> Fate | None:
        """The fate of a call of a port."""
        ...

    def of_start(self, point: str, resource: str, now: float) -> Fate | None:
        """The fate of what Step Functions starts. resource: as the state machine names it."""
        ...


@dataclass(slots=True)
class Told:
    """A plan that names the calls that something befalls."""

    fates: Mapping[str, Fate]
    until: float = 1e9
    wild: bool = False

    def of_call(self, point: str, port: str, method: str, now: float) -> Fate | None:
        return self.fates.get(point)

    def of_start(self, point: str, resource: str, now: float) -> Fate | None:
        return self.fates.get(point)


class Theme(Enum):
    """What a seed is about: where what befalls and what people do is made to meet, which by itself it seldom does."""

    ANYTHING = "anything"
    CAPTURING = "a capture that is slow"
    REFRESHING = "a refresh that is slow"
    CLOCKS = "clocks that are off by more than fastkey promises to bear"

    @classmethod
    def draw(cls, dice: Dice) -> "Theme":
        """The theme of a seed."""
        return dice.choose("theme", (*[cls.ANYTHING] * 7, cls.CAPTURING, cls.REFRESHING, cls.CLOCKS))


def keeps_tokens(dice: Dice) -> bool:
    """Whether the partner of a seed has tokens kept, and so of all of its people: they are refreshed by one run."""
    return dice.chance("tokens are kept", 0.35)


@dataclass(frozen=True, slots=True)
class Outage:
    """A method of a port, or a resource of the state machines, to every call of which the same happens for a while.

    port: "start" for a resource, which is the method then. since, until: seconds.
    """

    port: str
    method: str
    fate: Fate
    since: float
    until: float

    @classmethod
    def draw(cls, dice: Dice, theme: Theme) -> "Outage":
        """An outage, during which perhaps nobody calls."""
        if slow := _SLOW.get(theme):
            return cls(*dice.choose("slow", slow), dice.choose("how slow", _SLUGGISH), 0, 1000)
        port, method = dice.choose("outage of", _OUTAGES)
        fates: tuple[Fate, ...] = _REFUSED
        if port != "start":
            fates = *map(Fail, faults_of(port, method)), *_SLUGGISH
        since = dice.choose("outage since", (0, 0, 0, 0, 20, 60, 190))
        lasts = dice.choose("outage lasts", (30, 60, 200, 900, 30_000))
        if dice.chance("outage of a day", 0.02):
            lasts = 100_000
        return cls(port, method, dice.choose("outage fate", fates), since, since + lasts)

    @classmethod
    def draw_another(cls, dice: Dice, days: float) -> "Outage | None":
        """Perhaps another one, of what comes after the connection: in the first half of the days for which keys are
        tried, in the first half of the hour for which tokens are kept, or at once.
        """
        keeps = not days and keeps_tokens(dice)
        if not dice.chance("another outage", 0.8 if days else 0.4 if keeps else 0.2):
            return None
        if keeps:
            return cls._of_refreshes(dice)
        since = dice.between("another outage since", 0, days / 2 * DAY)
        lasts = dice.choose("another outage lasts", (60, 3600, 30_000, 3 * DAY))
        if days and dice.chance("another outage of what a try needs", 0.5):
            port, method = dice.choose("another outage of", _TRIED)
            fates: tuple[Fate, ...] = tuple(map(Fail, faults_of(port, method)))
            lasts = 3 * DAY
        else:
            port, method = dice.choose("another outage of", _SCHEDULED)
            fates = _REFUSED if port == "start" else (*map(Fail, faults_of(port, method)), *_SLUGGISH)
        return cls(port, method, dice.choose("another outage fate", fates), since, since + lasts)

    @classmethod
    def draw_moving(cls, dice: Dice) -> "Outage | None":
        """Perhaps one of what moves keys, and of the vault in which they were before."""
        if not dice.chance("outage of moving", 0.1):
            return None
        port, method = dice.choose("outage of moving of", _MOVING)
        fates: tuple[Fate, ...] = _REFUSED if port == "start" else tuple(map(Fail, faults_of(port, method)))
        since = dice.between("outage of moving since", 0, 400)
        lasts = dice.choose("outage of moving lasts", (30, 200, 4000))
        return cls(port, method, dice.choose("outage of moving fate", fates), since, since + lasts)

    @classmethod
    def _of_refreshes(cls, dice: Dice) -> "Outage":
        """WhiteBIT says at once that it refreshes nothing, mostly for longer than tokens can do without."""
        faults = [fault for fault in faults_of("whitebit", "refresh_token") if not fault.effect]
        fate = Fail(replace(dice.choose("another outage fate", faults), seconds=(0, 1)))
        since = dice.between("another outage since", 300, 1800)
        lasts = dice.choose("another outage lasts", (200, 500, 1500))
        return cls("whitebit", "refresh_token", fate, since, since + lasts)

    def hits(self, port: str, method: str, now: float) -> bool:
        """Whether it is this that is out, and now."""
        return method == self.method and port == self.port and self.since <= now < self.until


_SLOW = {
    Theme.CAPTURING: (
        ("chosen_vault", "prepare"),
        ("chosen_vault", "find"),
        ("whitebit", "read_secret"),
        ("chosen_vault", "store"),
    ),
    Theme.REFRESHING: (("whitebit", "refresh_token"),),
}
_SLUGGISH = Stall(When.BEFORE, 20), Stall(When.AFTER, 20), Stall(When.BEFORE, 110)
_REFUSED: tuple[Fate, ...] = NotStarted(), Lost()

# The calls on which most depends are out more often.
_VITAL = (
    ("whitebit", "exchange_code"),
    ("whitebit", "read_secret"),
    ("whitebit", "key_info"),
    ("whitebit", "refresh_token"),
    ("whitebit", "delete_key"),
    ("chosen_vault", "store"),
)
RESOURCES = (
    "arn:aws:states:::aws-sdk:dynamodb:updateItem.waitForTaskToken",
    "${DetectKey}",
    "${CaptureSecret}",
    "${VerifyKey}",
    "${DeleteKey}",
    "${TellEvents}",
)
# What the schedule alone starts and calls, or others hardly do.
_SCHEDULED = (
    ("start", "${GuardKeys}"),
    ("start", "${KeepTokens}"),
    ("connections", "due"),
    ("connections", "kept"),
    ("connections", "count_kept"),
    ("limits", "take"),
    ("whitebit", "read_signed"),
    *[("events", "tell")] * 4,
    ("events", "bury"),
)
# Without which nothing can be said of a key.
_TRIED = ("chosen_vault", "find"), ("limits", "take"), ("whitebit", "read_signed")
_STARTED = tuple(("start", resource) for resource in RESOURCES)
# What moves keys, and what it calls.
_MOVING = ("start", "${MigrateVault}"), ("other_vault", "find"), ("other_vault", "shred"), ("chosen_vault", "prepare")
# When starts are not counted nobody starts, and nothing follows; nobody here reads an account by a token; and what the
# schedule calls, and the other vault, have outages of their own.
_WITHOUT_OUTAGES = {("starts", "count"), ("whitebit", "read_by_token"), *_SCHEDULED}
_OTHERS = [
    (port, method)
    for port, methods in FAULTS.items()
    for method in methods
    if port != "other_vault" and (port, method) not in _WITHOUT_OUTAGES
]
_OUTAGES = *_VITAL * 8, *_STARTED * 2, *_OTHERS


@dataclass(slots=True)
class Drawn:
    """A plan that a seed decides. only: the points at which something may happen, to look for those that matter. days:
    for how many keys are tried.
    """

    dice: Dice
    only: Collection[str] | None = None
    days: float = 0
    until: float = field(init=False)
    wild: bool = field(init=False)
    _rate: float = field(init=False)
    _where: str = field(init=False)
    _kinds: tuple[float, float, float] = field(init=False)
    _late: float = field(init=False)
    _outages: Sequence[Outage] = field(init=False)
    # When something befalls calls that are in no outage: at first, and during the other outage.
    _troubled: Sequence[tuple[float, float]] = field(init=False)

    def __post_init__(self) -> None:
        choose, theme = self.dice.choose, Theme.draw(self.dice)
        self.wild = theme is Theme.CLOCKS
        first, another = Outage.draw(self.dice, theme), Outage.draw_another(self.dice, self.days)
        moving = Outage.draw_moving(self.dice)
        self._outages = tuple(filter(None, (first, another, moving)))
        trouble = 0, max(choose("faults until", (20, 60, 300, 1200, 7200, 100_000)), first.until)
        self._troubled = (trouble, (another.since, another.until)) if another else (trouble,)
        self.until = max([until for _, until in self._troubled] + ([moving.until] if moving else []))
        self._rate = choose("fault rate", (0, 0.003, 0.01, 0.03, 0.1, 0.3))
        self._where = choose(
            "faults where",
            ("", "", "", "whitebit", "connections", "vault", "sealer", "workflows"),
        )
        jumps = choose("share of jumps", (0.0, 0.1))
        deaths = choose("share of deaths", (0.0, 0.1, 0.4, 1.0))
        stalls = choose("share of stalls", (0.0, 0.2, 0.5))
        if self.wild:
            # Attempts meet, and live: whether one that has lost its lease notices is seen in no other way.
            self._rate, self._where, jumps, deaths, stalls = 0.3, "", 0.7, 0.0, 0.8
        living = (1 - jumps) * (1 - deaths)
        self._kinds = jumps, 1 - living, 1 - living * (1 - stalls)
        self._late = choose("share of late effects", (0.0, 0.3))

    def of_call(self, point: str, port: str, method: str, now: float) -> Fate | None:
        if not self._may_happen(point):
            return None
        if out := self._out(port, method, now):
            return out.fate
        # Of the two vaults, in either.
        if self._where not in port or not self._happens(point, now):
            return None
        dice, (jumps, deaths, stalls) = self.dice, self._kinds
        kind = dice.fraction(f"{point} kind")
        if kind < jumps:
            off = WILDLY_OFF if self.wild else OFF
            return Jump(dice.choose(f"{point} off", (-off, 0, off)))
        if kind < deaths:
            return Die(dice.choose(f"{point} when", tuple(When)))
        if kind < stalls:
            when = dice.choose(f"{point} when", (When.BEFORE, When.AFTER))
            return Stall(when, dice.choose(f"{point} stall", (0.5, 3, 10, 28, 70, 130)))
        fault = dice.choose(f"{point} fault", faults_of(port, method))
        is_late = fault.effect and dice.chance(f"{point} is late", self._late)
        return Fail(fault, dice.between(f"{point} late", 0, LATEST) if is_late else 0)

    def of_start(self, point: str, resource: str, now: float) -> Fate | None:
        if not self._may_happen(point):
            return None
        if out := self._out("start", resource, now):
            return out.fate
        if self._where not in ("", "workflows") or not self._happens(point, now):
            return None
        delay = self.dice.choose(f"{point} delay", (0.0, 0.01, 0.1, 1, 10, 60, 250, 600))
        fates: tuple[Fate, ...] = NotStarted(), Twice(delay), Twice(delay), Lost()
        return self.dice.choose(f"{point} kind", fates)

    def _out(self, port: str, method: str, now: float) -> Outage | None:
        return next((outage for outage in self._outages if outage.hits(port, method, now)), None)

    def _may_happen(self, point: str) -> bool:
        return self.only is None or point in self.only

    def _happens(self, point: str, now: float) -> bool:
        is_troubled = any(since <= now < until for since, until in self._troubled)
        return is_troubled and self._rate > 0 and self.dice.chance(point, self._rate)
