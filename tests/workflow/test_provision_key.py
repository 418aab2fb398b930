"""ProvisionKey: which step follows which answer."""

from typing import Any

import pytest

from tests.until import until
from tests.workflow.conftest import Answer, Machines, too_often

ACTIVE = {"status": "active", "reason": None}
FOUND = {"found": True, "wait_seconds": 0}
LATER = {"found": False, "wait_seconds": 0}

HAPPY: dict[str, list[Answer]] = {
    "DetectKey": [FOUND],
    "CaptureSecret": [{}],
    "VerifyKey": [ACTIVE],
    "TellEvents": [ACTIVE],
}
HAPPY_WAY = ["AwaitCompletion", "DetectKey", "KeyDetected", "CaptureSecret", "VerifyKey", "TellEvents"]
UNDOING = ["DeleteKey", "WaitToSettle", "ShredAgain", "TellEvents"]

COMPLETED = {"status": "authorized", "completed_at": "2026-11-21T00:00:00+00:00"}


def ended(reason: str, status: str = "failed") -> dict[str, list[Answer]]:
    return {"DeleteKey": [{"status": status, "reason": reason}]}


def waiting(machines: Machines, connection_id: str) -> dict[str, Any]:
    """The connection, once its workflow waits."""
    until(lambda: "task_token" in machines.item(connection_id))
    return machines.item(connection_id)


def test_a_completion_that_came_first_is_not_waited_for(machines: Machines) -> None:
    run = machines.run("ProvisionKey", HAPPY, **COMPLETED)
    assert (run.status, run.states) == ("SUCCEEDED", HAPPY_WAY)


@pytest.mark.parametrize("status", ["consenting", "exchanging", "authorized"])
def test_a_completion_that_comes_later_lets_it_go_on(machines: Machines, status: str) -> None:
    connection_id, execution = machines.start("ProvisionKey", HAPPY, status=status)
    item = waiting(machines, connection_id)
    assert machines.calls == []
    assert item["version"] == {"N": "2"}, "whoever read the connection before must notice"
    machines.aws.client("stepfunctions").send_task_success(taskToken=item["task_token"]["S"], output="{}")
    assert machines.end(connection_id, execution).states == HAPPY_WAY


def test_a_completion_that_nobody_told_it_of_is_seen_when_its_time_is_over(machines: Machines) -> None:
    """Whatever ends the wait, DetectKey looks whether the connection was completed."""
    connection_id, execution = machines.start("ProvisionKey", HAPPY, status="authorized")
    token = waiting(machines, connection_id)["task_token"]
    machines.aws.client("stepfunctions").send_task_failure(taskToken=token["S"], error="States.Timeout")
    assert machines.end(connection_id, execution).states == HAPPY_WAY


@pytest.mark.parametrize("status", ["closing", "revoking", "revoked", "needs_user_action"])
def test_a_connection_that_was_decided_otherwise_is_not_waited_for(machines: Machines, status: str) -> None:
    run = machines.run("ProvisionKey", {"DetectKey": ["ConnectionClosed"]}, status=status)
    assert run.states == ["AwaitCompletion", "DetectKey", "Superseded"]


def test_a_key_that_is_not_there_is_looked_for_again(machines: Machines) -> None:
    run = machines.run("ProvisionKey", HAPPY | {"DetectKey": [LATER, LATER, FOUND]}, **COMPLETED)
    assert run.states.count("WaitForKey") == 2
    assert run.states[-1] == "TellEvents"


def test_what_has_happened_is_told_once_it_has_and_by_the_connections_id_alone(machines: Machines) -> None:
    run = machines.run("ProvisionKey", HAPPY, **COMPLETED)
    assert [name for name, _ in run.calls] == ["DetectKey", "CaptureSecret", "VerifyKey", "TellEvents"]
    assert run.calls[-1][1].keys() == {"connection_id"}


def test_an_event_that_cannot_be_told_fails_the_execution_and_nothing_is_undone_for_it(machines: Machines) -> None:
    unable = too_often("ProvisionKey", "TellEvents", "StorageUnavailable")
    run = machines.run("ProvisionKey", HAPPY | {"TellEvents": unable}, **COMPLETED)
    assert (run.status, run.states) == ("FAILED", HAPPY_WAY)
    assert [name for name, _ in run.calls].count("TellEvents") == len(unable)


