"""Chance that is drawn by name from a seed."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

Option = TypeVar("Option")


class Dice:
    """Each name has its own number, whatever else is drawn and in whatever order.

    So a fault that is left out changes nothing but what it led to: that is what lets a trace be shrunk.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed.to_bytes(8)

    def fraction(self, name: str) -> float:
        """A number from 0 to 1."""
        return int.from_bytes(blake2b(self._seed + name.encode(), digest_size=7).digest()) / (1 << 56)

    def chance(self, name: str, probability: float) -> bool:
        """Whether it happens."""
        return self.fraction(name) < probability

    def between(self, name: str, low: float, high: float) -> float:
        """A number in the range."""
        return low + self.fraction(name) * (high - low)

    def choose(self, name: str, options: Sequence[Option]) -> Option:
        """One of the options, each as likely."""
        return options[int(self.fraction(name) * len(options))]
