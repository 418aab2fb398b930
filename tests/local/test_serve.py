"""`python -m local.serve`, as a person runs it."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

PROJECT = Path(__file__).parents[2]
ANY_PORTS = [f"--{server}-port=0" for server in ("gateway", "whitebit", "aws", "issuer", "partner")]


@pytest.fixture
def serve() -> Iterator[Callable[..., Any]]:
    processes: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "local.serve", *arguments]
        pipe = subprocess.PIPE
        processes.append(subprocess.Popen(command, cwd=PROJECT, stdout=pipe, stderr=pipe, text=True))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def first_line(process: "subprocess.Popen[str]") -> dict[str, Any]:
    assert process.stdout
    line: dict[str, Any] = json.loads(process.stdout.readline())
    return line


def children(pid: int) -> list[int]:
    stats = [path.read_text() for path in Path("/proc").glob("[0-9]*/stat")]
    return [int(stat.split()[0]) for stat in stats if int(stat.rpartition(")")[2].split()[1]) == pid]


def authorization(world: dict[str, Any]) -> dict[str, str]:
    answer = requests.post(f"{world['issuer']}/token", data={"sub": "ada"}, timeout=10)
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(serve: Callable[..., Any], number: signal.Signals) -> None:
    process = serve(*ANY_PORTS, "--revision=2026-05")
    world = first_line(process)
    assert world.keys() >= {"gateway", "whitebit", "aws", "issuer", "sandbox_control", "tables"}
    answer = requests.get(f"{world['gateway']}/connections", headers=authorization(world), timeout=30)
    assert answer.status_code == 200
    process.send_signal(number)
    log, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
    assert "GET /connections 200" in log
    assert "GetConnection cold" in log


@pytest.mark.skipif(not Path("/proc").exists(), reason="reads /proc")
def test_it_leaves_no_process_behind(serve: Callable[..., Any]) -> None:
    process = serve(*ANY_PORTS)
    world = first_line(process)
    requests.get(f"{world['gateway']}/connections", headers=authorization(world), timeout=30)
    functions = children(process.pid)
    assert functions
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    for pid in functions:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_port_that_is_taken_is_said_in_one_sentence(serve: Callable[..., Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = serve(*ANY_PORTS, f"--gateway-port={taken.getsockname()[1]}")
        output, errors = process.communicate(timeout=30)
    assert (process.returncode, output) == (1, "")
    assert errors.startswith("The local world cannot start: ")
    assert errors.count("\n") == 1


def test_the_partners_page_is_where_browsers_are_sent_back_to(serve: Callable[..., Any]) -> None:
    world = first_line(serve(*ANY_PORTS))
    assert world["return_url"] == f"{world['partner']}/connected"
    for url in (world["partner"], world["return_url"]):
        assert "Connect WhiteBIT" in requests.get(url, timeout=10).text
