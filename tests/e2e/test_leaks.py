"""Nothing secret is found in anything that is written down or sent on, in a whole run.

Every secret of the run is collected from where it was made, and looked for in every log line, execution history, event,
DynamoDB item and HTTP answer. The only places where one may be are those that the protocol puts it in: they are named
here.
"""

import json
import logging
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
import requests

from local.whitebit import Revision
from local.world import World
from tests.e2e.journey import Journey
from tests.events import EventQueue

# What has to be in an answer, by (method, path, part of the answer).
BY_DESIGN = {
    ("POST", "/connections", "body"): {"ticket"},
    ("GET", "/authorize", "headers"): {"state", "cookie"},
    ("GET", "/callback", "headers"): {"completion"},
}

KINDS = {"code", "access_token", "refresh_token", "api_secret", "client_secret"}
KINDS |= {"ticket", "state", "cookie", "completion", "verifier"}


@dataclass
class Evidence:
    """The secrets of a run by kind, and every text that it left, by the place where it was left."""

    secrets: dict[str, set[str]] = field(default_factory=dict)
    texts: dict[str, list[str]] = field(default_factory=dict)

    def know(self, kind: str, *values: str) -> None:
        self.secrets.setdefault(kind, set()).update(value for value in values if value)

    def found(self, place: str, text: object) -> None:
        self.texts.setdefault(place, []).append(text if isinstance(text, str) else json.dumps(text, default=str))

    def leaks(self) -> set[tuple[str, str]]:
        """The kind of each secret that was found, and where."""
        return {
            (kind, place)
            for kind, values in self.secrets.items()
            for value in values
            for form in forms(value)
            for place, texts in self.texts.items()
            if any(form in text for text in texts)
        }


def forms(secret: str) -> set[str]:
    """The secret as it is, and as it may be dressed."""
    octets = secret.encode()
    return {
        secret,
        quote(secret, safe=""),
        b64encode(octets).decode().rstrip("="),
        urlsafe_b64encode(octets).decode().rstrip("="),
        octets.hex(),
    }


def witness(evidence: Evidence, world: World, session: requests.Session) -> None:
    """Has every answer of fastkey's in this session kept, less what the protocol puts into it."""

    def examine(answer: requests.Response, **_: object) -> None:
        if not answer.url.startswith(world.gateway):
            return
        path, method = urlsplit(answer.url).path, answer.request.method or ""
        location = parse_qs(urlsplit(answer.headers.get("Location", "")).query)
        evidence.know("state", *location.get("state", []))
        evidence.know("completion", *location.get("completion", []))
        cookie = answer.headers.get("Set-Cookie", "").partition(";")[0]
        evidence.know("cookie", cookie.partition("=")[2])
        if (method, path) == ("POST", "/connections"):
            evidence.know("ticket", answer.json()["authorize_url"].partition("ticket=")[2])
        for part, text in (("body", answer.text), ("headers", json.dumps(dict(answer.headers)))):
            place = (method, path, part)
            evidence.found(" ".join(place) if place in BY_DESIGN else f"answers' {part}", text)

    session.hooks["response"].append(examine)


def travel(world: World, revision: Revision, evidence: Evidence, **fault: Any) -> None:
    """One user connects, with a fault on the way or none, and disconnects."""
    user = Journey(world, revision)
    witness(evidence, world, user.browser.http)
    witness(evidence, world, user.frontend.http)
    user.start().visit()
    evidence.know("verifier", *verifiers(world))
    if fault:
        user.sandbox.fault(**fault)
    user.consent()
    # Refused where the exchange has failed: an answer to look at, too.
    user.frontend.call("POST", f"/connections/{user.connection_id}/complete", {"completion": user.completion})
    if fault.get("path") != "/oauth2/token":
        user.create_key()
    user.end()
    user.frontend.revoke(user.connection_id)
    user.end()


