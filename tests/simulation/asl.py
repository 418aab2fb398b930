"""An interpreter of the part of the Amazon States Language that statemachines/ uses: https://states-language.net/spec.html

It performs nothing itself: an execution is a generator that yields what is to be done and is sent what came of it.
A definition is compiled once, and refused if it holds anything that is not interpreted here.
"""

import json
import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from types import UnionType
from typing import Any

Json = Any  # never changed: what an execution is given, passes on and ends with may share its parts


@dataclass(frozen=True, slots=True)
class Call:
    """A Task's request: `resource` as the file names it, `timeout` in seconds, `token` for whoever answers later."""

    state: str
    resource: str
    payload: Json
    timeout: float | None
    token: str | None


@dataclass(frozen=True, slots=True)
class Sleep:
    """So many seconds are to pass, in a Wait or before a Task is tried again."""

    state: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Failure:
    """The answer of a Call that failed; whatever else is sent is the Task's result."""

    error: str
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of an execution: SUCCEEDED with an output, or FAILED with the error that no state caught."""

    status: str
    output: Json = None
    error: str | None = None


class Unsupported(ValueError):
    """A definition holds what is not interpreted here, or lacks what is needed."""


class _ExecutionFailed(Exception):
    """Names an error that nothing catches."""


# A state on its way to the next one (none at the end), and to that one's input.
Step = Generator[Call | Sleep, Json | Failure, tuple[str | None, Json]]
NewToken = Callable[[], str]
Run = Callable[[Json, NewToken], Step]
Evaluate = Callable[[Json, str | None], Json]  # of a state's input and the task's token
Place = Callable[[Json, Json], Json]  # a state's input with a result put into it
Matches = Callable[[str], bool]  # an error's name
Take = Callable[..., Any]  # a definition's field by its name, its type and, if it may be missing, what stands for it


@dataclass(frozen=True, slots=True)
class Machine:
    """A compiled definition: the name of its first state, and all its states."""

    start: str
    states: Mapping[str, Run]

    @classmethod
    def load(cls, definition: Mapping[str, Json]) -> "Machine":
        """The machine of a parsed definition, whose ${...} stay as they are. Raises Unsupported."""
        with _fields("machine", definition) as take:
            take("Comment", str, None)
            start, states = take("StartAt", str), take("States", dict)
            if lost := {start, *_targets(states.values())} - states.keys():
                raise Unsupported(f"leads nowhere: {', '.join(lost)}")
            return cls(start, {name: _state(name, each) for name, each in states.items()})

    def run(
        self, input: Json, new_token: NewToken, entered: Callable[[str, Json], None] = lambda state, data: None
    ) -> Generator[Call | Sleep, Json | Failure, Ended]:
        """An execution. Each attempt that waits for a token gets a new one; `entered` is told a state and its input."""
        state: str | None = self.start
        data = input
        try:
            while state is not None:
                entered(state, data)
                state, data = yield from self.states[state](data, new_token)
        except _ExecutionFailed as failed:
            return Ended("FAILED", error=str(failed))
        return Ended("SUCCEEDED", data)


def _targets(states: Iterable[Mapping[str, Json]]) -> Iterator[str]:
    """Where states lead."""
    for state in states:
        for rule in (state, *state.get("Catch", []), *state.get("Choices", [])):
            yield from (rule[name] for name in ("Next", "Default") if name in rule)


@contextmanager
def _fields(where: str, fields: Mapping[str, Json]) -> Iterator[Take]:
    """Gives what takes a field, and refuses one that is missing, of another type, or left in the end."""
    left = dict(fields)

    def take(name: str, kind: type | UnionType, *default: Json) -> Json:
        if name not in left and default:
            return default[0]
        if not isinstance(left.get(name), kind):
            raise Unsupported(f"{name} is {left.get(name, 'missing')!r}")
        return left.pop(name)

    try:
        yield take
    except Unsupported as wrong:
        raise Unsupported(f"{where}: {wrong}") from None
    if left:
        raise Unsupported(f"{where}: not interpreted: {', '.join(left)}")


def _state(name: str, fields: Mapping[str, Json]) -> Run:
    with _fields(name, fields) as take:
        take("Comment", str, None)
        match take("Type", str):
            case "Task":
                return _task(name, take)
            case "Choice":
                return _choice(take)
            case "Wait":
                return _wait(name, take)
            case "Succeed":
                return lambda data, _: _on(None, data)
            case other:
                raise Unsupported(f"Type is {other}")


def _on(following: str | None, data: Json) -> Step:
    yield from ()
    return following, data


def _task(name: str, take: Take) -> Run:
    resource, timeout = take("Resource", str), take("TimeoutSeconds", int, None)
    parameters, place, following = take("Parameters", dict), _place(take), _following(take)
    payload = _named("Parameters", _template, parameters)
    retriers = [_retrier(each) for each in take("Retry", list, [])]
    catchers = [_catcher(each) for each in take("Catch", list, [])]
    waits = resource.endswith(".waitForTaskToken")
    if waits is not ("$$.Task.Token" in json.dumps(parameters)):
        raise Unsupported("Parameters: a task token goes with .waitForTaskToken")

    def run(data: Json, new_token: NewToken) -> Step:
        counters: list[Iterator[float]] = []
        while True:
            token = new_token() if waits else None
            answer = yield Call(name, resource, payload(data, token), timeout, token)
            if not isinstance(answer, Failure):
                return following, place(data, answer)
            counters = counters or [iter(delays) for _, delays in retriers]
            counter = next((c for (on, _), c in zip(retriers, counters, strict=True) if on(answer.error)), iter(()))
            if (delay := next(counter, None)) is not None:
                yield Sleep(name, delay)
                continue
            for matches, handler, put in catchers:
                if matches(answer.error):
                    return handler, put(data, {"Error": answer.error, "Cause": answer.cause})
            raise _ExecutionFailed(answer.error)

    return run


def _retrier(fields: Mapping[str, Json]) -> tuple[Matches, list[float]]:
    """Which errors are tried again, and after how many seconds each time."""
    with _fields("Retry", fields) as take:
        first, rate = take("IntervalSeconds", int, 1), take("BackoffRate", int | float, 2.0)
        most, attempts = take("MaxDelaySeconds", int, inf), take("MaxAttempts", int, 3)
        return _matches(take("ErrorEquals", list)), [min(first * rate**n, most) for n in range(attempts)]


def _catcher(fields: Mapping[str, Json]) -> tuple[Matches, str, Place]:
    with _fields("Catch", fields) as take:
        return _matches(take("ErrorEquals", list)), take("Next", str), _place(take)


def _matches(names: list[str]) -> Matches:
    """What a wildcard leaves out: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html"""
    fatal = {"States.Runtime", "States.DataLimitExceeded"}
    left_out = {"States.ALL": fatal, "States.TaskFailed": fatal | {"States.Timeout"}}
    wildcards = [left_out[name] for name in names if name in left_out]
    return lambda error: error in names or any(error not in each for each in wildcards)


def _choice(take: Take) -> Run:
    rules, default = [_rule(each) for each in take("Choices", list)], take("Default", str)
    return lambda data, _: _on(next((to for variable, is_, to in rules if variable(data, None) is is_), default), data)


def _rule(fields: Mapping[str, Json]) -> tuple[Evaluate, bool, str]:
    with _fields("Choices", fields) as take:
        return _named("Variable", _path, take("Variable", str)), take("BooleanEquals", bool), take("Next", str)


def _wait(name: str, take: Take) -> Run:
    if path := take("SecondsPath", str, None):
        seconds = _named("SecondsPath", _path, path)
    else:
        seconds = _template(take("Seconds", int))
    following = _following(take)

    def run(data: Json, _: NewToken) -> Step:
        duration = seconds(data, None)
        if type(duration) is not int or duration < 0:
            raise _ExecutionFailed("States.Runtime")
        yield Sleep(name, duration)
        return following, data

    return run


def _following(take: Take) -> str | None:
    """Where a state leads, which says either Next or End."""
    following: str | None = None if take("End", bool, False) else take("Next", str)
    return following


def _place(take: Take) -> Place:
    """What ResultPath makes of a result: nothing, the next state's whole input, or one of its fields."""
    match take("ResultPath", str | None, "$"):
        case None:
            return lambda data, result: data
        case "$":
            return lambda data, result: result
        case path if found := re.fullmatch(r"\$\.(\w+)", path):
            field = found[1]
            return lambda data, result: {**data, field: result}
        case other:
            raise Unsupported(f"ResultPath is {other}")


