"""`python -m local.whitebit`, as a process."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

PROJECT = Path(__file__).parents[2]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_is_keeps_a_log_without_secrets_and_ends_when_told(number: signal.Signals) -> None:
    command = [sys.executable, "-m", "local.whitebit", "--revision", "2026-05", "--client-id", "me"]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        assert (first["revision"], first["client_id"]) == ("2026-05", "me")
        requests.get(f"{first['url']}/auth/login?state=a-secret-state", timeout=5)
        assert requests.get(f"{first['control']}/users", timeout=5).status_code == 200
        process.send_signal(number)
        rest = process.stdout.read()
    assert process.returncode == 0
    assert "GET /auth/login 400" in rest
    assert "a-secret-state" not in rest


def test_a_wrong_option_is_told_in_a_sentence() -> None:
    command = [sys.executable, "-m", "local.whitebit", "--allowed-ip", "everywhere"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "everywhere" in done.stderr
