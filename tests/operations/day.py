"""A day of a deployment: people come, most of them connect, some do not; keys are guarded; and WhiteBIT is away for a
while. The functions are those that ship; people, WhiteBIT and time are made up.
"""

import json
import math
from collections.abc import Generator, Iterator
from datetime import timedelta
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Any
from urllib.parse import urlencode

from fastkey.domain import errors
from fastkey.domain.secret import Secret
from tests.fakes.world import RETURN_URL
from tests.operations.deployment import MINUTE, Deployment
from tests.unit.entry.events import http_event
from tests.unit.journey import Journey, parameters

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
# Before what failed is tried again.
PAUSE = MINUTE
SEED = 1

# What was there before; for how many tokens are kept, and how many keys their users have removed.
HELD, KEPT, REMOVED = 1000, 40, 100

# Between which hours WhiteBIT answers nothing about keys, and Secrets Manager takes none.
AWAY, FULL = (13.0, 13.5), (19.0, 19.4)

# Somebody who does something, waits, and does the next.
Actor = Iterator[timedelta]


class Day:
    """The day, and what people decide by the dice."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.dice = Random(SEED)
        self.began = deployment.now
        self._numbers = count()
        self._agenda: list[tuple[Any, int, Actor]] = []

    def run(self) -> None:
        """Everything that happens in it."""
        held = [self.deployment.user(f"held-{n}", keep_token=n < KEPT).activate() for n in range(HELD)]
        for journey in held:
            self.deployment.step("TellEvents", journey)
        for journey in self.dice.sample(held, REMOVED):
            self.deployment.world.whitebit.remove_key(journey.account)
        self.deployment.world.clock.advance(MINUTE)
        self.began = self.deployment.now
        for actor in (self._schedules(), self._arrivals()):
            self._enter(actor, timedelta())
        while self._agenda[0][0] < self.began + DAY:
            at, _, actor = heappop(self._agenda)
            self.deployment.world.clock.advance(max(at - self.deployment.now, timedelta()))
            if (wait := next(actor, None)) is not None:
                self._enter(actor, wait)
        self.deployment.look()

    def _enter(self, actor: Actor, wait: timedelta) -> None:
        heappush(self._agenda, (self.deployment.now + wait, next(self._numbers), actor))

    @property
    def hour(self) -> float:
        return (self.deployment.now - self.began) / timedelta(hours=1)

    def _schedules(self) -> Actor:
        while True:
            over = self.deployment.now + MINUTE
            self.deployment.run_schedules()
            yield max(over - self.deployment.now, timedelta())

    def _arrivals(self) -> Actor:
        """More by day than by night."""
        for number in count():
            self._enter(self._person(self.deployment.user(f"user-{number}")), timedelta())
            yield self.dice.expovariate(1) * 2 * MINUTE / (1.2 - math.cos((self.hour - 2) / 12 * math.pi))

    # ---- People ------------------------------------------------------------------------------------------------------

    def _person(self, journey: Journey) -> Actor:
        """From the click, through consent, to a key; some decline, leave or disconnect."""
        call, user_id = self.deployment.answer, journey.user_id
        body = json.dumps({"return_url": RETURN_URL})
        answer = call("StartConnection", http_event("POST /connections", body=body, user_id=user_id))
        started = json.loads(answer["body"])
        journey.connection_id = started["connection_id"]
        ticket = started["authorize_url"].partition("?")[2]
        yield SECOND
        departed = call("Authorize", http_event("GET /authorize", query=ticket, user_id=None))
        cookie = departed["cookies"][0].partition(";")[0]
        asked = parameters(Secret(departed["headers"]["Location"]))
        yield self.dice.uniform(5, 60) * SECOND
        fate = self.dice.random()
        if fate < 0.06:
            return
        if fate < 0.12:
            brought = {"error": "access_denied"}
        else:
            brought = {
                "code": self.deployment.world.whitebit.consent(journey.account, asked["code_challenge"]).reveal()
            }
        back = {**brought, "state": asked["state"]}
        returned = call("Callback", http_event("GET /callback", query=urlencode(back), cookies=[cookie], user_id=None))
        completion = parameters(Secret(returned["headers"]["Location"])).get("completion")
        if completion is None:
            return
        yield SECOND
        self._complete(journey, completion)
        self._enter(self._provision(journey), SECOND)
        yield self.dice.lognormvariate(3, 0.6) * SECOND
        if fate > 0.17:
            journey.create_key("trade_balance", "trading")
        yield from self._watch(journey)
        if self.dice.random() < 0.3:
            yield self.dice.uniform(1, 8) * MINUTE
            route = "DELETE /connections/{connection_id}"
            call("RevokeConnection", http_event(route, user_id=user_id, connection_id=journey.connection_id))
            self._enter(self._revoke(journey), SECOND)

    def _complete(self, journey: Journey, completion: str) -> None:
        body, route = json.dumps({"completion": completion}), "POST /connections/{connection_id}/complete"
        event = http_event(route, body=body, user_id=journey.user_id, connection_id=journey.connection_id)
        self.deployment.answer("CompleteConnection", event)

    def _watch(self, journey: Journey) -> Actor:
        """The frontend looks until there is something to show."""
        event = http_event(
            "GET /connections/{connection_id}", user_id=journey.user_id, connection_id=journey.connection_id
        )
        while json.loads(self.deployment.answer("GetConnection", event)["body"])["status"] == "pending":
            yield 5 * SECOND

    # ---- Workflows, as the state machines lead them ------------------------------------------------------------------

    def _provision(self, journey: Journey) -> Actor:
        self.deployment.start_execution("ProvisionKey")
        failure = yield from self._detect(journey)
        for function in () if failure else ("CaptureSecret", "VerifyKey"):
            failure = failure or (yield from self._insist(function, journey))
        if failure:
            yield MINUTE
            yield from self._insist("DeleteKey", journey, cause=failure)
            yield MINUTE
        self.deployment.step("TellEvents", journey)

    def _detect(self, journey: Journey) -> Generator[timedelta, None, str]:
        """Until the key is there. Gives the name of what came instead."""
        while True:
            if AWAY[0] < self.hour < AWAY[1]:
                self.deployment.world.whitebit.fail_next("key_info", errors.WhiteBitUnavailable)
            match self.deployment.step("DetectKey", journey):
                case {"found": True}:
                    return ""
                case {"wait_seconds": seconds}:
                    yield seconds * SECOND
                case "WhiteBitUnavailable":
                    yield PAUSE
                case failure:
                    return str(failure)

    def _insist(self, function: str, journey: Journey, **more: object) -> Generator[timedelta, None, str]:
        """Until the step is done. Gives the name of what makes it hopeless."""
        whitebit, vault = self.deployment.world.whitebit, self.deployment.world.chosen_vault
        if function == "CaptureSecret" and self.dice.random() < 0.02:
            whitebit.fail_next("read_secret", errors.WhiteBitUnavailable, after_effect=True)
        while True:
            is_full = function == "CaptureSecret" and FULL[0] < self.hour < FULL[1]
            if is_full:
                vault.fail_next("store", errors.StorageUnavailable)
            match self.deployment.step(function, journey, **more):
                case "StorageUnavailable" | "WhiteBitUnavailable":
                    yield PAUSE
                case str(failure):
                    return failure
                case _:
                    return ""

    def _revoke(self, journey: Journey) -> Actor:
        self.deployment.start_execution("RevokeKey")
        yield from self._insist("DeleteKey", journey, cause="Revoked")
        yield MINUTE
        self.deployment.step("TellEvents", journey)
