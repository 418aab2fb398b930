"""Web servers of the local world: threads of this process."""

import socket
from threading import Thread
from typing import TYPE_CHECKING

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment


class QuietHandler(WSGIRequestHandler):
    """Logs no request lines: they hold codes and tickets. Each application has a log of its own.

    REQUEST_URI is as it came, of which http.server and Werkzeug take slashes away; and cookies that came in many
    headers are one list (RFC 9113, section 8.2.3).
    """

    def make_environ(self) -> "WSGIEnvironment":
        own = {"REQUEST_URI": self.requestline.split()[1]}
        if cookies := self.headers.get_all("Cookie"):
            own["HTTP_COOKIE"] = "; ".join(cookies)
        return super().make_environ() | own

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing."""


class WebServer:
    """A port, bound at once; it answers once `start` is called, for an application may have to know its URL first.

    name: the host in its URL. To a browser `localhost` and 127.0.0.1 are two sites, which share no cookies.
    """

    def __init__(self, host: str, port: int, name: str = "127.0.0.1") -> None:
        self._socket = socket.create_server((host, port))
        self._host = host
        self._server: BaseWSGIServer | None = None
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://{name}:{self.port}"

    def start(self, app: "WSGIApplication", handler: type[WSGIRequestHandler] = QuietHandler) -> None:
        """Serve a WSGI application, each request in a thread."""
        self._server = make_server(
            self._host, self.port, app, threaded=True, request_handler=handler, fd=self._socket.fileno()
        )
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        """Stop serving and free the port."""
        if self._server:
            self._server.shutdown()
        self._socket.close()
