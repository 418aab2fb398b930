"""All functions of the world, and as many environments of each as there are invocations at the same time."""

import json
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock

from local.functions.environment import Environment, Outcome
from local.functions.spec import FunctionSpec

# What a small machine bears: each takes some 60 MB. A further invocation waits, where Lambda would start one more.
_MAX_ENVIRONMENTS = 10

_log = logging.getLogger("local.functions")

Keep = Callable[[FunctionSpec, str], None]


class Functions:
    """Invokes functions by logical id, name or ARN. Each process starts when it is first needed, and stays.

    keep: gets each line that a function's process writes.
    """

    def __init__(self, region: str, keep: Keep = lambda spec, line: None) -> None:
        self._region = region
        self._keep = keep
        self._functions: dict[str, _Function] = {}

    def add(self, spec: FunctionSpec, aws_url: str) -> None:
        """Make a function known; `aws_url` is where it finds AWS. No process starts yet."""
        self._functions[spec.logical_id] = self._functions[spec.name] = _Function(
            spec, self._region, aws_url, self._keep
        )

    def invoke(self, name: str, event: object) -> Outcome:
        """Invoke a function with an event (JSON) and wait for its outcome. Raises KeyError for an unknown function."""
        return self._find(name).invoke(json.dumps(event).encode())

    def logs(self, name: str) -> list[str]:
        """The lines that a function's processes have written to their standard output and error."""
        return list(self._find(name).lines)

    def kill(self, name: str) -> None:
        """End a function's processes at once, also in the middle of an invocation."""
        self._find(name).kill()

    def specs(self) -> dict[str, FunctionSpec]:
        """What the template says of each function, by logical id."""
        return {function.spec.logical_id: function.spec for function in self._functions.values()}

    def close(self) -> None:
        """End all processes."""
        with ThreadPoolExecutor() as workers:
            list(workers.map(_Function.close, set(self._functions.values())))

    def _find(self, name: str) -> "_Function":
        is_arn = name.startswith("arn:")
        return self._functions[name.split(":")[6] if is_arn else name]


class _Function:
    def __init__(self, spec: FunctionSpec, region: str, aws_url: str, keep: Keep) -> None:
        self.spec = spec
        self.lines: list[str] = []
        self._region = region
        self._aws_url = aws_url
        self._keep = keep
        self._free_slots = BoundedSemaphore(_MAX_ENVIRONMENTS)
        self._lock = Lock()
        self._idle: list[Environment] = []
        self._busy: set[Environment] = set()
        self._closed = False

    def invoke(self, event: bytes) -> Outcome:
        with self._free_slots, self._environment() as (environment, warm):
            started = time.monotonic()
            outcome = environment.invoke(event)
            milliseconds = (time.monotonic() - started) * 1000
        result = outcome.json().get("errorType", "error") if outcome.failed else "ok"
        _log.info("%s %s %.0f ms %s", self.spec.logical_id, "warm" if warm else "cold", milliseconds, result)
        return outcome

    def kill(self) -> None:
        with self._lock:
            for environment in (*self._busy, *self._idle):
                environment.kill()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            for environment in self._busy:
                environment.kill()
            idle, self._idle = self._idle, []
        for environment in idle:
            environment.close()

    @contextmanager
    def _environment(self) -> Iterator[tuple[Environment, bool]]:
        environment, warm = self._take()
        try:
            yield environment, warm
        finally:
            self._put_back(environment)

    def _take(self) -> tuple[Environment, bool]:
        """An idle environment that is still usable, or a new one."""
        with self._lock:
            if self._closed:
                raise RuntimeError("the local world has ended")
            while self._idle and not self._idle[-1].usable:
                self._idle.pop().close()
            warm = bool(self._idle)
            environment = self._idle.pop() if warm else Environment(self.spec, self._region, self._aws_url, self._write)
            self._busy.add(environment)
            return environment, warm

    def _put_back(self, environment: Environment) -> None:
        with self._lock:
            self._busy.discard(environment)
            keep = environment.usable and not self._closed
            if keep:
                self._idle.append(environment)
        if not keep:
            environment.close()

    def _write(self, line: str) -> None:
        self.lines.append(line)
        self._keep(self.spec, line)
        _log.debug("%s | %s", self.spec.logical_id, line)
