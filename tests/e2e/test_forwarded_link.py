"""A link that was forwarded: whoever consents is not who started."""

from collections.abc import Callable

import pytest

from local.whitebit import Revision
from tests.e2e.journey import PASSWORD, PERMISSIONS, SECOND_FACTOR, Journey

NewJourney = Callable[..., Journey]


def lead_astray(attacker: Journey, victim: Journey) -> None:
    """The victim consents to what the attacker has started, and comes back."""
    attacker.start()
    victim.browser.open(attacker.authorize_url)
    victim.browser.log_in(victim.email, PASSWORD)
    victim.land(victim.browser.consent(PERMISSIONS, SECOND_FACTOR))


def complete_as_oneself(attacker: Journey, victim: Journey) -> str:
    """The victim's frontend completes, as the victim. Gives what the victim is told."""
    completion = {"completion": victim.completion}
    answer = victim.frontend.call("POST", f"/connections/{attacker.connection_id}/complete", completion)
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:fastkey:problem:completion_refused")
    ended = attacker.end()
    assert (ended["status"], ended["reason"]) == ("failed", "completion_refused")
    return str(answer.json()["title"])


def test_a_forwarded_link_ends_the_connection_and_deletes_the_key(journey: NewJourney) -> None:
    attacker, victim = journey(), journey()
    lead_astray(attacker, victim)
    victim.create_key()
    assert len(victim.whitebit_keys()) == 1
    complete_as_oneself(attacker, victim)
    assert victim.whitebit_keys() == []
    assert attacker.stored() is None


def test_a_key_that_a_victim_makes_after_that_is_nobodys_and_the_victim_was_told(
    journey: NewJourney, revision: Revision
) -> None:
    """It cannot be told from a key that the victim makes for a connection of their own: it is left to them."""
    if revision is not Revision.AUGUST_2026:
        pytest.skip("there the key is made before the callback")
    attacker, victim = journey(), journey()
    lead_astray(attacker, victim)
    told = complete_as_oneself(attacker, victim)
    assert "remove it" in told
    victim.create_key()
    (key,) = victim.whitebit_keys()
    assert not key["retrieved"]
    assert attacker.stored() is None
