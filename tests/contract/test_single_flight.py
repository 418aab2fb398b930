"""Many at once use a token that has to be refreshed: there is one refresh, over the tables that ship."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Lock
from typing import Any

import pytest
from moto.core.botocore_stubber import BotocoreStubber

from fastkey.bootstrap import AwsWorld
from fastkey.domain.authorization import code_challenge
from fastkey.domain.connection import REFRESH_PAUSE
from fastkey.domain.errors import ConsentLost, FastkeyError, WhiteBitUnavailable
from fastkey.domain.key import KeyInfo, KeyState
from fastkey.domain.secret import Secret
from fastkey.usecases.refresh_token import live_token, seal_tokens
from tests.contract.aws import aws_world
from tests.contract.given import detecting, unique
from tests.fakes.system import FakeClock
from tests.fakes.whitebit import FakeWhiteBit

MANY, SOME = 200, 30
SECOND = timedelta(seconds=1)
# What a step of a workflow has.
ATTEMPT = timedelta(seconds=240)
VERIFIER = Secret("fastkey-contract-verifier-of-43-characters--")

# Whoever tries is told what WhiteBIT says of the key, or the error.
Outcome = KeyInfo | type[FastkeyError]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsWorld]:
    """AWS, which does one request after the other; and a clock and a WhiteBIT that are moved from here.

    DynamoDB orders the writes of an item. moto's tables do not: two conditions that hold at once are both met.
    """
    process, one = BotocoreStubber.process_request, Lock()

    def process_in_turn(stubber: BotocoreStubber, request: Any) -> Any:
        with one:
            return process(stubber, request)

    monkeypatch.setattr(BotocoreStubber, "process_request", process_in_turn)
    with aws_world() as world:
        clock = FakeClock()
        vars(world).update(clock=clock, whitebit=FakeWhiteBit(clock))
        yield world


@pytest.fixture
def whitebit(world: AwsWorld) -> FakeWhiteBit:
    return vars(world)["whitebit"]  # type: ignore[no-any-return]


@pytest.fixture
def clock(world: AwsWorld) -> FakeClock:
    return vars(world)["clock"]  # type: ignore[no-any-return]


@pytest.fixture
def connection_id(world: AwsWorld, whitebit: FakeWhiteBit) -> str:
    """A connection with tokens that were just given."""
    grant = whitebit.exchange_code(whitebit.consent(unique("account"), code_challenge(VERIFIER)), VERIFIER)
    connection = detecting()
    tokens = seal_tokens(world, connection.connection_id, grant, world.clock.now())
    world.connections.add(replace(connection, tokens=tokens))
    return connection.connection_id


def try_at_once(world: AwsWorld, connection_id: str, size: int, first: Callable[[], object] = int) -> list[Outcome]:
    """So many ask WhiteBIT for the key, with a token that lives. first: what each of them does before."""
    together = Barrier(size)

    def ask(_: int) -> Outcome:
        together.wait()
        first()
        try:
            with live_token(world, connection_id, world.clock.now() + ATTEMPT) as token:
                return world.whitebit.key_info(token)
        except FastkeyError as error:
            return type(error)

    # What is made when it is first touched is made once.
    _ = world.connections, world.sealer, world.limits
    with ThreadPoolExecutor(size) as threads:
        return list(threads.map(ask, range(size)))


def refused(outcomes: list[Outcome]) -> Counter[type[FastkeyError]]:
    return Counter(outcome for outcome in outcomes if isinstance(outcome, type))


def refreshes(whitebit: FakeWhiteBit) -> int:
    return whitebit.calls.count("refresh_token")


ANSWERED = KeyInfo(KeyState.ABSENT)

# With a token that still lives for a while, and with none.
AGES = pytest.mark.parametrize("age", [timedelta(seconds=250), timedelta(seconds=300)], ids=["alive", "dead"])


@AGES
def test_one_refreshes_and_each_has_a_live_token_or_may_come_back(
    world: AwsWorld, whitebit: FakeWhiteBit, clock: FakeClock, connection_id: str, age: timedelta
) -> None:
    clock.advance(age)
    outcomes = try_at_once(world, connection_id, MANY)
    assert refreshes(whitebit) == 1
    assert ANSWERED in outcomes
    assert all(error.retryable for error in refused(outcomes))
    # Whoever comes back is served, and nothing is refreshed.
    assert set(try_at_once(world, connection_id, SOME)) == {ANSWERED}
    assert refreshes(whitebit) == 1


@AGES
def test_one_refreshes_though_the_pace_would_let_each_of_them(
    world: AwsWorld, whitebit: FakeWhiteBit, clock: FakeClock, connection_id: str, age: timedelta
) -> None:
    """A second passes for each, while the answer is under way: the lease alone holds them back."""
    clock.advance(age)
    met: list[Outcome] = []
    whitebit.meanwhile(
        "refresh_token", lambda: met.extend(try_at_once(world, connection_id, SOME, lambda: clock.advance(SECOND)))
    )
    first = try_at_once(world, connection_id, 1)
    assert refreshes(whitebit) == 1
    assert first == [ANSWERED]
    assert all(error.retryable for error in refused(met))


def test_after_a_lost_answer_one_asks_again_and_then_nobody(
    world: AwsWorld, whitebit: FakeWhiteBit, clock: FakeClock, connection_id: str
) -> None:
    """The bound: two refreshes of one pair, however many try. The second finds out that the pair is dead."""
    clock.advance(timedelta(seconds=300))
    whitebit.fail_next("refresh_token", WhiteBitUnavailable, after_effect=True)
    outcomes = try_at_once(world, connection_id, SOME)
    assert refreshes(whitebit) == 1
    assert all(error.retryable for error in refused(outcomes))
    clock.advance(REFRESH_PAUSE)
    outcomes = try_at_once(world, connection_id, SOME)
    assert refreshes(whitebit) == 2
    assert all(error.retryable or error is ConsentLost for error in refused(outcomes))
    clock.advance(REFRESH_PAUSE)
    assert refused(try_at_once(world, connection_id, SOME)) == {ConsentLost: SOME}
    assert refreshes(whitebit) == 2


def test_a_whitebit_that_is_away_is_asked_once_in_ten_seconds(
    world: AwsWorld, whitebit: FakeWhiteBit, clock: FakeClock, connection_id: str
) -> None:
    clock.advance(timedelta(seconds=300))
    whitebit.fail_next("refresh_token", WhiteBitUnavailable, times=3)
    for asked in (1, 2, 3):
        outcomes = try_at_once(world, connection_id, SOME)
        assert refreshes(whitebit) == asked
        assert sum(refused(outcomes).values()) == SOME
        assert all(error.retryable for error in refused(outcomes))
        clock.advance(REFRESH_PAUSE)
    outcomes = try_at_once(world, connection_id, SOME)
    assert refreshes(whitebit) == 4
    assert ANSWERED in outcomes
