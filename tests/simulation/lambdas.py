"""The functions that ship, invoked in simulated time."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

from fastkey import bootstrap
from fastkey.ports import Vault
from tests.simulation.asl import Failure
from tests.simulation.kernel import BEGINNING, Kernel, Process
from tests.template import ROOT, WRITTEN

GOLDEN = 0.6180339887


class Killed(BaseException):
    """The invocation is no more: none of its code runs again. name: the error that its invoker gets."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class Stage:
    """What the handlers took for their world when they were loaded: the world of the simulation that is on."""

    @contextmanager
    def playing(self, world: object) -> Iterator[None]:
        """Lets all that the handlers do be done in that world."""
        vars(self).update(vars(world))
        try:
            yield
        finally:
            vars(self).clear()


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the template. timeout: seconds."""

    name: str
    module: ModuleType
    timeout: float


def load() -> tuple[Stage, Mapping[str, Function]]:
    """The functions of the template by their logical ids, and the stage on which all of them play."""
    stage = Stage()
    functions = {}
    with patch.object(bootstrap, "start", lambda *_: stage):
        for name, resource in WRITTEN["Resources"].items():
            if resource["Type"] == "AWS::Serverless::Function":
                properties = {**WRITTEN["Globals"]["Function"], **resource["Properties"]}
                path = ROOT / properties["CodeUri"] / (properties["Handler"].removesuffix(".handler") + ".py")
                functions[name] = Function(name, _load(name, path), properties["Timeout"])
    return stage, functions


def _load(name: str, path: Path) -> ModuleType:
    spec = spec_from_file_location(f"simulated_{name}", path)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class InvocationClock:
    """The clock of the machine on which the current invocation runs, which is a little off."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def now(self) -> datetime:
        invocation = self._kernel.current
        assert isinstance(invocation, Invocation)
        return BEGINNING + timedelta(seconds=self._kernel.now + invocation.skew)

    def wait(self, time: timedelta) -> None:
        invocation = self._kernel.current
        assert isinstance(invocation, Invocation)
        invocation.pass_time(time.total_seconds())


class Invocation(Process):
    """One run of a function, up to its answer, its error or its death.

    label: unique in a run, and the same in every run of the same seed. skew: of its clock, in seconds. vault: the one
    that is chosen. chance: of the
    call that it makes, from 0 to 1. connection_id: the connection that it looked at last. execution: of the state
    machine that invoked it, if one did. answer: None as long as it runs. latest: the call that it made last.
    """

    function_name = "function"
    aws_request_id = "invocation"

    def __init__(self, label: str, function: Function, event: dict[str, Any], kernel: Kernel) -> None:
        super().__init__(label, self._run)
        self.function = function
        self.event = event
        self.skew = 0.0
        self.vault = Vault.SECRETS_MANAGER
        self.chance = 0.0
        self.connection_id = _connection_of(event)
        self.execution = ""
        self.latest = ""
        self.deadline = 0.0
        self.answer: Any = None
        self.killed = False
        self.invoker: Process | None = None
        # What WhiteBIT refused, for whoever watches.
        self.refusals: dict[tuple[str, str], str] = {}
        self._kernel = kernel
        self._points: defaultdict[str, int] = defaultdict(int)

    def get_remaining_time_in_millis(self) -> int:
        """As Lambda's context has it."""
        return int((self.deadline - self._kernel.now) * 1000)

    def point(self, call: str) -> str:
        """The name of its next call of this kind."""
        self._points[call] += 1
        # Of the golden ratio's multiples no two are alike: cheaper than a draw, and as good for how long a call takes.
        self.chance = (self.chance + GOLDEN) % 1
        return f"{self.label} {call}#{self._points[call]}"

    def pass_time(self, seconds: float) -> None:
        """Time passes for this invocation, which dies when its own is over."""
        self._kernel.pause(min(seconds, self.deadline - self._kernel.now))
        if self._kernel.now >= self.deadline:
            raise Killed("Sandbox.Timedout")

    def _run(self) -> None:
        self.deadline = self._kernel.now + self.function.timeout
        try:
            self.answer = json.dumps(self.function.module.handler(self.event, self))
        except Killed as death:
            self.killed = True
            self.answer = Failure(death.name)
        except Exception as error:  # noqa: BLE001 - as the Lambda runtime does
            self.answer = Failure(type(error).__name__, str(error))
        if self.invoker is not None:
            self._kernel.wake(self.invoker)


def _connection_of(event: Mapping[str, Any]) -> str | None:
    found: str | None = event.get("connection_id") or event.get("pathParameters", {}).get("connection_id")
    return found


class Log:
    """Stands for the logger, and keeps what is logged. One of a defect tells that the handlers hide one."""

    def __init__(self, lines: list[str], defects: list[str]) -> None:
        self._lines = lines
        self._defects = defects

    def append_keys(self, **keys: object) -> None:
        """Whose lines these are, the trace tells."""

    def info(self, event: str, extra: Mapping[str, object]) -> None:
        self._lines.append(f"{event} {extra}")

    def error(self, event: str, extra: Mapping[str, object]) -> None:
        self._defects.append(f"{event} {extra}")


@contextmanager
def logging_to(log: Log) -> Iterator[None]:
    """Lets fastkey log there."""
    with patch("fastkey.logging._logger", log):
        yield
