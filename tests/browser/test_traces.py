"""What stays behind in a browser: nothing that is worth anything."""

import json

import pytest
from playwright.sync_api import Page, expect

from local.whitebit import Revision
from local.world import World
from tests.browser.attacker import Attacker
from tests.browser.person import NewPerson, Person

# Where more pages take part, in one tab and in another.
in_2026_08 = pytest.mark.parametrize("revision", [Revision.AUGUST_2026], indirect=True)

TELLS_ALL = '<meta name="referrer" content="unsafe-url">'

TRACES = """() => JSON.stringify({
    address: location.href,
    referrer: document.referrer,
    history: [history.state, navigation.entries().map(entry => entry.url)],
    storage: [{...localStorage}, {...sessionStorage}],
    cookies: document.cookie,
    name: window.name,
    page: document.documentElement.outerHTML,
})"""


def secrets(ada: Person) -> dict[str, str]:
    """What went over the wire on the way, and what WhiteBIT made, by name."""
    gateway, partner = ada.world.gateway, ada.world.partner
    (issued,) = [request for request in ada.requests if request.url == f"{partner}/session"][-1:]
    answer = issued.response()
    assert answer
    known = {
        "ticket": ada.parameter(f"{gateway}/authorize", "ticket"),
        "state": ada.parameter(f"{gateway}/callback", "state"),
        "code": ada.parameter(f"{gateway}/callback", "code"),
        "completion": ada.parameter(ada.world.return_url, "completion"),
        "JWT": answer.json()["token"],
    }
    made = {
        f"{kind} {each}": value
        for kind, values in ada.sandbox.ask("/secrets").items()
        for each, value in enumerate(values)
    }
    return known | made


def test_no_secret_is_left_in_any_page_address_history_storage_or_console(person: NewPerson) -> None:
    ada = person().consent().create_key()
    expect(ada.status).to_have_text("Connected")
    known = secrets(ada)
    traces = {page.url: page.evaluate(TRACES) for page in ada.context.pages} | {"console": json.dumps(ada.console)}
    assert {(name, where) for name, value in known.items() for where, text in traces.items() if value in text} == set()
    assert ada.page.url == f"{ada.world.partner}/"


@in_2026_08
def test_no_page_is_told_where_the_browser_came_from(person: NewPerson) -> None:
    ada = person().sign_in().leave()
    assert referrer(ada.page) == ""
    ada.log_in().allow().arrive()
    assert referrer(ada.page) == ""
    told = {request.url for request in ada.requests if "referer" in request.all_headers()}
    assert told == set()


def test_fastkey_passes_on_no_address_even_of_pages_that_would(
    person: NewPerson, attacker: Attacker, world: World
) -> None:
    ada = person()
    attacker.html = f'{TELLS_ALL}<a href="{ada.frontend.start(world.return_url)["authorize_url"]}">Connect</a>'
    ada.page.goto(f"{attacker.url}/?secret")
    ada.page.get_by_text("Connect").click()
    ada.log_in()
    (visit,) = ada.visits(f"{world.gateway}/authorize")
    assert visit.all_headers()["referer"] == f"{attacker.url}/?secret"
    assert "referer" not in ada.visits(f"{world.whitebit}/auth/login")[0].all_headers()

    ada.consent_and_stop(TELLS_ALL)
    ada.go_on()
    expect(ada.page.get_by_label("Who are you?")).to_be_visible()
    (back,) = ada.visits(f"{world.gateway}/callback")
    assert back.all_headers()["referer"].startswith(world.whitebit)
    assert referrer(ada.page) == ""


@in_2026_08
def test_the_tab_that_whitebit_opened_has_no_hold_on_the_partners(person: NewPerson) -> None:
    ada = person().consent()
    for tab in ada.context.pages:
        assert tab.evaluate("!window.opener || window.opener.closed")


def referrer(page: Page) -> str:
    found: str = page.evaluate("document.referrer")
    return found
