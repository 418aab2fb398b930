"""What the use cases need of the world. Adapters implement these over AWS and the network, fakes in memory; one
contract suite tests both.

Where a call's answer is lost, it may still have had its effect: `WhiteBitUnavailable` and `StorageUnavailable` mean
"maybe", never "no".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

# They stand in annotations alone, and a function that starts has no time for what it may not use.
if TYPE_CHECKING:
    from fastkey.domain.account import Data, Read
    from fastkey.domain.authorization import Authorization
    from fastkey.domain.connection import Connection
    from fastkey.domain.event import Event
    from fastkey.domain.key import CapturedKey, KeyInfo
    from fastkey.domain.pace import Pace
    from fastkey.domain.permissions import Ability
    from fastkey.domain.secret import Secret
    from fastkey.domain.tokens import TokenGrant


class Purpose(StrEnum):
    """What a sealed value is for. It is bound into the seal, so that one kind cannot be opened as another."""

    VERIFIER = "verifier"
    TOKEN = "token"  # noqa: S105 - a name, not a token
    ESCROW = "escrow"


class Vault(StrEnum):
    """Where captured keys are stored."""

    SECRETS_MANAGER = "secretsmanager"
    DYNAMODB = "dynamodb"


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a user's connections, newest first, each with what a list shows and without what is sealed.

    `next_cursor` is None on the last.
    """

    connections: Sequence[Connection]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Due:
    """A page of connections that are due, the longest due first. `next_cursor` is None on the last."""

    connection_ids: Sequence[str]
    next_cursor: str | None


class Clock(Protocol):
    def now(self) -> datetime:
        """The time, in UTC."""
        ...

    def wait(self, time: timedelta) -> None:
        """Lets this time pass. Lambda is paid for it."""
        ...


class Entropy(Protocol):
    def identifier(self) -> str:
        """A new identifier, which need not be secret."""
        ...

    def moment(self) -> timedelta:
        """Less than a second, in whole microseconds: two leases that are taken at once end at different times by it."""
        ...

    def token(self) -> Secret:
        """A new secret of 256 random bits, as 43 characters that are safe in URLs, cookies and as a code verifier (RFC
        7636, section 4.1).
        """
        ...


class Sealer(Protocol):
    def seal(self, secret: Secret, connection_id: str, purpose: Purpose) -> bytes:
        """The secret as ciphertext that opens for the same connection and purpose only.

        At most 4,096 bytes of text (the limit of KMS).
        """
        ...

    def open(self, sealed: bytes, connection_id: str, purpose: Purpose) -> Secret:
        """What `seal` was given."""
        ...


class Starts(Protocol):
    def count(self, user_id: str, now: datetime) -> None:
        """Counts one more start of a user. Raises TooManyStarts where there were STARTS_AN_HOUR since the hour began.

        However many come at once, no more are let through.
        """
        ...


class Limits(Protocol):
    def take(self, pace: Pace, now: datetime) -> datetime:
        """Takes a token from the bucket of this pace, which is the same for the whole deployment: it begins full, with
        `burst` tokens, and gets `rate` more a second, a divisor of 1,000,000 or nearly.

        Gives the token's moment: `now`, or as much later as others were taken before; those of one bucket are at least
        1/rate apart, whoever takes them. Raises WhiteBitBusy where there is no token.
        """
        ...


class Authorizations(Protocol):
    def add(self, authorization: Authorization) -> None:
        """Keeps a pending authorization request."""
        ...

    def find(self, state: Secret) -> Authorization | None:
        """The authorization request of a state, also when it has expired: whoever asks looks at the time."""
        ...


class Connections(Protocol):
    def add(self, connection: Connection) -> None:
        """Keeps a new connection."""
        ...

    def get(self, connection_id: str) -> Connection:
        """The connection as last stored. Raises ConnectionNotFound."""
        ...

    def page(self, user_id: str, cursor: str | None) -> Page:
        """A user's connections, newest first, from a cursor that an earlier page gave.

        Raises InvalidRequest for another cursor.
        """
        ...

    def save(self, before: Connection, after: Connection) -> None:
        """Stores `after`, if what is stored is still `before`. In the same step `after` takes hold of its key, and lets
        go of the one that `before` held.

        Raises Conflict if somebody else stored meanwhile, and AccountAlreadyConnected if another connection holds the
        key.
        """
        ...

    def due(self, shard: int, now: datetime, cursor: str | None) -> Due:
        """The connections of this shard whose `due_at` has come, from a cursor that an earlier page gave.

        What was stored a moment ago may not show yet: whoever looks at one reads it first.
        """
        ...

    def kept(self, until: datetime) -> Iterator[str]:
        """The connections whose `refresh_by` comes before this, the first first. What was stored a moment ago may not
        show yet.
        """
        ...

    def count_kept(self) -> int:
        """How many connections have a `refresh_by`."""
        ...


class KeyVault(Protocol):
    """Where captured keys lie. What was done to it may take a while to show: until then a place may seem not to be
    there, and a key not to have been stored, or to have stayed.
    """

    def prepare(self, connection: Connection) -> None:
        """Makes sure that there is a place to store the connection's key."""
        ...

    def store(self, connection_id: str, key: CapturedKey) -> None:
        """Stores the key. The same key a second time changes nothing."""
        ...

    def find(self, connection_id: str) -> CapturedKey | None:
        """The stored key."""
        ...

    def shred(self, connection_id: str) -> None:
        """Removes the key at once, for good; also when it is not there, or does not show yet, and then it stays."""
        ...


