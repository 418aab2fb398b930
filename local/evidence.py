"""The search for secrets in whatever a run of the local world leaves behind.

Every secret is collected from where it was made, and looked for in every log line, execution history, event, message
in a queue, DynamoDB item and HTTP answer. The only places where one may be are those that the protocol puts it in: they
are named here.
"""

import json
import logging
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, quote, urlsplit

import requests

from local.events import EventQueue, drain
from local.world import World

# What has to be in an answer, by (method, path, part of the answer).
BY_DESIGN = {
    ("POST", "/connections", "body"): {"ticket"},
    ("GET", "/authorize", "headers"): {"state", "cookie"},
    ("GET", "/callback", "headers"): {"completion"},
}

ALLOWED = {(kind, " ".join(place)) for place, kinds in BY_DESIGN.items() for kind in kinds}


@dataclass
class Evidence:
    """The secrets of a run by kind, and every text that it left, by the place where it was left."""

    secrets: dict[str, set[str]] = field(default_factory=dict)
    texts: dict[str, list[str]] = field(default_factory=dict)

    def know(self, kind: str, *values: str) -> None:
        self.secrets.setdefault(kind, set()).update(value for value in values if value)

    def found(self, place: str, text: object) -> None:
        self.texts.setdefault(place, []).append(text if isinstance(text, str) else json.dumps(text, default=str))

    def answered(self, method: str, path: str, headers: Mapping[str, str], body: str) -> None:
        """Keeps an answer of fastkey's, and learns the secrets that the protocol puts into it."""
        location = parse_qs(urlsplit(headers.get("Location", "")).query)
        self.know("state", *location.get("state", []))
        self.know("completion", *location.get("completion", []))
        self.know("cookie", headers.get("Set-Cookie", "").partition(";")[0].partition("=")[2])
        if (method, path) == ("POST", "/connections"):
            self.know("ticket", body.partition("?ticket=")[2].partition('"')[0])
        for part, text in (("body", body), ("headers", json.dumps(dict(headers)))):
            place = (method, path, part)
            self.found(" ".join(place) if place in BY_DESIGN else f"answers' {part}", text)

    def leaks(self) -> set[tuple[str, str]]:
        """The kind of each secret that was found, and where."""
        whole = {place: "\n".join(texts) for place, texts in self.texts.items()}
        return {
            (kind, place)
            for kind, values in self.secrets.items()
            for place, text in whole.items()
            if any(form in text for value in values for form in forms(value))
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
    """Has every answer of fastkey's in this session kept."""

    def examine(answer: requests.Response, **_: object) -> None:
        if answer.url.startswith(world.gateway):
            path, method = urlsplit(answer.url).path, answer.request.method or ""
            evidence.answered(method, path, answer.headers, answer.text)

    session.hooks["response"].append(examine)


@contextmanager
def gathering(world: World) -> Iterator[Evidence]:
    """Evidence that has what the local world logs during the block, and all that the run left behind after it."""
    evidence, events = Evidence(), EventQueue(world.client)
    logbook, logger = Logbook(evidence), logging.getLogger("local")
    level = logger.level
    logger.addHandler(logbook)
    logger.setLevel(logging.DEBUG)
    try:
        yield evidence
        collect(world, evidence, events)
    finally:
        logger.removeHandler(logbook)
        logger.setLevel(level)


def collect(world: World, evidence: Evidence, events: EventQueue) -> None:
    """Everything that the run left behind."""
    for name in world.functions.specs():
        evidence.found(f"log of {name}", "\n".join(world.functions.logs(name)))
    workflows = world.client("stepfunctions")
    for name, arn in world.state_machines.items():
        for page in workflows.get_paginator("list_executions").paginate(stateMachineArn=arn):
            for execution in page["executions"]:
                which = execution["executionArn"]
                evidence.found(f"history of {name}", workflows.describe_execution(executionArn=which))
                history = workflows.get_execution_history(executionArn=which, maxResults=1000)
                evidence.found(f"history of {name}", history["events"])
    for event in events.drain():
        evidence.found("events", event)
    for name, url in world.queues.items():
        for message in drain(world.client("sqs"), url):
            evidence.found(f"messages of {name}", message)
    for name, table in world.tables.items():
        for item in world.client("dynamodb").scan(TableName=table)["Items"]:
            evidence.found(f"items of {name}", item)
    for kind, values in requests.get(f"{world.sandbox_control}/secrets", timeout=10).json().items():
        evidence.know(kind, *values)
    evidence.know("client_secret", world.client_secret)
    evidence.know("verifier", *_verifiers(world))


class Logbook(logging.Handler):
    """Keeps what the local world logs, the functions' own lines and the gateway's access log among it."""

    def __init__(self, evidence: Evidence) -> None:
        super().__init__(logging.DEBUG)
        self._evidence = evidence

    def emit(self, record: logging.LogRecord) -> None:
        self._evidence.found("log of the local world", record.getMessage())


def _verifiers(world: World) -> Iterator[str]:
    """The code verifiers, which never leave fastkey but for WhiteBIT: unsealed, as KMS lets an administrator do."""
    kms = world.client("kms")
    for item in world.client("dynamodb").scan(TableName=world.tables["Authorizations"])["Items"]:
        context = {"connection_id": item["connection_id"]["S"], "purpose": "verifier"}
        yield kms.decrypt(CiphertextBlob=item["verifier"]["B"], EncryptionContext=context)["Plaintext"].decode()
