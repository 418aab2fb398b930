"""With SnapStart, nothing that has to be unique is made before the snapshot from which several copies start."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.template import ROOT
from tests.unit.environment import ENVIRONMENT

# On machines on which it cannot be installed, there is no SnapStart either.
pytest.importorskip("runtime_client", reason="awslambdaric is not here")


def restored_twice(*arguments: str) -> list[Any]:
    script = Path(__file__).with_name("snapshot.py")
    aws = {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}
    environment = os.environ | ENVIRONMENT | aws | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-P", str(script), *arguments]
    shown = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in shown.splitlines()]


def test_copies_of_one_snapshot_make_up_nothing_alike() -> None:
    sockets, one, other = restored_twice()
    # Clients are made before the snapshot, and connect after it.
    assert sockets == 0
    assert [mine for mine, others in zip(one, other, strict=True) if mine == others] == []


def test_without_what_is_done_after_the_restore_copies_would_back_off_in_step() -> None:
    _, one, other = restored_twice("--no-hooks")
    assert one[-1] == other[-1]
    assert not set(one[:-1]) & set(other[:-1])
