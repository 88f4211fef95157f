"""Source filters (RFC 3810 3, 4.1, 4.2): which sources of a group are wanted, by one socket and by the interface.

A filter is a mode and a set of unicast addresses. INCLUDE wants only these
sources, EXCLUDE all but these; INCLUDE of nothing is the state of a group that
nobody listens to.
"""

from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple

from stack.address import IPv6Address, format_address
from stack.errors import UnavailableError, UsageError


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


class SourceCall(Enum):
    """The incremental calls of RFC 3678 (text not read), each about one source; `value` is the option's name."""

    JOIN = "MCAST_JOIN_SOURCE_GROUP"
    LEAVE = "MCAST_LEAVE_SOURCE_GROUP"
    BLOCK = "MCAST_BLOCK_SOURCE"
    UNBLOCK = "MCAST_UNBLOCK_SOURCE"

    __hash__ = object.__hash__


# The mode that a call needs, and whether it puts its source into the list or takes it out.
_SOURCE_CALLS = {
    SourceCall.JOIN: (FilterMode.INCLUDE, True),
    SourceCall.LEAVE: (FilterMode.INCLUDE, False),
    SourceCall.BLOCK: (FilterMode.EXCLUDE, True),
    SourceCall.UNBLOCK: (FilterMode.EXCLUDE, False),
}


def changed(current: SourceFilter, call: SourceCall, source: IPv6Address) -> SourceFilter:
    """A socket's filter after an incremental call; `current` is NOTHING for a socket that is no member.

    Raises UsageError where the mode does not allow the call (EINVAL), UnavailableError
    where the source is in the list already, or is not in it (EADDRNOTAVAIL).
    """
    mode, adds = _SOURCE_CALLS[call]
    if current.mode is not mode:
        raise UsageError(f"{call.value} needs a membership that is not in mode {current.mode.value}")
    if adds == (source in current.sources):
        raise UnavailableError(f"{format_address(source)} is {'already' if adds else 'not'} in the list of sources")
    return SourceFilter(mode, current.sources | {source} if adds else current.sources - {source})
