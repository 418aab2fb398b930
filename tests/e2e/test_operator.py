"""An operator looks into what went wrong, has it go on, and revokes all: by the policy for that, and without a secret.

moto does not have RedriveExecution: what takes up here what was broken off is `local/aws/redrive.py`. What AWS does of
its own, such as refusing it after 14 days, only AWS shows.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.events.models import EventsBackend

from fastkey.domain.event import PATIENCE
from local.evidence import Evidence, gathering, witness
from local.items import age_events
from local.whitebit import Revision
from local.world import World
from tests.e2e.journey import Journey
from tests.e2e.operators import ROLE, Ran, Terminal, operating
from tests.e2e.privileges import flaws
from tests.machines import hurry
from tests.until import until

MANY = 6

DELETE = ("DELETE", "/oauth2/api-key/*")
AWAY = 1000  # calls


@dataclass
class Day:
    """What an operator did in a day, and saw of it; `evidence` is all that the day left behind."""

    world: World
    terminal: Terminal
    evidence: Evidence
    seen: dict[str, Ran] = field(default_factory=dict)

    def user(self) -> Journey:
        user = Journey(self.world, Revision.AUGUST_2026)
        witness(self.evidence, self.world, user.browser.http)
        witness(self.evidence, self.world, user.frontend.http)
        return user

    def see(self, name: str, *arguments: str) -> Ran:
        self.seen[name] = self.terminal.run(*arguments)
        return self.seen[name]

    def execution(self, machine: str, user: Journey) -> str:
        """The status of a user's execution; empty where there is none."""
        try:
            found = self.world.client("stepfunctions").describe_execution(executionArn=self._arn(machine, user))
        except ClientError:
            return ""
        return str(found["status"])

    def break_off(self, machine: str, user: Journey) -> None:
        """Somebody stops the user's execution, whatever it is doing."""
        until(lambda: self.execution(machine, user))
        self.world.client("stepfunctions").stop_execution(executionArn=self._arn(machine, user))
        # The local AWS stops it once the function has ended for which it waits: that may look for half a minute.
        until(lambda: self.execution(machine, user) == "ABORTED", seconds=60)

    def _arn(self, machine: str, user: Journey) -> str:
        return f"{self.world.state_machines[machine].replace(':stateMachine:', ':execution:')}:{user.connection_id}"


# ---- What the operator does ------------------------------------------------------------------------------------------


def have_a_connection_go_on(day: Day) -> None:
    user = day.user().consented().complete()
    until(lambda: user.item()["status"]["S"] == "detecting")
    day.break_off("ProvisionKey", user)
    user.create_key()
    day.see("counts", "connections")
    day.see("stuck", "connections", "--status", "detecting", "--json")
    day.see("story of what is stuck", "story", user.connection_id)
    day.see("retry", "retry", user.connection_id)
    assert user.end()["status"] == "active"
    user.await_told()
    until(lambda: day.execution("ProvisionKey", user) == "SUCCEEDED")
    day.see("retry of nothing", "retry", user.connection_id)
    day.see("story of a success", "story", user.connection_id)
    day.see("of a user", "connections", "--user", user.sub, "--json")


def have_a_revocation_go_on(day: Day) -> None:
    user = day.user()
    user.connect()
    # WhiteBIT is away for longer than it takes to stop whoever asks again.
    user.sandbox.fault(*DELETE, "status", status=500, times=AWAY)
    day.see("revoke", "revoke", user.connection_id)
    until(lambda: [fault["times"] for fault in user.sandbox.ask("/faults")] != [AWAY])
    day.break_off("RevokeKey", user)
    user.sandbox.recover()
    day.see("retry of a revocation", "retry", user.connection_id)
    assert user.end()["status"] == "revoked"
    user.await_told()
    day.see("story of a revocation", "story", user.connection_id, "--json")
    day.see("revoke again", "revoke", user.connection_id)


def revoke_while_a_workflow_waits(day: Day) -> None:
    user = day.user().consented()
    until(lambda: "task_token" in user.item())
    day.see("story of what waits", "story", user.connection_id)
    day.see("revoke early", "revoke", user.connection_id)
    assert user.end()["status"] == "revoked"


def tell_what_nobody_told(day: Day) -> None:
    told, buried = day.user().start().visit(), day.user().start().visit()
    for user in (told, buried):
        user.land(user.browser.deny())
    day.see("story of the untold", "story", told.connection_id)
    day.see("retry of the untold", "retry", told.connection_id)
    age_events(day.world, buried.connection_id, datetime.now(UTC) - PATIENCE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EventsBackend, "put_events", refuse)
        day.see("retry of what is given up", "retry", buried.connection_id)
    day.see("replay", "replay")


