"""Starts every function, and goes on in two copies, as Lambda restores them from one snapshot.

Prints lines of JSON: how many sockets were open at the snapshot, and then what each copy makes up. With `--no-hooks`,
what is to be done after a restore is left out.
"""

import gc
import importlib
import json
import os
import random
import sys
from pathlib import Path
from socket import socket

from awslambdaric.bootstrap import on_init_complete  # type: ignore[import-untyped]
from botocore.retries.standard import ExponentialBackoff, RetryContext
from snapshot_restore_py import get_after_restore  # type: ignore[import-untyped]


class Snapshot:
    """Stands where Lambda's runtime waits for its restoring."""

    def restore_next(self) -> None:
        """Returns in each copy."""
        state = random.getstate()
        for _ in range(2):
            if os.fork() == 0:
                # A fork's child has its `random` seeded by Python, and a restored process has not.
                random.setstate(state)
                return
            os.wait()
        os._exit(0)


def main() -> None:
    apps = [path.parent.name for path in sorted(Path("functions").glob("*/app.py"))]
    worlds = [importlib.import_module(f"functions.{name}.app").world for name in apps]
    print(sum(isinstance(each, socket) for each in gc.get_objects()), flush=True)
    if "--no-hooks" in sys.argv:
        get_after_restore().clear()
    on_init_complete(Snapshot(), None)
    entropy = worlds[0].entropy
    backoff = ExponentialBackoff().delay_amount(RetryContext(attempt_number=3))
    made_up = [entropy.identifier(), entropy.token().reveal(), str(entropy.moment()), backoff]
    print(json.dumps(made_up), flush=True)


main()
