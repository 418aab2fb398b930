"""The attack suite: what somebody who means harm sends, and that nothing comes of it."""

import pytest

pytest.register_assert_rewrite("tests.attack.table")
