"""Runs every event by the real `sam local invoke`: `python -m local.sam_local`, after `sam build`."""

import json
import math
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from fastkey.ports import Vault
from local.partner import DEFAULT_PORT
from local.sam_local.cases import CASES
from local.sam_local.environments import ADD_HOST, aws_environment, environments
from local.sam_local.journey import travel
from local.world import Ports, World

_ROOT = Path(__file__).parents[2]
_EVENTS = _ROOT / "events"
_SAM = _ROOT / ".venv-sam/bin/sam"
_SCRATCH = _ROOT / ".build/sam-local"
_INVOKE_SECONDS = 120
_ATTEMPTS = 2


@dataclass(frozen=True, slots=True)
class Result:
    """How one event was answered, and what the function asked of WhiteBIT meanwhile."""

    name: str
    answer: dict[str, Any]
    asked: set[str]
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether all that the case expects is there."""
        case = CASES[self.name]
        return case.answer.items() <= self.answer.items() and self.asked.issuperset(case.asked)

    def row(self) -> str:
        """A line of the table."""
        function, _, case = self.name.partition("/")
        answer = ", ".join(f"{name} {self.answer.get(name)}" for name in CASES[self.name].answer)
        return f"{function:20} {case:24} {answer:30} {self.seconds:5.1f} s  {'ok' if self.ok else 'FAILED'}"


def main() -> None:
    """Start the local world, with each vault, and run every event in it.

    The exit status is 1 if an answer was not as expected.
    """
    _require_engine()
    events = {f"{path.parent.name}/{path.stem}": path.read_text() for path in sorted(_EVENTS.glob("*/*.json"))}
    if names := CASES.keys() ^ events.keys():
        sys.exit(f"events/ and local/sam_local/cases.py do not agree on {', '.join(sorted(names))}.")
    _SCRATCH.mkdir(parents=True, exist_ok=True)
    results = [result for vault in Vault for result in _run_all(vault, events)]
    failed = sum(not result.ok for result in results)
    print(f"{len(results) - failed} passed, {failed} failed")
    sys.exit(failed > 0)


def _run_all(vault: Vault, events: Mapping[str, str]) -> list[Result]:
    print(f"keys in {vault}:", flush=True)
    # On every address, because containers come in by the engine's bridge.
    with World(host="0.0.0.0", ports=Ports(partner=DEFAULT_PORT), Vault=vault) as world:  # noqa: S104
        os.environ |= aws_environment(world)
        (_SCRATCH / "environments.json").write_text(environments(world))
        results = [_run(world, name, event) for name, event in events.items()]
    print("", *(result.row() for result in results), "", sep="\n")
    return results


def _require_engine() -> None:
    try:
        subprocess.run(["docker", "info"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        sys.exit("sam local needs a container engine, and none answers: start Docker, or name one in DOCKER_HOST.")


def _run(world: World, name: str, event: str) -> Result:
    # Whatever a function does, there is an answer: an error, or that its time is over. Where there is none, SAM or the
    # engine has failed, and it is tried again.
    attempts = (_attempt(world, name, event, number) for number in range(_ATTEMPTS))
    return next((result for result in attempts if result.answer), Result(name, {}, set(), math.nan))


def _attempt(world: World, name: str, event: str, number: int) -> Result:
    """Bring a connection to where the event finds it, and invoke the function."""
    print(name, flush=True)
    email = f"{name.replace('/', '.')}.{number}@example.com"
    for placeholder, value in travel(world, email, CASES[name].given).items():
        event = event.replace(f"<{placeholder}>", value)
    requests.delete(f"{world.sandbox_control}/calls", timeout=10)
    started = time.monotonic()
    function = name.partition("/")[0].title().replace("_", "")
    invocation = _invoke(function, world.functions.specs()[function].role, event)
    seconds = time.monotonic() - started
    calls = requests.get(f"{world.sandbox_control}/calls", timeout=10).json()
    asked = {f"{call['method']} {call['path']}" for call in calls}
    result = Result(name, _last_line(invocation.stdout), asked, seconds)
    if not result.ok:
        print(
            f"expected {CASES[name]}, and WhiteBIT was asked {sorted(asked)}",
            invocation.stdout,
            invocation.stderr,
            sep="\n",
            flush=True,
        )
    return result


def _invoke(function: str, role: str, event: str) -> subprocess.CompletedProcess[str]:
    (_SCRATCH / "event.json").write_text(event)
    options = {
        "--event": str(_SCRATCH / "event.json"),
        "--env-vars": str(_SCRATCH / "environments.json"),
        "--add-host": ADD_HOST,
        "--parameter-overrides": f"Architecture={'x86_64' if platform.machine() == 'x86_64' else 'arm64'}",
    }
    command = [str(_SAM), "local", "invoke", function, "--skip-pull-image"]
    for option in options.items():
        command += option
    try:
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=_INVOKE_SECONDS,
            check=False,
            cwd=_ROOT,
            env={**os.environ, "AWS_ACCESS_KEY_ID": role},
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", f"no answer within {_INVOKE_SECONDS} s")


def _last_line(output: str) -> dict[str, Any]:
    """The function's answer, which SAM prints last; empty if there is none."""
    try:
        answer: dict[str, Any] = json.loads(output.strip().rpartition("\n")[2])
    except ValueError:
        return {}
    return answer


if __name__ == "__main__":
    main()
