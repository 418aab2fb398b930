"""What people do: they connect, hesitate, decline, leave, come back, forward a link, and change their minds."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from math import inf
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.fakes.whitebit import IssuedKey
from tests.fakes.world import RETURN_URL
from tests.simulation.dice import Dice
from tests.simulation.kernel import Process
from tests.simulation.moving import Moving
from tests.simulation.plan import DAY, Theme, keeps_tokens
from tests.simulation.world import Simulation
from tests.unit.entry.events import http_event

PATIENCE = 4  # how often a person, or a frontend, tries what did not work


@dataclass(frozen=True, slots=True)
class Person:
    """One user's way with one connection, decided beforehand. Times are in seconds.

    visitor: the user in whose browser it happens, who is another where the link was forwarded. visits, decides: after
    the step before. returns, creates_key: after the consent; intrudes: too, somebody who has the address of the return
    and no cookie. completes: after the return, each time as which user. regrets: revokes, after the completion.
    revokes, suffers, looks, lists: after the start; locks: too, each time for so long another read holds the key's
    lock; refreshes: when the platform has the tokens refreshed; forgets: when the tables' TTL acts. keep_token: what
    the partner asks for. grants: the groups of permissions that the key gets.
    """

    user: str
    visitor: str
    account: str
    starts: float = 0
    visits: float = 1
    decision: str = "allow"
    decides: float = 5
    intrudes: tuple[float, ...] = ()
    returns: tuple[float, ...] = (0.5,)
    completes: tuple[tuple[float, str], ...] = ()
    creates_key: float | None = 10
    regrets: tuple[float, ...] = ()
    revokes: tuple[float, ...] = ()
    suffers: tuple[tuple[float, str], ...] = ()
    locks: tuple[tuple[float, float], ...] = ()
    refreshes: tuple[float, ...] = ()
    looks: tuple[float, ...] = ()
    lists: tuple[float, ...] = ()
    forgets: tuple[float, ...] = ()
    keep_token: bool = False
    grants: tuple[str, ...] = ("trading",)

    @property
    def is_straightforward(self) -> bool:
        """Whether this connects, if nothing else goes wrong."""
        returned = min(self.returns, default=inf)
        completed = min((after for after, _ in self.completes), default=inf)
        in_time = self.visits < 290 and self.decides + returned < 590 and returned < 50 and completed < 330
        has_key = self.creates_key is not None and returned <= self.creates_key < 400
        as_oneself = self.user == self.visitor and all(user == self.user for _, user in self.completes)
        suffers = any(after < 3600 for after, _ in self.suffers)
        steady = self.decision == "allow" and not (self.regrets or self.revokes or suffers or self.locks)
        return in_time and has_key and as_oneself and steady


def draw(dice: Dice, days: float, moving: Moving) -> tuple[Person, ...]:
    """The people of a seed. days: for how many their keys are tried. moving: what becomes of the vault."""
    number = dice.choose("how many people", (1, 1, 1, 2, 2, 3))
    shared = dice.chance("one account", 0.3)
    hasty = dice.chance("hasty", 0.5)
    theme = Theme.draw(dice)
    first, *others = (
        _person(_Temper.draw(dice, f"p{i}", theme, hasty=hasty), "a1" if shared else f"a{i}", theme, days)
        for i in range(1, number + 1)
    )
    if moving.begins is not None and dice.chance("disconnects while keys are moved", 0.4):
        # By themselves the two seldom come together.
        meanwhile = max(0.0, moving.begins + dice.between("disconnects after", 0, 130) - first.starts)
        first = replace(first, revokes=(*first.revokes, meanwhile))
    return first, *others


@dataclass(frozen=True, slots=True)
class _Temper:
    """How a person of this name decides. slow: takes a token's life for what others do at once."""

    dice: Dice
    name: str
    hasty: bool
    slow: bool

    @classmethod
    def draw(cls, dice: Dice, name: str, theme: Theme, *, hasty: bool) -> "_Temper":
        return cls(dice, name, hasty, theme is Theme.REFRESHING or dice.chance(f"{name} is slow", 0.25))

    def chance(self, what: str, probability: float) -> bool:
        """Whether it comes to that."""
        return self.dice.chance(f"{self.name} {what}", probability)

    def soon(self, what: str, *rarely: float) -> float:
        """A moment, or rarely one of those named."""
        if rarely and self.chance(f"{what} late", 0.06):
            return self.dice.choose(f"{self.name} {what} when", rarely)
        return self.dice.between(f"{self.name} {what}", 0, 2 if self.hasty else 20)

    def slowly(self, what: str, *rarely: float) -> float:
        """As soon, but for the slow, who mostly come when the tokens are about to end."""
        is_slow = self.slow and self.chance(f"{what} slow", 0.6)
        return self.dice.between(f"{self.name} {what} slowly", 190, 400) if is_slow else self.soon(what, *rarely)


