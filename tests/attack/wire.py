"""Requests to the byte: no client library tidies up an attack on its way."""

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPResponse
from string import Template
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Sent:
    """A request. `$name` stands for what only a running world knows: a state, a cookie, a token.

    A text goes over the wire as ISO 8859-1, a body as UTF-8; bytes go as they are.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: str | bytes = b""

    def octets(self, host: str, known: Mapping[str, str]) -> bytes:
        """The request for a host, unless a header names another."""
        body = self.body if isinstance(self.body, bytes) else Template(self.body).substitute(known).encode()
        own = dict(self.headers) if "Host" in dict(self.headers) else {"Host": host}
        usual = {"Host": own["Host"], "Connection": "close", "Content-Length": str(len(body))}
        headers = [*usual.items(), *((name, value) for name, value in self.headers if name not in usual)]
        lines = [f"{self.method} {self.target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers), "", ""]
        return Template("\r\n".join(lines)).substitute(known).encode("latin-1") + body


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def document(self) -> Any:
        """The JSON of the body, or None where there is none."""
        return json.loads(self.text) if "json" in self.headers.get("Content-Type", "") and self.text else None

    @property
    def says(self) -> str:
        """The code of a problem, or the message of the gateway; nothing where it is neither."""
        match self.document:
            case {"type": str(kind)}:
                return kind.removeprefix("urn:fastkey:problem:")
            case {"message": str(message)}:
                return message
        return ""

    @property
    def bytes_but_id(self) -> tuple[object, ...]:
        """All that a client can tell this answer from another by, less the request's id and the time of day."""
        request_id = self.headers["Apigw-Requestid"]
        headers = {name: value for name, value in self.headers.items() if name not in ("Date", "Apigw-Requestid")}
        return self.status, tuple(headers.items()), self.text.replace(request_id, "")


def send(url: str, sent: Sent, known: Mapping[str, str]) -> Answer:
    """Sends a request over a connection of its own."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=30) as connection:
        connection.sendall(sent.octets(parts.netloc, known))
        with HTTPResponse(connection, method=sent.method) as response:
            response.begin()
            return Answer(response.status, dict(response.getheaders()), response.read().decode())
