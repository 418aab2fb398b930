"""Carrying out ordered faults around a view, and keeping the journal and the log of every call."""

import gzip
import json
import logging
import re
import socket
import time
from itertools import chain, repeat
from typing import Any
from urllib.parse import quote

from flask import Flask, Response, g, request

from local.whitebit.faults import Fault, Kind
from local.whitebit.journal import Call
from local.whitebit.keys import Key
from local.whitebit.web.context import sandbox

CONTROL = "/_control"

log = logging.getLogger("local.whitebit")


def install(app: Flask) -> None:
    """Put faults, journal and log around every view of `app`, except the control API's."""
    app.before_request(before_view)
    app.after_request(after_view)
    app.teardown_request(release_key)


def release_after_answer(key: Key) -> None:
    """Keep `key` locked for as long as this request takes, ordered latency included."""
    g.key_being_read = key


def release_key(_: BaseException | None) -> None:
    if key := g.pop("key_being_read", None):
        key.being_read = False


def is_control() -> bool:
    return request.path.startswith(CONTROL)


def before_view() -> Response | None:
    """Take an ordered fault; answer in the view's place where the fault has no effect."""
    g.started = time.perf_counter()
    g.fault = None if is_control() else sandbox().faults.take(request.method, request.path)
    match g.fault:
        case Fault(kind=Kind.STATUS) as fault:
            return replaced(Response(status=fault.status), fault, fault.body)
        case Fault(kind=Kind.REDIRECT) as fault:
            return Response(status=fault.status or 302, headers={"Location": str(fault.location)})
        case Fault(kind=Kind.DROP_BEFORE):
            return Response(status=500)
    return None


def after_view(response: Response) -> Response:
    """Carry out the rest of the fault on the view's answer, write the call down, and close what is to be closed."""
    answered, last_words = response.status_code, None
    match g.fault:
        case Fault(kind=Kind.LATENCY) as fault:
            time.sleep(fault.seconds)
        case Fault(kind=Kind.BODY | Kind.ECHO) as fault:
            response = replaced(response, fault, echo(response) if fault.kind is Kind.ECHO else fault.body)
            answered = response.status_code
        case Fault(kind=Kind.PADDED) as fault:
            pad(response, fault)
        case Fault(kind=Kind.ENDLESS):
            response.response = chain([response.get_data()], repeat(b" " * 1024))
            del response.headers["Content-Length"]
        case Fault(kind=Kind.DROP_AFTER) as fault:
            last_words = b"" if fault.truncate is None else cut_short(response, fault.truncate)
            answered = 0 if fault.truncate is None else answered
        case Fault(kind=Kind.DROP_BEFORE):
            answered, last_words = 0, b""
    if not is_control():
        write_down(answered)
    # Whoever sees that the connection is closed finds the call written down.
    if last_words is not None:
        close_connection(last_words)
    return response


def echo(response: Response) -> dict[str, list[str]]:
    """The request's headers and form, and the answer, in a shape that no client knows."""
    headers = [f"{name}: {value}" for name, value in request.headers.items()]
    return {"message": [*headers, *request.form.values(), response.get_data(as_text=True)]}


def pad(response: Response, fault: Fault) -> None:
    response.data = response.get_data() + b" " * (fault.size or 0)
    if fault.gzip:
        response.data = gzip.compress(response.get_data())
        response.headers["Content-Encoding"] = "gzip"


def replaced(response: Response, fault: Fault, body: Any) -> Response:
    """`response` with this body, and the content type and the status that the fault names."""
    is_text = isinstance(body, str)
    response.data = body if is_text else json.dumps(body or {"message": response.status})
    response.content_type = fault.content_type or ("text/html; charset=utf-8" if is_text else "application/json")
    response.status_code = fault.status or response.status_code
    return response


def cut_short(response: Response, size: int) -> bytes:
    """The raw answer, whose headers promise the whole body, with only `size` bytes of it."""
    head = f"HTTP/1.1 {response.status}\r\n{response.headers}"
    return head.encode() + response.get_data()[:size]


def close_connection(last_words: bytes) -> None:
    """Close the client's connection under the server, which then has nobody to answer."""
    connection: socket.socket = request.environ["werkzeug.socket"]
    connection.sendall(last_words)
    connection.shutdown(socket.SHUT_RDWR)


def write_down(status: int) -> None:
    rule = request.url_rule
    path = re.sub(r"<(\w+)>", r"{\1}", rule.rule) if rule else quote(request.path)
    milliseconds = round((time.perf_counter() - g.started) * 1000)
    kind = str(g.fault.kind) if g.fault else None
    sandbox().journal.add(Call(request.method, path, status, sandbox().clock.now(), milliseconds, kind))
    log.info("%s %s %s %d ms%s", request.method, path, status or "dropped", milliseconds, f"  [{kind}]" if kind else "")
