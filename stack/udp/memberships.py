"""The multicast reception state of one socket (RFC 3810 4.1): which groups, on which interface, from which sources.

The interface's state is merged from those of all its sockets by the listener;
which data a socket is given is decided here (4.2, the source gate).
"""

from typing import TYPE_CHECKING, Any

from stack.address import IPv6Address
from stack.mld.filters import NOTHING, SourceFilter

if TYPE_CHECKING:
    from stack.interface import Interface
    from stack.mld.groups import Membership

Key = tuple[int, IPv6Address]


class Memberships:
    """What one owner listens to; `filters` is keyed by interface index and group."""

    __slots__ = ("_held", "_owner", "filters")

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self.filters: dict[Key, SourceFilter] = {}
        self._held: dict[Key, tuple[Interface, Membership | None]] = {}

    def listen(self, interface: "Interface", group: IPv6Address, wanted: SourceFilter, now: float) -> None:
        """IPv6MulticastListen (3.1): replace the filter for `group` in one step; INCLUDE of nothing ends it.

        Raises UsageError if it is no group, RefusedError at a limit, OSError if
        the driver refuses its filter: nothing has changed then.
        """
        key = (interface.index, group)
        _, held = self._held.get(key, (interface, None))
        if not wanted.listens and key not in self.filters:
            return
        membership = _listen(interface, self._owner, group, wanted, held, now)
        if wanted.listens:
            self.filters[key] = wanted
            self._held[key] = (interface, membership)
        else:
            del self.filters[key], self._held[key]

    def get(self, interface: "Interface", group: IPv6Address) -> SourceFilter | None:
        """The filter for a group on an interface, None if the socket is no member there."""
        return self.filters.get((interface.index, group))

    def close(self, now: float) -> None:
        """End them all."""
        for (_, group), (interface, _) in list(self._held.items()):
            self.listen(interface, group, NOTHING, now)


def _listen(
    interface: "Interface",
    owner: str,
    group: IPv6Address,
    wanted: SourceFilter,
    held: "Membership | None",
    now: float,
) -> "Membership | None":
    listener: Any = interface.listener
    if hasattr(listener, "listen"):
        membership: Membership | None = listener.listen(owner, group, wanted, now)
        return membership
    # A listener of version 1 knows no sources: it is a member or not, and the source gate does the rest.
    if not wanted.listens:
        if held is not None:
            interface.listener.leave(held, now)
        return None
    return held if held is not None else interface.listener.join(group, now, owner=owner)
