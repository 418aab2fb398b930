"""Models of what comes in, which may be a secret: none of them repeats it in a message."""

import pkgutil
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

import fastkey

ROOT = Path(__file__).parents[2]
SHIPPED = ("fastkey.", "functions.")


def descendants(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for child in model.__subclasses__():
        yield child
        yield from descendants(child)


def telling(models: Iterable[type[BaseModel]]) -> set[str]:
    """Those that show the input in their errors."""
    return {model.__qualname__ for model in models if not model.model_config.get("hide_input_in_errors")}


@pytest.fixture
def shipped(monkeypatch: pytest.MonkeyPatch) -> list[type[BaseModel]]:
    """Every model of every module that is deployed."""
    monkeypatch.setattr("fastkey.bootstrap.start", lambda: None)
    for module in pkgutil.walk_packages(fastkey.__path__, "fastkey."):
        import_module(module.name)
    for function in (ROOT / "functions").glob("*/app.py"):
        import_module(f"functions.{function.parent.name}.app")
    return [model for model in descendants(BaseModel) if model.__module__.startswith(SHIPPED)]


def test_no_model_that_ships_shows_its_input_in_an_error(shipped: list[type[BaseModel]]) -> None:
    assert {"Start", "Complete", "_Tokens"} <= {model.__name__ for model in shipped}
    assert telling(shipped) == set()


def test_a_model_that_would_is_found() -> None:
    class Telling(BaseModel):
        model_config = ConfigDict(strict=True)
        number: int

    class Heir(Telling):
        model_config = ConfigDict(hide_input_in_errors=True)

    assert telling([Telling, Heir]) == {Telling.__qualname__}
    with pytest.raises(ValidationError, match="canary"):
        Telling.model_validate({"number": "canary"})
    with pytest.raises(ValidationError) as caught:
        Heir.model_validate({"number": "canary"})
    assert "canary" not in str(caught.value)
