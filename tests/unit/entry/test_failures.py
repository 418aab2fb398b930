"""How what went wrong leaves a function that no browser and no frontend calls."""

import io
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from fastkey.domain.errors import CATALOGUE, FastkeyError, Unexpected
from fastkey.entry.schedule import scheduled
from fastkey.entry.task import task
from tests.unit.entry.events import LambdaContext

CANARY = "canary-9f2c"

Entry = Callable[[Callable[[Any], dict[str, Any]]], Callable[[dict[str, Any], Any], dict[str, Any]]]

pytestmark = pytest.mark.parametrize("entry", [task, scheduled])


def fail(entry: Entry, error: Exception) -> FastkeyError:
    """What leaves a handler in which this is raised."""

    @entry
    def handler(_: Any) -> dict[str, Any]:
        raise error

    with pytest.raises(FastkeyError) as caught:
        handler({"connection_id": "connection-1"}, LambdaContext)
    return caught.value


@pytest.mark.parametrize("error", CATALOGUE.values(), ids=CATALOGUE)
def test_an_error_leaves_under_its_name_with_a_constant_text(entry: Entry, error: type[FastkeyError]) -> None:
    left = fail(entry, error())
    assert (type(left), str(left)) == (error, error.text)


@pytest.mark.parametrize("raised", [ValueError(CANARY), KeyError(CANARY)])
def test_what_nobody_foresaw_leaves_as_unexpected_and_says_nothing_of_itself(
    entry: Entry, raised: Exception, lines: io.StringIO
) -> None:
    left = fail(entry, raised)
    assert type(left) is Unexpected
    assert CANARY not in "".join(traceback.format_exception(left))
    assert lines.getvalue()
    assert CANARY not in lines.getvalue()
