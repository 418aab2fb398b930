"""What EventBridge Scheduler does: it invokes functions, as the template's schedules say."""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Event, Thread
from time import monotonic

from local.aws.schedule import Schedule
from local.aws.server import Client
from local.aws.template import Value

_log = logging.getLogger("local.scheduler")


class FiringError(Exception):
    """A function that a schedule invoked has failed. The text is the error that it ended in."""


def invoke(schedule: Schedule, client: Callable[[str, str], Client]) -> Value:
    """Invokes the schedule's function once, with its event and by its role. Returns the function's answer.

    client: makes a boto3 client of a service for a role. Raises FiringError, and ClientError where the role may not.
    """
    answer = client("lambda", schedule.role).invoke(FunctionName=schedule.function, Payload=schedule.event)
    payload = json.load(answer["Payload"])
    if "FunctionError" in answer:
        raise FiringError(f"{schedule.function}: {payload['errorType']}: {payload['errorMessage']}")
    return payload


@contextmanager
def firing(schedules: Mapping[str, Schedule], fire: Callable[[str], object]) -> Iterator[None]:
    """Calls `fire` with the name of each schedule at its rate, until the block ends.

    What is under way then is not waited for.
    """
    stop = Event()
    for name, schedule in schedules.items():
        Thread(target=_keep_firing, args=(name, schedule.seconds, fire, stop), daemon=True).start()
    try:
        yield
    finally:
        stop.set()


def _keep_firing(name: str, seconds: float, fire: Callable[[str], object], stop: Event) -> None:
    due = monotonic() + seconds
    while not stop.wait(max(0.0, due - monotonic())):
        due += seconds
        try:
            fire(name)
        except Exception as error:  # noqa: BLE001 - the next time is due all the same
            if not stop.is_set():
                _log.error("%s", error)
