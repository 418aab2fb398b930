"""What is kept: starts, authorization requests and connections by the rules of DynamoDB, captured keys by Secrets
Manager's.
"""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from fastkey.domain.authorization import Authorization
from fastkey.domain.connection import Connection
from fastkey.domain.errors import (
    AccountAlreadyConnected,
    Conflict,
    ConnectionNotFound,
    InvalidRequest,
    StorageUnavailable,
    TooManyStarts,
    WhiteBitBusy,
)
from fastkey.domain.key import CapturedKey
from fastkey.domain.pace import STARTS_AN_HOUR, Pace
from fastkey.domain.secret import Secret
from fastkey.ports import Clock, Due, Page
from tests.fakes.interruptions import Interruptible, interruptible
from tests.fakes.lag import History, Lag, no_lag

PAGE_SIZE = 25

# Greater than any id.
LAST = chr(0x10FFFF)

# The versions of a secret by their ids, the current one last. A place that is prepared and still empty has none.
Versions = dict[str, CapturedKey]


class FakeStarts(Interruptible):
    """How often each user has started, by the hour."""

    def __init__(self) -> None:
        super().__init__()
        self._counts: Counter[tuple[str, datetime]] = Counter()

    @interruptible
    def count(self, user_id: str, now: datetime) -> None:
        hour = now.replace(minute=0, second=0, microsecond=0)
        if self._counts[user_id, hour] >= STARTS_AN_HOUR:
            raise TooManyStarts
        self._counts[user_id, hour] += 1


