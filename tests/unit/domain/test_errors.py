"""The catalogue of errors: what state machines, callers and users know them by."""

import re

import pytest

from fastkey.domain.errors import CATALOGUE, FastkeyError, KeyDead, Unexpected, by_code, by_name
from fastkey.domain.status import TRANSITIONS, Status

ERRORS = pytest.mark.parametrize("error", CATALOGUE.values(), ids=CATALOGUE)


def test_every_error_is_in_the_catalogue() -> None:
    assert set(CATALOGUE.values()) == set(FastkeyError.__subclasses__())
    assert not [error for error in CATALOGUE.values() if error.__subclasses__()]


def test_no_two_errors_share_a_code() -> None:
    assert len({error.code for error in CATALOGUE.values()}) == len(CATALOGUE)


@ERRORS
def test_an_error_has_a_stable_code_and_a_sentence(error: type[FastkeyError]) -> None:
    assert re.fullmatch(r"[a-z_]+", error.code)
    assert re.fullmatch(r"[A-Z].*\.", error.text)
    assert error.http_status in range(400, 600)
    assert str(error()) == error.text


@ERRORS
def test_an_error_leaves_a_connection_at_an_end_unless_it_is_the_death_of_a_key(error: type[FastkeyError]) -> None:
    """Which may turn out to be none."""
    assert (error.ends is Status.DEAD) is (error is KeyDead)
    assert error is KeyDead or not TRANSITIONS[error.ends]


@ERRORS
def test_an_error_is_found_by_its_code(error: type[FastkeyError]) -> None:
    assert by_code(error.code) is error


PASSING = {"Conflict", "StepInProgress", "RefreshInProgress", "NoTimeLeft", "SecretHeld"}


@ERRORS
def test_an_error_is_found_by_its_name_if_it_can_be_the_reason_of_an_end(error: type[FastkeyError]) -> None:
    assert by_name(error.__name__) is (Unexpected if error.__name__ in PASSING else error)


@ERRORS
def test_an_error_takes_no_argument_that_it_could_tell(error: type[FastkeyError]) -> None:
    with pytest.raises(TypeError):
        error("a token")  # type: ignore[call-arg]


@pytest.mark.parametrize("name", ["", "Lambda.Unknown", "States.Timeout", "FastkeyError", "revoked"])
def test_a_name_that_is_not_ours_is_unexpected(name: str) -> None:
    assert by_name(name) is Unexpected
