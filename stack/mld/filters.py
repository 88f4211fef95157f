"""Source filters (RFC 3810 3, 4.1, 4.2): which sources of a group are wanted, by one socket and by the interface.

A filter is a mode and a set of unicast addresses. INCLUDE wants only these
sources, EXCLUDE all but these; INCLUDE of nothing is the state of a group that
nobody listens to.
"""

from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple

from stack.address import IPv6Address


class FilterMode(Enum):
    """RFC 3810 3; `value` is the word of the command line."""

    INCLUDE = "include"
    EXCLUDE = "exclude"

    __hash__ = object.__hash__


class SourceFilter(NamedTuple):
    """One filter; `sources` are addresses of 16 bytes."""

    mode: FilterMode
    sources: frozenset[IPv6Address]

    def passes(self, source: IPv6Address) -> bool:
        """Whether data from `source` is wanted: the source gate of RFC 3810 4.2."""
        return (source in self.sources) == (self.mode is FilterMode.INCLUDE)

    @property
    def listens(self) -> bool:
        """False for INCLUDE of nothing, the state of no listener (4.1)."""
        return self.mode is FilterMode.EXCLUDE or bool(self.sources)


NOTHING = SourceFilter(FilterMode.INCLUDE, frozenset())
EVERYTHING = SourceFilter(FilterMode.EXCLUDE, frozenset())


def merge(filters: Iterable[SourceFilter]) -> SourceFilter:
    """The interface's filter for a group, from those of all its sockets (4.2); of none it is NOTHING."""
    excluded: frozenset[IPv6Address] | None = None
    included: set[IPv6Address] = set()
    for each in filters:
        if each.mode is FilterMode.INCLUDE:
            included |= each.sources
        elif not each.sources:
            # Nothing is left of an intersection with nothing.
            return EVERYTHING
        else:
            excluded = each.sources if excluded is None else excluded & each.sources
    if excluded is None:
        return SourceFilter(FilterMode.INCLUDE, frozenset(included))
    return SourceFilter(FilterMode.EXCLUDE, excluded - included)
