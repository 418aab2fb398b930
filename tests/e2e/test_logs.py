"""One connection's story, told by the lines that name it: from the first click to the last event."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import pytest
import requests

from local.whitebit import Revision
from local.world import World
from tests.e2e.journey import Journey
from tests.logged import entries

Entry = dict[str, Any]


def connect_and_disconnect(user: Journey) -> None:
    """A user's whole way, on which a ticket is cut off, the browser is another one at first, and WhiteBIT is away."""
    user.start()
    requests.get(user.authorize_url[:-1], timeout=10)
    callback = user.consent_and_stop()
    requests.get(callback, timeout=10)
    user.land(user.browser.open(callback))
    user.sandbox.fault("GET", "/oauth2/api-key/info", "drop_after")
    user.complete().create_key()
    assert user.end()["status"] == "active"
    user.await_told()
    user.fall_due()
    user.frontend.revoke(user.connection_id)
    assert user.end()["status"] == "revoked"
    user.await_told()


@pytest.fixture(scope="module")
def user(world: World, revision: Revision) -> Journey:
    user = Journey(world, revision)
    connect_and_disconnect(user)
    return user


@pytest.fixture(scope="module")
def lines(world: World, user: Journey) -> list[Entry]:
    """Whatever was logged, the oldest first: nobody else was there."""
    logs = chain.from_iterable(world.functions.logs(name) for name in world.functions.specs())
    return sorted(entries("\n".join(logs)), key=lambda entry: str(entry["timestamp"]))


def test_whatever_is_logged_leads_to_the_connection(lines: list[Entry], user: Journey) -> None:
    """Each line names it, or is Lambda's own and has the id of an invocation that did. Of a run by the clock, what it
    has counted is about no connection.
    """
    named = [entry for entry in lines if entry.get("connection_id") == user.connection_id]
    invocations = {entry["invocation_id"] for entry in named}
    silent = [entry for entry in lines if entry not in named and entry.get("requestId") not in invocations]
    assert [entry["message"] for entry in silent] == ["fastkey-GuardKeys"]
    assert "requestId" in {name for entry in lines for name in entry}


def test_the_lines_tell_the_story_in_order(lines: list[Entry], user: Journey) -> None:
    written = [entry["version"] for entry in lines if entry.get("message") == "stored"]
    assert written == sorted(set(written))
    assert list(story(lines)) == STORY


def story(lines: Iterable[Entry]) -> Iterator[str]:
    """What was stored, told and refused, without what says again how the connection stands."""
    status = None
    for entry in lines:
        if entry.get("message") == "stored" and status != (status := entry["status"]):
            yield f"stored {status}"
        elif entry.get("message") == "event told":
            yield f"told {entry['event_id'].rpartition('.')[2]}"
        elif "message" in entry and entry["message"] != "stored" and "code" in entry:
            yield f"refused {entry['code']}"


STORY = [
    "stored started",
    "refused ticket_invalid",
    "stored consenting",
    "refused authorization_invalid",
    "stored exchanging",
    "stored authorized",
    "stored detecting",
    "refused whitebit_unavailable",
    "stored capturing",
    "stored verifying",
    "stored active",
    "told activated",
    "stored revoking",
    "stored revoked",
    "told revoked",
]