def refuse(_: EventsBackend, events: list[dict[str, Any]]) -> list[dict[str, str]]:
    return [{"ErrorCode": "InternalFailure", "ErrorMessage": "as ordered"} for _ in events]


def move_nothing(day: Day) -> None:
    day.see("migrate", "migrate-vault", "--to", "secretsmanager")
    day.see("migrate elsewhere", "migrate-vault", "--to", "dynamodb")


def revoke_all(day: Day) -> None:
    users = [day.user() for _ in range(MANY)]
    for user in users:
        assert user.connect()["status"] == "active"
    # Without a token, nobody but the user can remove the key.
    refused = {"data": {"message": ["Unauthorized."]}}
    users[-1].sandbox.fault("GET", "/oauth2/api-key/info", "status", status=401, body=refused)
    day.see("revoke all of a user", "revoke-all", "--yes", "--wait", "--user", users[-1].sub)
    day.see("revoke all", "revoke-all", "--yes", "--wait")
    day.see("revoke all again", "revoke-all", "--yes", "--wait")
    day.see("counts at the end", "connections", "--json")
    for user in users[:-1]:
        assert user.whitebit_keys() == []
        assert user.stored() is None
    assert users[-1].stored() is None


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    # The revision in which tokens are refreshed, because WhiteBIT deletes keys for those that live.
    with World(Revision.AUGUST_2026) as running:
        hurry(running)
        yield running


@pytest.fixture(scope="module")
def day(world: World) -> Iterator[Day]:
    with operating(world) as terminal:
        with gathering(world) as evidence:
            day = Day(world, terminal, evidence)
            have_a_connection_go_on(day)
            have_a_revocation_go_on(day)
            revoke_while_a_workflow_waits(day)
            tell_what_nobody_told(day)
            move_nothing(day)
            revoke_all(day)
        yield day


# ---- What the operator sees ------------------------------------------------------------------------------------------


def told(ran: Ran) -> list[str]:
    """What a story tells, without when, and who says so."""
    _, _, timeline = ran.out.partition("\n\n")
    return [re.split(r"  +", line)[2] for line in timeline.splitlines()[1:]]


def in_order(timeline: list[str], *whats: str) -> bool:
    """Whether these came, in this order, among others."""
    left = iter(timeline)
    return all(any(each == what or each.startswith(f"{what} ") for each in left) for what in whats)


def test_what_is_stuck_is_found_and_goes_on(day: Day) -> None:
    assert [line.split()[:2] for line in day.seen["counts"].out.splitlines()[1:]] == [["detecting", "1"]]
    (stuck,) = map(json.loads, day.seen["stuck"].out.splitlines())
    assert stuck["connection_id"] in day.seen["story of what is stuck"].out
    assert in_order(told(day.seen["story of what is stuck"]), "started", "completed", "DetectKey", "aborted")
    assert day.seen["retry"] == Ran(0, "ProvisionKey goes on: it was ABORTED\n", "")
    assert day.seen["retry of nothing"].out == "nothing to retry: it is active, and everything of it is told\n"
    (listed,) = map(json.loads, day.seen["of a user"].out.splitlines())
    assert (listed["connection_id"], listed["status"]) == (stuck["connection_id"], "active")


def test_a_story_shows_the_whole_way(day: Day) -> None:
    story = day.seen["story of a success"]
    assert in_order(
        told(story),
        "started",
        "AwaitCompletion",
        "completed",
        "aborted",
        "redriven",
        "key found at WhiteBIT",
        "CaptureSecret",
        "fastkey-CaptureSecret verifying",
        "VerifyKey",
        "is active",
        "TellEvents",
        "succeeded",
    )
    facts = dict(re.split(r"  +", line, maxsplit=1) for line in story.out.partition("\n\n")[0].splitlines()[1:])
    assert (facts["status"], facts["copy"], facts["key_is_held_by"]) == (
        "active",
        "lies in the vault",
        "this connection",
    )


