"""A user who clicks fifty times disconnects once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.e2e.journey import Journey, Sandbox

CLICKS = 50


def test_fifty_revocations_at_once_are_one(journey: Callable[..., Journey], sandbox: Sandbox) -> None:
    user = journey()
    user.connect()
    sandbox.forget_calls()
    with ThreadPoolExecutor(CLICKS) as clicks:
        answers = list(
            clicks.map(lambda _: user.frontend.call("DELETE", f"/connections/{user.connection_id}"), range(CLICKS))
        )
    assert {answer.status_code for answer in answers} == {202}
    assert {answer.json()["status"] for answer in answers} <= {"revoking", "revoked"}
    assert user.end()["status"] == "revoked"
    assert user.frontend.revoke(user.connection_id)["status"] == "revoked"
    assert sandbox.calls("DELETE", "/oauth2/api-key/{external_id}") == 1
    assert user.whitebit_keys() == []
    assert user.stored() is None
