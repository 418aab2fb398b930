"""Bugs on purpose: each is one function, whose docstring says what is wrong while its context lasts."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from types import ModuleType
from typing import Any

from tests.simulation.planted import (
    answers,
    authorization,
    capture,
    deletion,
    leaks,
    leases,
    life,
    moving,
    stores,
    tokens,
    workflows,
)

Bug = Callable[[], AbstractContextManager[Any]]


def _bugs(module: ModuleType) -> dict[str, Bug]:
    return {name: bug for name, bug in vars(module).items() if getattr(bug, "__module__", "") == module.__name__}


_MODULES = (answers, authorization, capture, deletion, leaks, leases, life, moving, stores, tokens, workflows)

BUGS: Mapping[str, Bug] = {
    name: bug for module in _MODULES for name, bug in _bugs(module).items() if not name.startswith("_")
}
