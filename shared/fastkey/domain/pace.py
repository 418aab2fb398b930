"""How often: WhiteBIT is asked whether the key is there, and anything else; and a user may start."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

# A person in trouble starts again a few times. More is a program, and each start costs rows, a consent and a workflow.
STARTS_AN_HOUR = 20

_EAGER = timedelta(seconds=30)


def seconds_until_next_look(waited: timedelta) -> int:
    """Seconds to wait before the next look, after having waited so long.

    WhiteBIT asks for 1-2 s up to 30 s, and for 5-10 s after that.
    """
    return 1 if waited < _EAGER else 5


# ---- WhiteBIT's limits, which are per address, and so for the whole deployment ---------------------------------------


@dataclass(frozen=True, slots=True)
class Pace:
    """A bucket that fills with `rate` tokens a second, up to `burst`. Within n seconds it gives burst + n * rate."""

    name: str
    rate: int
    burst: int


# Four fifths of the 200 calls in ten seconds: the partner's own programs may call from the same address.
HISTORY = Pace("main-account/history", rate=12, burst=40)

# Four fifths of the 1,000, among which those of the history count as well.
MAIN_ACCOUNT = Pace("main-account", rate=48, burst=160)

# Three quarters of the 12,000; and DynamoDB takes 1,000 writes of one item a second
# (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html).
TRADE_ACCOUNT = Pace("trade-account", rate=800, burst=800)


# WhiteBIT's limit, for every refresh of the deployment. Below it, there would be room for fewer. Who waits for its turn
# may be one beside the one whose turn it is.
REFRESHES = Pace("refresh", rate=1, burst=2)


def pace_of(path: str) -> Pace:
    """How often a path of WhiteBIT's may be called. Those for which it names no limit share that of the main account.

    Source: https://docs.whitebit.com/api-reference/rate-limits, and the page of `main-account/history`.
    """
    if path == "/api/v4/main-account/history":
        return HISTORY
    return TRADE_ACCOUNT if path.startswith("/api/v4/trade-account/") else MAIN_ACCOUNT


def nonces_of(external_id: str) -> Pace:
    """A bucket with a token for each millisecond, whose moments are a key's nonces: no two are the same.

    A second of them in advance is still within the five that WhiteBIT allows.
    """
    return Pace(f"nonce#{external_id}", rate=1000, burst=1000)


# Two seconds are left to the call's way, and to clocks that differ.
NONCE_LIFE = timedelta(seconds=3)


def milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970, rounded down. Floats would make one of two moments that differ."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


_LONGEST_PAUSE = timedelta(seconds=30)


def pause_after(attempt: int, chance: timedelta) -> timedelta:
    """How long to wait after the n-th attempt (from 0) that WhiteBIT had no room for: 1 s, doubling, at most 30 s.

    chance: less than a second; by it those who were refused at once do not come back at once, but after half of the
    time or more.
    """
    whole = min(timedelta(seconds=2**attempt), _LONGEST_PAUSE)
    return whole / 2 + whole / 2 * (chance / timedelta(seconds=1))
