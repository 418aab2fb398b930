"""What a part of the bench has found: tables, and goals that are met or missed by so much."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Goal:
    """A number that is not to be above a limit."""

    what: str
    measured: float
    limit: float
    unit: str = ""

    @property
    def met(self) -> bool:
        return self.measured <= self.limit

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        of = f"{self.what}: {self.measured:.4g} of {self.limit:.4g}{unit}"
        if self.met:
            return f"GOAL met: {of}"
        times = f" ({self.measured / self.limit:.2f} times)" if self.limit else ""
        return f"GOAL missed by {self.measured - self.limit:.4g}{unit}{times}: {of}"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a header. The first column is text, the others are numbers as they are to be read."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]

    def text(self) -> str:
        """For a terminal."""
        lines = [self.header, *self.rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(_aligned(line, widths, "  ").rstrip() for line in lines)

    def markdown(self) -> str:
        rule = ["---", *("---:" for _ in self.header[1:])]
        return "\n".join(f"| {' | '.join(line)} |" for line in (self.header, rule, *self.rows))


@dataclass(frozen=True, slots=True)
class Section:
    """A table, and what one has to know to read it."""

    title: str
    explanation: str
    table: Table


@dataclass(frozen=True, slots=True)
class Report:
    """All that a part has found. sections: in the order in which they are read."""

    title: str
    sections: Sequence[Section]
    goals: Sequence[Goal]

    def text(self) -> str:
        """For a terminal."""
        sections = (f"-- {each.title}\n{each.explanation}\n\n{each.table.text()}\n" for each in self.sections)
        return "\n".join([f"==== {self.title}\n", *sections, *map(str, self.goals), ""])

    def markdown(self) -> str:
        sections = (f"### {each.title}\n\n{each.explanation}\n\n{each.table.markdown()}\n" for each in self.sections)
        return "\n".join([f"## {self.title}\n", *sections, *(f"- {goal}" for goal in self.goals), ""])


def _aligned(cells: Sequence[str], widths: Sequence[int], gap: str) -> str:
    first, *others = zip(cells, widths, strict=True)
    return gap.join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)])
