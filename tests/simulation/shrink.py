"""Makes a case that ends badly as small as it gets."""

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from typing import Any

from tests.simulation.people import Person
from tests.simulation.run import Case, play

ROUNDS = 400  # runs; a shrunk case is for reading, and need not be the very smallest


def shrink(case: Case, invariant: str) -> Case:
    """A case with as few people, deeds and faults as can be, in which the same invariant still does not hold."""
    smallest = replace(case, only=frozenset(play(case).fates))
    left = ROUNDS
    found = True
    while found:
        found = False
        for smaller in _smaller(smallest):
            left -= 1
            if left < 0:
                return smallest
            if any(violation.invariant == invariant for violation in play(smaller).violations):
                smallest, found = smaller, True
                break
    return smallest


def _smaller(case: Case) -> Iterator[Case]:
    """Cases with something less, those that lack most first."""
    people = case.people
    if len(people) > 1:
        yield from (replace(case, people=people[:i] + people[i + 1 :]) for i in range(len(people)))
    points = sorted(case.only or ())
    size = len(points)
    while size:
        yield from (replace(case, only=case.only - set(chunk)) for chunk in _chunks(points, size) if case.only)
        size //= 2
    for i, person in enumerate(people):
        yield from (replace(case, people=(*people[:i], plainer, *people[i + 1 :])) for plainer in _plainer(person))


def _plainer(person: Person) -> Iterator[Person]:
    """The same person, less one deed."""
    for field in fields(Person):
        deeds = getattr(person, field.name)
        if isinstance(deeds, tuple):
            for i in range(len(deeds)):
                less: Any = {field.name: deeds[:i] + deeds[i + 1 :]}
                yield replace(person, **less)


def _chunks(points: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (points[i : i + size] for i in range(0, len(points), size))
