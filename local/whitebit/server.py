"""A sandbox on a socket, in a thread of its own."""

import threading

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from local.whitebit.options import Options
from local.whitebit.web.app import create_app
from local.whitebit.web.faulty import CONTROL


class Server:
    """A running sandbox. `url` is WhiteBIT's base URL, `control_url` that of the control API. Usable with `with`."""

    def __init__(self, server: BaseWSGIServer) -> None:
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="whitebit", daemon=True)
        self._thread.start()
        self.url = f"http://{server.host}:{server.server_port}"
        self.control_url = self.url + CONTROL

    def close(self) -> None:
        """Stop, and free the port."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class WithoutLog(WSGIRequestHandler):
    """werkzeug's own log shows query strings, in which there are codes. The application keeps a log without them."""

    def log(self, type: str, message: str, *args: object) -> None:
        pass


def serve(options: Options | None = None, host: str = "127.0.0.1", port: int = 0) -> Server:
    """Start a sandbox; `port` 0 picks a free one. Raises OSError when the port is taken."""
    app = create_app(options or Options())
    return Server(make_server(host, port, app, threaded=True, request_handler=WithoutLog))
