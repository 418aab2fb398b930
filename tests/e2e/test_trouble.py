"""WhiteBIT is down, slow, or talks nonsense; functions die; people leave.

Each connection reaches an end that says why.
"""

from collections.abc import Callable
from typing import Any

import pytest

from local.whitebit import Revision
from local.whitebit.user import UnexpectedPageError
from local.world import World
from tests.e2e.journey import PERMISSIONS, SECOND_FACTOR, Journey, Sandbox
from tests.until import until

NewJourney = Callable[..., Journey]

TOKEN = ("POST", "/oauth2/token")
INFO = ("GET", "/oauth2/api-key/info")
SECRET = ("GET", "/oauth2/api-key/*/secret")
DELETE = ("DELETE", "/oauth2/api-key/*")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"kind": "drop_before"}, "exchange_lost"),
        ({"kind": "drop_after"}, "exchange_lost"),
        ({"kind": "body", "body": "<html>hello</html>", "content_type": "text/html"}, "exchange_lost"),
        ({"kind": "status", "status": 401, "body": {"data": {"message": ["Invalid request"]}}}, "exchange_refused"),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else str(value["kind"]),
)
def test_a_code_is_sent_once_whatever_comes_of_it(
    journey: NewJourney, sandbox: Sandbox, fault: dict[str, Any], reason: str
) -> None:
    user = journey().start()
    sandbox.fault(*TOKEN, **fault)
    sandbox.forget_calls()
    user.visit().consent()
    ended = user.end()
    assert (ended["status"], ended["reason"]) == ("needs_user_action", reason)
    assert sandbox.calls(*TOKEN) == 1
    assert user.stored() is None


def test_a_look_whose_answer_is_lost_is_repeated(journey: NewJourney, sandbox: Sandbox) -> None:
    user = journey().consented()
    sandbox.fault(*INFO, "drop_after")
    assert user.complete().create_key().end()["status"] == "active"


def test_a_read_that_did_not_reach_whitebit_is_repeated(journey: NewJourney, sandbox: Sandbox) -> None:
    user = journey().consented()
    sandbox.fault(*SECRET, "drop_before")
    assert user.complete().create_key().end()["status"] == "active"


@pytest.mark.parametrize("cut", [{}, {"truncate": 20}], ids=["no answer", "half an answer"])
def test_a_secret_whose_answer_was_lost_costs_the_key_and_says_so(
    journey: NewJourney, sandbox: Sandbox, cut: dict[str, Any]
) -> None:
    user = journey().consented()
    sandbox.fault(*SECRET, "drop_after", **cut)
    ended = user.complete().create_key().end()
    assert (ended["status"], ended["reason"]) == ("needs_consent", "secret_lost")
    assert user.whitebit_keys() == []
    assert user.stored() is None
    assert journey(user.email).connect()["status"] == "active"


def test_a_locked_secret_is_waited_for(journey: NewJourney, revision: Revision) -> None:
    user = journey().consented()
    if revision is Revision.AUGUST_2026:
        user.create_key()
    (issued,) = user.whitebit_keys()
    user.sandbox.order(f"/keys/{issued['externalId']}/lock", seconds=3)
    assert user.complete().end()["status"] == "active"


def test_a_capture_that_was_killed_is_taken_up_again(journey: NewJourney, world: World, sandbox: Sandbox) -> None:
    user = journey().consented()
    sandbox.fault(*SECRET, "latency", seconds=6)
    user.complete().create_key()
    until(lambda: sandbox.ask("/faults") == [])
    world.functions.kill("CaptureSecret")
    # The killed attempt holds its lease until its time is over: let it be over.
    item = {"connection_id": {"S": user.connection_id}}
    world.client("dynamodb").update_item(
        TableName=world.tables["Connections"],
        Key=item,
        UpdateExpression="SET busy_until = :now",
        ExpressionAttributeValues={":now": {"S": "2026-01-01T00:00:00+00:00"}},
    )
    ended = user.end()
    assert (ended["status"], ended["reason"]) == ("needs_consent", "secret_lost")
    assert user.whitebit_keys() == []


