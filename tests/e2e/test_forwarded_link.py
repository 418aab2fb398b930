"""A link that was forwarded: whoever consents is not who started."""

from collections.abc import Callable

from tests.e2e.journey import PASSWORD, PERMISSIONS, SECOND_FACTOR, Journey


def test_a_forwarded_link_ends_the_connection_and_deletes_the_key(journey: Callable[..., Journey]) -> None:
    attacker, victim = journey().start(), journey()
    victim.browser.open(attacker.authorize_url)
    victim.browser.log_in(victim.email, PASSWORD)
    victim.land(victim.browser.consent(PERMISSIONS, SECOND_FACTOR))
    victim.create_key()
    assert len(victim.whitebit_keys()) == 1
    completion = {"completion": victim.completion}
    answer = victim.frontend.call("POST", f"/connections/{attacker.connection_id}/complete", completion)
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:fastkey:problem:completion_refused")
    ended = attacker.end()
    assert (ended["status"], ended["reason"]) == ("failed", "completion_refused")
    assert victim.whitebit_keys() == []
    assert attacker.stored() is None