FINAL = {
    "DetectKey": [
        "CompletionMissing",
        "CompletionRefused",
        "ExchangeRefused",
        "ExchangeLost",
        "ConsentLost",
        "KeyNotCreated",
        "KeyDisabled",
        "PermissionsExceeded",
        "AccountAlreadyConnected",
    ],
    "CaptureSecret": ["ConsentLost", "SecretLost", "KeyGone"],
    "VerifyKey": ["KeyUnusable"],
}


@pytest.mark.parametrize(("step", "error"), [(step, error) for step, names in FINAL.items() for error in names])
def test_a_final_answer_is_not_asked_for_twice_and_undoes_what_was_made(
    machines: Machines, step: str, error: str
) -> None:
    run = machines.run("ProvisionKey", HAPPY | ended("x") | {step: [error]}, **COMPLETED)
    assert [name for name, _ in run.calls].count(step) == 1
    waiting = ["WaitForCopy"] if step == "CaptureSecret" else []
    assert run.states[run.states.index(step) :] == [step, *waiting, *UNDOING]
    *_, deletion, shredding, telling = run.calls
    assert [(name, payload["cause"]) for name, payload in (deletion, shredding)] == [("DeleteKey", error)] * 2
    assert telling[0] == "TellEvents"


@pytest.mark.parametrize("step", ["DetectKey", "CaptureSecret", "VerifyKey"])
@pytest.mark.parametrize(
    "error",
    ["WhiteBitUnavailable", "Conflict", "Unexpected", "Lambda.Unknown", "Sandbox.Timedout", "Runtime.ExitError"],
)
def test_what_may_pass_is_tried_again(machines: Machines, step: str, error: str) -> None:
    recovered: dict[str, list[Answer]] = HAPPY | {step: [error, *HAPPY[step]]}
    run = machines.run("ProvisionKey", recovered, **COMPLETED)
    assert run.states == HAPPY_WAY
    assert [name for name, _ in run.calls].count(step) == 2


@pytest.mark.parametrize("error", ["SecretLocked", "StepInProgress"])
def test_a_capture_that_has_to_wait_is_tried_again(machines: Machines, error: str) -> None:
    run = machines.run("ProvisionKey", HAPPY | {"CaptureSecret": [error, {}]}, **COMPLETED)
    assert run.states == HAPPY_WAY


@pytest.mark.parametrize("step", ["DetectKey", "CaptureSecret", "VerifyKey"])
def test_a_connection_that_went_another_way_is_left_alone(machines: Machines, step: str) -> None:
    run = machines.run("ProvisionKey", HAPPY | {step: ["ConnectionClosed"]}, **COMPLETED)
    assert run.states[-2:] == [step, "Superseded"]


def test_a_secret_that_turns_up_is_captured_instead_of_deleted(machines: Machines) -> None:
    script: dict[str, list[Answer]] = HAPPY | {"CaptureSecret": ["SecretLost", {}], "DeleteKey": ["SecretHeld"]}
    run = machines.run("ProvisionKey", script, **COMPLETED)
    way = ["WaitForCopy", "DeleteKey", "WaitToGoOn", "CaptureSecret", "VerifyKey", "TellEvents"]
    assert run.states[-6:] == way


def test_a_key_that_cannot_be_deleted_is_left_to_the_user(machines: Machines) -> None:
    left: Any = {"status": "needs_user_action", "reason": "secret_lost"}
    unavailable = too_often("ProvisionKey", "DeleteKey", "WhiteBitUnavailable")
    run = machines.run(
        "ProvisionKey", HAPPY | {"CaptureSecret": ["SecretLost"], "DeleteKey": [*unavailable, left]}, **COMPLETED
    )
    assert run.states[-5:] == ["DeleteKey", "LeaveToUser", *UNDOING[1:]]
    assert run.calls[-3][1] | {"connection_id": ""} == {
        "connection_id": "",
        "cause": "SecretLost",
        "leave_to_user": True,
    }
