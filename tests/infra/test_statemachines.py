"""The structure of the state machines, which neither `sam validate` nor moto looks at."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from math import inf
from typing import Any

import pytest
import yaml

from fastkey.adapters.whitebit import TIMEOUT
from fastkey.domain.connection import DETECTION_LIFE
from fastkey.domain.errors import CATALOGUE
from fastkey.domain.tokens import REFRESH_TOKEN_LIFE
from fastkey.usecases.refresh_token import MARGIN
from tests.template import ROOT, WRITTEN

# https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
RESERVED = re.compile(r"(States|DynamoDb|Lambda|Sandbox|Runtime)\.\w+")

# All that a state may pass on: the history is readable for 90 days. The task token is how AwaitCompletion is resumed.
TRAVELS = {"$.connection_id", "$.failure.Error", "$$.Task.Token"}

# In WhiteBIT's revision 2026-05, which has no refresh tokens.
LONGEST_TOKEN_LIFE = timedelta(hours=4)
# Where WhiteBIT gives refresh tokens.
ACCESS_TOKEN_LIFE = timedelta(minutes=5)

Definition = dict[str, Any]
Check = Callable[[Definition], list[str]]


def machines() -> dict[str, dict[str, Any]]:
    """The template's state machines: their properties, by logical id."""
    resources = WRITTEN["Resources"].items()
    return {k: r["Properties"] for k, r in resources if r["Type"] == "AWS::Serverless::StateMachine"}


def definition(logical_id: str) -> Definition:
    loaded: Definition = yaml.safe_load((ROOT / machines()[logical_id]["DefinitionUri"]).read_text())
    return loaded


MACHINES = pytest.mark.parametrize("logical_id", machines())


# ---- Checks: each gives what is wrong --------------------------------------------------------------------------------


def targets(state: dict[str, Any]) -> list[str]:
    """Where a state can lead."""
    rules = [state, *state.get("Catch", []), *state.get("Choices", [])]
    named = [rule.get("Next") for rule in rules] + [state.get("Default")]
    return [name for name in named if name]


def leading_nowhere(machine: Definition) -> list[str]:
    states = machine["States"]
    named = [machine["StartAt"], *(target for state in states.values() for target in targets(state))]
    return [name for name in named if name not in states]


def dead_ends(machine: Definition) -> list[str]:
    """States that neither lead on nor say that they are the end."""
    return [
        name
        for name, state in machine["States"].items()
        if not (state.get("Next") or state.get("End") or state["Type"] in ("Choice", "Succeed", "Fail"))
    ]


def unreached(machine: Definition) -> list[str]:
    states = machine["States"]
    reached, found = set(), {machine["StartAt"]}
    while found:
        reached |= found
        found = {target for name in found for target in targets(states.get(name, {}))} - reached
    return sorted(states.keys() - reached)


def without_timeout(machine: Definition) -> list[str]:
    return [n for n, s in machine["States"].items() if s["Type"] == "Task" and not s.get("TimeoutSeconds")]


def error_names(state: dict[str, Any]) -> Iterator[str]:
    for rule in (*state.get("Retry", []), *state.get("Catch", [])):
        yield from rule["ErrorEquals"]
    if isinstance(result := state.get("Result"), dict) and "Error" in result:
        yield result["Error"]
    if isinstance(cause := state.get("Parameters", {}).get("cause"), str):
        yield cause


def unknown_errors(machine: Definition) -> list[str]:
    names = [name for state in machine["States"].values() for name in error_names(state)]
    return [name for name in names if name not in CATALOGUE and not RESERVED.fullmatch(name)]


def final_though_they_pass(machine: Definition) -> list[str]:
    """Errors that are never retried although the same call may go well later."""
    rules = [rule for state in machine["States"].values() for rule in state.get("Retry", [])]
    final = [name for rule in rules if rule.get("MaxAttempts") == 0 for name in rule["ErrorEquals"]]
    return [name for name in final if name in CATALOGUE and CATALOGUE[name].retryable]


def paths(value: Any) -> Iterator[str]:
    """Every JSONPath in a state's parameters, those inside intrinsic functions included."""
    match value:
        case dict():
            for name, inner in value.items():
                yield from re.findall(r"\$\$?[\w.\[\]*@]*", inner) if name.endswith(".$") else paths(inner)
        case list():
            for inner in value:
                yield from paths(inner)


