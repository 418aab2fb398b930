"""Every invocation in a local world, as it ends."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class _Ear(logging.Handler):
    def __init__(self, heard: Callable[[str, float], None]) -> None:
        super().__init__(logging.INFO)
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        function, _, milliseconds, _ = record.args if isinstance(record.args, tuple) else ()
        self._heard(str(function), float(str(milliseconds)))


@contextmanager
def hearing(heard: Callable[[str, float], None]) -> Iterator[None]:
    """Tells of each invocation that ends in the block: the function's logical id, and how many milliseconds it took."""
    ear, logger = _Ear(heard), logging.getLogger("local.functions")
    level = logger.level
    logger.addHandler(ear)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(ear)
        logger.setLevel(level)
