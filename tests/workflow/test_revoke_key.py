"""RevokeKey: which step follows which answer."""

from tests.workflow.conftest import Answer, Machines, too_often

THE_END = ["WaitToSettle", "ShredAgain", "TellEvents"]
REVOKED: Answer = {"status": "revoked", "reason": "revoked"}


def test_it_deletes_the_key_and_tells(machines: Machines) -> None:
    run = machines.run("RevokeKey", {"DeleteKey": [REVOKED], "TellEvents": [REVOKED]}, status="revoking")
    assert run.states == ["DeleteKey", *THE_END]
    assert [name for name, _ in run.calls] == ["DeleteKey", "DeleteKey", "TellEvents"]
    assert run.calls[0][1]["cause"] == "Revoked"
    assert run.calls[-1][1].keys() == {"connection_id"}


def test_it_waits_for_a_capture_under_way(machines: Machines) -> None:
    run = machines.run(
        "RevokeKey", {"DeleteKey": ["StepInProgress", REVOKED], "TellEvents": [REVOKED]}, status="revoking"
    )
    assert run.states == ["DeleteKey", *THE_END]


def test_it_leaves_to_the_user_what_whitebit_does_not_do(machines: Machines) -> None:
    left: Answer = {"status": "needs_user_action", "reason": "revoked"}
    unavailable = too_often("RevokeKey", "DeleteKey", "WhiteBitUnavailable")
    run = machines.run("RevokeKey", {"DeleteKey": [*unavailable, left], "TellEvents": [left]}, status="revoking")
    assert run.states == ["DeleteKey", "LeaveToUser", *THE_END]
    assert run.calls[-3][1]["leave_to_user"] is True
    assert sum(run.waits) > 4 * 3600, "tried for longer than a token lives"


def test_it_changes_nothing_about_a_connection_that_has_ended(machines: Machines) -> None:
    run = machines.run("RevokeKey", {"DeleteKey": ["ConnectionClosed"]}, status="failed")
    assert run.states == ["DeleteKey", "Superseded"]
