"""Function processes behave as Lambda's execution environments do."""

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local.functions import Functions
from local.functions.environment import Environment
from tests.until import until

MakePool = Callable[..., Functions]

# What Lambda sets: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
SET_BY_LAMBDA = {
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_FORMAT",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
    "LANG",
    "LD_LIBRARY_PATH",
    "PATH",
    "PYTHONPATH",
    "TZ",
}
SET_BY_THE_LOCAL_WORLD = {"AWS_ENDPOINT_URL", "HOME"}
SET_BY_PYTHON = {"LC_CTYPE"}  # where the machine lacks the locale of LANG


def test_a_process_has_the_templates_variables_and_lambdas_and_no_other(misbehave: MakePool) -> None:
    environment = misbehave().invoke("Misbehave", {"do": "environment"}).json()
    assert environment.keys() - SET_BY_PYTHON == {"SHELF"} | SET_BY_LAMBDA | SET_BY_THE_LOCAL_WORLD
    assert environment["SHELF"] == "shelf-1"
    assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"


def test_a_process_finds_its_code_its_layers_and_nothing_of_the_project(misbehave: MakePool, shop: Path) -> None:
    path = misbehave().invoke("Misbehave", {"do": "path"}).json()
    assert path[:2] == [str(shop / "misbehave"), str(shop / "common")]
    assert str(Path(__file__).parents[2]) not in path


def test_a_handler_learns_of_its_invocation(misbehave: MakePool) -> None:
    context = misbehave(timeout_seconds=5).invoke("Misbehave", {"do": "context"}).json()
    assert context["arn"].endswith(":function:shop-Misbehave")
    assert 0 < context["left"] <= 5000


def test_a_process_stays_for_the_next_invocation(misbehave: MakePool) -> None:
    pool = misbehave()
    first, second = (pool.invoke("Misbehave", {"do": "nothing"}).json() for _ in range(2))
    assert first["pid"] == second["pid"]
    assert (first["calls"], second["calls"]) == (1, 2)


@pytest.mark.parametrize("name", ["Misbehave", "shop-Misbehave", "arn:aws:lambda:eu:1:function:shop-Misbehave"])
def test_a_function_is_found_by_logical_id_name_and_arn(misbehave: MakePool, name: str) -> None:
    assert not misbehave().invoke(name, {"do": "nothing"}).failed


def test_an_unknown_function_is_a_key_error(misbehave: MakePool) -> None:
    with pytest.raises(KeyError):
        misbehave().invoke("Unknown", {})


def test_an_exception_is_answered_as_lambda_does(misbehave: MakePool) -> None:
    outcome = misbehave().invoke("Misbehave", {"do": "raise"})
    assert outcome.failed
    assert outcome.json().keys() >= {"errorType", "errorMessage", "stackTrace"}
    assert (outcome.json()["errorType"], outcome.json()["errorMessage"]) == ("ValueError", "as ordered")


def test_a_timeout_kills_the_process_and_is_answered_as_lambda_does(misbehave: MakePool) -> None:
    pool = misbehave(timeout_seconds=1)
    before = pool.invoke("Misbehave", {"do": "nothing"}).json()["pid"]
    outcome = pool.invoke("Misbehave", {"do": "sleep"})
    assert outcome.failed
    assert outcome.json()["errorType"] == "Sandbox.Timedout"
    assert outcome.json()["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")
    assert pool.invoke("Misbehave", {"do": "nothing"}).json()["pid"] != before


def test_a_process_that_exits_is_answered_as_lambda_does_and_replaced(misbehave: MakePool) -> None:
    pool = misbehave()
    outcome = pool.invoke("Misbehave", {"do": "exit"})
    assert outcome.json()["errorType"] == "Runtime.ExitError"
    assert outcome.json()["errorMessage"].endswith("Runtime exited with error: exit status 3")
    assert pool.invoke("Misbehave", {"do": "nothing"}).json()["calls"] == 1


def test_a_function_can_be_killed_in_the_middle_of_its_work(misbehave: MakePool) -> None:
    pool = misbehave(timeout_seconds=30)
    with ThreadPoolExecutor() as threads:
        working = threads.submit(pool.invoke, "Misbehave", {"do": "sleep", "seconds": 30})

        def killed() -> bool:
            pool.kill("Misbehave")  # kills nothing before the process is there
            return working.done()

        until(killed)
        assert working.result().json()["errorType"] == "Runtime.ExitError"
        assert working.result().json()["errorMessage"].endswith("signal: killed")


def test_an_idle_process_that_was_killed_is_replaced(misbehave: MakePool) -> None:
    pool = misbehave()
    before = pool.invoke("Misbehave", {"do": "nothing"}).json()["pid"]
    pool.kill("Misbehave")
    after = pool.invoke("Misbehave", {"do": "nothing"})
    assert not after.failed
    assert after.json()["pid"] != before


