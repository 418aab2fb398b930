"""The states language, as far as it is interpreted. Rules: https://states-language.net/spec.html"""

from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.simulation.asl import Call, Ended, Failure, Machine, Sleep, Unsupported

SHIPPED = sorted((Path(__file__).parents[2] / "statemachines").glob("*.asl.yaml"))

State = dict[str, Any]
END: State = {"Type": "Succeed"}


def task(**changes: Any) -> State:
    return {"Type": "Task", "Resource": "${Do}", "Parameters": {}, "ResultPath": None, "Next": "End"} | changes


def retry(*names: str, **changes: Any) -> State:
    return {"ErrorEquals": list(names), "IntervalSeconds": 1, "BackoffRate": 2.0, "MaxAttempts": 2} | changes


def catch(*names: str, **changes: Any) -> State:
    return {"ErrorEquals": list(names), "Next": "Caught", "ResultPath": "$.failure"} | changes


def choice(**changes: Any) -> State:
    rule = {"Variable": "$.found", "BooleanEquals": True, "Next": "End"}
    return {"Type": "Choice", "Choices": [rule | changes], "Default": "End"}


def loaded(state: State, **others: State) -> Machine:
    return Machine.load({"StartAt": "Do", "States": {"Do": state, "End": END, "Caught": END} | others})


def run(machine: Machine, data: Any, *answers: Any) -> tuple[list[Call | Sleep], Ended]:
    """The requests of an execution whose calls are answered like this, and its end."""
    tokens, left, requests, answer = count(1), iter(answers), [], None
    execution = machine.run(data, lambda: f"token-{next(tokens)}")
    while True:
        try:
            requests.append(request := execution.send(answer))
        except StopIteration as stopped:
            assert list(left) == [], "asked for less than expected"
            return requests, stopped.value
        answer = next(left) if isinstance(request, Call) else None


def payload(parameters: Any, data: Any) -> Any:
    (call,), _ = run(loaded(task(Parameters=parameters)), data, {})
    assert isinstance(call, Call)
    return call.payload


def waits(machine: Machine, *answers: Any) -> list[float]:
    return [each.seconds for each in run(machine, {}, *answers)[0] if isinstance(each, Sleep)]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_a_machine_that_ships_is_interpreted(path: Path) -> None:
    definition = yaml.safe_load(path.read_text())
    assert Machine.load(definition).states.keys() == definition["States"].keys()


# ---- Data ------------------------------------------------------------------------------------------------------------


def test_parameters_are_filled_from_the_input() -> None:
    parameters = {"a": [{"b.$": "$.x.y"}, 1, {"c": None}], "all.$": "$"}
    data = {"x": {"y": [2]}}
    assert payload(parameters, data) == {"a": [{"b": [2]}, 1, {"c": None}], "all": data}


@pytest.mark.parametrize("expression", ["$.y", "$.x.y", "$.x.y.z"])
def test_what_is_not_there_ends_the_execution_and_cannot_be_caught(expression: str) -> None:
    machine = loaded(task(Parameters={"y.$": expression}, Retry=[retry("States.ALL")], Catch=[catch("States.ALL")]))
    assert run(machine, {"x": "a"}) == ([], Ended("FAILED", None, "States.Runtime"))


@pytest.mark.parametrize(("path", "output"), [(None, {"x": 1}), ("$", 2), ("$.x", {"x": 2}), ("$.y", {"x": 1, "y": 2})])
def test_a_result_goes_where_its_path_says(path: str | None, output: Any) -> None:
    data = {"x": 1}
    _, ended = run(loaded(task(ResultPath=path)), data, 2)
    assert ended == Ended("SUCCEEDED", output)
    assert data == {"x": 1}, "an input is never changed"


def test_an_attempt_that_waits_for_a_token_has_its_own() -> None:
    state = task(Resource="x.waitForTaskToken", Parameters={"t.$": "$$.Task.Token"}, Retry=[retry("E")])
    requests, _ = run(loaded(state), {}, Failure("E"), {})
    assert [(call.token, call.payload) for call in requests if isinstance(call, Call)] == [
        ("token-1", {"t": "token-1"}),
        ("token-2", {"t": "token-2"}),
    ]


def test_a_call_says_what_the_file_says() -> None:
    requests, _ = run(loaded(task(TimeoutSeconds=7)), {}, {})
    assert requests == [Call("Do", "${Do}", {}, 7, None)]


