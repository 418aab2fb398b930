"""The local world as a browser sees it: fastkey on a site of its own, WhiteBIT and the partner on another."""

from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest
from playwright.sync_api import Browser, expect

from local.web import WebServer
from local.whitebit import Revision
from local.world import World
from tests.browser.attacker import Attacker
from tests.browser.chromium import launched
from tests.browser.person import NewPerson, Person
from tests.machines import hurry

# For a machine that has much else to do; what is seen is seen at once.
PATIENCE = 60_000  # ms


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    with launched() as browser:
        yield browser


@pytest.fixture(scope="package", params=list(Revision))
def revision(request: pytest.FixtureRequest) -> Revision:
    chosen: Revision = request.param
    return chosen


@pytest.fixture(scope="package")
def world(chromium: Browser, revision: Revision) -> Iterator[World]:
    """Asks for Chromium first: without it, no world is started."""
    with World(revision) as running:
        hurry(running)
        yield running


@pytest.fixture
def person(chromium: Browser, world: World, revision: Revision) -> Iterator[NewPerson]:
    """Somebody new, at a browser of their own. No page may have complained of anything that the test did not expect."""
    with ExitStack() as browsers:
        people: list[Person] = []

        def new() -> Person:
            context = browsers.enter_context(closing(chromium.new_context()))
            context.set_default_timeout(PATIENCE)
            people.append(Person(world, revision, context))
            return people[-1]

        yield new
        assert [complaint for each in people for complaint in each.complaints] == []


@pytest.fixture(scope="package")
def attacker() -> Iterator[Attacker]:
    with closing(WebServer("127.0.0.1", 0, "attacker.localhost")) as server:
        site = Attacker(server.url)
        server.start(site.application)
        yield site
