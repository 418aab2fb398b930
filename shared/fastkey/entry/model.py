"""What comes in, as a model. In a module of its own, because few functions take anything."""

from typing import Any, TypeVar

from msgspec import convert

from fastkey.domain.errors import InvalidRequest

Model = TypeVar("Model")


def parsed(document: Any, model: type[Model]) -> Model:
    """A document of JSON as a model. Raises InvalidRequest."""
    try:
        return convert(document, model)
    except ValueError:
        raise InvalidRequest from None
