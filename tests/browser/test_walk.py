"""The way of a user who connects, and of one who declines, page by page."""

import json

from playwright.sync_api import expect

from tests.browser.person import GROUP, NewPerson


def test_a_user_connects_and_disconnects(person: NewPerson) -> None:
    ada = person().consent().create_key()
    expect(ada.status).to_have_text("Connected")
    expect(ada.page.get_by_role("list", name="Permissions")).to_have_text(GROUP)
    (key,) = ada.keys()
    assert json.loads(ada.captured() or "{}")["externalId"] == key["externalId"]
    ada.disconnect()
    expect(ada.status).to_have_text("Disconnected")
    assert (ada.keys(), ada.captured()) == ([], None)


def test_a_user_who_declines_reads_so(person: NewPerson) -> None:
    ada = person().sign_in().leave().log_in()
    ada.page.get_by_role("button", name="Deny").click()
    ada.arrive()
    expect(ada.status).to_have_text("You declined")
    expect(ada.page.get_by_text("The user declined at WhiteBIT.")).to_be_visible()
    assert ada.cookies() == []
