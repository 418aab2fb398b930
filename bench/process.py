"""One execution environment of a function, as Lambda starts it, and what it takes."""

import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from time import perf_counter
from types import TracebackType
from typing import Self

from local.functions import FunctionSpec
from local.functions.runtime_api import Answered, Failed, Invocation, Message, Ready, RuntimeApi
from local.functions.variables import variables

_KIB_IN_MIB = 1024
_NANOSECONDS = 1e6  # in a millisecond
_PATIENCE = 30  # seconds


def cpu_ms(pid: int) -> float:
    """The CPU that all threads of a process have had. https://docs.kernel.org/scheduler/sched-stats.html"""
    return sum(int(text.split()[0]) for text in _of_threads(pid, "schedstat")) / _NANOSECONDS


def children() -> list[int]:
    """The processes that this one has started: those of functions, in a local world."""
    return [int(pid) for text in _of_threads("self", "children") for pid in text.split()]


def _of_threads(pid: int | str, name: str) -> list[str]:
    """A file of each thread. One that ends meanwhile may leave its children to another that was read before."""
    while True:
        with suppress(FileNotFoundError, ProcessLookupError):
            return [file.read_text() for file in Path(f"/proc/{pid}/task").glob(f"*/{name}")]


def memory_mib(pid: int, kind: str = "VmRSS") -> float:
    """The memory that a process holds or, as VmHWM, the most that it has held.

    https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
    """
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(kind)) / _KIB_IN_MIB


class DiedError(Exception):
    """The process has failed; the text says how."""


class Process:
    """`python -m awslambdaric` for a function, from its start to its first question for an event.

    init_ms: how long that took. For `with`.
    """

    def __init__(self, spec: FunctionSpec, region: str, aws_url: str, *options: str) -> None:
        """options: the interpreter's own."""
        self._spec = spec
        self._messages: SimpleQueue[Message] = SimpleQueue()
        self._api = RuntimeApi(self._messages)
        environment = variables(spec, self._api.address, region, aws_url)
        begun = perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, *options, "-m", "awslambdaric", spec.handler],
            cwd=spec.task_root,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._expect(Ready)
        self.init_ms = (perf_counter() - begun) * 1000

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def end(self) -> str:
        """Ends the process. Gives what it wrote to its standard error."""
        self._process.kill()
        said = self._process.communicate()[1]
        self._api.close()
        return said

    def invoke(self, event: str) -> float:
        """Has the handler answer an event, and gives the milliseconds of CPU that it took.

        The process's own: whoever answers it, answers for himself. Raises DiedError for an answer that is an error.
        """
        before = self.cpu_ms
        self._api.invocations.put(Invocation(event.encode(), self._spec.arn, self._spec.timeout_seconds))
        self._expect(Answered)
        # What the runtime does between two events is a part of each.
        self._expect(Ready)
        return self.cpu_ms - before

    @property
    def cpu_ms(self) -> float:
        """The CPU that it has had."""
        return cpu_ms(self._process.pid)

    @property
    def peak_mib(self) -> float:
        """The most memory that it has held."""
        return memory_mib(self._process.pid, "VmHWM")

    def _expect(self, kind: type[Message]) -> None:
        message = self._messages.get(timeout=_PATIENCE)
        if not isinstance(message, kind):
            raise DiedError(message.payload.decode() if isinstance(message, (Answered, Failed)) else repr(message))
