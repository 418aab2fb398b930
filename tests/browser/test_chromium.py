"""Where there is no Chromium, these tests say so; and where there must be one, they fail."""

from pathlib import Path

import pytest

from tests.browser.chromium import MISSING, NAMES, find


@pytest.mark.parametrize("name", NAMES)
def test_chromium_is_found_on_the_path_by_each_of_its_names(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch(mode=0o755)
    assert find({"PATH": str(tmp_path)}) == str(tmp_path / name)


def test_the_one_that_is_named_is_taken() -> None:
    assert find({"CHROMIUM": "/opt/chromium"}) == "/opt/chromium"


def test_without_one_a_test_is_skipped_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(pytest.skip.Exception, match=r"apt-get install chromium") as skipped:
        find({"PATH": str(tmp_path)})
    assert skipped.value.msg == MISSING


def test_where_one_is_required_its_absence_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(pytest.fail.Exception, match=r"apt-get install chromium"):
        find({"PATH": str(tmp_path), "FASTKEY_BROWSER": "required"})
