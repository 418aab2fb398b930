"""Measures: `python -m bench` everything, `python -m bench cold` one part. What it prints it also writes into docs/."""

import argparse
import platform
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from os import cpu_count
from pathlib import Path

from bench import calls, cold, growth, load, warm, way
from bench.report import Report

_DOCS = Path(__file__).parents[1] / "docs"

# Each document with its title, its parts, and what to read after it.
DOCUMENTS = {
    "cost.md": ("What it costs", ("calls", "growth"), "[How fast it is](performance.md)"),
    "performance.md": ("How fast it is", ("cold", "warm", "way", "load"), "[What is guaranteed](guarantees.md)"),
}

# Each part, and how often it does what it measures unless it is told.
PARTS: Mapping[str, tuple[Callable[[int], Report], int]] = {
    "cold": (cold.measure, 40),
    "warm": (warm.measure, 200),
    "way": (way.measure, 20),
    "calls": (calls.measure, 5),
    "growth": (growth.measure, 10_000),
    "load": (load.measure, 2_000),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the parts. A goal that is missed is no failure: it is said by how much."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="What fastkey takes, next to what it could.")
    parser.add_argument("part", nargs="?", choices=PARTS, help="all if none is named, and then docs/ is written anew")
    parser.add_argument("--runs", type=int, help="how often, or how many connections: what the part counts")
    chosen = parser.parse_args(arguments)
    if chosen.runs and not chosen.part:
        parser.error("--runs needs a part: each counts something else")
    reports = {}
    for part in [chosen.part] if chosen.part else PARTS:
        measure, usual = PARTS[part]
        reports[part] = measure(chosen.runs or usual)
        print(reports[part].text(), flush=True)
        if not chosen.part:
            _write(reports, part)


def _write(reports: Mapping[str, Report], last: str) -> None:
    """Writes the documents of which this was the last part, so that what is measured outlasts trouble in the next."""
    for name, (title, parts, following) in DOCUMENTS.items():
        if parts[-1] == last:
            (_DOCS / name).write_text(_document(title, [reports[part] for part in parts], following))


def _document(title: str, reports: Sequence[Report], following: str) -> str:
    machine = (
        f"{cpu_count()} processors ({platform.machine()}, {platform.system()}), Python {platform.python_version()}"
    )
    head = f"# {title}\n\nWritten by `make bench` on {datetime.now(UTC):%Y-%m-%d}, on {machine}.\n"
    return "\n".join([head, *(report.markdown() for report in reports), f"Next: {following}\n"])


if __name__ == "__main__":
    main()
