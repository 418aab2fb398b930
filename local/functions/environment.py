"""One execution environment: a process that serves one invocation of its function at a time."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

from local.functions.runtime_api import Answered, Exited, Failed, Invocation, Message, Ready, RuntimeApi
from local.functions.spec import FunctionSpec
from local.functions.variables import variables

# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib
_INIT_SECONDS = 10.0
_BOOTSTRAP = Path(__file__).with_name("bootstrap.py")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an invocation ended.

    `payload` is JSON text: the handler's answer or, if `failed`, an object with `errorType` and `errorMessage`, as the
    Invoke API returns it.
    """

    payload: bytes
    failed: bool

    def json(self) -> Any:
        """The payload, parsed."""
        return json.loads(self.payload)


class Environment:
    """A process of the function, starting. `log` gets each line that it writes."""

    def __init__(self, spec: FunctionSpec, region: str, aws_url: str, log: Callable[[str], None]) -> None:
        self._spec = spec
        self._log = log
        self._ended = False
        self._messages: SimpleQueue[Message] = SimpleQueue()
        self._api = RuntimeApi(self._messages)
        # The process ends when its standard input does, so none outlives this one, however that ends.
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(_BOOTSTRAP)],
            cwd=spec.task_root,
            env=variables(spec, self._api.address, region, aws_url),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for this process alone
        )
        self._reader = Thread(target=self._read_log, daemon=True)
        self._reader.start()

    @property
    def usable(self) -> bool:
        """Whether the process can take another invocation."""
        return not self._ended and self._process.poll() is None

    def invoke(self, event: bytes) -> Outcome:
        """Give the process one event and wait for what comes of it.

        The function's timeout counts from when the process takes the event; starting has a limit of its own.
        """
        invocation = Invocation(event, self._spec.arn, self._spec.timeout_seconds)
        first = self._next_message(_INIT_SECONDS)
        if not isinstance(first, Ready):
            self.kill()
            return self._outcome(first, invocation, _INIT_SECONDS)
        self._api.invocations.put(invocation)
        return self._outcome(self._next_message(self._spec.timeout_seconds), invocation, self._spec.timeout_seconds)

    def kill(self) -> None:
        """End the process at once, whatever it is doing."""
        self._ended = True
        self._process.kill()

    def close(self) -> None:
        """End the process and free what belongs to it."""
        self.kill()
        self._process.wait()
        self._api.close()
        self._reader.join()
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                stream.close()

    def _next_message(self, seconds: float) -> Message | None:
        try:
            return self._messages.get(timeout=seconds)
        except Empty:
            self.kill()
            return None

    def _outcome(self, message: Message | None, invocation: Invocation, seconds: float) -> Outcome:
        match message:
            case Answered(payload):
                return Outcome(payload, failed=False)
            case Failed(payload):
                return Outcome(payload, failed=True)
            case Exited(code):
                return _error("Runtime.ExitError", f"RequestId: {invocation.request_id} Error: {_reason(code)}")
            case _:
                text = f"RequestId: {invocation.request_id} Error: Task timed out after {seconds:.2f} seconds"
                return _error("Sandbox.Timedout", text)

    def _read_log(self) -> None:
        stream = self._process.stdout
        for line in stream or ():
            # awslambdaric joins the lines of a traceback by carriage returns.
            for part in line.decode(errors="replace").rstrip("\n").split("\r"):
                self._log(part)
        self._messages.put(Exited(self._process.wait()))


def _error(error_type: str, message: str) -> Outcome:
    return Outcome(json.dumps({"errorType": error_type, "errorMessage": message}).encode(), failed=True)


def _reason(code: int) -> str:
    if code < 0:
        name = {signal.SIGKILL: "killed", signal.SIGSEGV: "segmentation fault"}.get(signal.Signals(-code), f"{-code}")
        return f"Runtime exited with error: signal: {name}"
    return f"Runtime exited with error: exit status {code}" if code else "Runtime exited without providing a reason"
