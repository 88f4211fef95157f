"""The whole state of a host at one moment, from which any number of independent hosts can be made.

The generator, the timers and every table are in it; what belongs to the edge
(`stack.edge`) is not. It is kept as octets, which are cheap to make hosts from
and can be written to a file.

Such a file may come from anybody, so that reading one must not run anybody's
code: nothing is looked up but classes and functions of the sans-IO modules of
this package, and the few that hold their data.
"""

import functools
import io
import pickle
from collections import OrderedDict, deque
from collections.abc import Callable
from random import Random
from types import FunctionType, MethodType
from typing import Any

from stack.errors import RefusedError

# The parts of the package that can do no I/O; hosts are made of nothing else.
_MODULES = frozenset(
    (
        *("address", "bucket", "counters", "discard", "events", "journal", "multicast_filter", "settings", "timers"),
        *("wire", "ip6", "icmp6", "nd", "mld", "udp", "interface", "host"),
    )
)
# The names that calls on a host are recorded by.
_STORY = "stack.recorder.story"
_PROTOCOL = 5


class Snapshot:
    """The state of one host; `octets` is all of it, for `Snapshot(octets)` to take again."""

    __slots__ = ("octets",)

    def __init__(self, octets: bytes) -> None:
        self.octets = octets

    @classmethod
    def of(cls, thing: Any) -> "Snapshot":
        """The state of `thing`, which is a host or is made of parts of one."""
        return cls(pickle.dumps(thing, _PROTOCOL))

    def thing(self) -> Any:
        """A new copy of what the snapshot was made of.

        Raises RefusedError if the octets are damaged, are not a snapshot of this
        version, or ask for anything that no host is made of.
        """
        try:
            return _Reader(io.BytesIO(self.octets)).load()
        except _DAMAGE as error:
            raise RefusedError(f"this is no snapshot of a host of this version: {error}") from error


# All that unpickling octets of any kind raises, whatever it is that they break.
_DAMAGE = (
    *(pickle.UnpicklingError, AttributeError, EOFError, ImportError, LookupError, TypeError, ValueError),
    *(MemoryError, OverflowError, RecursionError),
)


def _bound_method(holder: Any, name: str) -> Any:
    """What `getattr` does for a bound method in a snapshot, and nothing else."""
    if not _is_ours(type(holder).__module__) or name.startswith("__"):
        raise RefusedError(f"a snapshot holds no method {name!r}")
    method = getattr(holder, name)
    if not isinstance(method, MethodType):
        raise RefusedError(f"a snapshot holds no method {name!r}")
    return method


_OTHERS: dict[tuple[str, str], Callable[..., Any]] = {
    ("builtins", "getattr"): _bound_method,
    ("builtins", "set"): set,
    ("builtins", "frozenset"): frozenset,
    ("builtins", "bytearray"): bytearray,
    ("collections", "OrderedDict"): OrderedDict,
    ("collections", "deque"): deque,
    ("functools", "partial"): functools.partial,
    ("random", "Random"): Random,
}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """A class or function that hosts are made of."""
        other = _OTHERS.get((module, name))
        if other is not None:
            return other
        found = _found.get((module, name))
        if found is None:
            found = self._look_up(module, name)
            _found[module, name] = found
        return found

    def _look_up(self, module: str, name: str) -> Any:
        if _is_ours(module) and "." not in name:
            found = super().find_class(module, name)
            if isinstance(found, type | FunctionType) and found.__module__ == module:
                return found
        raise RefusedError(f"this is no snapshot of a host: it asks for {module}.{name}")


# What was looked up once; as many as there are classes in the modules above.
_found: dict[tuple[str, str], Any] = {}


def _is_ours(module: str) -> bool:
    parts = module.split(".")
    return len(parts) > 1 and parts[0] == "stack" and (parts[1] in _MODULES or module == _STORY)