def travelling(machine: Definition) -> list[str]:
    """What is passed on beyond ids and outcomes; a Task without Parameters passes on everything."""
    tasks = [state for state in machine["States"].values() if state["Type"] == "Task"]
    return [path for task in tasks for path in paths(task.get("Parameters", {".$": "$"})) if path not in TRAVELS]


def shorter_than_its_function(machine: Definition, substitutions: dict[str, Any]) -> list[str]:
    """Tasks that give up before their function has ended: it would still work when the next attempt begins."""
    default, short = WRITTEN["Globals"]["Function"]["Timeout"], []
    for name, state in machine["States"].items():
        placeholder = re.fullmatch(r"\$\{(\w+)\}", state.get("Resource", ""))
        if placeholder:
            function = WRITTEN["Resources"][substitutions[placeholder[1]]["Ref"].removesuffix(".Alias")]
            if state["TimeoutSeconds"] <= function["Properties"].get("Timeout", default):
                short.append(name)
    return short


CHECKS: tuple[Check, ...] = (
    leading_nowhere,
    dead_ends,
    unreached,
    without_timeout,
    unknown_errors,
    final_though_they_pass,
    travelling,
)


# ---- The machines that ship ------------------------------------------------------------------------------------------


@MACHINES
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_state_machine_is_sound(logical_id: str, check: Check) -> None:
    assert check(definition(logical_id)) == []


@MACHINES
def test_a_task_waits_longer_than_its_function_may_take(logical_id: str) -> None:
    assert shorter_than_its_function(definition(logical_id), machines()[logical_id]["DefinitionSubstitutions"]) == []


@MACHINES
def test_every_placeholder_is_filled_and_every_filling_used(logical_id: str) -> None:
    text = (ROOT / machines()[logical_id]["DefinitionUri"]).read_text()
    assert set(re.findall(r"\$\{(\w+)\}", text)) == set(machines()[logical_id]["DefinitionSubstitutions"])


def test_there_is_a_state_machine_for_each_file() -> None:
    files = {path.relative_to(ROOT).as_posix() for path in (ROOT / "statemachines").iterdir()}
    assert {machine["DefinitionUri"] for machine in machines().values()} == files


@MACHINES
def test_a_functions_errors_are_retried_and_the_last_resort_is_caught(logical_id: str) -> None:
    """A task that fails for good goes on to another state; only the last resort and the telling have none left."""
    for name, state in definition(logical_id)["States"].items():
        if state["Type"] == "Task":
            assert state["Retry"][-1]["ErrorEquals"] == ["States.ALL"], name
            if name not in ("LeaveToUser", "TellEvents"):
                assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"], name


@MACHINES
def test_what_has_happened_is_told_last(logical_id: str) -> None:
    """If it cannot be told, the execution fails, which is seen, and there is nothing left that it would have done."""
    telling = definition(logical_id)["States"]["TellEvents"]
    assert telling["End"]
    assert "Catch" not in telling


def patience(machine: str, state: str) -> list[timedelta]:
    """How long each of a state's rules goes on trying what may pass, by its pauses alone."""
    rules = [rule for rule in definition(machine)["States"][state]["Retry"] if rule["MaxAttempts"]]
    return [timedelta(seconds=sum(pauses(rule))) for rule in rules]


def pauses(rule: dict[str, Any]) -> Iterator[float]:
    """Seconds."""
    for n in range(rule["MaxAttempts"]):
        yield min(rule["IntervalSeconds"] * rule["BackoffRate"] ** n, rule.get("MaxDelaySeconds", inf))


def test_whitebit_is_asked_to_delete_a_revoked_key_for_as_long_as_a_token_can_live() -> None:
    assert patience("RevokeKey", "DeleteKey")[-1] > LONGEST_TOKEN_LIFE


def test_trouble_that_passes_takes_nobody_the_time_for_the_key() -> None:
    assert min(patience("ProvisionKey", "DetectKey")) >= DETECTION_LIFE


