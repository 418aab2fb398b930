"""Lambda's side of the Runtime API, for one function process.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import time
import uuid
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from threading import Thread

_PREFIX = "/2018-06-01/runtime"


@dataclass(frozen=True, slots=True)
class Invocation:
    """One event for the process."""

    event: bytes
    function_arn: str
    timeout_seconds: float
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(frozen=True, slots=True)
class Ready:
    """The process asks for its next event."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The handler returned; `payload` is JSON text."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Failed:
    """The handler, or its module while loading, raised. `payload` is JSON with `errorType` and `errorMessage`."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Exited:
    """The process is gone; `code` is its exit status, negative for the signal that ended it."""

    code: int


Message = Ready | Answered | Failed | Exited


class RuntimeApi:
    """Hands invocations to a process, and puts into `messages` what it says in return."""

    def __init__(self, messages: "SimpleQueue[Message]") -> None:
        self.messages = messages
        self.invocations: SimpleQueue[Invocation | None] = SimpleQueue()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.api = self
        self.address = f"127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def close(self) -> None:
        """Stop serving; a process that waits for an event gets none."""
        self.invocations.put(None)
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    api: RuntimeApi


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    # Headers and body go out separately; otherwise the second waits for the acknowledgement of the first.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self.server.api.messages.put(Ready())
        invocation = self.server.api.invocations.get()
        if invocation is None:
            self.close_connection = True
            return
        deadline_ms = int((time.time() + invocation.timeout_seconds) * 1000)
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
            "Lambda-Runtime-Trace-Id": f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]};Sampled=0",
        }
        self._send(200, headers, invocation.event)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._send(202, {}, b"")
        succeeded = self.path.startswith(f"{_PREFIX}/invocation/") and self.path.endswith("/response")
        self.server.api.messages.put(Answered(body) if succeeded else Failed(body))

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
