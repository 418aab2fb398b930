"""The simulator bites: bugs that were planted on purpose are caught, and it is said by what and how soon."""

import pytest

from tests.simulation.planted import BUGS
from tests.simulation.run import Case, play

# By which invariant each is caught, and within how many seeds: three times as many as it took, rounded up.
CAUGHT = {
    "exchange_sent_again": ("I1", 900),
    "every_return_spends_the_code": ("I1", 120),
    "workflow_started_after_the_code": ("I9", 70),
    "expiry_shown_by_the_ttl": ("I11", 400),
    "completion_not_checked": ("I2", 60),
    "anybody_completes": ("I2", 50),
    "bytes_not_canonical": ("I4", 60),
    "activated_without_being_verified": ("I3", 10),
    "escrow_not_read": ("I5", 10),
    "another_connections_key_deleted": ("I5", 400),
    "key_left_behind": ("I10", 50),
    "user_not_told": ("I10", 90),
    "secret_logged": ("I8", 10),
    "secret_in_the_history": ("I8", 20),
    "secret_in_the_event": ("I8", 10),
    "no_lease": ("I6", 900),
    "vault_updates_secrets": ("I4", 60),
    "vault_keeps_what_is_shredded": ("I14", 40),
    "holders_not_checked": ("I7", 10),
    "last_writer_wins": ("I6", 70),
    "secret_asked_for_again": ("I13", 90),
    "detection_without_catch": ("I9", 10),
    "capture_without_catch": ("I9", 90),
}


@pytest.mark.parametrize(("bug", "invariant", "seeds"), [(bug, *row) for bug, row in CAUGHT.items()])
def test_a_planted_bug_is_caught(bug: str, invariant: str, seeds: int) -> None:
    with BUGS[bug]():
        assert any(_violates(invariant, seed) for seed in range(1, seeds + 1)), f"{bug}: {BUGS[bug].__doc__}"


def test_every_planted_bug_is_looked_for() -> None:
    assert set(BUGS) == set(CAUGHT)
    assert len(BUGS) >= 16


@pytest.mark.parametrize("first", range(1, 201, 50))
def test_without_a_planted_bug_nothing_is_violated(first: int) -> None:
    assert not [(seed, found) for seed in range(first, first + 50) if (found := play(Case.of(seed)).violations)]


def _violates(invariant: str, seed: int) -> bool:
    return any(violation.invariant == invariant for violation in play(Case.of(seed)).violations)
