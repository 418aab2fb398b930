"""A server on this machine that answers each connection with the octets that a test gives it."""

import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any


class Instead(Enum):
    """What comes instead of an answer.

    RESET: the connection is reset before the request is read. DROP: it is closed after that. SILENCE: it is kept open,
    until the test is over. DRIP: an answer that goes on, octet by octet, until the client has enough.
    """

    RESET = auto()
    DROP = auto()
    SILENCE = auto()
    DRIP = auto()


# Closing under this option resets: on, with no seconds to linger.
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def answer(
    status: int = 200, document: Any = None, *, body: bytes | None = None, headers: str = "", length: int | None = None
) -> bytes:
    """An HTTP answer. length: what its header says, where that is not the truth."""
    content = json.dumps(document).encode() if body is None else body
    head = f"HTTP/1.1 {status} Any\r\nContent-Length: {len(content) if length is None else length}\r\n{headers}\r\n"
    return head.encode() + content


@dataclass(slots=True)
class ScriptedServer:
    """Gives the same answer to every request, and writes the requests down as they came; empty where it read none."""

    url: str
    answer: bytes | Instead = Instead.DROP
    requests: list[bytes] = field(default_factory=list)

    @property
    def request(self) -> tuple[str, dict[str, str], bytes]:
        """The only request: its first line, its headers and its body."""
        (request,) = self.requests
        head, _, body = request.partition(b"\r\n\r\n")
        line, *fields = head.decode().split("\r\n")
        return line, {name.lower(): value for name, _, value in (f.partition(": ") for f in fields)}, body


@contextmanager
def scripted_server() -> Iterator[ScriptedServer]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = ScriptedServer(f"http://127.0.0.1:{listener.getsockname()[1]}")
        over = threading.Event()
        thread = threading.Thread(target=_serve, args=(listener, server, over), daemon=True)
        thread.start()
        yield server
        over.set()
        socket.create_connection(listener.getsockname()).close()  # wakes the listener
        thread.join()


def _serve(listener: socket.socket, server: ScriptedServer, over: threading.Event) -> None:
    while True:
        connection, _ = listener.accept()
        with connection:
            if over.is_set():
                return
            server.requests.append(b"" if server.answer is Instead.RESET else _read(connection))
            match server.answer:
                case Instead.RESET:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
                case Instead.DROP:
                    pass
                case Instead.SILENCE:
                    over.wait()
                    return
                case Instead.DRIP:
                    _drip(connection, over)
                case answer:
                    connection.sendall(answer)


def _drip(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    with suppress(OSError):
        while not over.wait(0.01):
            connection.sendall(b" ")


def _read(connection: socket.socket) -> bytes:
    """One request, whole."""
    request = b""
    while b"\r\n\r\n" not in request:
        request += connection.recv(65536)
    head, _, body = request.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    missing = int(lengths[0].partition(b":")[2]) - len(body) if lengths else 0
    while missing > 0:
        more = connection.recv(65536)
        request, missing = request + more, missing - len(more)
    return request
