"""A day of a deployment: people come, most of them connect, some do not; keys are guarded; and WhiteBIT is away for a
while. The functions and the state machines are those that ship; people, WhiteBIT and time are made up.
"""

import json
import math
from collections.abc import Callable, Generator, Iterator
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode

from fastkey.domain import errors
from fastkey.domain.errors import Conflict
from fastkey.domain.secret import Secret
from tests.fakes.interruptions import Interruptible
from tests.fakes.world import RETURN_URL
from tests.operations.deployment import MINUTE, Deployment
from tests.simulation.asl import Call, Failure, Sleep
from tests.simulation.executions import update
from tests.simulation.shipped import shipped
from tests.unit.entry.events import http_event
from tests.unit.journey import Journey, parameters

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
SEED = 1

# What was there before; for how many tokens are kept, and how many keys their users have removed.
HELD, KEPT, REMOVED = 1000, 40, 100

# Between which hours WhiteBIT answers nothing about keys, and Secrets Manager takes none.
AWAY, FULL = (13.0, 13.5), (19.0, 19.4)

# How many of WhiteBIT's answers with a secret are lost.
LOST = 0.02

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
        self._befall()
        for actor in (self._schedules(), self._arrivals()):
            self._enter(actor, timedelta())
        # Others go on while a function waits.
        with patch.object(self.deployment.world.clock, "wait", lambda time: self._play(self.deployment.now + time)):
            self._play(self.began + DAY)
        self.deployment.look()

    def _play(self, until: datetime) -> None:
        while self._agenda[0][0] < until:
            at, _, actor = heappop(self._agenda)
            self._advance(at)
            if (wait := next(actor, None)) is not None:
                self._enter(actor, wait)
        self._advance(until)

    def _advance(self, to: datetime) -> None:
        self.deployment.world.clock.advance(max(to - self.deployment.now, timedelta()))

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
        self._enter(self._execution("ProvisionKey", journey), timedelta())
        yield SECOND
        self._complete(journey, completion)
        yield self.dice.lognormvariate(3, 0.6) * SECOND
        if fate > 0.17:
            journey.create_key("trade_balance", "trading")
        yield from self._watch(journey)
        if self.dice.random() < 0.3:
            yield self.dice.uniform(1, 8) * MINUTE
            route = "DELETE /connections/{connection_id}"
            call("RevokeConnection", http_event(route, user_id=user_id, connection_id=journey.connection_id))
            if journey.connection_id in self.deployment.world.workflows.revokes:
                self._enter(self._execution("RevokeKey", journey), timedelta())

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

    # ---- What goes wrong ---------------------------------------------------------------------------------------------

    def _befall(self) -> None:
        """Lets fail what fails in this day."""
        whitebit, vault = self.deployment.world.whitebit, self.deployment.world.chosen_vault
        self._fail(whitebit, "key_info", errors.WhiteBitUnavailable, lambda: AWAY[0] < self.hour < AWAY[1])
        self._fail(vault, "store", errors.StorageUnavailable, lambda: FULL[0] < self.hour < FULL[1])
        self._fail(
            whitebit, "read_secret", errors.WhiteBitUnavailable, lambda: self.dice.random() < LOST, after_effect=True
        )

    def _fail(
        self, fake: Interruptible, method: str, error: type[Exception], when: Callable[[], bool], **point: bool
    ) -> None:
        """Each call of the method, at this point of it, fails whenever it is so."""

        def act() -> None:
            fake.meanwhile(method, act, **point)
            if when():
                raise error

        fake.meanwhile(method, act, **point)

    # ---- Workflows ---------------------------------------------------------------------------------------------------

    def _execution(self, machine: str, journey: Journey) -> Actor:
        """An execution of a state machine, as it ships."""
        self.deployment.start_execution(machine)
        given, new_token = {"connection_id": journey.connection_id}, lambda: journey.connection_id
        steps, answer = shipped().machines[machine].run(given, new_token), None
        while True:
            try:
                request = steps.send(answer)
            except StopIteration as end:
                if end.value.error:
                    self.deployment.fail_execution(machine)
                return
            answer = yield from self._perform(request)

    def _perform(self, request: Call | Sleep) -> Generator[timedelta, None, Any]:
        """Does what an execution asks for. Gives the answer."""
        match request:
            case Sleep(seconds=seconds):
                yield seconds * SECOND
                return None
            case Call(token=str()):
                return (yield from self._wait_for_token(request))
        answer = self.deployment.invoke(request.resource[2:-1], request.payload)
        return Failure(answer) if isinstance(answer, str) else answer

    def _wait_for_token(self, call: Call) -> Generator[timedelta, None, Any]:
        """Until the execution is resumed, or nobody has for too long."""
        try:
            update(self.deployment.store, call.payload)
        except Conflict:
            return Failure("DynamoDb.ConditionalCheckFailedException")
        over = self.deployment.now + (call.timeout or 0) * SECOND
        while call.token not in self.deployment.world.workflows.resumed:
            if self.deployment.now >= over:
                return Failure("States.Timeout")
            yield SECOND
        return {}