class FakeLimits(Interruptible):
    """Buckets of tokens, by when each will be full."""

    def __init__(self) -> None:
        super().__init__()
        self._full_at: dict[str, datetime] = {}

    @interruptible
    def take(self, pace: Pace, now: datetime) -> datetime:
        interval, moment = timedelta(microseconds=1_000_000 // pace.rate), max(self._full_at.get(pace.name, now), now)
        if moment > now + (pace.burst - 1) * interval:
            raise WhiteBitBusy
        self._full_at[pace.name] = moment + interval
        return moment


class FakeAuthorizations(Interruptible):
    """Authorization requests by the digest of their state."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: dict[str, Authorization] = {}

    def all(self) -> list[Authorization]:
        """Every request, for whoever checks what must always hold."""
        return list(self._kept.values())

    def expire(self, now: datetime) -> None:
        """The table's TTL acts: what is due is removed. It may come days late, or never
        (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html).
        """
        self._kept = {digest: kept for digest, kept in self._kept.items() if not _is_due(kept.expires_at, now)}

    @interruptible
    def add(self, authorization: Authorization) -> None:
        self._kept[authorization.state_digest] = authorization

    @interruptible
    def find(self, state: Secret) -> Authorization | None:
        return self._kept.get(state.digest())


class FakeConnections(Interruptible):
    """Connections by id. Pages come from an index, which is behind by the lag.

    holders: who holds which key, the connection's id by the external id; a table of its own, as the adapter has it.
    """

    def __init__(self, clock: Clock, lag: Lag = no_lag) -> None:
        super().__init__()
        self.holders: dict[str, str] = {}
        self._clock = clock
        self._lag = lag
        self._kept: defaultdict[str, History[Connection]] = defaultdict(History)
        # By shard, in order: when connections were or will be due, in any state that a reader may still see.
        self._queues: defaultdict[int, list[tuple[datetime, str]]] = defaultdict(list)

    def all(self) -> list[Connection]:
        """Every connection, for whoever checks what must always hold."""
        return [kept.latest for kept in self._kept.values() if kept.latest]

    def expire(self, now: datetime) -> None:
        """The table's TTL acts: what is due is removed."""
        for connection in self.all():
            if connection.remove_at and _is_due(connection.remove_at, now):
                self._kept[connection.connection_id].record(now, None)

    def next_due(self) -> datetime | None:
        """When the first of all is due, or was, for whoever moves the clock there."""
        firsts = (
            next((place for place in queue if self._is_at(place, self._kept[place[1]].latest)), None)
            for queue in self._queues.values()
        )
        return min((first[0] for first in firsts if first), default=None)

    @interruptible
    def add(self, connection: Connection) -> None:
        if self._kept[connection.connection_id].latest:
            raise StorageUnavailable
        self._record(connection)

    @interruptible
    def get(self, connection_id: str) -> Connection:
        kept = self._kept.get(connection_id)
        if kept is None or kept.latest is None:
            raise ConnectionNotFound
        return kept.latest

    @interruptible
    def page(self, user_id: str, cursor: str | None) -> Page:
        mine = sorted((c for c in self._shown() if c.user_id == user_id), key=_position, reverse=True)
        after = _parse(cursor) if cursor else None
        rest = [c for c in mine if after is None or _position(c) < after]
        page = rest[:PAGE_SIZE]
        return Page(page, "#".join(_position(page[-1])) if len(rest) > PAGE_SIZE else None)

    @interruptible
    def due(self, shard: int, now: datetime, cursor: str | None) -> Due:
        if cursor:
            _parse(cursor)
        moment = self._clock.now() - self._lag()
        places = [place for place in self._queue(shard, now) if self._is_at(place, self._kept[place[1]].as_of(moment))]
        rest = [f"{at.isoformat()}#{connection_id}" for at, connection_id in places]
        rest = [place for place in rest if cursor is None or place > cursor]
        page = rest[:PAGE_SIZE]
        return Due([place.partition("#")[2] for place in page], page[-1] if len(rest) > PAGE_SIZE else None)

    @interruptible
    def kept(self, until: datetime) -> Iterator[str]:
        places = sorted((c.refresh_by, c.connection_id) for c in self._shown() if c.refresh_by and c.refresh_by < until)
        return iter([connection_id for _, connection_id in places])

    @interruptible
    def count_kept(self) -> int:
        return sum(c.refresh_by is not None for c in self._shown())

    @interruptible
    def save(self, before: Connection, after: Connection) -> None:
        kept = self._kept.get(before.connection_id)
        if kept is None or kept.latest is None or kept.latest.version != before.version:
            raise Conflict
        if after.held_key != before.held_key:
            self._hold(before, after)
        self._record(after)

    def _record(self, connection: Connection) -> None:
        self._kept[connection.connection_id].record(self._clock.now(), connection)
        if connection.due_at is None:
            return
        queue, place = self._queues[connection.shard], (connection.due_at, connection.connection_id)
        index = bisect_left(queue, place)
        if queue[index : index + 1] != [place]:
            queue.insert(index, place)

    def _queue(self, shard: int, until: datetime) -> list[tuple[datetime, str]]:
        """The places up to then. Those where no reader can see anybody any more are given up."""
        queue, now = self._queues[shard], self._clock.now()
        end = bisect_right(queue, (until, LAST))
        queue[:end] = places = [
            place for place in queue[:end] if any(self._is_at(place, c) for c in self._kept[place[1]].states(now))
        ]
        return places

    @staticmethod
    def _is_at(place: tuple[datetime, str], connection: Connection | None) -> bool:
        return connection is not None and connection.due_at == place[0]

    def _shown(self) -> Iterator[Connection]:
        """What an index shows."""
        moment = self._clock.now() - self._lag()
        return filter(None, (kept.as_of(moment) for kept in self._kept.values()))

    def _hold(self, before: Connection, after: Connection) -> None:
        """As the adapter's transaction: it takes hold, or lets go."""
        if after.held_key:
            if self.holders.setdefault(after.held_key, after.connection_id) != after.connection_id:
                raise AccountAlreadyConnected
        elif before.held_key:
            self.holders.pop(before.held_key, None)


class FakeVault(Interruptible):
    """Keys by connection, each in a place of its own. What a call sees is behind by the lag, what it does is not;
    without a lag it is as the vault in DynamoDB.

    A name whose place was shredded is being deleted for as long as the lag, and cannot be used again before
    (https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html, ForceDeleteWithoutRecovery).
    """

    def __init__(self, clock: Clock, lag: Lag = no_lag) -> None:
        super().__init__()
        self._clock = clock
        self._lag = lag
        self._kept: defaultdict[str, History[Versions]] = defaultdict(History)
        self._shredded: dict[str, datetime] = {}

    def truth(self, connection_id: str) -> CapturedKey | None:
        """The key as it is and not as it is seen, for whoever checks what must always hold."""
        return _current(self._kept[connection_id].latest)

    def exists(self, connection_id: str) -> bool:
        """Whether there is a place, with a key or without, for whoever checks what must always hold."""
        return self._kept[connection_id].latest is not None

    @interruptible
    def prepare(self, connection: Connection) -> None:
        place, now = self._kept[connection.connection_id], self._clock.now()
        if place.latest is not None:
            return
        shredded = self._shredded.get(connection.connection_id)
        if shredded and now - shredded < self._lag():
            raise StorageUnavailable
        place.record(now, {})

    @interruptible
    def store(self, connection_id: str, key: CapturedKey) -> None:
        place = self._kept[connection_id]
        if self._seen(place) is None or place.latest is None:
            raise StorageUnavailable
        known = place.latest.get(key.version)
        if known is None:
            place.record(self._clock.now(), {**place.latest, key.version: key})
        elif known.to_json() != key.to_json():
            raise StorageUnavailable

    @interruptible
    def find(self, connection_id: str) -> CapturedKey | None:
        return _current(self._seen(self._kept[connection_id]))

    @interruptible
    def shred(self, connection_id: str) -> None:
        place = self._kept[connection_id]
        if self._seen(place) is not None and place.latest is not None:
            place.record(self._clock.now(), None)
            self._shredded[connection_id] = self._clock.now()

    def _seen(self, place: History[Versions]) -> Versions | None:
        return place.as_of(self._clock.now() - self._lag())


def _current(versions: Versions | None) -> CapturedKey | None:
    return next(reversed(versions.values())) if versions else None


def _is_due(at: datetime, now: datetime) -> bool:
    """Whether the TTL, which knows whole seconds, may have removed it."""
    return int(at.timestamp()) < now.timestamp()


def _position(connection: Connection) -> tuple[str, str]:
    return connection.created_at.isoformat(timespec="microseconds"), connection.connection_id


def _parse(cursor: str) -> tuple[str, str]:
    try:
        created, connection_id = cursor.split("#")
        datetime.fromisoformat(created)
    except ValueError:
        raise InvalidRequest from None
    return created, connection_id
