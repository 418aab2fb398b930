"""What is shown to whoever tries it first is seen to hold, step by step."""

import json

import pytest

from local.demo import main
from local.whitebit import Revision


@pytest.mark.parametrize("revision", list(Revision))
def test_every_step_of_the_demo_is_seen_to_hold(capsys: pytest.CaptureFixture[str], revision: Revision) -> None:
    status = main(["--json", "--revision", revision.value])
    shown = json.loads(capsys.readouterr().out)
    assert [step["name"] for run in shown["runs"] for step in run["steps"] if not step["ok"]] == []
    assert (status, shown["ok"]) == (0, True)
