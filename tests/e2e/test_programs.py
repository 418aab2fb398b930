"""The partner's own programs, with a role that has the stack's policy for them, and a key that was captured.

Those that docs/programs.md shows run as they stand there.
"""

import os
import subprocess
import sys
from ast import literal_eval
from collections.abc import Callable, Iterator
from decimal import Decimal

import boto3
import ccxt
import pytest

from fastkey.client import Client, KeyRefused, NoKey, NotPermitted, Sealed
from fastkey.ports import Vault
from local.whitebit import Revision
from local.whitebit.account import SPOT_BALANCES
from local.world import TEMPLATE, World
from tests.e2e.journey import PERMISSIONS, Journey
from tests.e2e.privileges import flaws
from tests.e2e.vaults import move
from tests.machines import hurried

ROLE = "backend"
PROJECT = TEMPLATE.parent
(BALANCE,) = PERMISSIONS
HELD = {ticker: Decimal(of["available"]) + Decimal(of["freeze"]) for ticker, of in SPOT_BALANCES.items()}

NewJourney = Callable[..., Journey]


@pytest.fixture(scope="module")
def world(revision: Revision) -> Iterator[World]:
    # Where the programs look that the README shows.
    with hurried(World(revision)) as running:
        yield running


@pytest.fixture(scope="module")
def environment(world: World) -> dict[str, str]:
    """What a program is deployed with: the stack's outputs, and the credentials of its role."""
    world.attach(world.output("BackendPolicy"), ROLE)
    return {
        "CONNECTIONS_TABLE": world.output("ConnectionsTable"),
        "KEYS_ARN": world.output("KeysArn"),
        "WHITEBIT_URL": world.output("WhiteBitUrl"),
        "KEYS_TABLE": world.output("KeysTable"),
        "SEALING_KEY_ARN": world.output("SealingKeyArn"),
        "AWS_ACCESS_KEY_ID": ROLE,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": world.client("sts").meta.region_name,
        "AWS_ENDPOINT_URL": world.aws,
    }


@pytest.fixture
def client(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Client:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Client(
        environment["CONNECTIONS_TABLE"],
        environment["KEYS_ARN"],
        environment["WHITEBIT_URL"],
        boto3.Session(),
        sealed=Sealed(environment["KEYS_TABLE"], environment["SEALING_KEY_ARN"]),
    )


def run(program: str, argument: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A program of `examples/`, in a process of its own."""
    return subprocess.run(
        [sys.executable, PROJECT / "examples" / program, argument],
        env={**os.environ, **environment, "PYTHONPATH": f"{PROJECT / 'shared'}:{os.environ.get('PYTHONPATH', '')}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="module")
def user(world: World, revision: Revision) -> Journey:
    """A user who has connected."""
    user = Journey(world, revision)
    assert user.connect()["status"] == "active"
    return user


# ---- What docs/programs.md shows -------------------------------------------------------------------------------------


def test_ccxt_reads_a_balance_with_a_captured_key(user: Journey, environment: dict[str, str]) -> None:
    ran = run("ccxt_bot.py", user.connection_id, environment)
    assert ran.stderr == ""
    assert literal_eval(ran.stdout) == {ticker: float(amount) for ticker, amount in HELD.items()}


def test_the_portfolio_of_a_user_is_what_all_of_the_accounts_hold(
    journey: NewJourney, environment: dict[str, str]
) -> None:
    users = journey(), journey()
    users[1].sub, users[1].frontend = users[0].sub, users[0].frontend
    for user in users:
        assert user.connect()["status"] == "active"
    ran = run("portfolio.py", users[0].sub, environment)
    assert ran.stderr == ""
    assert dict(line.split() for line in ran.stdout.splitlines()) == {
        ticker: str(2 * amount) for ticker, amount in HELD.items()
    }


def test_a_bot_ends_when_the_user_has_disconnected(journey: NewJourney, environment: dict[str, str]) -> None:
    user = journey()
    user.connect()
    user.frontend.revoke(user.connection_id)
    user.end()
    ran = run("ccxt_bot.py", user.connection_id, environment)
    assert ran.returncode != 0
    assert "NoKey" in ran.stderr.splitlines()[-1]


# ---- ccxt, the client and fastkey with one key -----------------------------------------------------------------------


def test_ccxt_as_it_comes_and_the_client_can_use_one_key(user: Journey, client: Client) -> None:
    key, whitebit = client.key(user.connection_id), f"{user.world.whitebit}/api/v4"
    exchange = ccxt.whitebit({"apiKey": key.external_id, "secret": key.secret.reveal()})
    exchange.urls["api"]["v4"] = {"public": f"{whitebit}/public", "private": whitebit}
    for _ in range(3):
        # By itself it sends a text for a nonce, which has to be greater than the key's last.
        assert exchange.fetch_balance()["total"]["BTC"] == float(HELD["BTC"])
        assert client.call(user.connection_id, BALANCE, ticker="BTC") == {"BTC": SPOT_BALANCES["BTC"]}


def test_a_user_who_disconnects_is_out_of_reach_at_the_next_call(journey: NewJourney, client: Client) -> None:
    user = journey()
    user.connect()
    assert [connection.connection_id for connection in client.connections(user.sub)] == [user.connection_id]
    assert client.call(user.connection_id, BALANCE) == SPOT_BALANCES
    user.frontend.revoke(user.connection_id)
    assert user.end()["status"] == "revoked"
    with pytest.raises(NoKey):
        client.call(user.connection_id, BALANCE)
    assert list(client.connections(user.sub)) == []


def test_a_key_that_its_owner_deleted_at_whitebit_is_refused_and_still_here(
    journey: NewJourney, client: Client
) -> None:
    user = journey()
    user.connect()
    user.browser.delete_key(client.key(user.connection_id).external_id)
    with pytest.raises(KeyRefused):
        client.call(user.connection_id, BALANCE)


def test_what_the_user_did_not_grant_is_not_permitted_and_no_reason_to_forget_the_key(
    user: Journey, client: Client
) -> None:
    key = client.key(user.connection_id)
    with pytest.raises(NotPermitted):
        client.call(user.connection_id, "/api/v4/main-account/balance")
    assert client.key(user.connection_id) is key


# ---- What a program may ----------------------------------------------------------------------------------------------


def test_the_policy_for_programs_allows_what_the_client_does_and_no_more(
    world: World, user: Journey, client: Client
) -> None:
    (connection,) = client.connections(user.sub)
    assert connection in client.connections()
    key = client.key(connection.connection_id)
    move(world, connection.connection_id, Vault.DYNAMODB)
    client.forget(connection.connection_id)
    assert client.key(connection.connection_id) == key
    with pytest.raises(NoKey):
        client.key("of-nobody")
    asked = {judgement.call for judgement in world.guard.judgements if judgement.role == ROLE}
    assert flaws(world.guard.roles[ROLE], asked, delivers_logs=False) == set()