def test_a_key_that_whitebit_does_not_delete_now_is_deleted_later(journey: NewJourney, sandbox: Sandbox) -> None:
    user = journey()
    user.connect()
    sandbox.fault(*DELETE, "status", status=500)
    sandbox.forget_calls()
    user.frontend.revoke(user.connection_id)
    assert user.end()["status"] == "revoked"
    assert sandbox.calls("DELETE", "/oauth2/api-key/{external_id}") == 2
    assert user.whitebit_keys() == []


def test_a_revocation_without_a_live_token_says_until_when_the_key_can_live(
    journey: NewJourney, sandbox: Sandbox
) -> None:
    user = journey()
    user.connect()
    refused = {"data": {"message": ["Unauthorized."]}}
    sandbox.fault(*INFO, "status", status=401, body=refused)
    user.frontend.revoke(user.connection_id)
    ended = user.end()
    assert (ended["status"], ended["reason"]) == ("needs_user_action", "revoked")
    assert ended["key_lives_until"] > ended["updated_at"]
    assert user.stored() is None


def test_a_disabled_key_is_left_to_the_user(journey: NewJourney) -> None:
    user = journey().consented().create_key()
    (issued,) = user.whitebit_keys()
    user.sandbox.order(f"/keys/{issued['externalId']}/disable")
    ended = user.complete().end()
    assert (ended["status"], ended["reason"]) == ("needs_user_action", "key_disabled")
    user.browser.delete_key(issued["externalId"])
    assert journey(user.email).connect()["status"] == "active"


def test_a_user_who_declines_is_told_and_leaves_nothing(journey: NewJourney, sandbox: Sandbox) -> None:
    user = journey().start().visit()
    sandbox.forget_calls()
    user.land(user.browser.deny())
    assert user.completion == ""
    ended = user.frontend.get(user.connection_id)
    assert (ended["status"], ended["reason"]) == ("denied", "consent_denied")
    assert sandbox.calls(*TOKEN) == 0


def test_a_connection_that_nobody_completes_ends_and_its_key_is_deleted(journey: NewJourney, impatient: None) -> None:
    user = journey().consented().create_key()
    ended = user.end()
    assert (ended["status"], ended["reason"]) == ("expired", "completion_missing")
    assert user.whitebit_keys() == []


def test_a_connection_is_revoked_while_its_key_is_being_made(journey: NewJourney) -> None:
    user = journey().consented().create_key()
    user.frontend.revoke(user.connection_id)
    assert user.end()["status"] == "revoked"
    assert user.whitebit_keys() == []


def test_a_connection_is_revoked_before_anybody_consented(journey: NewJourney) -> None:
    user = journey().start().visit()
    assert user.frontend.revoke(user.connection_id)["status"] == "revoked"
    assert user.browser.consent(PERMISSIONS, SECOND_FACTOR)
    assert user.frontend.get(user.connection_id)["status"] == "revoked"


# ---- One WhiteBIT account, two users of the partner ---------------------------------------------------------------


def test_the_second_user_of_one_account_is_told_and_the_first_ones_key_lives_on(
    journey: NewJourney, revision: Revision
) -> None:
    first = journey()
    first.connect()
    if revision is Revision.AUGUST_2026:
        first.sandbox.change_user(first.email, gate=False)
    second = journey(first.email)
    second.consented().complete()
    ended = second.end()
    assert (ended["status"], ended["reason"]) == ("failed", "account_already_connected")
    assert first.frontend.get(first.connection_id)["status"] == "active"
    assert [issued["enabled"] for issued in first.whitebit_keys()] == [True]
    assert first.stored() is not None
    assert second.stored() is None


def test_the_gate_refuses_the_second_user_and_nothing_is_lost(journey: NewJourney, revision: Revision) -> None:
    if revision is Revision.MAY_2026:
        pytest.skip("there is no gate in that revision")
    first = journey()
    first.connect()
    second = journey(first.email).start().visit()
    assert second.browser.page == "refused"
    with pytest.raises(UnexpectedPageError):
        second.consent()
    assert first.frontend.get(first.connection_id)["status"] == "active"
    assert second.frontend.get(second.connection_id)["status"] == "pending"
