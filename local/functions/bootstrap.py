"""The first code of a function process: limits, then the Lambda runtime interface client.

Run as a script, by its path, so that nothing of this project can be imported but the function and its layers.
"""

import os
import resource
import runpy
import sys
from importlib.util import find_spec
from pathlib import Path
from threading import Thread


def main() -> None:
    """Serve invocations until the process is ended."""
    limit_bytes = int(os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]) * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (limit_bytes, limit_bytes))
    Thread(target=_end_with_parent, daemon=True).start()
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    sys.argv = ["awslambdaric", os.environ["_HANDLER"]]
    if find_spec("runtime_client"):  # awslambdaric's compiled half, which not every platform has
        runpy.run_module("awslambdaric", run_name="__main__")
    else:
        runpy.run_path(str(Path(__file__).with_name("runner.py")), run_name="__main__")


def _end_with_parent() -> None:
    # os.read, because a thread that waits in sys.stdin holds its lock, which the interpreter wants when it ends.
    os.read(0, 1)
    os._exit(1)


main()
