"""The simulator's interpreter goes the way that moto goes: the machines that ship, the same answers.

Not compared, for moto differs from AWS there: a path that leads nowhere (moto lets States.ALL catch States.Runtime),
and attempts to wait for a task token after one that failed (moto lets them all fail alike, with the same token).
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from tests.simulation.asl import Call, Ended, Failure, Machine, Sleep
from tests.until import until
from tests.workflow.conftest import SHIPPED, Answer, Definition, Machines, Run, cause, rule_for, too_often

# What tasks answer, by the last word of their resource: the last answer is given ever after.
Script = dict[str, list[Answer]]


@dataclass(frozen=True)
class Trace:
    """What an execution does: each state with its input and each call with its payload and time; the seconds that it
    lets pass; how it ended, and with what.
    """

    steps: list[tuple[Any, ...]]
    waits: list[float]
    end: tuple[str, Any, str | None]


# ---- Scripts ---------------------------------------------------------------------------------------------------------

COMPLETED = "DynamoDb.ConditionalCheckFailedException"  # nobody is waited for
ENDED: Answer = {"status": "failed", "reason": "a_reason"}
GOOD: Script = {
    "waitForTaskToken": [COMPLETED],
    "DetectKey": [{"found": True, "wait_seconds": 0}],
    "CaptureSecret": [{}],
    "VerifyKey": [{"status": "active", "reason": None}],
    "DeleteKey": [ENDED],
    "TellEvents": [ENDED],
}
# No rule names these.
ANY = "WhiteBitUnavailable"
STRANGE = [ANY, "Lambda.Unknown", "Sandbox.Timedout", "States.Timeout", "States.TaskFailed"]
LOST: list[Answer] = ["SecretLost"]


def task_of(resource: str) -> str:
    """A resource's last word: ${DetectKey}, the ARN of the function whose alias it stands for, an API's action."""
    return re.split(r"\W+", resource.rstrip("}").removesuffix(":live"))[-1]


def later(seconds: int) -> Answer:
    return {"found": False, "wait_seconds": seconds}


def script(**troubles: list[Answer]) -> Script:
    """These answers first, and then those with which everything goes well."""
    return {task: [*troubles.get(task, []), *good] for task, good in GOOD.items()}


def waiting(answer: Answer, **troubles: list[Answer]) -> Script:
    """Somebody is waited for, and this is the answer."""
    return script(**troubles) | {"waitForTaskToken": [answer]}


def provisions() -> dict[str, Script]:
    def trying(state: str, error: str = ANY) -> list[Answer]:
        return too_often("ProvisionKey", state, error)

    uncaptured, undeleted, unleft = trying("CaptureSecret"), trying("DeleteKey"), trying("LeaveToUser")
    return {
        "completed before": script(),
        "completed later": waiting({}),
        "never completed": waiting("States.Timeout"),
        "cannot be waited for": waiting("DynamoDb.InternalServerErrorException"),
        "a key that comes late": script(DetectKey=[later(2), ANY, later(15)]),
        "superseded while detecting": script(DetectKey=["ConnectionClosed"]),
        "not detected": script(DetectKey=trying("DetectKey")),
        "locked for too long": script(CaptureSecret=trying("CaptureSecret", "SecretLocked")),
        "no room for too long": script(DetectKey=trying("DetectKey", "WhiteBitBusy")),
        "in progress for too long": script(CaptureSecret=trying("CaptureSecret", "StepInProgress")),
        "each error has its own count": script(CaptureSecret=[ANY, "StepInProgress"] * len(uncaptured)),
        "superseded while capturing": script(CaptureSecret=[ANY, "ConnectionClosed"]),
        "not verified": script(VerifyKey=trying("VerifyKey")),
        "in progress while verifying": script(VerifyKey=trying("VerifyKey", "StepInProgress")),
        "superseded while verifying": script(VerifyKey=["ConnectionClosed"]),
        "reopened by a late deletion": script(VerifyKey=[ANY, "SecretHeld", ANY]),
        "in progress while deleting": script(
            VerifyKey=["KeyUnusable"], DeleteKey=trying("DeleteKey", "StepInProgress")
        ),
        "superseded while deleting": script(VerifyKey=["KeyUnusable"], DeleteKey=[ANY, "ConnectionClosed"]),
        "held after all, twice": script(CaptureSecret=[*LOST, "KeyGone"], DeleteKey=["SecretHeld", ANY, "SecretHeld"]),
        "left to the user": script(CaptureSecret=LOST, DeleteKey=undeleted),
        "superseded when left": script(CaptureSecret=LOST, DeleteKey=[*undeleted, ANY, "ConnectionClosed"]),
        "held when left": script(CaptureSecret=LOST, DeleteKey=[*undeleted, "SecretHeld"]),
        "better times": script(CaptureSecret=LOST, DeleteKey=[*undeleted, *unleft, ANY]),
        "not shredded": script(CaptureSecret=LOST, DeleteKey=[ENDED, *trying("ShredAgain")]),
        "told late": script(TellEvents=[ANY] * 3),
        "never told": script(TellEvents=trying("TellEvents")),
    }


def revokes() -> dict[str, Script]:
    def trying(state: str, error: str = ANY) -> list[Answer]:
        return too_often("RevokeKey", state, error)

    undeleted = trying("DeleteKey")
    return {
        "deleted": script(),
        "superseded": script(DeleteKey=[ANY, "ConnectionClosed"]),
        "in progress for too long": script(DeleteKey=trying("DeleteKey", "StepInProgress")),
        "left to the user": script(DeleteKey=undeleted),
        "superseded when left": script(DeleteKey=[*undeleted, "SecretHeld", "ConnectionClosed"]),
        "better times": script(DeleteKey=[*undeleted, *trying("LeaveToUser"), ANY]),
        "not shredded": script(DeleteKey=[ENDED, *trying("ShredAgain")]),
        "told late": script(TellEvents=[ANY] * 3),
        "never told": script(TellEvents=trying("TellEvents")),
    }


def drawn(machine: str, seed: int) -> Script:
    """Runs of the same error or of the same answer, one after the other."""
    random = Random(f"{machine} {seed}")
    rules = [
        rule
        for each in SHIPPED[machine]["States"].values()
        for rule in (*each.get("Retry", []), *each.get("Catch", []))
    ]
    errors = sorted({name for rule in rules for name in rule["ErrorEquals"]} - {"States.ALL", COMPLETED})
    troubles: dict[str, list[Answer]] = {}
    for task in ("DetectKey", "CaptureSecret", "VerifyKey", "DeleteKey", "TellEvents"):
        known = [*errors, *STRANGE, *GOOD[task], *([later(3)] if task == "DetectKey" else [])]
        runs = [[random.choice(known)] * random.choice((1, 1, 2, 5)) for _ in range(random.randint(0, 5))]
        troubles[task] = [answer for run in runs for answer in run]
    completions: list[Answer] = [COMPLETED, {}, *STRANGE]
    return waiting(random.choice(completions), **troubles)


SEEDS = range(10)
SCRIPTS = {
    machine: named | {f"seed {seed}": drawn(machine, seed) for seed in SEEDS}
    for machine, named in (("ProvisionKey", provisions()), ("RevokeKey", revokes()))
}


# ---- As the interpreter goes -----------------------------------------------------------------------------------------


def interpreted(
    definition: Definition, script: Script, given: Any, new_token: Callable[[], str]
) -> tuple[Trace, list[tuple[str, str | None]]]:
    """The trace; and the states, each as often as it was called or, if it calls nothing, entered, with what failed."""
    left = {task: iter(answers) for task, answers in script.items()}
    steps: list[tuple[Any, ...]] = []
    waits: list[float] = []
    states: list[tuple[str, str | None]] = []

    def entered(name: str, data: Any) -> None:
        steps.append(("enters", name, data))
        if definition["States"][name]["Type"] != "Task":
            states.append((name, None))

    def answer_to(call: Call) -> Any:
        steps.append(("calls", call.resource, call.payload, call.timeout))
        task = task_of(call.resource)
        answer = next(left[task], script[task][-1])
        states.append((call.state, answer if isinstance(answer, str) else None))
        return Failure(answer, cause(answer)) if isinstance(answer, str) else answer

    execution = Machine.load(definition).run(given, new_token, entered)
    answer = None
    try:
        while True:
            match execution.send(answer):
                case Call() as call:
                    answer = answer_to(call)
                case Sleep(seconds=seconds):
                    waits.append(seconds)
    except StopIteration as stopped:
        end: Ended = stopped.value
    return Trace(steps, waits, (end.status, end.output, end.error)), states


# ---- As moto goes ----------------------------------------------------------------------------------------------------


def in_moto(machines: Machines, machine: str, script: Script) -> Run:
    completion = script["waitForTaskToken"][0]
    undecided = {} if completion == COMPLETED else {"status": "authorized"}
    connection_id, execution = machines.start(machine, script, **undecided)
    if undecided and machine == "ProvisionKey":
        token = until(lambda: machines.item(connection_id).get("task_token"))["S"]
        workflows = machines.aws.client("stepfunctions")
        if isinstance(completion, str):
            workflows.send_task_failure(taskToken=token, error=completion)
        else:
            workflows.send_task_success(taskToken=token, output=json.dumps(completion))
    return machines.end(connection_id, execution)


def trace_of(run: Run) -> Trace:
    return Trace(list(steps_of(run.history)), run.waits, end_of(run))


def steps_of(history: list[dict[str, Any]]) -> Iterator[tuple[Any, ...]]:
    for event in history:
        match event:
            case {"stateEnteredEventDetails": {"name": name, "input": given}}:
                yield "enters", name, json.loads(given)
            case {"lambdaFunctionScheduledEventDetails": details}:
                yield "calls", details["resource"], json.loads(details["input"]), details["timeoutInSeconds"]
            case {"taskScheduledEventDetails": details}:
                resource = f"arn:aws:states:::{details['resourceType']}:{details['resource']}"
                yield "calls", resource, json.loads(details["parameters"]), details["timeoutInSeconds"]


def end_of(run: Run) -> tuple[str, Any, str | None]:
    match run.history[-1]:
        case {"executionSucceededEventDetails": {"output": output}}:
            return run.status, json.loads(output), None
        case {"executionFailedEventDetails": {"error": error}}:
            return run.status, None, error
    raise AssertionError(run.history[-1])


# ---- Both ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("machine", "name"),
    [pytest.param(machine, name, id=f"{machine}: {name}") for machine in SCRIPTS for name in SCRIPTS[machine]],
)
def test_it_goes_the_way_that_moto_goes(machines: Machines, machine: str, name: str) -> None:
    script = SCRIPTS[machine][name]
    run = in_moto(machines, machine, script)
    wanted = trace_of(run)
    (_, _, given), *_ = wanted.steps
    trace, _ = interpreted(machines.definition(machine), script, given, tokens_of(wanted).__next__)
    assert trace == wanted


def tokens_of(trace: Trace) -> Iterator[str]:
    for step in trace.steps:
        match step:
            case ("calls", _, {"ExpressionAttributeValues": {":token": {"S": token}}}, _):
                yield token


# ---- Every way that there is -----------------------------------------------------------------------------------------


def ways(definition: Definition) -> Iterator[str]:
    """Each rule of a Retry that tries again, and each that does not or no longer; each way from a state to the next."""
    for name, state in definition["States"].items():
        retry, catch = state.get("Retry", []), state.get("Catch", [])
        yield from (f"{name}: Retry {n} again" for n, rule in enumerate(retry) if rule["MaxAttempts"])
        yield from (f"{name}: Retry {n} no more" for n, _ in enumerate(retry))
        yield from (f"{name}: Catch {n} to {rule['Next']}" for n, rule in enumerate(catch))
        if state["Type"] == "Task" and rule_for("an error that no rule names", catch) is None:
            yield f"{name}: Catch None to the end"
        rules = [state, *state.get("Choices", [])]
        yield from (f"{name} to {rule[to]}" for rule in rules for to in ("Next", "Default") if to in rule)
        if state.get("End") or state["Type"] == "Succeed":
            yield f"{name} to the end"


def ways_taken(definition: Definition, states: list[tuple[str, str | None]]) -> Iterator[str]:
    """Found out from what was called and failed, by no more of the language than which rule is meant."""
    for (name, error), (following, _) in pairwise([*states, ("the end", None)]):
        if error is None:
            yield f"{name} to {following}"
            continue
        retry, catch = (definition["States"][name].get(rules, []) for rules in ("Retry", "Catch"))
        yield f"{name}: Retry {rule_for(error, retry)} {'again' if following == name else 'no more'}"
        if following != name:
            yield f"{name}: Catch {rule_for(error, catch)} to {following}"


@pytest.mark.parametrize("machine", SHIPPED)
def test_every_way_is_gone(machine: str) -> None:
    definition, gone = SHIPPED[machine], set()
    for script in SCRIPTS[machine].values():
        _, states = interpreted(definition, script, {"connection_id": "c1"}, str)
        gone |= set(ways_taken(definition, states))
    assert gone == set(ways(definition))
