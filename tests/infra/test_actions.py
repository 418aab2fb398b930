"""What GitHub runs for the project: commits that cannot be exchanged, with the least rights, and what is run by hand.

The rules beyond these are zizmor's, which `make lint` runs.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.template import ROOT

WORKFLOWS: dict[str, dict[Any, Any]] = {
    path.name: yaml.safe_load(path.read_text()) for path in sorted((ROOT / ".github/workflows").iterdir())
}

JOBS = [(f"{file}: {name}", job) for file, workflow in WORKFLOWS.items() for name, job in workflow["jobs"].items()]

# Ours are those of the same commit. What is others' is a commit, in whose place nobody can put another.
PINNED = re.compile(r"\$/\.github/workflows/[\w-]+\.yml|[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")

each_workflow = pytest.mark.parametrize("workflow", WORKFLOWS.values(), ids=WORKFLOWS)
each_job = pytest.mark.parametrize("job", [job for _, job in JOBS], ids=[name for name, _ in JOBS])


def triggers(workflow: dict[Any, Any]) -> set[str]:
    # `on` is a boolean to YAML 1.1, which PyYAML speaks.
    return set(workflow[True])


def commands(workflow: dict[Any, Any]) -> Iterator[str]:
    for job in workflow["jobs"].values():
        yield from (step["run"] for step in job.get("steps", []) if "run" in step)


@pytest.mark.parametrize("file", WORKFLOWS)
def test_everything_that_is_used_is_pinned_and_says_its_version(file: str) -> None:
    used = re.findall(r"^[\s-]*uses: (.+)$", (ROOT / ".github/workflows" / file).read_text(), re.MULTILINE)
    assert used
    assert [each for each in used if not PINNED.fullmatch(each)] == []


@each_workflow
def test_a_workflow_gives_no_rights_that_its_jobs_do_not_name(workflow: dict[Any, Any]) -> None:
    assert workflow["permissions"] == {}


@each_job
def test_a_job_reads_and_at_most_shows_who_it_is_to_deploy(job: dict[str, Any]) -> None:
    assert job["permissions"] in ({"contents": "read"}, {"contents": "read", "id-token": "write"})
    if "id-token" in job["permissions"]:
        assert "environment" in job or job["uses"] == "$/.github/workflows/deploy-to.yml"


@each_job
def test_a_job_ends(job: dict[str, Any]) -> None:
    assert "uses" in job or job["timeout-minutes"] <= 120


@each_workflow
def test_nothing_runs_with_our_rights_because_a_stranger_asks_for_it(workflow: dict[Any, Any]) -> None:
    assert triggers(workflow) <= {"push", "pull_request", "workflow_dispatch", "workflow_call"}


@each_workflow
def test_what_somebody_may_have_written_reaches_a_script_as_a_variable_only(workflow: dict[Any, Any]) -> None:
    assert [command for command in commands(workflow) if "${{" in command] == []


@each_workflow
def test_what_is_run_does_not_get_the_repositorys_token(workflow: dict[Any, Any]) -> None:
    steps = [step for job in workflow["jobs"].values() for step in job.get("steps", [])]
    checkouts = [step for step in steps if step.get("uses", "").startswith("actions/checkout@")]
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_a_change_is_held_to_what_everybody_can_run_and_to_nothing_else() -> None:
    assert triggers(WORKFLOWS["ci.yml"]) == {"push", "pull_request"}
    assert list(commands(WORKFLOWS["ci.yml"])) == [".ci/run"]


def test_prod_gets_what_staging_has() -> None:
    jobs = WORKFLOWS["deploy.yml"]["jobs"]
    assert [job["with"] for job in jobs.values()] == [{"stage": "staging"}, {"stage": "prod"}]
    assert jobs["prod"]["needs"] == "staging"


def test_what_is_looked_at_before_a_commit_is_what_make_lint_looks_at() -> None:
    rule = re.search(r"^lint: (.+?) ##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert rule
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert local["repo"] == "local"
    assert [hook["entry"] for hook in local["hooks"]] == [f"make {part}" for part in rule[1].split()]
