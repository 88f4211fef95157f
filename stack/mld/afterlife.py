"""What a link still carries for groups after they were left: how long routers and switches take to notice.

A watched group's MAC stays in the driver's filter, and packets to the group are
counted where they are discarded. Nobody is given them.
"""

from typing import TYPE_CHECKING

from stack.address import IPv6Address, multicast_mac
from stack.calls import recorded

if TYPE_CHECKING:
    from stack.interface import Interface


class Afterlife:
    """One watched group: so many packets came while nobody listened to it, the `last` then (seconds) or None.

    `watchers` are those who have asked for it.
    """

    __slots__ = ("count", "last", "watchers")

    def __init__(self) -> None:
        self.count = 0
        self.last: float | None = None
        self.watchers = 0


@recorded("_interface.host.recorder", "watch", "unwatch")
class Afterlives:
    """The watched groups of an interface, each with its Afterlife; as many as were joined by those who watch."""

    __slots__ = ("_interface", "watched")

    def __init__(self, interface: "Interface") -> None:
        self._interface = interface
        self.watched: dict[IPv6Address, Afterlife] = {}

    def watch(self, group: IPv6Address, now: float) -> Afterlife:
        """Begin, before the group is left; once more if it is watched. Raises the driver's OSError if it refuses."""
        self._interface.filter_add(multicast_mac(group), now)
        watch = self.watched.setdefault(group, Afterlife())
        watch.watchers += 1
        return watch

    def unwatch(self, group: IPv6Address, now: float) -> None:
        """One watcher less; for a group that nobody watches nothing happens."""
        watch = self.watched.get(group)
        if watch is None:
            return
        watch.watchers -= 1
        if not watch.watchers:
            del self.watched[group]
        self._interface.filter_remove(multicast_mac(group), now)

    def heard(self, group: IPv6Address, now: float) -> None:
        """A packet to a group that nobody listens to."""
        watch = self.watched.get(group)
        if watch is not None:
            watch.count += 1
            watch.last = now
