"""An alarm is raised by the trouble that it is for, and by no other: the trouble is made, and nothing but what the
shipped functions log of it, and AWS counts of them, is looked at.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fastkey.domain import errors
from fastkey.domain.event import PATIENCE
from fastkey.usecases.keep_tokens import CAPACITY
from tests.operations.alarms import alarms
from tests.operations.deployment import MINUTE, Deployment
from tests.operations.filters import filters
from tests.simulation.shipped import definition
from tests.unit.entry.events import http_event
from tests.unit.journey import Journey


@pytest.fixture
def deployment() -> Iterator[Deployment]:
    """One that has run for a while. At the very first, a guardian that has not run yet is late."""
    with Deployment().running() as running:
        running.pass_minutes(35)
        running.raised.clear()
        yield running


def connected(deployment: Deployment, size: int, *, keep_token: bool = False) -> list[Journey]:
    """So many more users with a key in use, of which everything is told."""
    first = len(deployment.store.all())
    numbers = range(first, first + size)
    journeys = [deployment.user(f"user-{number}", keep_token=keep_token).activate() for number in numbers]
    for journey in journeys:
        deployment.step("TellEvents", journey)
    return journeys


def fall_due(deployment: Deployment, *journeys: Journey) -> None:
    """Their keys are to be tried now."""
    for journey in journeys:
        connection = journey.connection
        due = replace(connection, check_at=deployment.now, version=connection.version + 1)
        deployment.store.save(connection, due)


def ask(deployment: Deployment, journey: Journey, times: int, error: type[BaseException] | None = None) -> None:
    """A frontend looks at a connection so many times; each time something is in the way, or nothing is."""
    for _ in range(times):
        if error:
            deployment.store.fail_next("get", error)
        route = "GET /connections/{connection_id}"
        event = http_event(route, user_id=journey.user_id, connection_id=journey.connection_id)
        deployment.answer("GetConnection", event)


def knows_all_of(alarm: str, deployment: Deployment) -> bool:
    """Whether something was written of each metric that the alarm reckons with. Of one of which there is nothing at all
    CloudWatch does not say what it makes.
    """
    return set(alarms()[alarm].metrics()) <= deployment.metrics.names()


# ---- A good day ------------------------------------------------------------------------------------------------------


def test_no_alarm_is_raised_by_what_happens_every_day(deployment: Deployment) -> None:
    """Users connect, leave, disconnect; a key dies; WhiteBIT is away for a moment, and so is AWS."""
    users = connected(deployment, 8, keep_token=True)
    ask(deployment, users[0], times=40)
    ask(deployment, users[0], times=2, error=errors.StorageUnavailable)
    leaving = deployment.user("leaving").authorize()
    deployment.step("DeleteKey", leaving, cause="CompletionMissing")
    slow = deployment.user("slow").claim()
    deployment.world.chosen_vault.fail_next("store", errors.StorageUnavailable)
    assert deployment.step("CaptureSecret", slow) == "StorageUnavailable"
    assert deployment.step("CaptureSecret", slow)["status"] == "verifying"
    deployment.step("VerifyKey", slow)
    deployment.pass_minutes(5)
    users[1].revoke()
    assert deployment.step("DeleteKey", users[1], cause="Revoked")["status"] == "revoked"
    deployment.world.whitebit.remove_key("user-2")
    deployment.world.whitebit.fail_next("read_signed", errors.WhiteBitUnavailable)
    fall_due(deployment, *users[2:])
    deployment.pass_minutes(130)
    assert users[2].connection.status == "dead"
    late = connected(deployment, 1)[0]
    deployment.pass_minutes(30)
    late.revoke()
    assert deployment.step("DeleteKey", late, cause="Revoked")["status"] == "needs_user_action"
    deployment.pass_minutes(30)
    assert deployment.raised == set()


# ---- Keys ------------------------------------------------------------------------------------------------------------


def test_a_key_that_could_not_be_deleted(deployment: Deployment) -> None:
    journey = deployment.user("ada").claim()
    deployment.world.whitebit.fail_next("delete_key", errors.WhiteBitUnavailable)
    assert deployment.step("DeleteKey", journey, cause="SecretLost") == "WhiteBitUnavailable"
    ended = deployment.step("DeleteKey", journey, cause="SecretLost", leave_to_user=True)
    assert ended["status"] == "needs_user_action"
    deployment.pass_minutes(10)
    assert deployment.raised == {"KeyWithoutHolder"}


def test_a_secret_that_stays_in_escrow(deployment: Deployment) -> None:
    """As the state machine does: some attempts, a minute, the copy is found, five minutes, and again."""
    journey = deployment.user("ada").claim()
    deployment.world.chosen_vault.fail_next("store", errors.StorageUnavailable, times=100)
    for _ in range(4):
        for _ in range(3):
            assert deployment.step("CaptureSecret", journey) == "StorageUnavailable"
        deployment.pass_minutes(2)
        assert deployment.step("DeleteKey", journey, cause="StorageUnavailable") == "SecretHeld"
        deployment.pass_minutes(5)
    assert deployment.raised == {"EscrowNotEmpty"}


def test_a_stored_key_that_somebody_deleted(deployment: Deployment) -> None:
    (journey,) = connected(deployment, 1)
    deployment.world.vault.shred(journey.connection_id)
    fall_due(deployment, journey)
    deployment.pass_minutes(61)
    assert deployment.raised == {"KeyMissing"}


@pytest.mark.parametrize("times", [3, 100], ids=["half of them", "all"])
def test_keys_that_whitebit_refuses_all_at_once(deployment: Deployment, times: int) -> None:
    """As it does where our address is not allowed any more."""
    journeys = connected(deployment, 6)
    deployment.world.whitebit.fail_next("read_signed", errors.KeyUnusable, times=times)
    fall_due(deployment, *journeys)
    deployment.pass_minutes(61)
    assert deployment.raised == {"KeysRefused"}
    assert knows_all_of("KeysRefused", deployment)


# ---- Connections and calls -------------------------------------------------------------------------------------------


def test_connections_that_fail(deployment: Deployment) -> None:
    """As they do where the client secret is another by now."""
    for number in range(6):
        journey = deployment.user(f"user-{number}").come_to_consent()
        deployment.world.whitebit.fail_next("exchange_code", errors.ExchangeRefused)
        journey.come_back()
        deployment.step("DeleteKey", journey, cause="ExchangeRefused")
    deployment.pass_minutes(16)
    assert deployment.raised == {"ConnectionsFail"}
    assert knows_all_of("ConnectionsFail", deployment)


def test_a_whitebit_that_says_nothing_about_keys(deployment: Deployment) -> None:
    """For longer than users have to make one."""
    users = [deployment.user(f"user-{number}").authorize().complete() for number in range(6)]
    deployment.world.whitebit.fail_next("key_info", errors.WhiteBitUnavailable, times=21 * len(users))
    for _ in range(21):
        assert {deployment.step("DetectKey", user) for user in users} == {"WhiteBitUnavailable"}
        deployment.world.clock.advance(MINUTE / 2)
    ends = [deployment.step("DeleteKey", user, cause="WhiteBitUnavailable")["status"] for user in users]
    assert ends == ["failed"] * len(users)
    deployment.pass_minutes(16)
    assert deployment.raised == {"ConnectionsFail"}


@pytest.mark.parametrize("function", ["CaptureSecret", "GetConnection", "GuardKeys"])
def test_a_fault_of_ours(deployment: Deployment, function: str) -> None:
    (journey,) = connected(deployment, 1)
    match function:
        case "CaptureSecret":
            deployment.store.fail_next("get", ZeroDivisionError)
            assert deployment.step(function, journey) == "Unexpected"
        case "GetConnection":
            ask(deployment, journey, 1, ZeroDivisionError)
        case "GuardKeys":
            deployment.store.fail_next("due", ZeroDivisionError)
    deployment.pass_minutes(10)
    assert deployment.raised == {"Defects"}


def test_an_api_that_cannot_answer(deployment: Deployment) -> None:
    (journey,) = connected(deployment, 1)
    for _ in range(4):
        ask(deployment, journey, times=15)
        ask(deployment, journey, times=5, error=errors.StorageUnavailable)
        deployment.pass_minutes(1)
    assert deployment.raised == {"ApiErrors"}


@pytest.mark.parametrize(
    ("machine", "raised"), [("ProvisionKey", {"ProvisionKeyFailed"}), ("RevokeKey", {"RevokeKeyFailed"})]
)
def test_a_workflow_that_cannot_tell(deployment: Deployment, machine: str, raised: set[str]) -> None:
    journey = deployment.user("ada").activate()
    attempts = definition(machine)["States"]["TellEvents"]["Retry"][0]["MaxAttempts"] + 1
    deployment.world.events.fail_next("tell", errors.StorageUnavailable, times=attempts)
    assert [deployment.step("TellEvents", journey) for _ in range(attempts)] == ["StorageUnavailable"] * attempts
    deployment.fail_execution(machine)
    deployment.pass_minutes(10)
    assert deployment.raised == raised


def test_events_that_nobody_could_tell_for_a_day(deployment: Deployment) -> None:
    deployment.user("ada").activate()
    deployment.world.clock.advance(PATIENCE)
    deployment.pass_minutes(35)
    deployment.raised.clear()
    deployment.pass_minutes(5)
    assert deployment.raised == {"EventsUntold"}


def test_lambda_starts_no_more(deployment: Deployment) -> None:
    for _ in range(4):
        deployment.throttle()
        deployment.pass_minutes(1)
    assert deployment.raised == {"FunctionsThrottled"}


@pytest.mark.parametrize("status", ["timeout", "error", "failure"])
def test_a_function_that_lambda_ends_or_cannot_start(deployment: Deployment, status: str) -> None:
    deployment.report(status)
    deployment.pass_minutes(2)
    assert deployment.raised == {"FunctionsBroken"}


def test_a_function_that_is_done_or_begins_is_not_broken(deployment: Deployment) -> None:
    deployment.report("success")
    deployment.pass_minutes(2)
    assert deployment.raised == set()
    lines: list[dict[str, Any]] = [
        {"type": kind, "record": {"requestId": "1", "status": "error"}}
        for kind in ("platform.start", "platform.initReport", "platform.runtimeDone")
    ]
    lines.append({"level": "INFO", "message": "DetectKey", "status": "timeout"})
    assert [line for line in lines for each in filters() if each.matches(line)] == []


# ---- By the clock ----------------------------------------------------------------------------------------------------


def test_a_guardian_that_does_not_run(deployment: Deployment) -> None:
    deployment.pass_minutes(5)
    deployment.schedules = ["KeepTokens"]
    deployment.pass_minutes(40)
    assert deployment.raised == {"GuardKeysLate"}


def test_a_guardian_whose_runs_fail(deployment: Deployment) -> None:
    deployment.pass_minutes(5)
    deployment.store.fail_next("due", errors.StorageUnavailable, times=60)
    deployment.pass_minutes(40)
    assert deployment.raised == {"GuardKeysLate"}


def test_a_guardian_that_does_not_get_through(deployment: Deployment) -> None:
    """WhiteBIT takes ten seconds for an answer, and more is due than that leaves time for."""
    journeys = connected(deployment, 200)
    deployment.pass_minutes(5)
    for _ in journeys:
        deployment.world.whitebit.meanwhile("read_signed", lambda: deployment.world.clock.advance(MINUTE / 6))
    fall_due(deployment, *journeys)
    deployment.pass_minutes(40)
    assert deployment.raised == {"GuardKeysLate"}


@pytest.mark.parametrize("how", ["never", "fails"])
def test_tokens_that_nobody_keeps(deployment: Deployment, how: str) -> None:
    deployment.pass_minutes(5)
    if how == "never":
        deployment.schedules = ["GuardKeys"]
    else:
        deployment.store.fail_next("kept", errors.StorageUnavailable, times=10)
    deployment.pass_minutes(7)
    assert deployment.raised == {"KeepTokensLate"}


def test_tokens_of_nearly_as_many_as_fit(deployment: Deployment) -> None:
    for _ in range(5):
        connected(deployment, int(CAPACITY * 0.8) // 5 + 1, keep_token=True)
        deployment.pass_minutes(1)
    deployment.pass_minutes(20)
    assert deployment.raised == {"RefreshLimitNear"}


# ---- All of them -----------------------------------------------------------------------------------------------------


def test_near_is_four_fifths_of_what_fits() -> None:
    assert alarms()["RefreshLimitNear"].properties["Threshold"] == int(CAPACITY * 0.8)


@pytest.mark.parametrize("name", alarms())
def test_an_alarm_tells_the_topic_of_its_beginning_and_of_its_end(name: str) -> None:
    properties = alarms()[name].properties
    assert properties["AlarmActions"] == properties["OKActions"] == ["arn:aws:sns:eu-central-1:123456789012:alarms"]


def test_each_has_its_trouble_here() -> None:
    assert [name for name in alarms() if f'{{"{name}"}}' not in Path(__file__).read_text()] == []
