"""A partner in each revision: a test that takes `partner` runs in both."""

import pytest

from local.whitebit import Revision
from tests.sandbox.partner import Partner


@pytest.fixture(params=list(Revision))
def partner(request: pytest.FixtureRequest) -> Partner:
    return Partner(request.param)


@pytest.fixture
def partner_05() -> Partner:
    return Partner(Revision.MAY_2026)


@pytest.fixture
def partner_08() -> Partner:
    return Partner(Revision.AUGUST_2026)
