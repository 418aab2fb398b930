"""The machine's Chromium, under the control of Playwright."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = "there is no Chromium: install one (Debian: apt-get install chromium), or name it in CHROMIUM"


def find(environment: Mapping[str, str]) -> str:
    """Where Chromium is. Skips the test if there is none, and fails it where FASTKEY_BROWSER=required says so."""
    path = environment.get("CHROMIUM")
    found = path or next(filter(None, (shutil.which(name, path=environment.get("PATH", "")) for name in NAMES)), None)
    if found:
        return found
    if environment.get("FASTKEY_BROWSER") == "required":
        pytest.fail(MISSING)
    pytest.skip(MISSING)


@contextmanager
def launched() -> Iterator[Browser]:
    """A running Chromium, without a window."""
    # Its own sandbox does not start for root, who has no business with a browser but in a container.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(os.environ), args=arguments)
        yield browser
        browser.close()
