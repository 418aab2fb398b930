"""Each role may do what it does, and no more.

The local AWS holds the roles of functions and state machines to the template's policies in every test of this folder.
Here are the ways on which all that a role ever does is done; what it then may do beyond them, it need not.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.core.exceptions import JsonRESTError
from moto.dynamodb.models import DynamoDBBackend
from moto.secretsmanager.models import SecretsManagerBackend

from fastkey.domain.connection import CHECK_AGAIN, DEAD_KEY_LIFE
from fastkey.domain.event import PATIENCE
from fastkey.ports import Vault
from fastkey.usecases.keep_tokens import KEEP_MARGIN
from local.aws.policy import Call
from local.events import drain
from local.frontend import Frontend
from local.functions import Functions, Outcome
from local.items import age_events, set_times
from local.sam_local.environments import aws_environment
from local.sam_local.journey import USER, Stage, travel
from local.whitebit import Revision
from local.world import World
from tests.e2e.journey import Journey, Sandbox
from tests.e2e.privileges import LOG_DELIVERY, flaws, widened
from tests.e2e.vaults import OTHER, move, put, vaults
from tests.machines import hurry
from tests.until import until

# A key that is moved is in both vaults for a minute.
pytestmark = pytest.mark.timeout(400)

# Of what is secret, who may open it.
OPENERS = {
    "verifier": {"Callback"},
    "token": {"ReadAccount", "DetectKey", "CaptureSecret", "DeleteKey", "RefreshToken", "KeepTokens"},
    "escrow": {"CaptureSecret", "DeleteKey"},
    "key": {"ReadAccount", "CaptureSecret", "VerifyKey", "DeleteKey", "GuardKeys", "MigrateVault"},
    "captured key": {"ReadAccount", "CaptureSecret", "VerifyKey", "DeleteKey", "GuardKeys", "MigrateVault"},
    "client secret": {
        "ReadAccount",
        "Callback",
        "DetectKey",
        "CaptureSecret",
        "DeleteKey",
        "RefreshToken",
        "KeepTokens",
    },
}

Calls = dict[str, set[Call]]


@pytest.fixture(scope="module", params=list(Vault))
def vault(request: pytest.FixtureRequest) -> Vault:
    chosen: Vault = request.param
    return chosen


@pytest.fixture(scope="module")
def world(vault: Vault) -> Iterator[World]:
    # The revision with refresh tokens: what the other does is part of this; and so are reads by key of those by token.
    with World(Revision.AUGUST_2026, BearerReads="on", Vault=vault) as running:
        hurry(running)
        yield running


@pytest.fixture(scope="module")
def calls(world: World, vault: Vault) -> Calls:
    """What each role has asked of AWS, when all has been done."""
    connect_and_disconnect(world)
    disconnect_while_a_workflow_waits(world)
    be_refused_the_exchange_while_a_workflow_waits(world)
    tell_and_bury_events(world)
    guard_a_key_until_it_is_lost(world)
    keep_tokens(world)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in aws_environment(world).items():
            patch.setenv(name, value)
        patch.setattr(boto3, "DEFAULT_SESSION", None)
        # First, because WhiteBIT's clock does not stay close enough for a signed call.
        read_the_account(world)
        use_and_move_a_key_of_before(world, OTHER[vault])
        for function, stage in (
            ("RefreshToken", Stage.AUTHORIZED),
            ("DetectKey", Stage.COMPLETED),
            ("CaptureSecret", Stage.DETECTED),
            ("DeleteKey", Stage.DETECTED),
        ):
            refresh(world, function, stage)
        keep_a_secret_in_escrow(world)
        find_copies_in_either_vault(world)
        capture_by_a_version_of_before(world, OTHER[vault])
    asked: Calls = {role: set() for role in world.guard.roles}
    for judgement in world.guard.judgements:
        asked[judgement.role].add(judgement.call)
    return asked


# ---- What is done ----------------------------------------------------------------------------------------------------


def connect_and_disconnect(world: World) -> None:
    user = Journey(world, Revision.AUGUST_2026).consented()
    await_token(user)
    user.complete().create_key()
    assert user.end()["status"] == "active"
    assert len(user.frontend.call("GET", "/connections").json()["connections"]) == 1
    user.frontend.revoke(user.connection_id)
    assert user.end()["status"] == "revoked"
    await_workflows(world)


def disconnect_while_a_workflow_waits(world: World) -> None:
    user = Journey(world, Revision.AUGUST_2026).consented().create_key()
    await_token(user)
    user.frontend.revoke(user.connection_id)
    assert user.end()["status"] == "revoked"
    await_workflows(world)


def be_refused_the_exchange_while_a_workflow_waits(world: World) -> None:
    user = Journey(world, Revision.AUGUST_2026).start().visit()
    # Otherwise the workflow may come to wait after the refusal, and see it by itself.
    world.client("stepfunctions").start_execution(
        stateMachineArn=world.state_machines["ProvisionKey"],
        name=user.connection_id,
        input=json.dumps({"connection_id": user.connection_id}),
    )
    await_token(user)
    user.sandbox.fault("POST", "/oauth2/token", "status", status=401, body={"data": {"message": ["Invalid request"]}})
    user.consent()
    assert user.end()["reason"] == "exchange_refused"
    await_workflows(world)


def tell_and_bury_events(world: World) -> None:
    """Of users who declined, of which no workflow knows: the schedule tells and buries, and so may a workflow."""
    told, buried, left = (Journey(world, Revision.AUGUST_2026).start().visit() for _ in range(3))
    for user in (told, buried, left):
        user.land(user.browser.deny())
    assert told.fall_due() >= {"told"}
    for user in (buried, left):
        age_events(world, user.connection_id, datetime.now(UTC) - PATIENCE)
    assert buried.fall_due() >= {"told"}
    assert not world.functions.invoke("TellEvents", {"connection_id": left.connection_id}).failed
    assert len(list(drain(world.client("sqs"), world.queues["UntoldEvents"]))) == 2


def guard_a_key_until_it_is_lost(world: World) -> None:
    user = Journey(world, Revision.AUGUST_2026)
    assert user.connect()["status"] == "active"
    assert user.fall_due() >= {"alive"}
    user.sandbox.order(f"/keys/{user.external_id}/disable")
    assert user.fall_due() >= {"refused"}
    for refused_for in (CHECK_AGAIN, DEAD_KEY_LIFE):
        assert user.fall_due(refused_at=datetime.now(UTC) - refused_for) >= {"dead"}
    assert user.stored() is None


def keep_tokens(world: World) -> None:
    user = Journey(world, Revision.AUGUST_2026)
    assert user.connect(keep_token=True)["status"] == "active"
    end = datetime.now(UTC) + KEEP_MARGIN / 2
    user.set_times(refresh_expires_at=end, refresh_by=end)
    assert world.fire("KeepTokens")["keep_tokens.refreshed"] == 1


def refresh(world: World, function: str, stage: Stage) -> None:
    """The function finds the access token at its end."""
    known = travel(world, f"{function}@example.com", stage)
    set_times(world, known["connection_id"], access_expires_at=datetime.now(UTC))
    Sandbox(world).order("/clock", advance_seconds=1)  # WhiteBIT refreshes one token a second
    # fastkey lets no more pass, of all that refresh: somebody has just done so.
    until(lambda: not invoke(world, function, known["connection_id"]).failed)


def keep_a_secret_in_escrow(world: World) -> None:
    connection_id = travel(world, "escrow@example.com", Stage.DETECTED)["connection_id"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SecretsManagerBackend, "put_secret_value", fail)
        patch.setattr(DynamoDBBackend, "update_item", failing_for(world.tables["Keys"]))
        assert invoke(world, "CaptureSecret", connection_id).json()["errorType"] == "StorageUnavailable"
    assert invoke(world, "DeleteKey", connection_id).json()["errorType"] == "SecretHeld"
    assert invoke(world, "CaptureSecret", connection_id).json()["status"] == "verifying"


def find_copies_in_either_vault(world: World) -> None:
    """An attempt finds what an earlier one has stored, before the parameter was changed or after."""
    for name, vault in vaults(world).items():
        captured = travel(world, f"{name}.captured@example.com", Stage.DETECTED)["connection_id"]
        put(vault, captured)
        assert invoke(world, "CaptureSecret", captured).json()["status"] == "verifying"
        undone = travel(world, f"{name}.undone@example.com", Stage.DETECTED)["connection_id"]
        put(vault, undone)
        assert invoke(world, "DeleteKey", undone).json()["errorType"] == "SecretHeld"


def capture_by_a_version_of_before(world: World, other: Vault) -> None:
    """Its alias leads to it until the update is through, and its role has the policy of the new one."""
    connection_id = travel(world, "version-of-before@example.com", Stage.DETECTED)["connection_id"]
    spec = world.functions.specs()["CaptureSecret"]
    with closing(Functions(world.client("lambda").meta.region_name)) as of_before:
        of_before.add(replace(spec, variables={**spec.variables, "VAULT": other}), world.aws)
        captured = of_before.invoke("CaptureSecret", {"connection_id": connection_id})
    assert captured.json()["status"] == "verifying"
    assert vaults(world)[other].find(connection_id)


def use_and_move_a_key_of_before(world: World, other: Vault) -> None:
    """It was captured before the parameter was changed."""
    user = Journey(world, Revision.AUGUST_2026).consented().complete().create_key()
    assert user.end()["status"] == "active"
    move(world, user.connection_id, other)
    answer = user.frontend.call("GET", f"/connections/{user.connection_id}/account/balances/spot")
    assert answer.status_code == 200
    assert user.fall_due() >= {"alive"}
    verified = travel(world, "of-before@example.com", Stage.CAPTURED)["connection_id"]
    move(world, verified, other)
    assert invoke(world, "VerifyKey", verified).json()["status"] == "active"
    moved = world.functions.invoke("MigrateVault", {"to": OTHER[other]}).json()
    assert (moved["moved"], moved["left"], moved["cursor"]) == (2, {}, None)
    assert [vaults(world)[other].find(each) for each in (user.connection_id, verified)] == [None, None]


def read_the_account(world: World) -> None:
    """With the key; and with a token that has to be refreshed first."""
    for source, stage in (("key", Stage.ACTIVE), ("token", Stage.COMPLETED)):
        connection_id = travel(world, f"{source}@example.com", stage)["connection_id"]
        set_times(world, connection_id, access_expires_at=datetime.now(UTC))
        Sandbox(world).order("/clock", advance_seconds=1)  # WhiteBIT refreshes one token a second
        frontend = Frontend(world.gateway, world.token(USER))
        answer = frontend.call("GET", f"/connections/{connection_id}/account/balances/spot")
        assert (answer.status_code, answer.json()["source"]) == (200, source)


def invoke(world: World, function: str, connection_id: str) -> Outcome:
    """A step of a workflow; to be undone, the connection has failed for a cause that keeps a copy of the secret."""
    return world.functions.invoke(function, {"connection_id": connection_id, "cause": "WhiteBitUnavailable"})


def fail(*_: object, **__: object) -> None:
    raise JsonRESTError("InternalServiceError", "as ordered")


def failing_for(table: str) -> Callable[..., Any]:
    """An UpdateItem that fails for this table."""
    update = DynamoDBBackend.update_item

    def update_item(backend: DynamoDBBackend, table_name: str, *arguments: Any, **named: Any) -> Any:
        if table_name == table:
            fail()
        return update(backend, table_name, *arguments, **named)

    return update_item


def await_token(user: Journey) -> None:
    until(lambda: "task_token" in user.item())


def await_workflows(world: World) -> None:
    """Until all have told their outcome."""
    client = world.client("stepfunctions")

    def running(machine: str) -> bool:
        return bool(client.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"])

    until(lambda: not any(running(arn) for arn in world.state_machines.values()))


# ---- What is allowed -------------------------------------------------------------------------------------------------


def delivers_logs(role: str, world: World) -> bool:
    return any(role == f"fastkey-{machine}Role" for machine in world.state_machines)


def test_each_role_may_do_what_it_does_and_no_more(world: World, calls: Calls) -> None:
    found = {
        role: flaws(permissions, calls[role], delivers_logs=delivers_logs(role, world))
        for role, permissions in world.guard.roles.items()
    }
    assert {role: wrong for role, wrong in found.items() if wrong} == {}


def test_a_permission_less_or_more_or_wider_in_any_role_would_be_found(world: World, calls: Calls) -> None:
    everybodys = {permission for permissions in world.guard.roles.values() for permission in permissions}
    for role, permissions in world.guard.roles.items():
        changed = [
            *((set(permissions) - {less}, less) for less in permissions),
            *(([*permissions, more], more) for more in everybodys.difference(permissions)),
            *(
                ([*(set(permissions) - {narrow}), wide], wide)
                for narrow in set(permissions) - LOG_DELIVERY
                for wide in widened(narrow)
            ),
        ]
        for policy, change in changed:
            assert flaws(policy, calls[role], delivers_logs=delivers_logs(role, world)), (role, change)


def test_each_function_each_state_machine_and_each_schedule_has_a_role_of_its_own(world: World, calls: Calls) -> None:
    workflows = world.client("stepfunctions")
    by_owner = {name: spec.role for name, spec in world.functions.specs().items()}
    for name, arn in world.state_machines.items():
        by_owner[name] = workflows.describe_state_machine(stateMachineArn=arn)["roleArn"].rpartition("/")[2]
    by_owner |= {f"{name}EachMinute": schedule.role for name, schedule in world.schedules.items()}
    assert by_owner == {name: f"fastkey-{name}Role" for name in by_owner}
    # CodeDeploy has another, by which nothing is updated here.
    assert set(by_owner.values()) == set(world.guard.roles) - {"fastkey-CodeDeployServiceRole"}
    assert all(calls[role] for role in by_owner.values())


# ---- Who may open what, really ---------------------------------------------------------------------------------------


def open_sealed(world: World, purpose: str) -> Callable[[str], object]:
    key_id = world.functions.specs()["Callback"].variables["SEALING_KEY_ARN"]
    context = {"connection_id": "somebody's", "purpose": purpose}
    sealed = world.client("kms").encrypt(KeyId=key_id, Plaintext=b"secret", EncryptionContext=context)["CiphertextBlob"]
    return lambda role: world.client("kms", role).decrypt(
        KeyId=key_id, CiphertextBlob=sealed, EncryptionContext=context
    )


def open_stored(world: World, kind: str) -> Callable[[str], object]:
    if kind == "client secret":
        name = world.functions.specs()["Callback"].variables["CLIENT_SECRET_NAME"]
    else:
        name = world.output("KeyPrefix") + "somebody's"
        world.client("secretsmanager").create_secret(Name=name, SecretString="secret")
    return lambda role: world.client("secretsmanager", role).get_secret_value(SecretId=name)


@pytest.mark.parametrize("secret", OPENERS)
def test_only_who_has_business_with_a_secret_can_open_it(world: World, calls: Calls, secret: str) -> None:
    opening = open_stored if secret in ("captured key", "client secret") else open_sealed
    open_as = opening(world, secret)
    owners = [*world.functions.specs(), *world.state_machines]
    assert {owner for owner in owners if is_allowed(open_as, f"fastkey-{owner}Role")} == OPENERS[secret]


def is_allowed(act: Callable[[str], object], role: str) -> bool:
    try:
        act(role)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDeniedException":
            raise
        return False
    return True
