"""What a request takes of the processor once a function is warm, with the world in memory: our own share of it."""

import importlib
import io
import json
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import replace
from datetime import timedelta
from statistics import median
from time import process_time_ns
from types import ModuleType
from unittest.mock import patch

from bench.events import USUAL, event
from bench.report import Goal, Report, Section, Table
from fastkey import bootstrap
from fastkey import logging as log
from fastkey.usecases.tell_events import tell_events
from local.partner import DEFAULT_PORT, RETURN_PATH
from tests.fakes.world import RETURN_URL, FakeWorld
from tests.unit.entry.events import LambdaContext
from tests.unit.journey import Journey

LIMIT = 3.0  # milliseconds of CPU

_NANOSECONDS = 1e6  # in a millisecond

# The page of the events in `events/`.
_PAGE = f"http://localhost:{DEFAULT_PORT}{RETURN_PATH}"

_EXPLANATION = """\
Milliseconds of CPU from the event to the answer, with everything that a handler asks of the world (AWS, WhiteBIT)
answered in memory: parsing, deciding, models, the log's line. What the calls themselves take, with boto3 and with what
our adapters make of items and answers, is not here: it is in the second request of "Cold start", and for a whole
connection in "The way"."""


class DidNotError(Exception):
    """A handler has not done what it is for. The text is its answer."""


def _activate(journey: Journey) -> None:
    journey.permissions = ("trade_balance",)
    journey.activate()


def _capture(journey: Journey) -> None:
    journey.claim().capture()


def _fall_due(journey: Journey) -> None:
    """The key is to be tried, and nothing else is left to do."""
    _activate(journey)
    tell_events(journey.world, journey.connection_id)
    due = journey.world.connections.next_due()
    if due:
        journey.wait_for(due - journey.world.clock.now())


def _keep(journey: Journey) -> None:
    """The tokens are to be kept, and near their end."""
    journey.keep_token = True
    _activate(journey)
    due = journey.connection.refresh_by
    if due:
        journey.wait_for(due - journey.world.clock.now() - timedelta(seconds=60))


def _leave_behind(journey: Journey) -> None:
    """The key is in the vault that was chosen before."""
    _activate(journey)
    journey.world.choose_other_vault()


# How far a connection has come that a request speaks of; the others speak of an active one.
_GIVEN: Mapping[str, Callable[[Journey], object]] = {
    "StartConnection": lambda journey: journey.start(),
    "Authorize": lambda journey: journey.start(),
    "Callback": lambda journey: journey.come_to_consent(),
    "CompleteConnection": lambda journey: journey.authorize(),
    "DetectKey": lambda journey: journey.authorize().complete().create_key("trade_balance"),
    "CaptureSecret": lambda journey: journey.claim(),
    "VerifyKey": _capture,
    "RefreshToken": lambda journey: journey.authorize().wait(seconds=290),
    "GuardKeys": _fall_due,
    "KeepTokens": _keep,
    "MigrateVault": _leave_behind,
}


def measure(runs: int) -> Report:
    """Has each handler answer so many requests, each about a connection of its own."""
    # What is logged is made, and goes nowhere.
    with redirect_stdout(io.StringIO()) as nowhere, patch.object(log._logger.registered_handler, "stream", nowhere):
        seen = {function: [_milliseconds(function) for _ in range(runs)] for function in USUAL}
    rows = [
        [function, f"{min(each):.2f}", f"{median(each):.2f}", f"{max(each):.2f}"] for function, each in seen.items()
    ]
    worst = max(seen, key=lambda function: median(seen[function]))
    table = Table(("", "min", "median", "max"), rows)
    goal = Goal(f"median of {worst}, the largest of all", median(seen[worst]), LIMIT, "ms of CPU")
    return Report("Warm", [Section("A request's own CPU, in milliseconds", _EXPLANATION, table)], [goal])


def _milliseconds(function: str) -> float:
    """CPU that one request takes. Raises DidNotError for one that did not do what it is for."""
    journey = Journey(FakeWorld())
    journey.world.policy = replace(journey.world.policy, allowed_return_urls=frozenset({_PAGE, RETURN_URL}))
    _GIVEN.get(function, _activate)(journey)
    app = _app(function)
    asked = json.loads(event(function, _known(journey)))
    with patch.object(app, "world", journey.world):
        begun = process_time_ns()
        answer = app.handler(asked, LambdaContext)
        taken = process_time_ns() - begun
    did = answer["statusCode"] < 400 if "statusCode" in answer else any(answer.values())
    if not did:
        raise DidNotError(f"{function}: {answer}")
    return taken / _NANOSECONDS


def _app(function: str) -> ModuleType:
    with patch.object(bootstrap, "start", lambda *_: None):
        return importlib.import_module(f"functions.{USUAL[function].partition('/')[0]}.app")


def _known(journey: Journey) -> Mapping[str, str]:
    """What a request speaks of, as far as there is any by now."""
    known = {
        "connection_id": journey.connection_id,
        "ticket": journey.ticket.reveal(),
        "vault": journey.world.policy.vault.value,
    }
    if journey.departure.cookie_name:
        known |= {
            "cookie": f"{journey.departure.cookie_name}={journey.departure.cookie.reveal()}",
            "state": journey.state.reveal(),
            "code": journey.code.reveal(),
            "completion": journey.completion.reveal(),
        }
    return known
