"""What people, partners, histories and logs are told: I8, and of I9, I10 and I11 what is shown of a connection."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fastkey.adapters.events import _entry
from fastkey.domain.connection import Connection
from fastkey.domain.event import Event
from fastkey.domain.status import Status
from tests.fakes.system import CANARY
from tests.simulation.asl import Failure
from tests.simulation.lambdas import Invocation
from tests.simulation.watch.record import OVER, SETTLED, UNDER_WAY, Departure, Record


class Telling:
    """Reads what is told."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._secrets = [CANARY]

    def no_secret(self, where: str, *texts: str | None) -> None:
        """Looks for secrets and completions."""
        told = "\n".join(filter(None, texts))
        if any(map(told.__contains__, self._secrets)):
            self._record.violate("I8", f"a secret in {where}")

    def crashed(self, failure: Failure) -> None:
        """A function told its invoker that it failed."""
        self.no_secret("an error", failure.cause)

    def history(self, payload: Any, answer: Any) -> None:
        """An execution history has a new entry."""
        self.no_secret("a history", str(payload), str(answer))

    def telling(self, _invocation: Invocation, event: Event) -> None:
        self.no_secret("an event", str(_entry(event)))

    def saved(self, _invocation: Invocation, _result: None, _before: Connection, after: Connection) -> None:
        self.no_secret("a connection", after.ticket_digest, after.completion_digest, after.task_token, after.reason)

    # ---- Answers -----------------------------------------------------------------------------------------------------

    def answer(self, invocation: Invocation, answer: Mapping[str, Any]) -> None:
        """A browser or a frontend got an answer."""
        name, body, cookies = invocation.function.name, answer["body"], answer["cookies"]
        headers = dict(answer["headers"])
        # What the protocol has to hand over travels there, and nowhere else.
        match name, answer["statusCode"]:
            case "StartConnection", 201:
                body = "".join(value for field, value in json.loads(body).items() if field != "authorize_url")
            case "Authorize", 302:
                headers["Location"] = self._departed(headers["Location"], cookies[0])
                cookies = ()
            case "Callback", 303:
                headers["Location"] = self._returned(headers["Location"])
            case ("GetConnection", 200) | ("CompleteConnection" | "RevokeConnection", 202):
                document = json.loads(body)
                for shown in document.get("connections", [document]):
                    self._check_shown(self._record.seen[invocation, shown["connection_id"]], shown)
        self.no_secret(f"the answer of {name}", body, *headers.values(), *cookies)

    def _departed(self, location: str, cookie: str) -> str:
        """Gives the rest of the location."""
        sent = parse_qs(urlsplit(location).query)
        state = sent["state"][0]
        departure = Departure(cookie.partition(";")[0], sent["code_challenge"][0], self._record.now)
        self._record.departures[state] = departure
        return location.replace(state, "")

    def _returned(self, location: str) -> str:
        """Gives the rest of the location."""
        completion = parse_qs(urlsplit(location).query).get("completion", [""])[0]
        if not completion:
            return location
        self._secrets.append(completion)
        return location.replace(completion, "")

    # ---- Connections in them -----------------------------------------------------------------------------------------

    def _check_shown(self, connection: Connection, shown: Mapping[str, Any]) -> None:
        self._check_status(connection, shown["status"])
        self._check_life(connection, shown["key_lives_until"])

    def _check_status(self, connection: Connection, status: str) -> None:
        now, skew = self._record.now, self._record.skew
        is_pending = connection.status not in OVER | SETTLED
        waits = connection.status in (Status.STARTED, Status.CONSENTING)
        over_at = connection.expires_at + UNDER_WAY
        if waits and status == "pending" and now > over_at + skew:
            self._record.violate("I11", f"{connection.connection_id} is shown as pending after its time")
        has_expired = waits and status == "expired" and now > over_at - skew
        if status != ("pending" if is_pending else connection.status) and not has_expired:
            self._record.violate("I9", f"{connection.connection_id} is {connection.status}, and shown as {status}")

    def _check_life(self, connection: Connection, lives_until: str | None) -> None:
        record, connection_id = self._record, connection.connection_id
        may_live = connection.status in (Status.REVOKING, Status.NEEDS_USER_ACTION)
        if may_live is not (lives_until is not None):
            record.violate("I10", f"{connection_id} is {connection.status}: its key lives until {lives_until}")
        key = record.fakes.whitebit.issued.get(connection.external_id or "")
        if key and lives_until and record.fakes.whitebit.lives(key.external_id):
            end = datetime.fromisoformat(lives_until) + UNDER_WAY + record.skew
            if key.is_active(end):
                record.violate("I10", f"{connection_id}: its key lives longer than until {lives_until}")
