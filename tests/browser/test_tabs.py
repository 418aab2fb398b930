"""What people do with tabs, the back button and reloading."""

import re

import pytest
import requests
from playwright.sync_api import Route, expect

from local.whitebit import Revision
from tests.browser.person import NewPerson

in_2026_05 = pytest.mark.parametrize("revision", [Revision.MAY_2026], indirect=True)
in_2026_08 = pytest.mark.parametrize("revision", [Revision.AUGUST_2026], indirect=True)

NOT_OPEN = "does not belong to an authorization that this browser has open"


@in_2026_05
def test_two_tabs_at_once_have_a_connection_each(person: NewPerson) -> None:
    first = person().sign_in().leave()
    second = first.another_tab().leave()
    assert len({cookie["name"] for cookie in first.cookies()}) == 2
    first.log_in().allow().arrive()
    assert len(first.cookies()) == 1
    second.log_in().allow().arrive()
    for tab in (first, second):
        expect(tab.status).to_have_text(["Connected", "Connected"])
    assert (len(first.keys()), len(second.keys())) == (1, 1)


@in_2026_05
def test_two_tabs_with_one_account_at_whitebit_make_one_connection_of_it(person: NewPerson) -> None:
    first = person().sign_in().leave()
    second = first.another_tab().leave()
    first.log_in().allow().arrive()
    second.email = first.email
    second.log_in().page.get_by_role("button", name="Allow").click()
    second.arrive()
    expect(second.status).to_have_text(["Not connected", "Connected"])
    expect(second.page.get_by_text("This WhiteBIT account is connected already")).to_be_visible()
    assert len(first.keys()) == 1


@in_2026_08
def test_the_back_button_leads_to_no_second_exchange_and_breaks_nothing(person: NewPerson) -> None:
    ada = person()
    ada.sandbox.forget_calls()
    ada.consent()
    ada.page.go_back()
    with ada.context.expect_page():
        ada.page.get_by_role("button", name="Allow").click()
    expect(ada.page.get_by_text(NOT_OPEN)).to_be_visible()
    assert ada.sandbox.calls("POST", "/oauth2/token") == 1
    # Start again, it says.
    ada.page.goto(ada.world.partner)
    ada.leave().allow().arrive().create_key()
    # Two connections wait for the one key now, and either may get it.
    expect(ada.status.filter(has_text=re.compile("^Connected$"))).to_have_count(1)
    expect(ada.status.filter(has_text="Not connected")).to_have_count(1)


@in_2026_05
def test_a_callback_that_is_visited_again_is_refused_and_breaks_nothing(person: NewPerson) -> None:
    ada = person()
    ada.sandbox.forget_calls()
    ada.consent()
    (back,) = ada.visits(f"{ada.world.gateway}/callback")
    again = ada.context.new_page()
    again.goto(back.url)
    expect(again.get_by_text(NOT_OPEN)).to_be_visible()
    expect(ada.status).to_have_text("Connected")
    assert ada.sandbox.calls("POST", "/oauth2/token") == 1


@in_2026_05
def test_a_callback_whose_answer_was_lost_is_reloaded_and_leads_on(person: NewPerson) -> None:
    ada = person().sign_in().leave().log_in()
    callback = ada.consent_and_stop()
    ada.sandbox.forget_calls()
    (cookie,) = ada.cookies()

    def lose(route: Route) -> None:
        # fastkey does its part, and the browser never hears of it.
        sent = {"Cookie": f"{cookie['name']}={cookie['value']}"}
        assert requests.get(callback, headers=sent, allow_redirects=False, timeout=60).status_code == 303
        route.abort("connectionreset")

    ada.page.route(callback, lose, times=1)
    ada.go_on()
    expect(ada.page).to_have_url("chrome-error://chromewebdata/")
    ada.page.reload()
    ada.arrive()
    expect(ada.status).to_have_text("Connected")
    assert ada.sandbox.calls("POST", "/oauth2/token") == 1


@in_2026_08
def test_the_partners_page_reloaded_on_the_way_finds_the_connection_again(person: NewPerson) -> None:
    ada = person().consent()
    ada.page.reload()
    expect(ada.status).to_have_text("Waiting for your key")
    ada.create_key()
    expect(ada.status).to_have_text("Connected")