# ---- Errors ----------------------------------------------------------------------------------------------------------


def test_retries_come_later_and_later_up_to_a_limit() -> None:
    machine = loaded(task(Retry=[retry("E", IntervalSeconds=3, MaxDelaySeconds=10, MaxAttempts=4)]))
    assert waits(machine, *[Failure("E")] * 4, {}) == [3, 6, 10, 10]


def test_what_a_retry_leaves_out_is_as_the_specification_says() -> None:
    machine = loaded(task(Retry=[{"ErrorEquals": ["E"]}]))
    assert waits(machine, *[Failure("E")] * 3, {}) == [1, 2, 4]


def test_the_first_retrier_that_matches_decides() -> None:
    machine = loaded(task(Retry=[retry("E", MaxAttempts=0), retry("States.ALL")]))
    assert run(machine, {}, Failure("E"))[1] == Ended("FAILED", None, "E")


def test_each_retrier_counts_for_itself() -> None:
    machine = loaded(task(Retry=[retry("E"), retry("States.ALL", IntervalSeconds=10)]))
    failures = [Failure(name) for name in ("E", "F", "E", "F", "E")]
    assert waits(machine, *failures) == [1, 10, 2, 20]


def test_counting_begins_again_when_a_state_is_entered_again() -> None:
    machine = loaded(task(Retry=[retry("E", MaxAttempts=1)], Catch=[catch("E", Next="Do")]))
    assert waits(machine, *[Failure("E")] * 4, {}) == [1, 1]


def test_the_first_catcher_that_matches_gets_the_error() -> None:
    machine = loaded(task(Catch=[catch("F", Next="End"), catch("E"), catch("States.ALL", Next="End")]))
    entered: list[str] = []
    execution = machine.run({"x": 1}, str, lambda state, _: entered.append(state))
    next(execution)
    with pytest.raises(StopIteration) as stopped:
        execution.send(Failure("E", "why"))
    assert stopped.value.value == Ended("SUCCEEDED", {"x": 1, "failure": {"Error": "E", "Cause": "why"}})
    assert entered == ["Do", "Caught"]


@pytest.mark.parametrize(
    ("name", "error", "status"),
    [
        ("E", "E", "SUCCEEDED"),
        ("E", "F", "FAILED"),
        ("States.ALL", "E", "SUCCEEDED"),
        ("States.ALL", "States.Timeout", "SUCCEEDED"),
        ("States.ALL", "States.Runtime", "FAILED"),
        ("States.TaskFailed", "E", "SUCCEEDED"),
        ("States.TaskFailed", "States.Timeout", "FAILED"),
        ("States.Timeout", "States.Timeout", "SUCCEEDED"),
    ],
)
def test_a_name_catches_what_it_stands_for(name: str, error: str, status: str) -> None:
    assert run(loaded(task(Catch=[catch(name)])), {}, Failure(error))[1].status == status


# ---- Ways ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("found", "calls"), [(True, 1), (False, 0), ("true", 0), (1, 0)])
def test_a_choice_follows_a_boolean(found: Any, calls: int) -> None:
    requests, _ = run(loaded(choice(Next="More"), More=task()), {"found": found}, *[{}] * calls)
    assert len(requests) == calls


@pytest.mark.parametrize("fields", [{"Seconds": 5}, {"SecondsPath": "$.x"}])
def test_a_wait_takes_its_time(fields: State) -> None:
    assert run(loaded({"Type": "Wait", "Next": "End"} | fields), {"x": 5}) == (
        [Sleep("Do", 5)],
        Ended("SUCCEEDED", {"x": 5}),
    )


@pytest.mark.parametrize("seconds", [2.5, -1, "5", True, None])
def test_what_is_no_number_of_seconds_ends_the_execution(seconds: Any) -> None:
    machine = loaded({"Type": "Wait", "SecondsPath": "$.x", "Next": "End"})
    assert run(machine, {"x": seconds}) == ([], Ended("FAILED", None, "States.Runtime"))


def test_a_task_can_be_the_end() -> None:
    state = task(End=True)
    del state["Next"]
    assert run(loaded(state), {"x": 1}, {})[1] == Ended("SUCCEEDED", {"x": 1})


