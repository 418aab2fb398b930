"""A user's way to a key, step by step, through the use cases."""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from fastkey.domain.authorization import AuthorizationResponse
from fastkey.domain.connection import Connection
from fastkey.domain.errors import FastkeyError
from fastkey.domain.secret import Secret
from fastkey.domain.status import Status
from fastkey.usecases.authorize import Departure, authorize
from fastkey.usecases.callback import callback
from fastkey.usecases.capture_secret import capture_secret
from fastkey.usecases.complete_connection import complete_connection
from fastkey.usecases.delete_key import delete_key
from fastkey.usecases.detect_key import Detection, detect_key
from fastkey.usecases.lease import CLOCK_SKEW
from fastkey.usecases.revoke_connection import revoke_connection
from fastkey.usecases.start_connection import start_connection
from fastkey.usecases.verify_key import verify_key
from tests.fakes.whitebit import IssuedKey
from tests.fakes.world import RETURN_URL, FakeWorld

# How long a step may take, and for how long its lease holds at the most where it died.
ATTEMPT = timedelta(seconds=240)
LEASE = ATTEMPT + CLOCK_SKEW + timedelta(seconds=1)


def parameters(url: Secret) -> dict[str, str]:
    """The query of a URL, each parameter once."""
    return {name: value for name, (value,) in parse_qs(urlsplit(url.reveal()).query).items()}


@dataclass(slots=True)
class Journey:
    """One user and one connection. Every step takes the last one's outcome, and gives the journey back.

    permissions: of the key that the user creates where a test creates none. keep_token: see `start_connection`. counts:
    of looks for the key.
    """

    world: FakeWorld
    user_id: str = "user-1"
    account: str = "ada"
    permissions: tuple[str, ...] = ("trading",)
    keep_token: bool = False
    connection_id: str = ""
    ticket: Secret = field(default_factory=lambda: Secret(""))
    departure: Departure = field(default_factory=lambda: Departure(Secret(""), "", Secret("")))
    code: Secret = field(default_factory=lambda: Secret(""))
    completion: Secret = field(default_factory=lambda: Secret(""))
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def connection(self) -> Connection:
        return self.world.connections.get(self.connection_id)

    @property
    def state(self) -> Secret:
        return Secret(parameters(self.departure.url)["state"])

    @property
    def key(self) -> IssuedKey:
        return self.world.whitebit.keys[self.account]

    def start(self) -> "Journey":
        return self.start_for(RETURN_URL)

    def start_for(self, return_url: str) -> "Journey":
        started = start_connection(self.world, self.user_id, return_url, keep_token=self.keep_token)
        self.connection_id = started.connection.connection_id
        self.ticket = Secret(parameters(started.authorize_url)["ticket"])
        return self

    def visit(self) -> "Journey":
        """The browser appears with its ticket, and leaves for WhiteBIT."""
        self.departure = authorize(self.world, self.ticket)
        return self

    def consent(self) -> "Journey":
        self.code = self.world.whitebit.consent(self.account, parameters(self.departure.url)["code_challenge"])
        return self

    def come_back(self) -> Secret:
        """The browser comes back with its code. Gives the URL that it is sent to."""
        response = AuthorizationResponse(self.state, self.code)
        url = callback(self.world, response, self.departure.cookie, self.deadline)
        self.completion = Secret(parameters(url)["completion"])
        return url

    def come_to_consent(self) -> "Journey":
        return self.start().visit().consent()

    def authorize(self) -> "Journey":
        """As far as the tokens."""
        self.come_to_consent().come_back()
        return self

    def await_completion(self, task_token: str) -> bool:
        """ProvisionKey's first state leaves its task token, unless somebody has decided already. Says whether it waits.

        The condition is that of AwaitCompletion in the state machine.
        """
        before = self.connection
        if before.status not in (Status.CONSENTING, Status.EXCHANGING, Status.AUTHORIZED) or before.completed_at:
            return False
        self.world.connections.save(before, replace(before, task_token=task_token, version=before.version + 1))
        return True

    def complete(self) -> "Journey":
        complete_connection(self.world, self.connection_id, self.user_id, self.completion)
        return self

    def wait_for(self, time: timedelta) -> "Journey":
        self.world.clock.advance(time)
        return self

    def wait(self, **time: float) -> "Journey":
        return self.wait_for(timedelta(**time))

    def create_key(self, *permissions: str) -> "Journey":
        self.world.whitebit.create_key(self.account, *permissions)
        return self

    @property
    def deadline(self) -> datetime:
        """When Lambda stops an attempt that begins now."""
        return self.world.clock.now() + ATTEMPT

    def detect(self) -> Detection:
        return detect_key(self.world, self.connection_id, self.deadline, self.counts)

    def claim(self) -> "Journey":
        """As far as the key, whose secret can be read now."""
        self.authorize().complete()
        if self.account not in self.world.whitebit.keys:
            self.create_key(*self.permissions)
        assert self.detect().found
        return self

    def capture(self) -> Connection:
        return capture_secret(self.world, self.connection_id, self.deadline)

    def activate(self) -> "Journey":
        """The whole way."""
        self.claim().capture()
        self.verify()
        return self

    def verify(self) -> Connection:
        return verify_key(self.world, self.connection_id, self.deadline)

    def revoke(self) -> Connection:
        return revoke_connection(self.world, self.connection_id, self.user_id)

    def delete(self, cause: type[FastkeyError], *, leave_to_user: bool = False) -> Connection:
        return delete_key(self.world, self.connection_id, cause, self.deadline, leave_to_user=leave_to_user)