def verifiers(world: World) -> Iterator[str]:
    """The code verifiers, which never leave fastkey but for WhiteBIT: unsealed, as KMS lets this test do."""
    kms = world.client("kms")
    for item in world.client("dynamodb").scan(TableName=world.tables["Authorizations"])["Items"]:
        context = {"connection_id": item["connection_id"]["S"], "purpose": "verifier"}
        yield kms.decrypt(CiphertextBlob=item["verifier"]["B"], EncryptionContext=context)["Plaintext"].decode()


def collect(world: World, evidence: Evidence, events: EventQueue) -> None:
    """Everything that the run left behind."""
    for name in world.functions.specs():
        evidence.found(f"log of {name}", "\n".join(world.functions.logs(name)))
    workflows = world.client("stepfunctions")
    for name, arn in world.state_machines.items():
        for execution in workflows.list_executions(stateMachineArn=arn)["executions"]:
            evidence.found(f"history of {name}", workflows.describe_execution(executionArn=execution["executionArn"]))
            history = workflows.get_execution_history(executionArn=execution["executionArn"], maxResults=1000)
            evidence.found(f"history of {name}", history["events"])
    for event in events.drain():
        evidence.found("events", event)
    for name, table in world.tables.items():
        for item in world.client("dynamodb").scan(TableName=table)["Items"]:
            evidence.found(f"items of {name}", item)
    for kind, values in requests.get(f"{world.sandbox_control}/secrets", timeout=10).json().items():
        evidence.know(kind, *values)
    evidence.know("client_secret", world.client_secret)


@pytest.fixture(scope="module")
def evidence(world: World, revision: Revision) -> Iterator[Evidence]:
    gathered, events = Evidence(), EventQueue(world.client)
    logbook, logger = Logbook(gathered), logging.getLogger("local")
    level = logger.level
    logger.addHandler(logbook)
    logger.setLevel(logging.DEBUG)
    echo = {"data": {"apiSecret": 5, "message": [f"no model fits this, and it repeats {world.client_secret}"]}}
    secret = {"method": "GET", "path": "/oauth2/api-key/*/secret"}
    travel(world, revision, gathered)
    travel(world, revision, gathered, method="POST", path="/oauth2/token", kind="drop_after")
    travel(world, revision, gathered, **secret, kind="drop_after", truncate=60)
    travel(world, revision, gathered, **secret, kind="body", body=echo)
    collect(world, gathered, events)
    yield gathered
    logger.removeHandler(logbook)
    logger.setLevel(level)


class Logbook(logging.Handler):
    """Keeps what the local world logs, the functions' own lines and the gateway's access log among it."""

    def __init__(self, evidence: Evidence) -> None:
        super().__init__(logging.DEBUG)
        self._evidence = evidence

    def emit(self, record: logging.LogRecord) -> None:
        self._evidence.found("log of the local world", record.getMessage())


def test_every_kind_of_secret_was_there_to_be_leaked(evidence: Evidence, revision: Revision) -> None:
    missing = {kind for kind in KINDS if not evidence.secrets.get(kind)}
    assert missing == (set() if revision is Revision.AUGUST_2026 else {"refresh_token"})


def test_every_place_was_looked_at(evidence: Evidence, world: World) -> None:
    expected = {f"log of {name}" for name in world.functions.specs()} | {f"items of {name}" for name in world.tables}
    expected |= {f"history of {name}" for name in world.state_machines} | {" ".join(place) for place in BY_DESIGN}
    expected |= {"events", "answers' body", "answers' headers", "log of the local world"}
    assert expected <= set(evidence.texts) | {"items of KeyHolders"}


def test_no_secret_is_found_where_none_belongs(evidence: Evidence) -> None:
    allowed = {(kind, " ".join(place)) for place, kinds in BY_DESIGN.items() for kind in kinds}
    assert evidence.leaks() - allowed == set()
    assert allowed <= evidence.leaks()


def test_a_secret_in_any_place_and_dress_would_be_found(evidence: Evidence) -> None:
    for place in evidence.texts:
        for kind, values in evidence.secrets.items():
            for form in forms(next(iter(values))):
                planted = Evidence(evidence.secrets, {place: [f"a line with {form} in it"]})
                assert (kind, place) in planted.leaks()
