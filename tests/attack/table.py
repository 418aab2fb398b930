"""What a row of the attack suite is, and what it is held to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from local.evidence import Evidence
from local.world import World
from tests.attack.wire import Answer, Sent, send
from tests.e2e.journey import Journey, Sandbox

# In every made-up value: wherever this is found afterwards, input was repeated or kept.
CANARY = "canary-b1f9"

# What an answer of a function's forbids whoever gets it.
PROTECTION = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}

BEHIND_THE_API = (
    "StartConnection",
    "Authorize",
    "Callback",
    "CompleteConnection",
    "GetConnection",
    "RevokeConnection",
)

# The state after an attack: nothing has changed anywhere, or the connection that it hit has ended (status, reason).
After = Literal["untouched"] | tuple[str, str]


@dataclass(frozen=True, slots=True)
class Attack:
    """One row: whoever does what `name` says, by sending this, gets this status and is told no more than `says` (a
    problem's code, or a message of the gateway's); WhiteBIT is called so often, and afterwards this is so.
    """

    name: str
    sent: Sent
    status: int
    says: str
    calls: int = 0
    after: After = "untouched"

    def __str__(self) -> str:
        return self.name


def get(target: str, *headers: tuple[str, str], cookie: str | None = None, method: str = "GET") -> Sent:
    """A browser's request, without a token."""
    return Sent(method, target, (*headers, *([("Cookie", cookie)] if cookie is not None else [])))


def call(method: str, target: str, body: str | bytes = b"", *, token: str = "$my_token") -> Sent:
    """A call of the API: the attacker's, as a user of their own, unless by another token."""
    return Sent(method, target, (("Authorization", f"Bearer {token}"), ("Content-Type", "application/json")), body)


class Books:
    """All that fastkey writes down."""

    def __init__(self, world: World) -> None:
        self._dynamodb, self._tables = world.client("dynamodb"), world.tables.values()
        self._executions = world.client("stepfunctions").get_paginator("list_executions")
        self._machines = world.state_machines.values()
        self._secrets = world.client("secretsmanager").get_paginator("list_secrets")
        # What was read last, for as long as nobody but attackers has done anything: reading is most of the time that
        # the suite takes.
        self._latest: list[str] | None = None

    def forget(self) -> None:
        self._latest = None

    def latest(self) -> list[str]:
        """What was read last, and is forgotten now, because something is about to be done."""
        latest = self._latest or self.read()
        self.forget()
        return latest

    def read(self) -> list[str]:
        """Every item, every execution ever started, and every version of every secret."""
        items = [item for table in self._tables for item in self._dynamodb.scan(TableName=table)["Items"]]
        pages = [page for arn in self._machines for page in self._executions.paginate(stateMachineArn=arn)]
        started = [execution["executionArn"] for page in pages for execution in page["executions"]]
        secrets = [secret for page in self._secrets.paginate() for secret in page["SecretList"]]
        stored = [(secret["Name"], sorted(secret["SecretVersionsToStages"])) for secret in secrets]
        self._latest = sorted(map(repr, [*(sorted(item.items()) for item in items), *started, *stored]))
        return self._latest


@dataclass(frozen=True, slots=True)
class Stage:
    """The running world, and what an attacker may know of it. `end` awaits the end of the connection that is hit."""

    world: World
    evidence: Evidence
    books: Books
    known: Mapping[str, str] = field(default_factory=dict)
    end: Callable[[], Mapping[str, Any]] | None = None

    def knowing(self, known: Mapping[str, str]) -> "Stage":
        """The same, for an attacker who knows more."""
        return replace(self, known={**self.known, **known})

    def of(self, user: Journey, known: Mapping[str, str]) -> "Stage":
        """A stage of one user's own, for an attack that may end a connection."""
        self.books.forget()
        return replace(self, known=known, end=user.end)

    def send(self, sent: Sent) -> Answer:
        answer = send(self.world.gateway, sent, self.known)
        self.evidence.answered(sent.method, sent.target.partition("?")[0], answer.headers, answer.text)
        return answer

    def tells(self, sent: Sent) -> tuple[object, ...]:
        """All that tells this answer from another: its bytes and, for the time that it takes, the calls of AWS made for
        it.
        """
        specs = self.world.functions.specs()
        roles = {specs[name].role for name in BEHIND_THE_API}
        judged = len(self.world.guard.judgements)
        answer = self.send(sent)
        asked = [(each.role, each.call) for each in self.world.guard.judgements[judged:] if each.role in roles]
        return answer.bytes_but_id, tuple(asked)

    def carry_out(self, attack: Attack) -> Answer:
        """Attacks, and holds what comes of it to the row."""
        before, sandbox = self.books.latest(), Sandbox(self.world)
        sandbox.forget_calls()
        answer = self.send(attack.sent)
        assert (answer.status, answer.says) == (attack.status, attack.says)
        assert CANARY not in answer.text + repr(answer.headers)
        if answer.headers.get("Content-Type") == "application/problem+json":
            assert set(answer.document) == {"type", "title", "status", "instance"}
            assert answer.document["status"] == attack.status
        if answer.headers.get("Content-Type") != "application/json" or answer.status < 300:  # not the gateway's own
            assert answer.headers.items() >= PROTECTION.items()
        if attack.after == "untouched":
            assert self.books.read() == before
        elif self.end:
            ended = self.end()
            assert (ended["status"], ended["reason"]) == attack.after
        assert len(sandbox.ask("/calls")) == attack.calls
        return answer