def test_a_process_serves_one_invocation_at_a_time(misbehave: MakePool) -> None:
    pool = misbehave()
    with ThreadPoolExecutor() as threads:
        both = list(threads.map(lambda _: pool.invoke("Misbehave", {"do": "sleep", "seconds": 0.5}).json(), range(2)))
    assert both[0]["pid"] != both[1]["pid"]


def test_more_invocations_than_processes_wait_and_are_served(misbehave: MakePool) -> None:
    pool = misbehave()
    with ThreadPoolExecutor(max_workers=30) as threads:
        outcomes = list(threads.map(lambda _: pool.invoke("Misbehave", {"do": "nothing"}), range(30)))
    assert not any(outcome.failed for outcome in outcomes)
    assert len({outcome.json()["pid"] for outcome in outcomes}) <= 10


def test_memory_is_limited(misbehave: MakePool) -> None:
    pool = misbehave(memory_mb=256)
    assert not pool.invoke("Misbehave", {"do": "allocate", "megabytes": 64}).failed
    assert pool.invoke("Misbehave", {"do": "allocate", "megabytes": 512}).json()["errorType"] == "MemoryError"


def test_boto3_starts_in_the_least_memory_that_lambda_gives(misbehave: MakePool) -> None:
    assert misbehave(memory_mb=128).invoke("Misbehave", {"do": "client"}).json() == "http://127.0.0.1:9"


def test_what_a_function_prints_is_its_log(misbehave: MakePool) -> None:
    pool = misbehave()
    pool.invoke("Misbehave", {"do": "print"})
    pool.kill("Misbehave")
    pool.close()
    assert pool.logs("Misbehave") == ["one line", "to stderr"]


def test_a_module_that_cannot_be_loaded_is_answered_with_why(misbehave: MakePool) -> None:
    pool = misbehave(handler="nowhere.handler")
    for _ in range(2):
        outcome = pool.invoke("Misbehave", {})
        assert (outcome.failed, outcome.json()["errorType"]) == (True, "Runtime.ImportModuleError")


def test_no_process_outlives_its_pool(misbehave: MakePool) -> None:
    pool = misbehave()
    pid = pool.invoke("Misbehave", {"do": "nothing"}).json()["pid"]
    pool.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(RuntimeError):
        pool.invoke("Misbehave", {"do": "nothing"})


PARENT = """
import os, signal
from pathlib import Path
from local.functions import Functions, FunctionSpec
pool = Functions("eu-central-1")
code, layer = Path("misbehave").resolve(), Path("common").resolve()
spec = FunctionSpec("F", "F", "arn", "python3.13", "app.handler", code, (layer,), {}, 5, 256, "", "JSON", "role")
pool.add(spec, "")
print(pool.invoke("F", {"do": "nothing"}).json()["pid"], flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_no_process_outlives_a_parent_that_is_killed(shop: Path) -> None:
    project = Path(__file__).parents[2]
    parent = subprocess.run(
        [sys.executable, "-c", PARENT], cwd=shop, env={"PYTHONPATH": str(project)}, capture_output=True, check=False
    )
    pid = int(parent.stdout)
    until(lambda: not is_running(pid))


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A process that has ended stays in the table until whoever adopted it looks.
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")


@pytest.fixture
def without_awslambdaric(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A bootstrap to which `runtime_client` is nowhere to be found."""
    bootstrap = Path(sys.modules[Environment.__module__].__file__ or "").with_name("bootstrap.py")
    text = bootstrap.read_text()
    assert '"runtime_client"' in text
    (tmp_path / "bootstrap.py").write_text(text.replace('"runtime_client"', '"nowhere_at_all"'))
    (tmp_path / "runner.py").write_text(bootstrap.with_name("runner.py").read_text())
    monkeypatch.setattr(f"{Environment.__module__}._BOOTSTRAP", tmp_path / "bootstrap.py")


@pytest.mark.usefixtures("without_awslambdaric")
def test_our_own_runner_does_what_awslambdaric_does(misbehave: MakePool) -> None:
    pool = misbehave()
    assert pool.invoke("Misbehave", {"do": "nothing"}).json()["layer"] == "common"
    assert pool.invoke("Misbehave", {"do": "context"}).json()["arn"].endswith(":function:shop-Misbehave")
    assert pool.invoke("Misbehave", {"do": "raise"}).json()["errorType"] == "ValueError"
    assert pool.invoke("Misbehave", {"do": "nothing"}).json()["calls"] == 4
    assert misbehave(handler="nowhere.handler").invoke("Misbehave", {}).json()["errorType"] == "ModuleNotFoundError"
