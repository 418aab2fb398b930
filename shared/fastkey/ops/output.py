"""What is shown. People get a table, programs JSON."""

import json
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

Row = Mapping[str, Any]


def show(rows: Iterable[Row], widths: Mapping[str, int], *, as_json: bool) -> None:
    """Prints rows as they come. widths: of the columns, in characters; a row may have more than is in a table.

    As JSON, each row is an object on a line of its own.
    """
    if not as_json:
        _print(_line({name: name.upper() for name in widths}, widths))
    for row in rows:
        _print(json.dumps(row, default=_plain) if as_json else _line(row, widths))


def show_object(document: Mapping[str, Any]) -> None:
    """Prints one JSON object."""
    _print(json.dumps(document, default=_plain, indent=2))


def say(text: str) -> None:
    """Prints a line that was asked for."""
    _print(_text(text))


def note(text: str) -> None:
    """Prints a line beside what was asked for: progress, what it cost, what went wrong."""
    print(_text(text), file=sys.stderr, flush=True)  # noqa: T201 - a command-line front end


def _line(row: Row, widths: Mapping[str, int]) -> str:
    return "  ".join(_text(row[name]).ljust(width) for name, width in widths.items()).rstrip()


def _text(value: Any) -> str:
    """One line that no terminal takes for a command: a user's id is whatever the identity provider says."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    shown = "-" if value is None else str(value)
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in shown)


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _print(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a command-line front end
