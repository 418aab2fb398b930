"""What WhiteBIT is asked, how often, and with which tokens: I12, I13."""

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from typing import Any

from fastkey.domain.connection import Connection
from fastkey.domain.errors import ConsentLost, ExchangeRefused, FastkeyError, KeyGone, KeyUnusable, SecretLost
from fastkey.domain.pace import Pace
from fastkey.domain.secret import Secret
from tests.simulation.asl import Failure
from tests.simulation.lambdas import Invocation
from tests.simulation.watch.record import Record

# What WhiteBIT says for good.
FINAL = ConsentLost, ExchangeRefused, KeyGone, KeyUnusable, SecretLost

# How often a connection may ask WhiteBIT: twice as often as any did in 10,000 seeds. It looks for the key every second
# for half a minute and every five for ten minutes; a read is tried twelve times, and seven more while it is locked;
# when nobody answers, a key is tried eleven times every eleven minutes for a day, and later every minute for three
# days, if each run dies of it; and a revocation asks for the deletion and for new tokens eighty times.
BUDGET = {
    "whitebit.exchange_code": 1,
    "whitebit.key_info": 320,
    "whitebit.read_secret": 26,
    "whitebit.refresh_token": 150,
    "whitebit.try_key": 2000,
    "whitebit.read_signed": 4500,
    "whitebit.delete_key": 130,
}

# How often a refresh token may be sent within a minute: twice as often as any was.
STORM = 10


class Asking:
    """Sees to it that WhiteBIT is not asked in vain, and that tokens are refreshed one after the other."""

    def __init__(self, record: Record) -> None:
        self._record = record
        # The following by the connection's id.
        self._calls: Counter[tuple[str | None, str]] = Counter()
        self._final: set[tuple[str | None, tuple[str, str]]] = set()
        self._refreshing: dict[str | None, Invocation] = {}
        # Who may refresh once, and from when on; and when each refresh token was sent, in seconds.
        self._turns: dict[Invocation, datetime] = {}
        self._latest_turn: datetime | None = None
        self._sent: defaultdict[str, list[float]] = defaultdict(list)
        self._generations: dict[str, int] = {}

    def asked(self, call: str, invocation: Invocation, args: tuple[Any, ...]) -> None:
        """A call that has a budget begins."""
        connection_id = invocation.connection_id
        # KeepTokens asks once a minute, for as long as WhiteBIT does not answer.
        self._calls[connection_id, call] += invocation.function.name != "KeepTokens"
        times = self._calls[connection_id, call]
        if times > BUDGET[call]:
            self._record.violate("I13", f"{invocation.label}: {call} for the {times}th time")
        if (connection_id, (call, _who(invocation, call, args))) in self._final:
            self._record.violate("I13", f"{invocation.label}: {call} again after a final answer")

    def told_no(self, call: str, invocation: Invocation, args: tuple[Any, ...], error: FastkeyError) -> None:
        """A refusal reached the function."""
        if isinstance(error, FINAL):
            invocation.refusals[call, _who(invocation, call, args)] = type(error).__name__

    def heard(self, invocation: Invocation) -> None:
        """An invocation's answer reached the state machine: what WhiteBIT refused may not be asked again.

        But for a function that failed otherwise, which may not have been able to say or to keep what it was told.
        """
        failure = invocation.answer.error if isinstance(invocation.answer, Failure) else None
        for asked, error in invocation.refusals.items():
            if failure in (None, error):
                self._final.add((invocation.connection_id, asked))

    def took(self, invocation: Invocation, moment: datetime, pace: Pace, *_args: Any) -> None:
        if pace.name != "refresh":
            return
        if self._latest_turn and moment < self._latest_turn + timedelta(seconds=1):
            self._record.violate("I12", f"{invocation.label}: may refresh although another just did")
        self._latest_turn = moment
        # Its clock may be wrong, or become so: it waits for as long as that says now.
        self._turns[invocation] = moment - timedelta(seconds=invocation.skew)

    def refreshing(self, invocation: Invocation, token: Secret) -> None:
        turn = self._turns.pop(invocation, None)
        if turn is None or self._record.now < turn:
            self._record.violate("I12", f"{invocation.label}: refreshes when it is not its turn")
        now, sent = self._record.kernel.now, self._sent[token.digest()]
        sent.append(now)
        if sum(moment > now - 60 for moment in sent) > STORM:
            self._record.violate("I12", f"{invocation.label}: sends a refresh token again and again")
        other = self._refreshing.get(invocation.connection_id, invocation)
        if other is not invocation and other.answer is None and not self._record.plan.wild:
            self._record.violate("I12", f"{invocation.label}: refreshes while {other.label} does")
        self._refreshing[invocation.connection_id] = invocation

    def saved(self, invocation: Invocation, _result: None, before: Connection, after: Connection) -> None:
        if after.tokens is not before.tokens and after.tokens is not None:
            access = self._record.fakes.sealer.content(after.tokens.access).reveal()
            self._check_generation(after.connection_id, self._record.fakes.whitebit.granted[access].generation)
        if after.refresh_until is None and self._refreshing.get(after.connection_id) is invocation:
            del self._refreshing[after.connection_id]

    def _check_generation(self, connection_id: str, generation: int) -> None:
        if generation < self._generations.get(connection_id, 0):
            self._record.violate("I12", f"{connection_id}: an older pair was stored over a newer one")
        self._generations[connection_id] = generation


def _who(invocation: Invocation, call: str, args: tuple[Any, ...]) -> str:
    """Who may not ask again: a workflow, for a secret that was given or a key that does not sign; a workflow with the
    same code or token, for the rest.

    A function that Step Functions started twice is in no workflow, for nobody hears its answer.
    """
    match call:
        case "whitebit.read_secret":
            _, asked_with = args
        case "whitebit.try_key" | "whitebit.read_signed":
            asked_with = args[0].external_id
        case _:
            asked_with = args[0].digest()
    return f"{invocation.execution} {asked_with}"
