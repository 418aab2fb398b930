"""Mallory starts a connection, and gets somebody else to consent: that key never comes into Mallory's hands."""

from typing import Any

from playwright.sync_api import expect

from local.frontend import Frontend
from local.whitebit import Revision
from local.world import World
from tests.browser.person import NewPerson, Person
from tests.e2e.journey import stored
from tests.until import until


class Mallory:
    """A user of the partner's, who forwards the link that was meant for them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._frontend = Frontend(world.gateway, world.token("mallory"))
        started = self._frontend.start(world.return_url)
        self.link: str = started["authorize_url"]
        self._connection_id: str = started["connection_id"]

    def end(self) -> tuple[str, str]:
        ended = self._frontend.await_end(self._connection_id)
        return ended["status"], ended["reason"]

    def captured(self) -> str | None:
        return stored(self._world, self._connection_id)

    def run_out_of_time(self) -> None:
        """The six minutes in which somebody may complete are over, now."""
        key = {"connection_id": {"S": self._connection_id}}
        table = self._world.tables["Connections"]

        def token() -> Any:
            item = self._world.client("dynamodb").get_item(TableName=table, Key=key)["Item"]
            return item.get("task_token", {}).get("S")

        # moto lets nobody say States.Timeout; the state machine catches this one alike.
        caught = "DynamoDb.ConditionalCheckFailedException"
        self._world.client("stepfunctions").send_task_failure(taskToken=until(token), error=caught, cause="")


def consents(victim: Person, link: str) -> None:
    """The victim follows the link, consents and makes the key; the partner does not know them in this browser."""
    victim.page.goto(link)
    victim.log_in().allow()
    expect(victim.page.get_by_label("Who are you?")).to_be_visible()
    victim.create_key()
    assert len(victim.keys()) == 1


def test_a_victim_who_is_signed_in_as_themselves_ends_it_and_the_key_is_deleted(
    person: NewPerson, world: World
) -> None:
    mallory, victim = Mallory(world), person()
    consents(victim, mallory.link)
    victim.say_who()
    expect(victim.page.get_by_role("alert")).to_contain_text("Another user started this connection")
    assert victim.page.url == f"{world.partner}/"
    assert mallory.end() == ("failed", "completion_refused")
    assert (victim.keys(), mallory.captured()) == ([], None)


def test_a_victim_who_is_nobody_at_the_partners_never_completes_and_the_key_is_deleted(
    person: NewPerson, world: World
) -> None:
    mallory, victim = Mallory(world), person()
    consents(victim, mallory.link)
    mallory.run_out_of_time()
    assert mallory.end() == ("expired", "completion_missing")
    assert (victim.keys(), mallory.captured()) == ([], None)


def test_a_link_of_whitebits_that_is_forwarded_leads_a_victim_nowhere_and_a_key_that_is_left_is_spoken_of(
    person: NewPerson, revision: Revision
) -> None:
    """Mallory visits fastkey, and forwards the address of WhiteBIT's page: the victim's browser has no cookie."""
    mallory, victim = person().sign_in().leave(), person()
    mallory.sandbox.forget_calls()
    victim.page.goto(mallory.page.url)
    victim.log_in().allow()
    expect(victim.page.get_by_text("does not belong to an authorization that this browser has open")).to_be_visible()
    assert mallory.sandbox.calls("POST", "/oauth2/token") == 0
    assert mallory.connection()["status"] == "pending"
    assert mallory.captured() is None
    # In 2026-05 the consent itself makes a key, whose secret nobody reads, and which fastkey has no token to delete.
    assert len(victim.keys()) == (1 if revision is Revision.MAY_2026 else 0)
    expect(victim.page.get_by_text("a key for this platform that you do not know, remove it")).to_be_visible()
