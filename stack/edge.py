"""What a host holds of the world outside: calls to whoever uses it, which no copy of the host takes along.

A listener, a driver's filter, a program that waits for a datagram: they belong to
the edge. The class that holds one says so in its `__getstate__`; a copy finds None
there, and whoever made it puts its own in.
"""

from typing import Any


def state_without(holder: Any, *names: str) -> tuple[None, dict[str, Any]]:
    """For `__getstate__` of a class with slots: everything but the attributes `names`, which are None in the copy."""
    slots = [name for each in type(holder).__mro__ for name in getattr(each, "__slots__", ())]
    return None, {name: None if name in names else getattr(holder, name) for name in slots}
