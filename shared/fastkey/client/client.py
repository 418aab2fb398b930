"""What a program of the partner's works with."""

from collections.abc import Iterator
from contextlib import suppress
from time import monotonic, time_ns
from typing import Any

import boto3
from botocore.config import Config

from fastkey.client.connections import ActiveConnection, Connections
from fastkey.client.errors import KeyRefused, NonceTaken
from fastkey.client.keys import Keys
from fastkey.client.nonces import Nonces
from fastkey.client.sealed import Sealed, SealedKeys
from fastkey.client.whitebit import WhiteBit
from fastkey.domain.key import CapturedKey, sign

# How often a request is signed anew because another process had drawn its nonce: with twenty that call with one key in
# the same instant, all of them fail once in a million times.
DRAWS = 3

_CONFIG = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})


class Client:
    """Lists connections, reads their keys and signs with them. Threads may share one; a process makes its own.

    connections_table, keys_arn, whitebit_url: the stack's outputs ConnectionsTable, KeysArn and WhiteBitUrl. session:
    whose AWS credentials and region are used; without one boto3's own, from the environment. sealed: where keys lie
    that are not in Secrets Manager, if there may be any; they are looked for there first.
    """

    def __init__(
        self,
        connections_table: str,
        keys_arn: str,
        whitebit_url: str,
        session: boto3.Session | None = None,
        *,
        sealed: Sealed | None = None,
    ) -> None:
        session = session or boto3.Session()
        dynamodb = session.client("dynamodb", config=_CONFIG)
        self._connections = Connections(dynamodb, connections_table)
        sealed_keys = SealedKeys(dynamodb, session.client("kms", config=_CONFIG), sealed) if sealed else None
        self._keys = Keys(session.client("secretsmanager", config=_CONFIG), keys_arn, monotonic, sealed_keys)
        self._whitebit = WhiteBit(whitebit_url)
        self._nonces = Nonces()

    def connections(self, user_id: str | None = None) -> Iterator[ActiveConnection]:
        """The active connections: those of a user (`user_id` is the `sub` of the JWT), newest first, or everybody's.

        One that has just ended may still be listed, and has no key. Of everybody's, one of which fastkey has something
        to tell just then, such as other permissions, may be missing; a later list has it.
        """
        return self._connections.of_all_users() if user_id is None else self._connections.of_user(user_id)

    def key(self, connection_id: str) -> CapturedKey:
        """The connection's key, read within the last minute.

        Ask for it whenever it is used: who keeps it does not hear that the user has disconnected. Raises NoKey.
        """
        return self._keys.get(connection_id)

    def forget(self, connection_id: str) -> None:
        """Has the key read anew when it is next used: for whoever hears of a connection's end before this does."""
        self._keys.forget(connection_id)

    def call(self, connection_id: str, path: str, /, **fields: Any) -> Any:
        """Makes one V4 call with the connection's key, and gives the JSON of WhiteBIT's answer.

        path: from `/api/v4/` on. fields: the call's own, such as `ticker="BTC"`.

        Raises NoKey where the connection has none; Refused, or one of its kinds, where WhiteBIT says no; and NoAnswer
        where it says nothing: an order may then have been placed. No call is repeated that could have had its effect.
        """
        if not path.startswith("/"):
            raise ValueError("A path begins with a slash: otherwise it would name another host.")
        try:
            return self._call(self.key(connection_id), path, fields)
        except KeyRefused:
            self.forget(connection_id)
            # Raises NoKey where the key is gone here as well.
            self.key(connection_id)
            raise

    def _call(self, key: CapturedKey, path: str, fields: dict[str, Any]) -> Any:
        for _ in range(DRAWS - 1):
            with suppress(NonceTaken):
                return self._sign_and_send(key, path, fields)
        return self._sign_and_send(key, path, fields)

    def _sign_and_send(self, key: CapturedKey, path: str, fields: dict[str, Any]) -> Any:
        return self._whitebit.post(sign(key, path, self._nonces.draw(time_ns() // 1_000_000), **fields))
