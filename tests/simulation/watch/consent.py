"""From the click to the completion: I1, I2, I11."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

from fastkey.domain.authorization import code_challenge
from fastkey.domain.connection import Connection
from fastkey.domain.secret import Secret
from fastkey.domain.status import Status
from tests.simulation.lambdas import Invocation
from tests.simulation.watch.record import REQUEST, Record


class Consent:
    """Who consented, and what was made of it."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._codes: set[str] = set()

    def exchanging(self, invocation: Invocation, code: Secret, verifier: Secret) -> None:
        violate = self._record.violate
        if code.reveal() in self._codes:
            violate("I1", f"{invocation.label}: a code is sent again")
        self._codes.add(code.reveal())
        state = parse_qs(invocation.event["rawQueryString"])["state"][0]
        departure = self._record.departures.get(state)
        if departure is None:
            violate("I2", f"{invocation.label}: an exchange for a state that nobody left with")
            return
        if departure.cookie not in invocation.event.get("cookies", ()):
            violate("I2", f"{invocation.label}: an exchange without the browser's cookie")
        if code_challenge(verifier) != departure.challenge:
            violate("I2", f"{invocation.label}: an exchange with another's verifier")
        if self._record.now > departure.at + timedelta(minutes=10) + REQUEST + self._record.skew:
            violate("I11", f"{invocation.label}: an exchange for a state that had expired")

    def reading(self, invocation: Invocation, _token: Any, _external_id: str) -> None:
        conduct = self._record.conduct[invocation.connection_id or ""]
        if not conduct.completed or conduct.refused:
            self._record.violate("I2", f"{invocation.label}: a capture that the user who started did not complete")

    def saved(self, invocation: Invocation, _result: None, before: Connection, after: Connection) -> None:
        left = before.status is Status.STARTED and after.status is Status.CONSENTING
        if left and self._record.now > before.created_at + timedelta(minutes=5) + REQUEST + self._record.skew:
            self._record.violate("I11", f"{invocation.label}: a ticket that had expired was taken")