def _template(value: Json) -> Evaluate:
    """Parameters, or a part of them, in which what stands behind a name with .$ is evaluated."""
    match value:
        case dict() if '.$":' in json.dumps(value):
            fields = {
                name.removesuffix(".$"): _named(name, _expression if name.endswith(".$") else _template, inner)
                for name, inner in value.items()
            }
            return lambda data, token: {name: evaluate(data, token) for name, evaluate in fields.items()}
        case list():
            items = [_template(inner) for inner in value]
            return lambda data, token: [evaluate(data, token) for evaluate in items]
    return lambda data, token: value


def _named(name: str, compile: Callable[[Json], Evaluate], value: Json) -> Evaluate:
    try:
        return compile(value)
    except Unsupported as wrong:
        raise Unsupported(f"{name}: {wrong}") from None


def _expression(text: str) -> Evaluate:
    if text == "$$.Task.Token":
        return lambda data, token: token
    return _path(text)


def _path(path: str) -> Evaluate:
    """A reference path. What is not there fails the execution, and no Catch hides it: States.Runtime, as in AWS."""
    if not re.fullmatch(r"\$(\.\w+)*", path):
        raise Unsupported(f"{path} is not a path")
    names = path.split(".")[1:]

    def evaluate(data: Json, _: str | None) -> Json:
        try:
            for name in names:
                data = data[name]
        except (KeyError, TypeError):
            raise _ExecutionFailed("States.Runtime") from None
        return data

    return evaluate
