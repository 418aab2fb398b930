"""A world to attack, with users in it whose connections are under way, and a search for secrets when it ends.

The world is the package's, because an attack that is refused leaves nothing behind that could disturb the next.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from local.evidence import ALLOWED, Evidence, gathering, witness
from local.whitebit import Revision
from local.world import World
from tests.attack.table import CANARY, Books, Stage
from tests.e2e.journey import Journey, Sandbox
from tests.machines import edited, hurry
from tests.until import until

NewJourney = Callable[[], Journey]


class Quiet(Journey):
    """A user of whose connection nothing is written any more once its end has come: its workflow has told of it."""

    def end(self) -> dict[str, Any]:
        ended = super().end()
        until(lambda: not self._is_under_way())
        return ended

    def _is_under_way(self) -> bool:
        workflows = self.world.client("stepfunctions")
        for arn in self.world.state_machines.values():
            running = workflows.list_executions(stateMachineArn=arn, statusFilter="RUNNING")["executions"]
            if any(execution["name"].startswith(self.connection_id) for execution in running):
                return True
        return False


@pytest.fixture(scope="package")
def world() -> Iterator[World]:
    with World(Revision.AUGUST_2026) as running:
        hurry(running)
        with edited(running, "ProvisionKey") as states:
            states["AwaitCompletion"]["TimeoutSeconds"] = 3600
        yield running


@pytest.fixture(scope="package", autouse=True)
def evidence(world: World) -> Iterator[Evidence]:
    """Whatever the suite leaves behind, and the canaries: the last of its tests fails if a secret is found in it."""
    with gathering(world) as gathered:
        gathered.know("canary", CANARY)
        yield gathered
    refuse_leaks(gathered)


def refuse_leaks(evidence: Evidence) -> None:
    leaks = evidence.leaks() - ALLOWED
    assert leaks == set(), "secrets were found where none belong"


@pytest.fixture
def sandbox(world: World) -> Sandbox:
    return Sandbox(world)


@pytest.fixture(scope="package")
def arena(world: World, evidence: Evidence) -> Stage:
    """A stage without anybody on it."""
    return Stage(world, evidence, Books(world))


@pytest.fixture(scope="package")
def journey(arena: Stage) -> NewJourney:
    """A new user, whose answers from fastkey are all evidence."""
    world, evidence = arena.world, arena.evidence

    def new() -> Journey:
        arena.books.forget()
        user = Quiet(world, Revision.AUGUST_2026)
        evidence.know("jwt", token(user))
        witness(evidence, world, user.browser.http)
        witness(evidence, world, user.frontend.http)
        return user

    return new


@pytest.fixture(scope="package")
def stage(arena: Stage, journey: NewJourney) -> Iterator[Stage]:
    """Users whom every attack may hit, and none may harm: when all is over, each of them connects.

    `fresh` has not visited yet; the victim stands in front of the callback, `waiting` in front of the completion. The
    attacker (`my_`) is a user too, in front of the callback in another browser.
    """
    fresh, victim, waiting, attacker = journey().start(), journey(), journey().consented(), journey()
    known = {
        **arrive(victim),
        **{f"my_{name}": value for name, value in arrive(attacker).items()},
        **{f"fresh_{name}": value for name, value in shared(fresh).items()},
        **{f"waiting_{name}": value for name, value in shared(waiting).items()},
        "completion": waiting.completion,
        **addresses(arena.world),
    }
    for user in (fresh, victim, attacker):
        expire(arena.world, user.connection_id, "2100-01-01T00:00:00+00:00")  # however long the suite takes
    yield arena.knowing(known)
    fresh.visit().consent()
    for user in (victim, attacker):
        consent_again(user)
    for user in (fresh, victim, waiting, attacker):
        assert user.complete().create_key().end()["status"] == "active"


def expire(world: World, connection_id: str, at: str = "2026-01-01T00:00:00+00:00") -> None:
    """Moves the end of a connection's ticket or authorization; the items stay, as DynamoDB leaves them for days."""
    dynamodb, moment = world.client("dynamodb"), {"expires_at": {"S": at}}
    for table in (world.tables["Connections"], world.tables["Authorizations"]):
        for item in dynamodb.scan(TableName=table)["Items"]:
            if item["connection_id"]["S"] == connection_id:
                dynamodb.put_item(TableName=table, Item=item | moment)


def addresses(world: World) -> Mapping[str, str]:
    page = urlsplit(world.return_url)
    parts = {"scheme": page.scheme, "SCHEME": page.scheme.upper(), "authority": page.netloc, "host": str(page.hostname)}
    return {"gateway": world.gateway, "return_url": world.return_url, **parts}


def shared(user: Journey) -> Mapping[str, str]:
    """What the user, or whoever has the link, knows of a connection that was started."""
    link = ticket(user)
    return {"id": user.connection_id, "token": token(user), "ticket": link, "ticket_secret": link.partition(".")[2]}


def arrive(user: Journey) -> Mapping[str, str]:
    """The user starts, consents, and comes as far as the callback; gives what only this browser and WhiteBIT know."""
    query = dict(parse_qsl(urlsplit(user.start().consent_and_stop()).query))
    cookie, _, value = user.cookie_header()["Cookie"].partition("=")
    names = {"cookie_name": cookie, "bare_cookie": cookie.lower(), "cookie": value}
    return {**shared(user), **names, "state": query["state"], "code": query["code"]}


def consent_again(user: Journey) -> None:
    """With the authorization that is open, because a code lives for a minute only."""
    user.browser.open(user.consent_url)
    user.consent()


def ticket(user: Journey) -> str:
    return user.authorize_url.partition("?ticket=")[2]


def token(user: Journey) -> str:
    return str(user.frontend.http.headers["Authorization"]).removeprefix("Bearer ")
