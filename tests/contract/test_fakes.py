"""What only the fakes have: stores that are behind, a TTL that acts when told to, a memory of all that there was."""

from datetime import datetime, timedelta

import pytest

from fastkey.domain.authorization import Authorization, code_challenge
from fastkey.domain.connection import ABANDONED_LIFE, Connection
from fastkey.domain.errors import ConnectionNotFound, ConsentLost, ExchangeRefused, StorageUnavailable
from fastkey.domain.key import CapturedKey
from fastkey.domain.secret import Secret
from local.whitebit import Revision
from tests.contract.given import COMPLETION, LAG, NOW, TICKET, captured, claimed, detecting, settle, start, unique
from tests.fakes.system import CANARY, FakeClock
from tests.fakes.whitebit import FakeWhiteBit, GateRefusedError
from tests.fakes.world import FakeWorld

KEY = captured()
SECOND = timedelta(seconds=1)


@pytest.fixture
def world() -> FakeWorld:
    return FakeWorld(lag=lambda: LAG)


@pytest.fixture
def stored(world: FakeWorld) -> Connection:
    """A connection with a key, which every call sees."""
    connection = start()
    world.vault.prepare(connection)
    settle(world)
    world.vault.store(connection.connection_id, KEY)
    settle(world)
    return connection


def found(world: FakeWorld, connection: Connection) -> CapturedKey | None:
    return world.vault.find(connection.connection_id)


# ---- A vault that is behind ------------------------------------------------------------------------------------------


def test_a_place_takes_nothing_before_it_is_seen(world: FakeWorld) -> None:
    connection = start()
    world.vault.prepare(connection)
    world.clock.advance(LAG - timedelta(microseconds=1))
    with pytest.raises(StorageUnavailable):
        world.vault.store(connection.connection_id, KEY)
    world.clock.advance(timedelta(microseconds=1))
    world.vault.store(connection.connection_id, KEY)
    assert world.chosen_vault.truth(connection.connection_id) == KEY
    assert found(world, connection) is None
    settle(world)
    assert found(world, connection) == KEY


def test_a_place_is_not_shredded_before_it_is_seen(world: FakeWorld) -> None:
    connection = start()
    world.vault.prepare(connection)
    world.vault.shred(connection.connection_id)
    assert world.chosen_vault.exists(connection.connection_id)


def test_a_key_is_shredded_before_it_is_seen_in_a_place_that_is(world: FakeWorld) -> None:
    connection = start()
    world.vault.prepare(connection)
    settle(world)
    world.vault.store(connection.connection_id, KEY)
    world.vault.shred(connection.connection_id)
    assert world.chosen_vault.truth(connection.connection_id) is None
    settle(world)
    assert found(world, connection) is None


def test_a_shredded_key_is_seen_for_a_while_and_takes_no_other(world: FakeWorld, stored: Connection) -> None:
    world.vault.shred(stored.connection_id)
    assert not world.chosen_vault.exists(stored.connection_id)
    assert found(world, stored) == KEY
    with pytest.raises(StorageUnavailable):
        world.vault.store(stored.connection_id, captured("external-2"))
    settle(world)
    assert found(world, stored) is None


def test_a_name_is_taken_until_it_is_deleted(world: FakeWorld, stored: Connection) -> None:
    world.vault.shred(stored.connection_id)
    world.clock.advance(LAG - timedelta(microseconds=1))
    with pytest.raises(StorageUnavailable):
        world.vault.prepare(stored)
    world.clock.advance(timedelta(microseconds=1))
    world.vault.prepare(stored)
    assert world.chosen_vault.exists(stored.connection_id)


def test_a_second_shredding_does_not_begin_anew(world: FakeWorld, stored: Connection) -> None:
    world.vault.shred(stored.connection_id)
    world.clock.advance(LAG - SECOND)
    world.vault.shred(stored.connection_id)
    world.clock.advance(SECOND)
    world.vault.prepare(stored)


# ---- Tables ----------------------------------------------------------------------------------------------------------


def test_a_page_is_behind_and_a_connection_is_not(world: FakeWorld) -> None:
    before = start()
    world.connections.add(before)
    assert list(world.connections.page(before.user_id, None).connections) == []
    settle(world)
    after = before.consent(TICKET, COMPLETION.digest(), NOW)
    world.connections.save(before, after)
    assert list(world.connections.page(before.user_id, None).connections) == [before]
    assert world.connections.get(before.connection_id) == after
    settle(world)
    assert list(world.connections.page(before.user_id, None).connections) == [after]


def is_due(world: FakeWorld, connection: Connection, moment: datetime | None) -> bool:
    assert moment
    return connection.connection_id in world.connections.due(connection.shard, moment, None).connection_ids


def test_a_queue_is_behind_and_shows_all_that_it_showed_before(world: FakeWorld) -> None:
    first = start()
    world.connections.add(first)
    assert not is_due(world, first, first.due_at)
    settle(world)
    assert is_due(world, first, first.due_at)
    second = first.consent(TICKET, COMPLETION.digest(), NOW)
    world.connections.save(first, second)
    assert is_due(world, first, first.due_at)
    settle(world)
    assert not is_due(world, first, first.due_at)
    assert is_due(world, first, second.due_at)


def test_a_queue_may_show_again_what_it_has_shown_before() -> None:
    """One reader is less behind than the next."""
    lags = iter((timedelta(0), LAG, timedelta(0)))
    shown = FakeWorld(lag=lambda: next(lags))
    first = start()
    shown.connections.add(first)
    shown.clock.advance(LAG)
    shown.connections.save(first, first.consent(TICKET, COMPLETION.digest(), NOW))
    assert [is_due(shown, first, first.due_at) for _ in range(3)] == [False, True, False]


