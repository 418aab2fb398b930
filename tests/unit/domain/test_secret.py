"""A secret is not shown, wherever a program may show it by accident."""

import copy
import json
import logging
import pickle
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pprint import pformat
from typing import Any

import pydantic
import pydantic_core
import pytest

from fastkey.domain.secret import Secret

TEXT = "correct-horse-battery-staple"


@dataclass(frozen=True, slots=True)
class Holder:
    secret: Secret


HOLDER = Holder(Secret(TEXT))


@pytest.mark.parametrize(
    "show",
    [
        repr,
        str,
        lambda s: f"{s}",
        lambda s: f"{s:>40}",
        lambda s: f"{s!r} {s!s}",
        lambda s: "%s %r" % (s, s),  # noqa: UP031 - as logging does it
        lambda s: pformat({"secret": [s]}),
        lambda s: str(ValueError(s)),
        lambda s: repr(Holder(s)),
        lambda s: json.dumps({"secret": s}, default=str),
        lambda s: logging.LogRecord("", 0, "", 0, "%s", (s,), None).getMessage(),
    ],
)
def test_a_secret_is_printed_as_stars(show: Callable[[Secret], str]) -> None:
    shown = show(Secret(TEXT))
    assert "***" in shown
    assert TEXT not in shown


@pytest.mark.parametrize(
    "write",
    [
        lambda h: json.dumps(h.secret),
        lambda h: pickle.dumps(h.secret),
        lambda h: copy.copy(h.secret),
        lambda h: copy.deepcopy(h),
        lambda h: asdict(h),
        lambda h: pydantic_core.to_json({"secret": h.secret}),
        lambda h: pydantic_core.to_jsonable_python(h),
        lambda h: pydantic.TypeAdapter(Any).dump_json(h),
    ],
)
def test_a_secret_is_not_written(write: Callable[[Holder], object]) -> None:
    with pytest.raises((TypeError, pydantic_core.PydanticSerializationError)) as caught:
        write(HOLDER)
    assert TEXT not in str(caught.value)


def fail_with(secret: Secret) -> None:
    raise ValueError(secret)


def test_a_traceback_with_its_locals_does_not_show_it() -> None:
    try:
        fail_with(Secret(TEXT))
    except ValueError as error:
        told = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert "secret = ***" in told
    assert TEXT not in told


def test_a_secret_is_compared_by_what_it_holds() -> None:
    assert Secret(TEXT) == Secret(TEXT)
    assert Secret(TEXT) != Secret("another")
    assert Secret(TEXT) != TEXT


def test_a_secret_is_no_key_of_a_set() -> None:
    with pytest.raises(TypeError):
        {Secret(TEXT)}


def test_a_secret_is_known_by_its_digest() -> None:
    # pragma: allowlist nextline secret
    assert Secret("abc").digest() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert Secret("abc").matches(Secret("abc").digest())


@pytest.mark.parametrize("digest", [None, "", "abc", Secret("abd").digest(), Secret("abc").digest().upper()])
def test_no_other_digest_matches(digest: str | None) -> None:
    assert not Secret("abc").matches(digest)


def test_an_empty_secret_does_not_match_a_missing_digest() -> None:
    assert not Secret("").matches(None)
