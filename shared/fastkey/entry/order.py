"""Between an operator's command and a use case."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import Any

from fastkey.entry.invocation import Invocation
from fastkey.logging import about, log


@dataclass(frozen=True, slots=True)
class Order:
    """What a command asks for. cursor: where to go on, if it is not the beginning. remaining: as a step's."""

    to: str
    cursor: str | None
    remaining: timedelta


def ordered(run: Callable[[Order], dict[str, Any]]) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """Makes a Lambda handler of a function from a command to its answer."""

    @wraps(run)
    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        with Invocation(context) as remaining:
            answer = run(Order(str(event["to"]), event.get("cursor"), remaining))
            about(None)
            log(context.function_name)
            return answer

    return handler
