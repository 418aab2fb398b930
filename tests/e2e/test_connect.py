"""A user connects, and disconnects; and whatever is done twice is done once."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import pytest
import requests

from fastkey.domain.pace import STARTS_AN_HOUR
from local.whitebit import Revision
from local.world import World
from tests.e2e.journey import Journey, Sandbox
from tests.until import until

NewJourney = Callable[..., Journey]


def test_a_key_lands_in_the_vault_with_the_secret_that_whitebit_issued(journey: NewJourney) -> None:
    user = journey()
    connection = user.connect()
    assert connection["status"] == "active"
    assert connection["permissions"]
    stored = json.loads(user.stored() or "")
    (issued,) = user.whitebit_keys()
    assert stored["apiKey"] == issued["externalId"]
    assert sha256(stored["secret"].encode()).hexdigest() == issued["secret_sha256"]


def test_a_revoked_connection_leaves_no_key_anywhere(journey: NewJourney) -> None:
    user = journey()
    user.connect()
    assert user.frontend.revoke(user.connection_id)["status"] == "revoking"
    assert user.end()["status"] == "revoked"
    assert user.whitebit_keys() == []
    assert user.stored() is None


def test_after_a_revocation_the_same_user_connects_again(journey: NewJourney) -> None:
    user = journey()
    user.connect()
    user.frontend.revoke(user.connection_id)
    user.end()
    again = journey(user.email)
    assert again.connect()["status"] == "active"


def test_a_key_that_the_user_creates_late_is_waited_for(journey: NewJourney, revision: Revision) -> None:
    if revision is Revision.MAY_2026:
        pytest.skip("there the key is created before the callback")
    user = journey().consented().complete()
    assert user.frontend.get(user.connection_id)["status"] == "pending"
    user.create_key()
    assert user.end()["status"] == "active"


def test_a_completion_may_come_after_the_key(journey: NewJourney) -> None:
    user = journey().consented().create_key().complete()
    assert user.end()["status"] == "active"


def begin_another_hour(world: World) -> None:
    """In which users may start as often again."""
    dynamodb, table = world.client("dynamodb"), world.tables["Starts"]
    for item in dynamodb.scan(TableName=table)["Items"]:
        dynamodb.delete_item(TableName=table, Key={name: item[name] for name in ("user_id", "hour")})


def test_a_user_sees_own_connections_page_by_page(journey: NewJourney, world: World) -> None:
    user = journey()
    started = [user.start().connection_id for _ in range(STARTS_AN_HOUR)]
    begin_another_hour(world)
    started += [user.start().connection_id for _ in range(7)]
    first = user.frontend.call("GET", "/connections").json()
    second = user.frontend.call("GET", f"/connections?cursor={first['next_cursor']}").json()
    listed = [connection["connection_id"] for connection in first["connections"] + second["connections"]]
    assert listed == started[::-1]
    assert second["next_cursor"] is None


# ---- Twice is once ------------------------------------------------------------------------------------------------


def test_a_callback_twice_exchanges_once_and_leads_to_the_same_page(journey: NewJourney, sandbox: Sandbox) -> None:
    user = journey().start()
    back = user.consent_and_stop()
    sandbox.forget_calls()

    def come_back(_: int) -> requests.Response:
        return requests.get(back, headers=user.cookie_header(), allow_redirects=False, timeout=30)

    with ThreadPoolExecutor(5) as browsers:
        answers = list(browsers.map(come_back, range(5)))
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.headers["Location"] for answer in answers}) == 1
    assert sandbox.calls("POST", "/oauth2/token") == 1
    user.land(answers[0].headers["Location"])
    assert user.complete().create_key().end()["status"] == "active"


def test_a_completion_twice_is_one(journey: NewJourney, sandbox: Sandbox) -> None:
    sandbox.forget_calls()
    user = journey().consented().complete().complete().create_key()
    assert user.end()["status"] == "active"
    assert user.complete().end()["status"] == "active"
    assert sandbox.calls("GET", "/oauth2/api-key/{external_id}/secret") == 1


@pytest.mark.parametrize("machine", ["ProvisionKey", "RevokeKey"])
def test_an_execution_started_twice_is_one(journey: NewJourney, world: World, machine: str) -> None:
    user = journey()
    connection = user.connect()
    arn, workflows = world.state_machines[machine], world.client("stepfunctions")
    start = {
        "stateMachineArn": arn,
        "name": user.connection_id,
        "input": json.dumps({"connection_id": user.connection_id}),
    }
    if machine == "RevokeKey":
        user.frontend.revoke(user.connection_id)
        connection = user.end()
    _await_execution(world, f"{arn.replace(':stateMachine:', ':execution:')}:{user.connection_id}")
    with pytest.raises(workflows.exceptions.ExecutionAlreadyExists):
        workflows.start_execution(**start)
    # And under another name, as if Step Functions had forgotten the first:
    again = workflows.start_execution(**{**start, "name": f"again-{user.connection_id}"})
    _await_execution(world, again["executionArn"])
    assert user.frontend.get(user.connection_id)["status"] == connection["status"]
    assert len(user.whitebit_keys()) == (1 if machine == "ProvisionKey" else 0)


def _await_execution(world: World, arn: str) -> None:
    workflows = world.client("stepfunctions")
    until(lambda: workflows.describe_execution(executionArn=arn)["status"] != "RUNNING")
