"""What is drawn for the parsers, and how a parser is watched while it reads it."""

import traceback
from collections.abc import Callable

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from fastkey.domain.errors import FastkeyError
from tests.logged import logged

# The same examples in every run: a failure is found by whoever brought it in.
FUZZ = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=200,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)

# Part of every input: what contains it repeats some.
CANARY = "canary-7d3e"

# As API Gateway gives it: decoded, and so without halves of characters.
texts = st.text().map(lambda text: f"{CANARY}{text}") | st.text()

documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(CANARY),
    lambda children: st.lists(children) | st.dictionaries(st.text() | st.just(CANARY), children),
    max_leaves=20,
)


def refusal(parse: Callable[[], object]) -> FastkeyError | None:
    """The declared error that a parser raises, if it does. Nothing of the input is in it, or in the log."""
    found = None
    with logged() as lines:
        try:
            parse()
        except FastkeyError as error:
            found = error
    told = "".join(traceback.format_exception(found)) + repr(found) if found else ""
    assert CANARY not in told + lines.getvalue()
    return found
