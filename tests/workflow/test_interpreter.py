"""The simulator's interpreter goes the way that moto goes: the same machines, the same answers.

Every passage of both files is gone, so that what is compared is all there is; moto can take each of them.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest

from tests.simulation.asl import Call, Ended, Failure, Machine
from tests.until import until
from tests.workflow.conftest import Answer, Machines, Run, cause, taken

LATER: Answer = {"found": False, "wait_seconds": 0}
# The last answer of each function, which lets a machine reach its end.
LAST: dict[str, Answer] = {
    "DetectKey": {"found": True, "wait_seconds": 0},
    "CaptureSecret": {},
    "VerifyKey": {"status": "active", "reason": None},
    "DeleteKey": {"status": "failed", "reason": "key_gone"},
}
DECIDED = {"status": "authorized", "completed_at": "2026-11-21T00:00:00+00:00"}
UNDECIDED = {"status": "authorized"}

# An error that no definition names. In moto, one that begins with States. ends the execution.
ANY = "WhiteBitUnavailable"
NAMED = {
    "DetectKey": ["ConnectionClosed", "CompletionRefused", "ExchangeLost", "ConsentLost", "AccountAlreadyConnected"],
    "CaptureSecret": ["ConnectionClosed", "ConsentLost", "SecretLost", "KeyGone", "SecretLocked", "StepInProgress"],
    "VerifyKey": ["ConnectionClosed", "KeyUnusable", "StepInProgress"],
    "DeleteKey": ["ConnectionClosed", "SecretHeld", "StepInProgress"],
}
GIVEN_UP: list[Answer] = [ANY] * 3  # one attempt, and the two more of the hurried machines


@dataclass(frozen=True)
class Script:
    """What the functions answer before their last answers; what whoever has the task token answers, if it waits.

    That is one answer, for in moto an attempt that failed lets all later ones fail the same way, with the same token.
    """

    answers: dict[str, list[Answer]]
    item: dict[str, str]
    completion: Answer | None = None

    def given(self) -> dict[str, list[Answer]]:
        return {name: [*self.answers.get(name, []), last] for name, last in LAST.items()}


def script(completion: Answer | None = None, **answers: list[Answer]) -> Script:
    return Script(answers, DECIDED if completion is None else UNDECIDED, completion)


PROVISION = {
    "all goes well": script(),
    "completed later": script({}),
    "never completed": script(ANY),
    "a key that comes late": script(DetectKey=[LATER, ANY, LATER]),
    "superseded while detecting": script(DetectKey=["ConnectionClosed"]),
    "refused": script(DetectKey=["CompletionRefused"]),
    "not detected": script(DetectKey=GIVEN_UP),
    "superseded while capturing": script(CaptureSecret=["SecretLocked", "ConnectionClosed"]),
    "each error has its own count": script(CaptureSecret=["SecretLocked", "StepInProgress", ANY] * 2),
    "locked for too long": script(
        CaptureSecret=["SecretLocked", ANY, "SecretLocked", "StepInProgress", "SecretLocked"]
    ),
    "superseded while verifying": script(VerifyKey=[ANY, "ConnectionClosed"]),
    "unusable": script(VerifyKey=["KeyUnusable"]),
    "superseded while deleting": script(VerifyKey=["KeyUnusable"], DeleteKey=["StepInProgress", "ConnectionClosed"]),
    "held after all": script(CaptureSecret=["SecretLost", "KeyGone"], DeleteKey=["SecretHeld", ANY, "SecretHeld"]),
    "left to the user": script(CaptureSecret=["KeyGone"], DeleteKey=GIVEN_UP),
    "superseded when left": script(CaptureSecret=["KeyGone"], DeleteKey=[*GIVEN_UP, ANY, "ConnectionClosed"]),
    "held when left": script(CaptureSecret=["KeyGone"], DeleteKey=[*GIVEN_UP, "SecretHeld"]),
    "better times": script(CaptureSecret=["KeyGone"], DeleteKey=[*GIVEN_UP, *GIVEN_UP, ANY]),
    "shredded later": script(CaptureSecret=["KeyGone"], DeleteKey=[LAST["DeleteKey"], *GIVEN_UP]),
    "superseded when shredded": script(CaptureSecret=["KeyGone"], DeleteKey=[LAST["DeleteKey"], "ConnectionClosed"]),
    "an outcome without a status": script(VerifyKey=[{}]),
}
REVOKE = {
    "all goes well": script(),
    "waits for a step": script(DeleteKey=["StepInProgress", ANY, "StepInProgress", ANY]),
    "superseded": script(DeleteKey=["ConnectionClosed"]),
    "left to the user": script(DeleteKey=["SecretHeld"] * 3),
    "superseded when left": script(DeleteKey=[*GIVEN_UP, "ConnectionClosed"]),
    "better times": script(DeleteKey=[*GIVEN_UP, *GIVEN_UP, ANY]),
    "shredded later": script(DeleteKey=[LAST["DeleteKey"], *GIVEN_UP]),
    "superseded when shredded": script(DeleteKey=[LAST["DeleteKey"], "ConnectionClosed"]),
    "an outcome without a status": script(DeleteKey=[{}]),
}


def drawn(seed: int) -> Script:
    """A script in which things go wrong at random."""
    random = Random(seed)
    errors = {name: random.choices([*named, ANY], k=random.randint(0, 5)) for name, named in NAMED.items()}
    answers: dict[str, list[Answer]] = {name: list(each) for name, each in errors.items()}
    answers["DetectKey"] = random.choices([*NAMED["DetectKey"], ANY, LATER, LAST["DetectKey"]], k=random.randint(0, 3))
    return script(random.choice([None, {}, ANY]), **answers)


SEEDS = {f"seed {seed}": drawn(seed) for seed in range(14)}
SCRIPTS = {"ProvisionKey": PROVISION | SEEDS, "RevokeKey": REVOKE | SEEDS}


@dataclass(frozen=True)
class Trace:
    """Each state with its input, each call with its payload and time; the events; how it ended, and with what."""

    steps: list[tuple[Any, ...]]
    events: list[tuple[str, Any]]
    end: tuple[str, Any, str | None]


# ---- As moto goes ----------------------------------------------------------------------------------------------------


def in_moto(machines: Machines, machine: str, scripts: dict[str, Script]) -> dict[str, Trace]:
    """All at the same time: they mostly wait."""
    started = {name: machines.start(machine, each.given(), **each.item) for name, each in scripts.items()}
    if machine == "ProvisionKey":
        for name, each in scripts.items():
            if each.completion is not None:
                complete(machines, started[name][0], each.completion)
    return {name: trace_of(machines.end(*each)) for name, each in started.items()}


def complete(machines: Machines, connection_id: str, answer: Answer) -> None:
    workflows = machines.aws.client("stepfunctions")
    token = until(lambda: machines.item(connection_id).get("task_token"))["S"]
    if isinstance(answer, str):
        workflows.send_task_failure(taskToken=token, error=answer)
    else:
        workflows.send_task_success(taskToken=token, output=json.dumps(answer))


def trace_of(run: Run) -> Trace:
    events = [(event["detail-type"], event["detail"]) for event in run.events]
    return Trace(list(steps_of(run.history)), events, end_of(run))


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


# ---- As the interpreter goes -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Passage:
    """From a state to the next one (none at the end): because of an error, or not."""

    state: str
    because_of_an_error: bool
    following: str | None


def in_interpreter(
    machines: Machines, machine: Machine, script: Script, connection_id: str, tokens: list[str]
) -> tuple[Trace, set[Passage]]:
    steps: list[tuple[Any, ...]] = []
    events: list[tuple[str, Any]] = []
    passages: set[Passage] = set()
    answer: Any = None
    before: str | None = None

    def entered(state: str, data: Any) -> None:
        nonlocal before
        steps.append(("enters", state, data))
        if before:
            passages.add(Passage(before, isinstance(answer, Failure), state))
        before = state

    answers, others = answering(machines, script), iter(tokens)
    execution = machine.run({"connection_id": connection_id}, lambda: next(others), entered)
    try:
        while True:
            request = execution.send(answer)
            answer = None
            if isinstance(request, Call):
                steps.append(("calls", request.resource, request.payload, request.timeout))
                answer = answers(request)
                if request.resource.endswith("putEvents"):
                    events += [(entry["DetailType"], entry["Detail"]) for entry in request.payload["Entries"]]
    except StopIteration as stopped:
        end: Ended = stopped.value
    if before and end.status == "SUCCEEDED":
        passages.add(Passage(before, False, None))
    return Trace(steps, events, (end.status, end.output, end.error)), passages


def answering(machines: Machines, script: Script) -> Callable[[Call], Any]:
    given, completion = script.given(), script.completion

    def answer(call: Call) -> Any:
        if call.resource in machines.functions:
            found = taken(given[machines.functions[call.resource]])
        elif call.token:
            found = "DynamoDb.ConditionalCheckFailedException" if completion is None else completion
        else:
            found = {}
        return Failure(found, cause(found)) if isinstance(found, str) else found

    return answer


def passages_of(definition: dict[str, Any]) -> set[Passage]:
    """All that a definition has."""
    found = set()
    for name, state in definition["States"].items():
        targets = [state.get("Next"), state.get("Default"), *(rule["Next"] for rule in state.get("Choices", []))]
        found |= {Passage(name, False, target) for target in targets if target}
        found |= {Passage(name, True, rule["Next"]) for rule in state.get("Catch", [])}
        if state.get("End") or state["Type"] == "Succeed":
            found.add(Passage(name, False, None))
    return found


# ---- Both ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("machine", SCRIPTS)
def test_it_goes_the_way_that_moto_goes_and_every_way_there_is(machines: Machines, machine: str) -> None:
    definition, scripts = machines.definition(machine), SCRIPTS[machine]
    interpreted, gone = Machine.load(definition), set()
    for name, trace in in_moto(machines, machine, scripts).items():
        (_, _, given), *_ = trace.steps
        mine, passages = in_interpreter(
            machines, interpreted, scripts[name], given["connection_id"], list(tokens_of(trace))
        )
        assert mine == trace, name
        gone |= passages
    assert gone == passages_of(definition)


def tokens_of(trace: Trace) -> Iterator[str]:
    for step in trace.steps:
        match step:
            case ("calls", _, {"ExpressionAttributeValues": {":token": {"S": token}}}, _):
                yield token