def _person(temper: _Temper, account: str, theme: Theme, days: float) -> Person:
    dice, user, chance, soon = temper.dice, temper.name, temper.chance, temper.soon
    visitor = f"{user}'s victim" if chance("forwards", 0.05) else user
    completing = visitor if not chance("is somebody else", 0.03) else "somebody"
    completes = [(temper.slowly("completes", 120, 350, 365, 700), completing)] if chance("completes", 0.93) else []
    if chance("completes again", 0.1):
        completes.append((soon("completes again", 60), visitor))
    regrets_from, regrets_to, regrettable = _REGRETS[theme]
    regrets = [dice.between(f"{user} regrets at", regrets_from, regrets_to)] if chance("regrets", regrettable) else []
    revokes = [
        soon(f"revokes {i}", 30, 300, 650, 4000) * (1 if temper.hasty else 3)
        for i in range(3)
        if chance(f"revokes {i}", 0.12)
    ]
    suffers = [
        (soon(f"{what} when", 60, 400, 900) * 3, what)
        for what in ("removes the key", "changes the password", "withdraws", "is disabled")
        if chance(what, 0.03)
    ]
    suffers += [
        (dice.between(f"{user} {what} some day", 0.1, dice.choose(f"{user} {what} until", (7, days / 2))) * DAY, what)
        for what in _SOME_DAY
        if days and chance(f"{what} some day", 0.2)
    ]
    locked_at, locked_for = soon("is locked when", 60, 400, 900) * 3, dice.choose(f"{user} lock", (3, 60, 200, 400))
    return Person(
        user=user,
        visitor=visitor,
        account=account,
        starts=soon("starts", 60, 700),
        visits=soon("visits", 290, 310, 345, 400),
        decision=dice.choose(f"{user} decides", ("allow",) * 26 + ("deny", "fail", "leave", "vanish")),
        decides=soon("decides when", 290, 595, 605, 640),
        intrudes=(soon("intrudes"),) if chance("intrudes", 0.05) else (),
        returns=tuple(soon(f"returns {i}", 50, 300, 700) for i in range(3) if i == 0 or chance(f"returns {i}", 0.1)),
        completes=tuple(completes),
        creates_key=None if chance("creates no key", 0.04) else temper.slowly("creates", 120, 590, 900),
        regrets=tuple(regrets),
        revokes=tuple(revokes),
        suffers=tuple(suffers),
        locks=((locked_at, locked_for),) if chance("is locked", 0.03) else (),
        refreshes=(dice.between(f"{user} refreshes at", 180, 320),) if chance("refreshes", 0.08) else (),
        looks=tuple(soon(f"looks {i}", 400, 3000, DAY) for i in range(2)),
        lists=(soon("lists", 400, 3000, DAY),) if chance("lists", 0.3) else (),
        forgets=tuple(after * DAY for after in (0.01, 3, 31, 36) if chance(f"forgets after {after} days", 0.03)),
        keep_token=keeps_tokens(dice),
        grants=dice.choose(f"{user} grants", _GRANTS),
    )


