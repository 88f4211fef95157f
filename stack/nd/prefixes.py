"""The prefix list of an interface: which addresses routers say are on this link (RFC 4861 5.1, 6.3.4; RFC 5942 4).

It has nothing to do with the addresses of the interface: an address says nothing
of its neighbours unless the user gave it with its prefix, and a prefix can be
on-link without an address in it.
"""

import math
from typing import TYPE_CHECKING, NamedTuple

from stack.address import IPv6Address, format_address, is_link_local, matches_prefix
from stack.events import PrefixChanged
from stack.nd.standing import victim
from stack.timers import Timer

if TYPE_CHECKING:
    from stack.interface import Interface


class OnLinkPrefix:
    """One entry; `router` advertised it last, `until` is when it ends on the host's clock, infinity never."""

    __slots__ = ("prefix", "prefix_length", "repeated", "router", "timer", "until")

    def __init__(self, prefix: IPv6Address, prefix_length: int, router: IPv6Address) -> None:
        self.prefix = prefix
        self.prefix_length = prefix_length
        self.router = router
        self.repeated = False
        self.until = 0.0
        self.timer: Timer | None = None


class PrefixListing(NamedTuple):
    """A prefix as it is shown; `expires` in seconds from now, None never."""

    prefix: IPv6Address
    prefix_length: int
    router: IPv6Address
    expires: float | None


class PrefixList:
    """The on-link prefixes that routers advertise, in order of arrival; the link-local one is always on-link."""

    __slots__ = ("_interface", "table")

    def __init__(self, interface: "Interface") -> None:
        self._interface = interface
        self.table: dict[tuple[IPv6Address, int], OnLinkPrefix] = {}

    def __len__(self) -> int:
        return len(self.table)

    def is_on_link(self, address: IPv6Address) -> bool:
        """Whether an address is link-local or in one of the prefixes."""
        if is_link_local(address):
            return True
        return any(matches_prefix(address, each.prefix, each.prefix_length) for each in self.table.values())

    def listing(self, now: float) -> list[PrefixListing]:
        """The prefixes for `route show`."""
        return [
            PrefixListing(
                each.prefix,
                each.prefix_length,
                each.router,
                None if each.until == math.inf else max(0.0, each.until - now),
            )
            for each in self.table.values()
        ]

    def advertised(self, prefix: IPv6Address, length: int, lifetime: float, router: IPv6Address, now: float) -> None:
        """A prefix information option with the L flag (6.3.4); no lower bound protects a lifetime here.

        `prefix` has zeros behind its length. A lifetime of 0 ends the entry at once, infinity is for ever.
        """
        if is_link_local(prefix) and length >= 10:
            return
        entry = self.table.get((prefix, length))
        if lifetime == 0:
            if entry is not None:
                self._remove(entry, now)
            return
        if entry is None:
            if not self._make_room(router, now):
                return
            entry = self.table[prefix, length] = OnLinkPrefix(prefix, length, router)
            self._announce(entry, now, gone=False)
        else:
            entry.repeated = True
            entry.router = router
        entry.until = now + lifetime
        if entry.timer is not None:
            entry.timer.cancel()
        timers = self._interface.host.timers
        entry.timer = None if lifetime == math.inf else timers.at(entry.until, self._expired, entry)

    def forget(self, now: float) -> None:
        """The interface goes down."""
        for entry in list(self.table.values()):
            self._remove(entry, now)

    def _make_room(self, router: IPv6Address, now: float) -> bool:
        host = self._interface.host
        while len(self.table) >= host.settings.max_prefixes:
            host.counters.limit_hit("max_prefixes")
            entry = victim(self._interface, self.table.values(), router)
            if entry is None:
                return False
            self._remove(entry, now)
        return True

    def _expired(self, entry: OnLinkPrefix, now: float) -> None:
        entry.timer = None
        self._remove(entry, now)

    def _remove(self, entry: OnLinkPrefix, now: float) -> None:
        if entry.timer is not None:
            entry.timer.cancel()
            entry.timer = None
        del self.table[entry.prefix, entry.prefix_length]
        self._announce(entry, now, gone=True)

    def _announce(self, entry: OnLinkPrefix, now: float, *, gone: bool) -> None:
        host = self._interface.host
        # Where a packet goes next may be another question now.
        self._interface.routers.touch()
        if host.journal.on:
            what = f"prefix {format_address(entry.prefix)}/{entry.prefix_length}"
            clause = "RFC 4861 6.3.5" if gone else "RFC 4861 6.3.4"
            host.journal.note(now, "nd", f"{what} {'is gone' if gone else 'is on-link'}", clause)
        if host.listeners:
            host.emit(PrefixChanged(entry.prefix, entry.prefix_length, not gone))
