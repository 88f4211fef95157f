"""The multicast reception state of one socket (RFC 3810 4.1): which groups, on which interface, from which sources.

The interface's state is merged from those of all its sockets by the listener;
which data a socket is given is decided here (4.2, the source gate).
"""

from typing import TYPE_CHECKING

from stack.address import IPv6Address
from stack.mld.filters import NOTHING, SourceFilter

if TYPE_CHECKING:
    from stack.interface import Interface

Key = tuple[int, IPv6Address]


class Memberships:
    """What one owner listens to; `filters` is keyed by interface index and group."""

    __slots__ = ("_interfaces", "_owner", "filters")

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self.filters: dict[Key, SourceFilter] = {}
        self._interfaces: dict[int, Interface] = {}

    def listen(self, interface: "Interface", group: IPv6Address, wanted: SourceFilter, now: float) -> None:
        """IPv6MulticastListen (RFC 3810 3): replace the filter for `group` in one step; INCLUDE of nothing ends it.

        Raises UsageError if it is no group, RefusedError at a limit, OSError if
        the driver refuses its filter: nothing has changed then.
        """
        interface.listener.listen(self._owner, group, wanted, now)
        if wanted.listens:
            self.filters[interface.index, group] = wanted
            self._interfaces[interface.index] = interface
        else:
            self.filters.pop((interface.index, group), None)

    def get(self, interface: "Interface", group: IPv6Address) -> SourceFilter | None:
        """The filter for a group on an interface, None if the socket is no member there."""
        return self.filters.get((interface.index, group))

    def close(self, now: float) -> None:
        """End them all."""
        for index, group in list(self.filters):
            self.listen(self._interfaces[index], group, NOTHING, now)
