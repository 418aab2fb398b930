"""The local world around the shipped template."""

from collections.abc import Iterator

import pytest
import requests

from local.evidence import gathering
from local.whitebit import Revision
from local.world import World
from tests.template import WRITTEN


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World(Revision.MAY_2026) as running:
        yield running


def test_every_table_and_every_state_machine_of_the_template_is_there(world: World) -> None:
    tables = world.client("dynamodb").list_tables()["TableNames"]
    machines = world.client("stepfunctions").list_state_machines()["stateMachines"]
    assert sorted(world.tables.values()) == sorted(tables)
    assert sorted(world.state_machines.values()) == sorted(machine["stateMachineArn"] for machine in machines)
    types = [resource["Type"] for resource in WRITTEN["Resources"].values()]
    assert len(tables) == types.count("AWS::DynamoDB::Table")
    assert len(machines) == types.count("AWS::Serverless::StateMachine")


def test_every_function_starts_with_what_the_template_gives_it(world: World) -> None:
    for name in world.functions.specs():
        outcome = world.functions.invoke(name, {})
        lines = "\n".join(world.functions.logs(name))
        assert not outcome.failed or outcome.json()["errorType"] not in {
            "Runtime.ImportModuleError",
            "Sandbox.Timedout",
            "SettingsError",
        }, lines
        # Where a module does not load, the runtime adds a warning that speaks of INIT_START.
        assert "INIT" not in lines


def test_every_schedule_of_the_template_fires_and_what_it_invokes_is_done(world: World) -> None:
    scheduled = {
        name
        for name, resource in WRITTEN["Resources"].items()
        for event in resource.get("Properties", {}).get("Events", {}).values()
        if event["Type"] == "ScheduleV2"
    }
    assert set(world.schedules) == scheduled
    for name, schedule in world.schedules.items():
        world.fire(name)
        allowed = [(permission.action, permission.resource) for permission in world.guard.roles[schedule.role]]
        assert allowed == [("lambda:InvokeFunction", schedule.function)]
    assert world.guard.denied() == []


def test_secrets_are_looked_for_in_queues_too(world: World) -> None:
    assert world.queues
    with gathering(world) as evidence:
        for url in world.queues.values():
            world.client("sqs").send_message(QueueUrl=url, MessageBody=world.client_secret)
    assert evidence.leaks() >= {("client_secret", f"messages of {name}") for name in world.queues}


def test_the_client_secret_lies_where_the_functions_look_for_it(world: World) -> None:
    (name,) = {spec.variables["CLIENT_SECRET_NAME"] for spec in world.functions.specs().values()}
    assert world.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"] == world.client_secret


def test_the_sandbox_takes_the_redirect_uri_of_the_template(world: World) -> None:
    query = {
        "clientId": world.functions.specs()["Authorize"].variables["CLIENT_ID"],
        "redirect_uri": world.output("RedirectUri"),
        "state": "s" * 43,
        "code_challenge": "c" * 43,
        "code_challenge_method": "S256",
    }
    assert requests.get(f"{world.whitebit}/auth/login", params=query, timeout=10).status_code == 200
    query["redirect_uri"] += "/other"
    assert requests.get(f"{world.whitebit}/auth/login", params=query, timeout=10).status_code == 400


def test_a_user_of_the_local_issuer_is_let_in_and_nobody_else(world: World) -> None:
    def status(**headers: str) -> int:
        return requests.get(f"{world.gateway}/connections", headers=headers, timeout=20).status_code

    assert status() == 401
    assert status(Authorization=f"Bearer {world.token('ada', aud='other')}") == 401
    assert status(Authorization=f"Bearer {world.token('ada')}") == 200


def test_an_allowed_origin_is_let_in(world: World) -> None:
    headers = {"Origin": world.partner, "Access-Control-Request-Method": "POST"}
    answer = requests.options(f"{world.gateway}/connections", headers=headers, timeout=10)
    assert answer.headers["Access-Control-Allow-Origin"] == world.partner
