"""The two WhiteBITs that a suite is run against: the fake, and the adapter that ships with the sandbox behind it."""

from datetime import UTC, datetime, timedelta
from typing import Protocol

from werkzeug.serving import make_server

from fastkey.adapters.whitebit import WhiteBitClient
from fastkey.domain.secret import Secret
from fastkey.ports import WhiteBit
from local.whitebit import Options, Revision, Server
from local.whitebit.keys import Key
from local.whitebit.permissions import resolve
from local.whitebit.sandbox import FIRST_USER_PASSWORD, Sandbox
from local.whitebit.server import WithoutLog
from local.whitebit.user import UserAgent
from local.whitebit.users import User
from local.whitebit.web.app import create_app
from tests.fakes.system import FakeClock
from tests.fakes.whitebit import FakeWhiteBit

ACCOUNT = "ada@example.com"
LOCK = timedelta(seconds=60)


class Subject(Protocol):
    """WhiteBIT, and what its one user can do there and what can befall the key."""

    @property
    def port(self) -> WhiteBit: ...

    def consent(self, challenge: str) -> Secret:
        """Gives the code."""
        ...

    def create_key(self, *permissions: str) -> tuple[str, str]:
        """Gives the external id and the secret."""
        ...

    def external_id(self) -> str:
        """The key's."""
        ...

    def refuses(self) -> bool:
        """Whether the gate lets the user not even consent."""
        ...

    def may_create_key(self) -> bool:
        """Whether the key page, to which the user comes after the consent, lets the user create a key."""
        ...

    def disable(self) -> None: ...

    def lock(self) -> None:
        """Another read holds the key's lock, for as long as LOCK."""
        ...

    def remove_key(self) -> None: ...

    def change_password(self) -> None: ...

    def withdraw(self) -> None: ...

    def advance(self, **time: float) -> None: ...

    def now(self) -> datetime:
        """WhiteBIT's time."""
        ...


class Fake:
    """The fake."""

    def __init__(self, revision: Revision) -> None:
        self._clock = FakeClock()
        self.port = FakeWhiteBit(self._clock, revision)

    def consent(self, challenge: str) -> Secret:
        return self.port.consent(ACCOUNT, challenge)

    def create_key(self, *permissions: str) -> tuple[str, str]:
        key = self.port.create_key(ACCOUNT, *permissions)
        return key.external_id, key.secret

    def external_id(self) -> str:
        return self.port.keys[ACCOUNT].external_id

    def disable(self) -> None:
        self.port.keys[ACCOUNT].enabled = False

    def lock(self) -> None:
        self.port.keys[ACCOUNT].locked_until = self._clock.now() + LOCK

    def refuses(self) -> bool:
        return self.port.refuses(ACCOUNT)

    def may_create_key(self) -> bool:
        return self.port.may_create_key(ACCOUNT)

    def remove_key(self) -> None:
        self.port.remove_key(ACCOUNT)

    def change_password(self) -> None:
        self.port.change_password(ACCOUNT)

    def withdraw(self) -> None:
        self.port.withdraw(ACCOUNT)

    def advance(self, **time: float) -> None:
        self._clock.advance(timedelta(**time))

    def now(self) -> datetime:
        return self._clock.now()


class Real:
    """The adapter, over HTTP to a sandbox whose state is moved from here, as its pages would."""

    def __init__(self, revision: Revision) -> None:
        options = Options(revision=revision)
        app = create_app(options)
        self._sandbox: Sandbox = app.extensions["whitebit"]
        self._server = Server(make_server("127.0.0.1", 0, app, threaded=True, request_handler=WithoutLog))
        self._revision = revision
        self.port = WhiteBitClient(
            self._server.url, options.client_id, lambda: Secret(options.client_secret), SandboxClock(self._sandbox)
        )
        self.port.prepare()

    def close(self) -> None:
        self._server.close()

    def consent(self, challenge: str) -> Secret:
        if self._revision is Revision.MAY_2026 and self._sandbox.partner_key(self._user) is None:
            self.create_key()
        return Secret(self._sandbox.tokens.issue_code(ACCOUNT, challenge))

    def create_key(self, *permissions: str) -> tuple[str, str]:
        key = self._sandbox.create_partner_key(self._user, resolve(permissions))
        return key.external_id, key.secret

    def external_id(self) -> str:
        return self._key.external_id

    def disable(self) -> None:
        self._key.disabled = True

    def lock(self) -> None:
        self._key.locked_until = self._sandbox.clock.now() + LOCK.total_seconds()

    def refuses(self) -> bool:
        return self._sandbox.objection(self._user) is not None

    def may_create_key(self) -> bool:
        browser = UserAgent(self._server.url)
        browser.open(f"{self._server.url}/keys/new")
        browser.log_in(ACCOUNT, FIRST_USER_PASSWORD)
        return browser.page == "permissions"

    def remove_key(self) -> None:
        if key := self._sandbox.partner_key(self._user):
            self._sandbox.keys.remove(key.external_id)

    def change_password(self) -> None:
        self._sandbox.change_password(self._user, "another")

    def withdraw(self) -> None:
        self._sandbox.withdraw_authorization(self._user)

    def advance(self, **time: float) -> None:
        self._sandbox.clock.advance(timedelta(**time).total_seconds())

    def now(self) -> datetime:
        return SandboxClock(self._sandbox).now()

    @property
    def _user(self) -> User:
        return self._sandbox.users.get(ACCOUNT)

    @property
    def _key(self) -> Key:
        key = self._sandbox.partner_key(self._user)
        assert key
        return key


class SandboxClock:
    """A clock that agrees with the sandbox's."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._sandbox.clock.now(), UTC)

    def wait(self, time: timedelta) -> None:
        self._sandbox.clock.advance(time.total_seconds())