def test_a_capture_gives_up_while_its_key_can_still_be_deleted() -> None:
    """Even where WhiteBIT lets each attempt's refresh and read wait, and nothing but a refresh token lives at the end.

    When the key was seen, the access token lived for MARGIN, and the refresh token is no older.
    """
    states = definition("ProvisionKey")["States"]
    attempts = states["CaptureSecret"]["Retry"][-1]["MaxAttempts"] + 1
    connect, read = TIMEOUT.connect_timeout, TIMEOUT.read_timeout
    assert isinstance(connect, int | float)
    assert isinstance(read, int | float)
    waiting = timedelta(seconds=attempts * 2 * (connect + read) + states["WaitForCopy"]["Seconds"])
    assert patience("ProvisionKey", "CaptureSecret")[-1] + waiting < REFRESH_TOKEN_LIFE - (ACCESS_TOKEN_LIFE - MARGIN)


def test_a_locked_secret_is_waited_for_as_long_as_whitebit_wants_and_users_are_told() -> None:
    """For three to five minutes in all, says docs.whitebit.com of the answer 423; docs/use.md, for more than four."""
    locked, *_ = patience("ProvisionKey", "CaptureSecret")
    assert timedelta(minutes=4) < locked < timedelta(minutes=5)


# ---- The checks bite -------------------------------------------------------------------------------------------------


def task(**changes: Any) -> dict[str, Any]:
    parameters = {"connection_id.$": "$.connection_id"}
    return {
        "Type": "Task",
        "Resource": "${DeleteKey}",
        "Parameters": parameters,
        "TimeoutSeconds": 900,
        "End": True,
    } | changes


def machine(start: str = "A", **states: dict[str, Any]) -> Definition:
    return {"StartAt": start, "States": states}


BROKEN: list[tuple[Check, Definition, str]] = [
    (leading_nowhere, machine("Z", A=task()), "Z"),
    (leading_nowhere, machine(A=task(Next="Z")), "Z"),
    (leading_nowhere, machine(A=task(Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Z"}])), "Z"),
    (leading_nowhere, machine(A={"Type": "Choice", "Choices": [{"Next": "Z"}]}), "Z"),
    (leading_nowhere, machine(A={"Type": "Choice", "Choices": [], "Default": "Z"}), "Z"),
    (dead_ends, machine(A={"Type": "Pass"}), "A"),
    (unreached, machine(A=task(), B=task()), "B"),
    (unreached, machine(A=task(), B=task(Next="B")), "B"),
    (without_timeout, machine(A=task(TimeoutSeconds=None)), "A"),
    (unknown_errors, machine(A=task(Retry=[{"ErrorEquals": ["KeyGone", "KeyGon"]}])), "KeyGon"),
    (unknown_errors, machine(A=task(Catch=[{"ErrorEquals": ["FastkeyError"], "Next": "A"}])), "FastkeyError"),
    (unknown_errors, machine(A={"Type": "Pass", "Result": {"Error": "Lost"}}), "Lost"),
    (unknown_errors, machine(A=task(Parameters={"cause": "revoked"})), "revoked"),
    (final_though_they_pass, machine(A=task(Retry=[{"ErrorEquals": ["Conflict"], "MaxAttempts": 0}])), "Conflict"),
    (travelling, machine(A=task(Parameters={"token.$": "$.token"})), "$.token"),
    (travelling, machine(A=task(Parameters={"all.$": "$"})), "$"),
    (travelling, machine(A=task(Parameters={"a": [{"b.$": "States.Format('{}', $.secret)"}]})), "$.secret"),
    (travelling, machine(A={"Type": "Task", "Resource": "x"}), "$"),
    (travelling, machine(A=task(Parameters={"why.$": "$.failure.Cause"})), "$.failure.Cause"),
]


@pytest.mark.parametrize(("check", "broken", "found"), BROKEN)
def test_a_check_finds_what_is_broken(check: Check, broken: Definition, found: str) -> None:
    assert check(broken) == [found]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_check_finds_nothing_where_nothing_is_broken(check: Check) -> None:
    retry = [{"ErrorEquals": ["KeyGone", "States.ALL"], "MaxAttempts": 0}]
    assert check(machine(A=task(Retry=retry, Next="B", End=False), B={"Type": "Succeed"})) == []


def test_a_task_that_is_too_short_is_found() -> None:
    substitutions = {"DeleteKey": {"Ref": "DeleteKey.Alias"}}
    timeout = WRITTEN["Resources"]["DeleteKey"]["Properties"]["Timeout"]
    assert shorter_than_its_function(machine(A=task(TimeoutSeconds=timeout)), substitutions) == ["A"]
    assert shorter_than_its_function(machine(A=task(TimeoutSeconds=timeout + 1)), substitutions) == []