# ---- What is not interpreted is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "named"),
    [
        (task(HeartbeatSeconds=1), "HeartbeatSeconds"),
        (task(OutputPath="$.x"), "OutputPath"),
        (task(InputPath="$.x"), "InputPath"),
        (task(ResultSelector={}), "ResultSelector"),
        (task(QueryLanguage="JSONata"), "QueryLanguage"),
        (task(TimeoutSecondsPath="$.x"), "TimeoutSecondsPath"),
        (task(End=True), "Next"),
        (task(Retry=[retry("E", JitterStrategy="FULL")]), "Retry: not interpreted: JitterStrategy"),
        (task(Retry=[{}]), "Retry: ErrorEquals is 'missing'"),
        (task(Catch=[catch("E", Assign={})]), "Catch: not interpreted: Assign"),
        (task(ResultPath="$.a.b"), "ResultPath"),
        (task(Catch=[catch("E", ResultPath="$.a[0]")]), "Catch: ResultPath"),
        (task(Parameters={"a.$": "$.b[0]"}), r"Parameters: a.\$: "),
        (task(Parameters={"a": [{"b.$": "$..c"}]}), r"Parameters: a: b.\$: "),
        (task(Parameters={"a.$": "$$.Execution.Id"}), r"Parameters: a.\$: "),
        (task(Parameters={"a.$": "States.UUID()"}), r"Parameters: a.\$: "),
        (task(Parameters={"a.$": "States.Format('{}', $.a)"}), r"Parameters: a.\$: "),
        (task(Parameters={"a.$": "$$.Task.Token"}), "Parameters: a task token"),
        (task(Resource="x.waitForTaskToken"), "Parameters: a task token"),
        ({"Type": "Map", "Iterator": {}, "Next": "End"}, "Type is Map"),
        ({"Type": "Parallel", "Branches": [], "Next": "End"}, "Type is Parallel"),
        ({"Type": "Pass", "Next": "End"}, "Type is Pass"),
        ({"Type": "Fail"}, "Type is Fail"),
        ({"Type": "Wait", "Timestamp": "2026-01-01T00:00:00Z", "Next": "End"}, "Seconds"),
        ({"Type": "Wait", "Seconds": 1, "SecondsPath": "$.x", "Next": "End"}, "not interpreted: Seconds"),
        ({"Type": "Choice", "Choices": []}, "Default is 'missing'"),
        ({"Type": "Choice", "Choices": [{"And": []}], "Default": "End"}, "Choices: Variable is 'missing'"),
        (choice(StringEquals="x"), "Choices: not interpreted: StringEquals"),
        (choice(BooleanEquals="true"), "Choices: BooleanEquals is 'true'"),
        ({"Type": "Succeed", "OutputPath": "$.x"}, "OutputPath"),
        (task(TimeoutSeconds="7"), "TimeoutSeconds is '7'"),
        (task(Retry=[retry("E", MaxAttempts=None)]), "Retry: MaxAttempts is None"),
        (task(Catch=[catch("E") | {"ErrorEquals": "E"}]), "Catch: ErrorEquals is 'E'"),
        ({"Type": "Wait", "Seconds": "$.x", "Next": "End"}, r"Seconds is '\$.x'"),
    ],
)
def test_what_is_not_interpreted_is_refused(state: State, named: str) -> None:
    with pytest.raises(Unsupported, match=f"Do: .*{named}"):
        loaded(state)


@pytest.mark.parametrize(
    "state",
    [
        task(Next="Nowhere"),
        task(Catch=[catch("E", Next="Nowhere")]),
        choice(Next="Nowhere"),
        choice() | {"Default": "Nowhere"},
    ],
)
def test_a_way_to_nowhere_is_refused(state: State) -> None:
    with pytest.raises(Unsupported, match="machine: leads nowhere: Nowhere"):
        loaded(state)


def test_a_start_that_is_not_there_is_refused() -> None:
    with pytest.raises(Unsupported, match="machine: leads nowhere: Do"):
        Machine.load({"StartAt": "Do", "States": {"End": END}})


@pytest.mark.parametrize("field", ["QueryLanguage", "TimeoutSeconds", "Version"])
def test_a_machine_is_refused_for_a_field_of_its_own(field: str) -> None:
    with pytest.raises(Unsupported, match=f"machine: not interpreted: {field}"):
        Machine.load({"StartAt": "End", "States": {"End": END}, field: "x"})
