"""The ports Clock and Entropy."""

import re
from datetime import timedelta

from fastkey.ports import World


def test_the_time_is_utc_and_does_not_run_backwards(world: World) -> None:
    first, second = world.clock.now(), world.clock.now()
    assert first.utcoffset() == timedelta(0)
    assert first <= second


def test_an_identifier_is_new_each_time_and_short(world: World) -> None:
    drawn = {world.entropy.identifier() for _ in range(100)}
    assert len(drawn) == 100
    assert all(re.fullmatch(r"[\w-]{1,64}", identifier) for identifier in drawn)


def test_a_token_is_new_each_time_and_serves_as_a_code_verifier(world: World) -> None:
    """RFC 7636, section 4.1: 43 to 128 unreserved characters."""
    drawn = {world.entropy.token().reveal() for _ in range(100)}
    assert len(drawn) == 100
    assert all(re.fullmatch(r"[A-Za-z0-9._~-]{43}", token) for token in drawn)