def test_the_next_that_is_due_is_known(world: FakeWorld) -> None:
    assert world.connections.next_due() is None
    later, sooner = start(now=NOW + SECOND), start()
    world.connections.add(later)
    world.connections.add(sooner)
    assert world.connections.next_due() == sooner.due_at


def test_what_was_abandoned_is_removed_when_it_is_due_and_somebody_acts(world: FakeWorld) -> None:
    abandoned, kept = start(), detecting()
    holding = claimed(kept, unique("key"))
    for connection in (abandoned, kept):
        world.connections.add(connection)
    world.connections.save(kept, holding)
    due = abandoned.expires_at + ABANDONED_LIFE
    world.connections.expire(due - SECOND)
    assert world.connections.get(abandoned.connection_id) == abandoned
    world.connections.expire(due + SECOND)
    with pytest.raises(ConnectionNotFound):
        world.connections.get(abandoned.connection_id)
    assert world.connections.all() == [holding]
    assert world.connections.holders == {holding.external_id: holding.connection_id}


def test_an_authorization_request_is_removed_when_it_is_due_and_somebody_acts(world: FakeWorld) -> None:
    state = Secret("state")
    authorization = Authorization(state.digest(), "connection-1", b"verifier", "cookie", NOW)
    world.authorizations.add(authorization)
    world.authorizations.expire(NOW - SECOND)
    assert world.authorizations.all() == [authorization]
    world.authorizations.expire(NOW + SECOND)
    assert world.authorizations.find(state) is None


# ---- WhiteBIT's memory -----------------------------------------------------------------------------------------------


def test_every_secret_value_is_known_by_its_canary(world: FakeWorld) -> None:
    whitebit, verifier = world.whitebit, world.entropy.token()
    code = whitebit.consent("ada", code_challenge(verifier))
    grant = whitebit.exchange_code(code, verifier)
    key = whitebit.create_key("ada")
    assert grant.refresh_token
    for secret in (verifier, code, grant.access_token, grant.refresh_token, Secret(key.secret)):
        assert CANARY in secret.reveal()
    assert CANARY not in key.external_id + world.entropy.identifier()


def test_a_gate_that_refuses_lets_nobody_consent() -> None:
    whitebit = FakeWhiteBit(FakeClock())
    whitebit.create_key("ada")
    with pytest.raises(GateRefusedError):
        whitebit.consent("ada", "challenge")
    assert whitebit.codes == {}


def test_the_pairs_of_a_consent_are_remembered_in_their_order(world: FakeWorld) -> None:
    whitebit, verifier = world.whitebit, world.entropy.token()
    pairs = []
    for _ in range(2):
        grant = whitebit.exchange_code(whitebit.consent("ada", code_challenge(verifier)), verifier)
        assert grant.refresh_token
        world.clock.advance(SECOND)
        refreshed = whitebit.refresh_token(grant.refresh_token)
        pairs += [whitebit.granted[each.access_token.reveal()] for each in (grant, refreshed)]
    assert [pair.generation for pair in pairs] == [1, 2, 1, 2]
    assert [pair.successor for pair in pairs] == [pairs[1], None, pairs[3], None]
    assert len({pair.consent for pair in pairs[:2]}) == len({pair.consent for pair in pairs[2:]}) == 1
    assert pairs[0].consent < pairs[2].consent
    whitebit.withdraw("bob")
    assert not any(pair.revoked for pair in pairs)
    whitebit.withdraw("ada")
    assert all(pair.revoked for pair in pairs)


def test_every_request_with_a_code_is_counted(world: FakeWorld) -> None:
    whitebit, verifier = world.whitebit, world.entropy.token()
    code = whitebit.consent("ada", code_challenge(verifier))
    whitebit.exchange_code(code, verifier)
    with pytest.raises(ExchangeRefused):
        whitebit.exchange_code(code, verifier)
    assert whitebit.codes[code.reveal()].requests == 2


def test_accounts_do_not_share_tokens_and_keys(world: FakeWorld) -> None:
    whitebit, verifier = FakeWhiteBit(world.clock, Revision.MAY_2026), world.entropy.token()
    ada, bob = (
        whitebit.exchange_code(whitebit.consent(account, code_challenge(verifier)), verifier).access_token
        for account in ("ada", "bob")
    )
    whitebit.withdraw("ada")
    assert whitebit.key_info(bob).external_id == whitebit.keys["bob"].external_id
    with pytest.raises(ConsentLost):
        whitebit.key_info(ada)


def test_a_key_that_is_no_more_is_remembered_and_does_not_live(world: FakeWorld) -> None:
    whitebit = world.whitebit
    earlier = whitebit.create_key("ada")
    later = whitebit.create_key("ada")
    assert whitebit.issued == {key.external_id: key for key in (earlier, later)}
    assert (whitebit.lives(earlier.external_id), whitebit.lives(later.external_id)) == (False, True)
    whitebit.remove_key("ada")
    assert not whitebit.lives(later.external_id)
    assert not whitebit.lives("unknown")


def test_a_bare_method_is_neither_counted_nor_interrupted(world: FakeWorld, stored: Connection) -> None:
    world.chosen_vault.calls.clear()
    world.chosen_vault.fail_next("find", StorageUnavailable)
    bare = type(world.chosen_vault).find.__wrapped__  # type: ignore[attr-defined]
    assert bare(world.chosen_vault, stored.connection_id) == KEY
    assert world.chosen_vault.calls == []
    with pytest.raises(StorageUnavailable):
        found(world, stored)
