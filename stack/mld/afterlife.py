"""What a link still carries for a group after it was left: how long routers and switches take to notice.

The group's MAC stays in the driver's filter meanwhile, and packets to the group
are counted where they are discarded. Nobody is given them.
"""

from typing import TYPE_CHECKING

from stack.address import IPv6Address, multicast_mac

if TYPE_CHECKING:
    from stack.interface import Interface


class Afterlife:
    """The watch on one group of an interface: begun before the group is left, until `end`.

    `count` packets have come to a group that nobody listened to any more, the
    `last` of them at that time (seconds), None if there was none.
    """

    __slots__ = ("_group", "_interface", "count", "last")

    def __init__(self, interface: "Interface", group: IPv6Address, now: float) -> None:
        """Begin; raises the driver's OSError if it refuses its filter."""
        interface.filter_add(multicast_mac(group), now)
        self._interface = interface
        self._group = group
        self.count = 0
        self.last: float | None = None
        interface.afterlives.setdefault(group, []).append(self)

    def heard(self, now: float) -> None:
        """A packet to the group."""
        self.count += 1
        self.last = now

    def end(self, now: float) -> None:
        """No longer; once."""
        watches = self._interface.afterlives[self._group]
        watches.remove(self)
        if not watches:
            del self._interface.afterlives[self._group]
        self._interface.filter_remove(multicast_mac(self._group), now)
