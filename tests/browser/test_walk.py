"""The way of a user who connects, and of one who declines, page by page."""

import json
from datetime import UTC, datetime

from playwright.sync_api import expect

from fastkey.domain.connection import CHECK_AGAIN
from local.items import await_told, fall_due
from tests.browser.person import GROUP, NewPerson


def test_a_user_connects_and_disconnects(person: NewPerson) -> None:
    ada = person().consent().create_key()
    expect(ada.status).to_have_text("Connected")
    expect(ada.page.get_by_role("list", name="Permissions")).to_have_text(GROUP)
    expect(ada.page.get_by_text("This platform can read.", exact=True)).to_be_visible()
    (key,) = ada.keys()
    assert json.loads(ada.captured() or "{}")["externalId"] == key["externalId"]
    ada.disconnect()
    expect(ada.status).to_have_text("Disconnected")
    expect(ada.page.get_by_text("This platform can")).to_be_hidden()
    assert (ada.keys(), ada.captured()) == ([], None)


def test_a_user_whose_key_is_dead_reads_so_and_can_disconnect(person: NewPerson) -> None:
    ada = person().consent().create_key()
    expect(ada.status).to_have_text("Connected")
    (key,) = ada.keys()
    ada.sandbox.order(f"/keys/{key['externalId']}/disable")
    connection_id = ada.connection()["connection_id"]
    await_told(ada.world, connection_id)
    fall_due(ada.world, connection_id)
    fall_due(ada.world, connection_id, refused_at=datetime.now(UTC) - CHECK_AGAIN)
    ada.page.reload()
    expect(ada.status).to_have_text("WhiteBIT refuses the key")
    expect(ada.page.get_by_text("WhiteBIT does not accept the key any more")).to_be_visible()
    ada.disconnect()
    # WhiteBIT deletes no key that it has disabled.
    expect(ada.status).to_have_text("Something is left for you to do")
    assert ada.captured() is None


def test_a_user_who_declines_reads_so(person: NewPerson) -> None:
    ada = person().sign_in().leave().log_in()
    ada.page.get_by_role("button", name="Deny").click()
    ada.arrive()
    expect(ada.status).to_have_text("You declined")
    expect(ada.page.get_by_text("The user declined at WhiteBIT.")).to_be_visible()
    assert ada.cookies() == []
