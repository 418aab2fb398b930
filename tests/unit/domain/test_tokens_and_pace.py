"""Lives of tokens, and how often WhiteBIT is asked."""

from datetime import UTC, datetime, timedelta

import pytest

from fastkey.domain.pace import seconds_until_next_look
from fastkey.domain.tokens import SealedTokens

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_a_token_lives_until_the_second_it_expires() -> None:
    tokens = SealedTokens(b"a", NOW, b"r", NOW + SECOND)
    assert tokens.access_lives(NOW - SECOND)
    assert not tokens.access_lives(NOW)
    assert tokens.refresh_lives(NOW)
    assert not tokens.refresh_lives(NOW + SECOND)


def test_what_is_not_there_does_not_live() -> None:
    assert not SealedTokens(b"a", NOW).refresh_lives(NOW - SECOND)


def test_a_dead_refresh_token_is_forgotten_and_the_access_token_kept() -> None:
    assert SealedTokens(b"a", NOW, b"r", NOW).without_refresh() == SealedTokens(b"a", NOW)


@pytest.mark.parametrize(("waited", "seconds"), [(0, 1), (29.9, 1), (30, 5), (599, 5)])
def test_looks_come_fast_at_first_and_then_slower(waited: float, seconds: int) -> None:
    assert seconds_until_next_look(timedelta(seconds=waited)) == seconds
