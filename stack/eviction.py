"""Orders of eviction: a bounded cache keeps each of its entries in one of several, the next victim first.

What a flood brings waits in another order than what is in use, so that it makes
room among its own kind.
"""

from collections import OrderedDict
from typing import Any, Protocol, TypeVar

from stack.address import IPv6Address


class Evictable(Protocol):
    """An entry of such a cache: its key, and the order that it stands in (None: it is never evicted)."""

    address: IPv6Address
    turn: OrderedDict[IPv6Address, Any] | None


E = TypeVar("E", bound=Evictable)


def move(entry: E, turn: OrderedDict[IPv6Address, E] | None) -> None:
    """Put an entry at the end of an order, out of the one that it stood in; in the same one it keeps its turn."""
    if entry.turn is turn:
        return
    if entry.turn is not None:
        del entry.turn[entry.address]
    if turn is not None:
        turn[entry.address] = entry
    entry.turn = turn
