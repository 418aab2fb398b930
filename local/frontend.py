"""What a partner's frontend does: it calls fastkey's API as its own signed-in user."""

from collections.abc import Callable
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlencode

import requests

POLL_SECONDS = 0.1


class Frontend:
    """The frontend of one user, whose JWT it sends."""

    def __init__(self, gateway: str, token: str) -> None:
        self._gateway = gateway
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.headers["Authorization"] = f"Bearer {token}"

    def call(self, method: str, path: str, document: object = None) -> requests.Response:
        """One call of the API; the answer, whatever its status."""
        return self.http.request(method, self._gateway + path, json=document, timeout=30)

    def start(self, return_url: str, **wishes: bool) -> dict[str, Any]:
        """Start a connection: its id, and the URL to send the browser to. `wishes`: what the API takes besides."""
        return self._done(self.call("POST", "/connections", {"return_url": return_url, **wishes}))

    def complete(self, connection_id: str, completion: str) -> dict[str, Any]:
        """Say that the browser is back."""
        return self._done(self.call("POST", f"/connections/{connection_id}/complete", {"completion": completion}))

    def get(self, connection_id: str) -> dict[str, Any]:
        """Look at the connection."""
        return self._done(self.call("GET", f"/connections/{connection_id}"))

    def read(self, connection_id: str, resource: str, **filters: str | int) -> dict[str, Any]:
        """Read the user's account: `resource` is a path, such as `balances/spot`."""
        return self._done(self.call("GET", f"/connections/{connection_id}/account/{resource}?{urlencode(filters)}"))

    def revoke(self, connection_id: str) -> dict[str, Any]:
        """Disconnect."""
        return self._done(self.call("DELETE", f"/connections/{connection_id}"))

    def await_end(
        self,
        connection_id: str,
        seconds: float = 60,
        seen: Callable[[dict[str, Any]], object] = lambda _: None,
        pause: float = POLL_SECONDS,
    ) -> dict[str, Any]:
        """Look until the connection is neither pending nor revoking; `seen` is told of each look, and `pause` seconds
        are between two.

        Raises TimeoutError after so many `seconds`.
        """
        deadline = monotonic() + seconds
        while monotonic() < deadline:
            connection = self.get(connection_id)
            seen(connection)
            if connection["status"] not in ("pending", "revoking"):
                return connection
            sleep(pause)
        raise TimeoutError(f"the connection was still {connection['step']} after {seconds:.0f} s")

    def _done(self, answer: requests.Response) -> dict[str, Any]:
        answer.raise_for_status()
        document: dict[str, Any] = answer.json()
        return document