# What can befall a key in its life.
_SOME_DAY = (
    "removes the key",
    "changes the password",
    "is disabled",
    "is refused for a day",
    "is refused for a week",
    "is refused for a month",
    "takes a permission away",
)

_GRANTS = (
    *[("trading",)] * 4,
    ("trading", "trade_balance", "wallet"),
    ("wallet", "convert"),
    ("wallet", "withdraw"),
    ("new",),
)


# Between which moments, and how likely, a person regrets: while the key is detected and captured, while it is captured
# slowly, and while a token is refreshed for the first time.
_REGRETS = {
    Theme.ANYTHING: (0, 3, 0.1),
    Theme.CAPTURING: (0, 60, 0.5),
    Theme.REFRESHING: (190, 230, 0.5),
    Theme.CLOCKS: (0, 60, 0.3),
}


_REFUSED_FOR = {"is refused for a day": DAY, "is refused for a week": 7 * DAY, "is refused for a month": 30 * DAY}


class Life:
    """A person in the simulation."""

    def __init__(self, simulation: Simulation, person: Person) -> None:
        self._simulation = simulation
        self._person = person
        self._connection_id = ""
        self._completion = ""
        self._made_key = False
        simulation.kernel.start(Process(person.user, self._live), person.starts)

    def _live(self) -> None:
        person, kernel = self._person, self._simulation.kernel
        body = json.dumps({"return_url": RETURN_URL, "keep_token": person.keep_token})
        started = self._ask("StartConnection", "POST /connections", person.user, body=body)
        if started is None or started["statusCode"] != 201:
            return
        document = json.loads(started["body"])
        self._connection_id = document["connection_id"]
        conduct = self._simulation.watch.conduct[self._connection_id]
        conduct.account, conduct.grants = person.account, person.grants
        conduct.straightforward, conduct.forwarded = person.is_straightforward, person.user != person.visitor
        for after in person.revokes:
            self._at(after, self._revoke)
        for after in person.looks:
            self._at(after, self._look)
        for after in person.lists:
            self._at(after, self._list)
        for after, what in person.suffers:
            self._at(after, partial(self._suffer, what))
        for after, seconds in person.locks:
            self._at(after, partial(self._lock, seconds))
        for after in person.refreshes:
            self._at(after, self._refresh)
        for after in person.forgets:
            self._at(after, self._forget)
        kernel.pause(person.visits)
        departed = self._ask("Authorize", "GET /authorize", None, query=urlsplit(document["authorize_url"]).query)
        if departed is None or departed["statusCode"] != 302:
            return
        kernel.pause(person.decides)
        self._decide(departed["headers"]["Location"], departed["cookies"][0].partition(";")[0])

    def _decide(self, location: str, cookie: str) -> None:
        person, whitebit = self._person, self._simulation.fakes.whitebit
        sent = parse_qs(urlsplit(location).query)
        query = f"state={sent['state'][0]}&"
        match person.decision:
            case "leave":
                return
            case "deny":
                query += "error=access_denied"
            case "fail":
                query += "error=server_error"
            case _:
                if whitebit.refuses(person.account):
                    return
                had = whitebit.keys.get(person.account)
                query += f"code={whitebit.consent(person.account, sent['code_challenge'][0]).reveal()}"
                if (key := whitebit.keys.get(person.account)) is not had and key:
                    key.permissions = person.grants
                if person.creates_key is not None:
                    self._at(person.creates_key, self._create_key)
        for after in person.intrudes:
            self._at(after, lambda: self._intrude(query))
        if person.decision != "vanish":
            for after in person.returns:
                self._at(after, lambda: self._return(query, cookie))

    def _intrude(self, query: str) -> None:
        self._ask("Callback", "GET /callback", None, query=query, cookies=[])

    def _return(self, query: str, cookie: str) -> None:
        answer = self._ask("Callback", "GET /callback", None, query=query, cookies=[cookie])
        if answer is None or answer["statusCode"] != 303:
            return
        found = parse_qs(urlsplit(answer["headers"]["Location"]).query)
        if "completion" in found and not self._completion:
            self._completion = found["completion"][0]
            for after, user in self._person.completes:
                self._at(after, partial(self._complete, user))

    def _complete(self, user: str) -> None:
        conduct = self._simulation.watch.conduct[self._connection_id]
        # From the moment at which it is sent, because it may arrive whatever the answer.
        conduct.completed = conduct.completed or user == self._person.user
        body = json.dumps({"completion": self._completion})
        route = "POST /connections/{connection_id}/complete"
        for after in self._person.regrets:
            self._at(after, self._revoke)
        answer = self._ask("CompleteConnection", route, user, body=body, connection_id=self._connection_id)
        if answer and "completion_refused" in answer["body"]:
            conduct.refused = True
        if answer and user == self._person.visitor:
            conduct.visitor_told.append(json.loads(answer["body"]).get("title", ""))

    def _create_key(self) -> None:
        """In revision 2026-08. A person who was not shown the page yet looks again later."""
        whitebit, account = self._simulation.fakes.whitebit, self._person.account
        for _ in range(20):
            if self._made_key:
                return
            if whitebit.may_create_key(account):
                self._made_key = True
                whitebit.create_key(account, *self._person.grants)
                self._simulation.note(self._person.user, "makes the key")
                return
            self._simulation.kernel.pause(3)

    def _revoke(self) -> None:
        route = "DELETE /connections/{connection_id}"
        self._ask("RevokeConnection", route, self._person.user, connection_id=self._connection_id)

    def _look(self) -> None:
        route = "GET /connections/{connection_id}"
        self._ask("GetConnection", route, self._person.user, connection_id=self._connection_id)

    def _list(self) -> None:
        self._ask("GetConnection", "GET /connections", self._person.user)

    def _suffer(self, what: str) -> None:
        whitebit, account = self._simulation.fakes.whitebit, self._person.account
        key = whitebit.keys.get(account)
        self._simulation.note(self._person.user, what)
        match what:
            case "removes the key" if key:
                whitebit.remove_key(account)
            case "changes the password":
                whitebit.change_password(account)
            case "withdraws":
                whitebit.withdraw(account)
            case "is disabled" if key:
                key.enabled = False
            case "takes a permission away" if key:
                key.permissions = key.permissions[1:]
            case _ if key and what in _REFUSED_FOR:
                # As long as our address is not among those that are allowed.
                key.enabled = False
                self._at(_REFUSED_FOR[what], partial(self._allow, key))
        if key:
            self._simulation.watch.happened(key)

    def _allow(self, key: IssuedKey) -> None:
        key.enabled = True
        self._simulation.watch.happened(key)

    def _lock(self, seconds: float) -> None:
        if key := self._simulation.fakes.whitebit.keys.get(self._person.account):
            key.locked_until = self._simulation.fakes.clock.now() + timedelta(seconds=seconds)

    def _refresh(self) -> None:
        event = {"connection_id": self._connection_id}
        self._simulation.start("RefreshToken", self._person.user, event)

    def _forget(self) -> None:
        """The tables' TTL acts."""
        fakes, now = self._simulation.fakes, self._simulation.fakes.clock.now()
        fakes.authorizations.expire(now)
        fakes.connections.expire(now)

    # ---- How ---------------------------------------------------------------------------------------------------------

    def _at(self, seconds: float, act: Callable[[], None]) -> None:
        self._simulation.kernel.start(Process(self._person.user, act), seconds)

    def _ask(
        self,
        function: str,
        route: str,
        user: str | None,
        *,
        query: str = "",
        cookies: list[str] | None = None,
        body: str | None = None,
        **path: str,
    ) -> dict[str, Any] | None:
        """A request, again if it did not work."""
        event = http_event(route, query=query, cookies=cookies, body=body, user_id=user, **path)
        for _ in range(PATIENCE):
            answer = self._simulation.request(function, self._person.user, event)
            if answer is not None and answer["statusCode"] < 500:
                return answer
            self._simulation.kernel.pause(2)
        return None