def test_a_revocation_that_was_broken_off_goes_on(day: Day) -> None:
    assert day.seen["revoke"].out == "active > revoking\n"
    assert day.seen["retry of a revocation"].out == "RevokeKey goes on: it was ABORTED\n"
    story = json.loads(day.seen["story of a revocation"].out)
    assert [story["connection"][name] for name in ("status", "copy", "key_is_held_by")] == [
        "revoked",
        "not in the vault",
        "nobody",
    ]
    whats = [each["what"] for each in story["timeline"] if each["where"] == "RevokeKey"]
    assert in_order(whats, "started", "DeleteKey", "DeleteKey failed: WhiteBitUnavailable", "aborted", "redriven")
    assert day.seen["revoke again"].out == "it had ended before: revoked\n"


def test_a_connection_that_waits_is_revoked(day: Day) -> None:
    assert in_order(told(day.seen["story of what waits"]), "started", "AwaitCompletion")
    assert day.seen["revoke early"].out == "authorized > revoking\n"


def test_what_nobody_told_is_told_and_what_was_given_up_is_replayed(day: Day) -> None:
    assert "connection.failed, not told yet" in told(day.seen["story of the untold"])
    assert day.seen["retry of the untold"].out == "told: connection.failed\n"
    assert day.seen["retry of what is given up"].out == "put into the queue: connection.failed\n"
    assert day.seen["replay"] == Ran(0, "1 told, 0 left in the queue\n", "")


def test_nobody_is_left_when_all_are_revoked_and_it_is_said_who_needs_the_user(day: Day) -> None:
    alone, rest, again = (day.seen[name].out for name in ("revoke all of a user", "revoke all", "revoke all again"))
    assert "ended: 1 needs_user_action" in alone
    assert "connections --status needs_user_action" in alone
    # With the one of the morning.
    assert rest.startswith(f"{MANY} of {MANY} begun to be revoked, in ")
    measured = rf"ended: {MANY} revoked, in [0-9.]+ s at most\nthe last of the {MANY} that are revoked ended at "
    assert re.search(measured, rest)
    assert again.startswith("0 of 0 begun to be revoked")
    counts = {each["status"] for each in map(json.loads, day.seen["counts at the end"].out.splitlines())}
    assert counts == {"revoked", "denied", "needs_user_action"}


def test_keys_are_moved_to_the_vault_that_is_chosen_alone(day: Day) -> None:
    assert day.seen["migrate"] == Ran(0, "0 moved; no more were found in the other vault\n", "")
    refused = "keys are not stored in dynamodb: deploy the stack with Vault=dynamodb first\n"
    assert day.seen["migrate elsewhere"] == Ran(2, "", refused)


# ---- What the operator may -------------------------------------------------------------------------------------------


def test_no_secret_comes_to_the_screen(day: Day) -> None:
    assert set(day.evidence.secrets) >= {"api_secret", "access_token", "refresh_token", "completion", "client_secret"}
    seen = Evidence(day.evidence.secrets, {"screen": day.terminal.screens})
    # Nor what opens the way for a workflow that waits.
    seen.know("task token", *task_tokens(day.world))
    assert seen.leaks() == set()


def task_tokens(world: World) -> Iterator[str]:
    """The tokens of which Step Functions has told."""
    workflows = world.client("stepfunctions")
    for page in workflows.get_paginator("list_executions").paginate(
        stateMachineArn=world.state_machines["ProvisionKey"]
    ):
        for execution in page["executions"]:
            for event in workflows.get_execution_history(executionArn=execution["executionArn"])["events"]:
                parameters = json.loads(event.get("taskScheduledEventDetails", {}).get("parameters", "{}"))
                if "ExpressionAttributeValues" in parameters:
                    yield parameters["ExpressionAttributeValues"][":token"]["S"]


def test_the_policy_allows_what_the_operator_does_and_no_more(day: Day) -> None:
    asked = {judgement.call for judgement in day.world.guard.judgements if judgement.role == ROLE}
    assert flaws(day.world.guard.roles[ROLE], asked, delivers_logs=False) == set()
    assert day.world.guard.denied() == []


def test_the_policy_reads_no_secret_and_opens_no_seal(day: Day) -> None:
    user = Journey(day.world, Revision.AUGUST_2026)
    user.connect()
    item = user.item()
    secrets, kms = day.world.client("secretsmanager", ROLE), day.world.client("kms", ROLE)
    for secret in (day.world.output("KeysArn") + user.connection_id, "fastkey/client-secret"):
        with pytest.raises(ClientError, match="AccessDenied"):
            secrets.get_secret_value(SecretId=secret)
    with pytest.raises(ClientError, match="AccessDenied"):
        kms.decrypt(
            CiphertextBlob=item["access_token"]["B"],
            EncryptionContext={"connection_id": user.connection_id, "purpose": "token"},
        )
