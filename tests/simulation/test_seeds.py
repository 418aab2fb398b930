"""Whatever a seed decides, what must hold holds; and a seed decides everything."""

import subprocess
import sys
from dataclasses import replace

import pytest

from tests.simulation.dice import Dice
from tests.simulation.plan import RESOURCES
from tests.simulation.run import Case, play
from tests.simulation.shipped import FILES, definition
from tests.template import ROOT

SEEDS, BATCH = 5000, 250


@pytest.mark.parametrize("first", range(1, SEEDS, BATCH))
def test_no_seed_breaks_a_promise(first: int) -> None:
    for seed in range(first, first + BATCH):
        violations = play(Case.of(seed)).violations
        assert not violations, f"make simulate SEED={seed}: {violations[0]}"


def test_the_same_seed_gives_the_same_trace() -> None:
    for seed in range(1, 60):
        assert play(Case.of(seed)).trace == play(Case.of(seed)).trace


def test_a_trace_depends_on_nothing_but_its_seed() -> None:
    """Nor on the order of sets, which changes with each process."""
    script = "from tests.simulation.run import *; print([play(Case.of(seed)).trace for seed in range(1, 20)])"
    outputs = [
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=ROOT,
            env={"PYTHONHASHSEED": number, "PYTHONPATH": f"{ROOT}:{ROOT / 'shared'}"},
            capture_output=True,
            check=True,
        ).stdout
        for number in ("1", "2")
    ]
    assert outputs[0] == outputs[1]
    assert len(outputs[0]) > 100_000


def test_seeds_differ() -> None:
    assert len({str(play(Case.of(seed)).trace) for seed in range(1, 30)}) == 29


def test_a_draw_depends_on_its_name_alone() -> None:
    dice = Dice(1)
    first = dice.fraction("a")
    dice.fraction("b")
    assert dice.fraction("a") == first != Dice(2).fraction("a")
    assert 0 <= first < 1


def test_seeds_lead_to_every_end() -> None:
    """A simulation in which nothing happens would find nothing."""
    ends = {end for seed in range(1, 600) for end, _ in play(Case.of(seed)).ends}
    assert ends >= {"active", "revoked", "expired", "failed", "denied", "needs_consent", "needs_user_action"}


def test_whatever_the_state_machines_start_may_be_out() -> None:
    states = [state for machine in FILES for state in definition(machine)["States"].values()]
    assert {state["Resource"] for state in states if "Resource" in state} == set(RESOURCES)


def test_leaving_out_faults_leaves_out_nothing_else() -> None:
    case = next(case for case in map(Case.of, range(1, 200)) if len(play(case).fates) > 5)
    fates = play(case).fates
    assert play(replace(case, only=frozenset(fates))).trace == play(case).trace
    assert play(replace(case, only=frozenset())).fates == {}
