"""Keys that live when everything is over: I10."""

import re
from datetime import datetime
from typing import Any

from fastkey.domain.connection import Connection
from fastkey.domain.status import Status
from fastkey.entry.http import describe
from tests.fakes.whitebit import IssuedKey
from tests.simulation.lambdas import Invocation
from tests.simulation.watch.record import CHECKED, SETTLED, Record

# Where a key may be left, its user reads one of these.
REMOVE = re.compile(r"\bremove (it|that)\b", re.I)


class Keys:
    """Knows who could see a key.

    By the connection's id: whether it ever had a token; who looked for its key last, and when; since when nobody looks
    any more.
    """

    def __init__(self, record: Record) -> None:
        self._record = record
        self._authorized: set[str] = set()
        self._looked: dict[str | None, tuple[Invocation, datetime]] = {}
        self._settled_at: dict[str, datetime] = {}

    def looked(self, invocation: Invocation, _answer: Any, *_args: Any) -> None:
        """WhiteBIT said whether there is a key, or did not say."""
        self._looked[invocation.connection_id] = invocation, self._record.now

    def saved(self, invocation: Invocation, _result: None, _before: Connection, after: Connection) -> None:
        connection_id = after.connection_id
        if after.tokens is not None:
            self._authorized.add(connection_id)
        if after.status in SETTLED and connection_id not in self._settled_at:
            # What appears after the last look, and before it is written that it was the last, is not seen either.
            by, at = self._looked.get(connection_id, (None, self._record.now))
            self._settled_at[connection_id] = at if by is invocation else self._record.now

    # ---- At the end --------------------------------------------------------------------------------------------------

    def check_end(self) -> None:
        """A key that lives is held by a connection, or whoever has its account was told."""
        whitebit, kept = self._record.fakes.whitebit, self._record.fakes.connections.all()
        held = {connection.external_id for connection in kept if connection.status in CHECKED}
        for account, key in whitebit.keys.items():
            if key.external_id not in held:
                self._check_left_behind(account, key)

    def _check_left_behind(self, account: str, key: IssuedKey) -> None:
        mine = [
            shown
            for shown in self._record.latest.values()
            if self._record.conduct[shown.connection_id].account == account
        ]
        able = [shown for shown in mine if self._could_see(shown.connection_id, key)]
        if not any(self._is_told(shown, key, knew=bool(able)) for shown in able or mine):
            ends = ", ".join(f"{shown.status} ({shown.reason})" for shown in mine)
            self._record.violate("I10", f"{account} has a key that nobody holds; the connections ended as {ends}")

    def _is_told(self, connection: Connection, key: IssuedKey, *, knew: bool) -> bool:
        """Whether whoever has the account was told to remove the key. knew: there was somebody who could see it."""
        conduct = self._record.conduct[connection.connection_id]
        # Where another user looks at the connection, who has the account is met when completing, or never.
        texts = conduct.visitor_told if conduct.forwarded else [describe(connection)["detail"] or ""]
        # Where the connection had a key, its text may tell of one that was made in the place of that.
        is_another = connection.external_id not in (None, key.external_id)
        is_honest = not knew or is_another or connection.status is Status.NEEDS_USER_ACTION
        return is_honest and (not texts or any(REMOVE.search(text) for text in texts))

    def _could_see(self, connection_id: str, key: IssuedKey) -> bool:
        """Whether there was a token to see the key with, and somebody who looked: else nothing can be known of it."""
        settled_at = self._settled_at.get(connection_id)
        return connection_id in self._authorized and (settled_at is None or key.created_at < settled_at)
