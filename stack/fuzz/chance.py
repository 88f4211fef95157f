"""The one source of choices of a case: a function of its name, and the same in every version of Python.

Python promises the same stream for `Random.random()` alone, so that everything is
derived from it, and nothing from the order of a set or from `hash()`.
"""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

_Thing = TypeVar("_Thing")


class Chance:
    """Choices named by a text, such as "0/17" for case 17 of seed 0."""

    __slots__ = ("_random",)

    def __init__(self, name: str) -> None:
        self._random = Random(name).random

    def below(self, limit: int) -> int:
        """A whole number from 0 to `limit` - 1."""
        return int(self._random() * limit)

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + int(self._random() * (high - low + 1))

    def happens(self, probability: float) -> bool:
        """True with this probability."""
        return self._random() < probability

    def choice(self, things: Sequence[_Thing]) -> _Thing:
        """One of them; there has to be one."""
        return things[int(self._random() * len(things))]

    def octets(self, count: int) -> bytes:
        """So many octets."""
        return bytes(int(self._random() * 256) for _ in range(count))