class Vaults(Protocol):
    """The vault that is chosen, in which keys are stored, and the other, in which keys of before may lie."""

    @property
    def chosen_vault(self) -> KeyVault: ...
    @property
    def other_vault(self) -> KeyVault: ...


class Keys(Protocol):
    """The vault's keys, for whoever signs often. What was found stays at hand for a minute at most, so that whoever
    signs looks at the connection's status each time.
    """

    def find(self, connection_id: str) -> CapturedKey | None:
        """The stored key, as the vault has it or had it a moment ago."""
        ...

    def forget(self, connection_id: str) -> None:
        """The key is not at hand any more."""
        ...


class WhiteBit(Protocol):
    """WhiteBIT's endpoints. Each call is one request, and is never repeated.

    All raise WhiteBitUnavailable where the answer did not come or says that it could not be given, and UnexpectedAnswer
    for one that is not in the contract; those with an access token raise ConsentLost where WhiteBIT does not accept it.
    """

    def prepare(self) -> None:
        """Comes before each call for tokens, and gets ready what that needs: it does not fail for want of it then."""
        ...

    def exchange_code(self, code: Secret, verifier: Secret) -> TokenGrant:
        """Spends the authorization code (RFC 6749, section 4.1.3; RFC 7636, section 4.5).

        Raises ExchangeRefused for a clear no.
        """
        ...

    def refresh_token(self, refresh_token: Secret) -> TokenGrant:
        """A new pair; the old one is dead. Raises ConsentLost where WhiteBIT does not accept the refresh token."""
        ...

    def key_info(self, access_token: Secret) -> KeyInfo:
        """What WhiteBIT says of the user's key."""
        ...

    def read_secret(self, access_token: Secret, external_id: str) -> Secret:
        """The key's secret: WhiteBIT gives it once, ever.

        Raises SecretLost if it was given before, SecretLocked while another read holds the lock, KeyGone if there is no
        such key.
        """
        ...

    def delete_key(self, access_token: Secret, external_id: str) -> None:
        """Deletes the key. Raises KeyGone if there is no such key."""
        ...

    def try_key(self, key: CapturedKey) -> None:
        """One signed read with the key.

        Raises KeyUnusable if WhiteBIT does not accept the key; a permission that is missing is no reason.
        """
        ...

    def read_signed(self, key: CapturedKey, nonce: int, read: Read, filters: Mapping[str, str | int]) -> Data:
        """Reads the account with the key. nonce: milliseconds since 1970, close to now, and the key's alone.

        Raises KeyUnusable, PermissionMissing; InvalidRequest where WhiteBIT refuses a filter; WhiteBitBusy where it
        refuses the nonce, or takes no more calls for now.
        """
        ...

    def read_by_token(self, access_token: Secret, read: Read, filters: Mapping[str, str | int]) -> Data:
        """Reads the account with an access token. WhiteBIT announced that it removes this way.

        Raises PermissionMissing where the client's scopes do not allow it; InvalidRequest and WhiteBitBusy as above.
        """
        ...


class Events(Protocol):
    def tell(self, event: Event) -> None:
        """Hands an event over to the partner's rules. It may arrive more than once, under the same id."""
        ...

    def bury(self, event: Event) -> None:
        """Puts an event that cannot be told where people look, and from where it can be told again."""
        ...


class Workflows(Protocol):
    def start_provision(self, connection_id: str) -> None:
        """Starts ProvisionKey; a second time changes nothing."""
        ...

    def start_revoke(self, connection_id: str) -> None:
        """Starts RevokeKey; a second time changes nothing."""
        ...

    def resume(self, task_token: str) -> None:
        """Lets the workflow that waits with this token go on; also when it has gone on already."""
        ...


class Policy(Protocol):
    """What the deployment decides. URLs have no slash at the end."""

    @property
    def client_id(self) -> str: ...
    @property
    def whitebit_base_url(self) -> str: ...
    @property
    def public_url(self) -> str: ...
    @property
    def allowed_return_urls(self) -> frozenset[str]: ...
    @property
    def bearer_reads(self) -> bool: ...
    @property
    def maximum_permissions(self) -> Ability: ...
    @property
    def vault(self) -> Vault: ...


class Registry(Protocol):
    """What may be touched without meeting a secret: connections, the workflows that work on them, and what is told."""

    @property
    def clock(self) -> Clock: ...
    @property
    def connections(self) -> Connections: ...
    @property
    def workflows(self) -> Workflows: ...
    @property
    def events(self) -> Events: ...


class World(Registry, Vaults, Protocol):
    """Everything that a use case may touch outside itself. vault: both vaults as one."""

    @property
    def policy(self) -> Policy: ...
    @property
    def entropy(self) -> Entropy: ...
    @property
    def sealer(self) -> Sealer: ...
    @property
    def starts(self) -> Starts: ...
    @property
    def limits(self) -> Limits: ...
    @property
    def authorizations(self) -> Authorizations: ...
    @property
    def vault(self) -> KeyVault: ...
    @property
    def keys(self) -> Keys: ...
    @property
    def whitebit(self) -> WhiteBit: ...
