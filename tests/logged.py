"""What functions log."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import fastkey.logging


@contextmanager
def logged() -> Iterator[io.StringIO]:
    """Everything that lands in a function's log meanwhile: fastkey's lines, and what libraries log of themselves, for
    Lambda hands on whatever comes to the root logger (https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html).
    """
    stream = io.StringIO()
    everything = logging.StreamHandler(stream)
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(everything)
    root.setLevel(logging.INFO)
    try:
        with patch.object(fastkey.logging._logger.registered_handler, "stream", stream):
            yield stream
    finally:
        root.removeHandler(everything)
        root.setLevel(level)


def entries(lines: str) -> list[dict[str, Any]]:
    """The lines that are fastkey's, each of them JSON."""
    return [json.loads(line) for line in lines.splitlines() if line.startswith("{")]
