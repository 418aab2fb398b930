"""One user's way through the local world, step by step, as a test wants it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from local.frontend import Frontend
from local.items import await_told, fall_due, item, set_times
from local.whitebit import Revision
from local.whitebit.user import UserAgent
from local.world import World
from tests.e2e.vaults import vaults

PERMISSIONS = ["/api/v4/trade-account/balance"]
PASSWORD = "correct horse"
SECOND_FACTOR = "123456"

_numbers = count(1)


class Sandbox:
    """The sandbox's control API."""

    def __init__(self, world: World) -> None:
        self._url = world.sandbox_control

    def ask(self, path: str) -> Any:
        return requests.get(self._url + path, timeout=10).json()

    def order(self, path: str, **document: object) -> Any:
        return self._send("POST", path, document)

    def change_user(self, email: str, **flags: bool) -> None:
        self._send("PATCH", f"/users/{email}", flags)

    def grant(self, external_id: str, *permissions: str) -> None:
        """The user grants these to a key that there is, and no others."""
        self._send("PATCH", f"/keys/{external_id}", {"permissions": permissions})

    def fault(self, method: str, path: str, kind: str, **more: object) -> None:
        """Order that something goes wrong with a call; `path` is a shell pattern."""
        self._send("POST", "/faults", {"method": method, "path": path, "kind": kind, **more})

    def recover(self) -> None:
        """Nothing that was ordered goes wrong any more."""
        requests.delete(self._url + "/faults", timeout=10).raise_for_status()

    def keys(self, email: str) -> list[dict[str, Any]]:
        keys: list[dict[str, Any]] = self.ask(f"/users/{email}")["keys"]
        return keys

    def calls(self, method: str, path: str) -> int:
        """How many calls of this kind WhiteBIT has had since they were last forgotten."""
        return sum(call["method"] == method and call["path"] == path for call in self.ask("/calls"))

    def forget_calls(self) -> None:
        requests.delete(self._url + "/calls", timeout=10).raise_for_status()

    def _send(self, method: str, path: str, document: Mapping[str, object]) -> Any:
        answer = requests.request(method, self._url + path, json=document, timeout=10)
        answer.raise_for_status()
        return answer.json()


def stored(world: World, connection_id: str) -> str | None:
    """The captured key, in whichever vault."""
    keys = (vault.find(connection_id) for vault in vaults(world).values())
    return next((key.to_json().reveal() for key in keys if key), None)


class Journey:
    """One user of the partner, with a WhiteBIT account, a browser and a frontend.

    email: another journey's, where two users share one WhiteBIT account. permissions: what the user grants, by paths or
    groups.
    """

    def __init__(
        self,
        world: World,
        revision: Revision,
        email: str | None = None,
        permissions: Sequence[str] = PERMISSIONS,
    ) -> None:
        number = next(_numbers)
        self.permissions = permissions
        self.world, self.revision, self.sandbox = world, revision, Sandbox(world)
        self.sub = f"user-{number}"
        self.email = email or f"user-{number}@example.com"
        if email is None:
            self.sandbox.order("/users", email=self.email, password=PASSWORD, second_factor=SECOND_FACTOR)
        self.frontend = Frontend(world.gateway, world.token(self.sub))
        self.browser = UserAgent(world.whitebit, stop_at=world.return_url)
        self.connection_id = self.authorize_url = self.consent_url = self.completion = ""

    def start(self, **wishes: bool) -> "Journey":
        started = self.frontend.start(self.world.return_url, **wishes)
        self.connection_id, self.authorize_url = started["connection_id"], started["authorize_url"]
        return self

    def visit(self) -> "Journey":
        """The browser goes to WhiteBIT, and the user logs in there."""
        self.browser.open(self.authorize_url)
        self.consent_url = self.browser.log_in(self.email, PASSWORD)
        return self

    def consent(self) -> "Journey":
        """The user consents, and the browser comes back."""
        self.land(self.browser.consent(self.permissions, SECOND_FACTOR))
        return self

    def consent_and_stop(self) -> str:
        """The user logs in and consents, and the browser stops in front of the callback: its URL, not visited yet."""
        self.browser.stop_at = f"{self.world.gateway}/callback"
        self.visit()
        url = self.browser.consent(self.permissions, SECOND_FACTOR)
        self.browser.stop_at = self.world.return_url
        return url

    def cookie_header(self) -> dict[str, str]:
        """The browser's cookies for fastkey, as a header."""
        pairs = [f"{cookie.name}={cookie.value}" for cookie in self.browser.cookies if "fastkey" in cookie.name]
        return {"Cookie": "; ".join(pairs)}

    def land(self, url: str) -> None:
        self.completion = parse_qs(urlsplit(url).query).get("completion", [""])[0]

    def complete(self) -> "Journey":
        self.frontend.complete(self.connection_id, self.completion)
        return self

    def create_key(self) -> "Journey":
        """In revision 2026-08 the key is made in another tab, after the exchange; in 2026-05 it is there by now."""
        if self.revision is Revision.AUGUST_2026:
            self.browser.create_key(self.permissions, SECOND_FACTOR)
        return self

    def consented(self, **wishes: bool) -> "Journey":
        return self.start(**wishes).visit().consent()

    def end(self) -> dict[str, Any]:
        return self.frontend.await_end(self.connection_id)

    def connect(self, **wishes: bool) -> dict[str, Any]:
        """The whole way; gives the connection as it ends, when the workflow has told of it."""
        self.consented(**wishes).complete().create_key()
        ended = self.end()
        self.await_told()
        return ended

    # ---- What is left ---------------------------------------------------------------------------------------------

    def stored(self) -> str | None:
        return stored(self.world, self.connection_id)

    def whitebit_keys(self) -> list[dict[str, Any]]:
        """The keys of the user's account at WhiteBIT."""
        return self.sandbox.keys(self.email)

    @property
    def external_id(self) -> str:
        """The one key of the user's account at WhiteBIT."""
        (issued,) = self.whitebit_keys()
        return str(issued["externalId"])

    # ---- By the clock ---------------------------------------------------------------------------------------------

    def item(self) -> dict[str, Any]:
        """The connection as DynamoDB has it."""
        return item(self.world, self.connection_id)

    def await_told(self) -> None:
        await_told(self.world, self.connection_id)

    def set_times(self, **times: datetime) -> None:
        set_times(self.world, self.connection_id, **times)

    def fall_due(self, **times: datetime) -> set[str]:
        """See `local.items.fall_due`; without how often."""
        return set(fall_due(self.world, self.connection_id, **times))
