"""What is around an invocation for which no browser waits."""

from datetime import timedelta
from types import TracebackType
from typing import Any

from fastkey.domain.errors import FastkeyError, Unexpected
from fastkey.logging import begin, log, log_defect


class Invocation:
    """The block in which an invocation is done, with how long it may take: what is logged there names it, and so is why
    it fails.

    An error of the catalogue leaves as it is: its class name is what a state machine looks at, and its text is
    constant. What nobody foresaw leaves as Unexpected, because its message and traceback may quote what they were
    given, and would stay in an execution's history for 90 days.
    """

    def __init__(self, context: Any) -> None:
        self._context = context

    def __enter__(self) -> timedelta:
        begin(self._context.function_name, self._context.aws_request_id)
        return timedelta(milliseconds=self._context.get_remaining_time_in_millis())

    # No generator of contextlib's, which would give an error that leaves as it is its traceback back.
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        match error:
            case FastkeyError():
                log(self._context.function_name, code=error.code)
                raise error.with_traceback(None) from None
            case Exception():
                log_defect(error)
                raise Unexpected from None
