"""Nothing secret is found in anything that is written down or sent on, in a whole run."""

from datetime import UTC, datetime
from typing import Any

import pytest

from fastkey.domain.event import PATIENCE
from fastkey.ports import Vault
from local.evidence import ALLOWED, Evidence, forms, gathering, witness
from local.items import age_events
from local.whitebit import Revision
from local.world import World
from tests.e2e.conftest import VAULTS
from tests.e2e.journey import Journey

KINDS = {"code", "access_token", "refresh_token", "api_secret", "client_secret"}
KINDS |= {"ticket", "state", "cookie", "completion", "verifier"}


def travel(world: World, revision: Revision, evidence: Evidence, **fault: Any) -> None:
    """One user connects, with a fault on the way or none, and disconnects."""
    user = Journey(world, revision)
    witness(evidence, world, user.browser.http)
    witness(evidence, world, user.frontend.http)
    user.start().visit()
    if fault:
        user.sandbox.fault(**fault)
    user.consent()
    # Refused where the exchange has failed: an answer to look at, too.
    user.frontend.call("POST", f"/connections/{user.connection_id}/complete", {"completion": user.completion})
    if fault.get("path") != "/oauth2/token":
        user.create_key()
    if user.end()["status"] == "active":
        user.await_told()
        user.fall_due()
    user.world.fire("KeepTokens")
    user.frontend.revoke(user.connection_id)
    user.end()


def stay(world: World, revision: Revision, evidence: Evidence) -> None:
    """A user connects, and there is a key to look at."""
    user = Journey(world, revision)
    witness(evidence, world, user.browser.http)
    witness(evidence, world, user.frontend.http)
    assert user.connect()["status"] == "active"


def decline(world: World, revision: Revision, evidence: Evidence) -> None:
    """A user declines, and nobody can be told for a day."""
    user = Journey(world, revision)
    witness(evidence, world, user.browser.http)
    user.start().visit()
    user.land(user.browser.deny())
    age_events(world, user.connection_id, datetime.now(UTC) - PATIENCE)
    user.fall_due()


@pytest.fixture(scope="module")
def evidence(world: World, revision: Revision) -> Evidence:
    echo = {"data": {"apiSecret": 5, "message": [f"no model fits this, and it repeats {world.client_secret}"]}}
    secret = {"method": "GET", "path": "/oauth2/api-key/*/secret"}
    with gathering(world) as gathered:
        decline(world, revision, gathered)
        travel(world, revision, gathered)
        stay(world, revision, gathered)
        travel(world, revision, gathered, method="POST", path="/oauth2/token", kind="drop_after")
        travel(world, revision, gathered, **secret, kind="drop_after", truncate=60)
        travel(world, revision, gathered, **secret, kind="body", body=echo)
    return gathered


def test_every_kind_of_secret_was_there_to_be_leaked(evidence: Evidence, revision: Revision) -> None:
    missing = {kind for kind in KINDS if not evidence.secrets.get(kind)}
    assert missing == (set() if revision is Revision.AUGUST_2026 else {"refresh_token"})


def test_every_place_was_looked_at(evidence: Evidence, world: World, revision: Revision) -> None:
    expected = {f"log of {name}" for name in world.functions.specs()} | {f"items of {name}" for name in world.tables}
    expected |= {f"history of {name}" for name in world.state_machines} | {place for _, place in ALLOWED}
    expected |= {f"messages of {name}" for name in world.queues}
    expected |= {"events", "answers' body", "answers' headers", "log of the local world"}
    is_empty = {"items of Keys"} if VAULTS[revision] is Vault.SECRETS_MANAGER else set()
    assert expected <= set(evidence.texts) | is_empty


def test_no_secret_is_found_where_none_belongs(evidence: Evidence) -> None:
    assert evidence.leaks() - ALLOWED == set()
    assert evidence.leaks() >= ALLOWED


def test_a_secret_in_any_place_and_dress_would_be_found(evidence: Evidence) -> None:
    for place in evidence.texts:
        for kind, values in evidence.secrets.items():
            for form in forms(next(iter(values))):
                planted = Evidence(evidence.secrets, {place: [f"a line with {form} in it"]})
                assert (kind, place) in planted.leaks()
