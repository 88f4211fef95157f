"""Telling routers of a new address before its first answer comes back to it (RFC 9131, `ndisc_notify`).

A router that has to resolve an address holds or loses what arrives for it
meanwhile. An unsolicited advertisement gives it an entry beforehand.
"""

from collections import deque
from typing import TYPE_CHECKING

from stack.address import ALL_ROUTERS, IPv6Address, format_address, is_link_local
from stack.timers import Timer
from stack.wire import nd as wire

if TYPE_CHECKING:
    from stack.interface import Interface

# RFC 4861 7.2.6: a small delay between advertisements of several addresses, in seconds.
GAP = 0.1


class Notifier:
    """The advertisements of new addresses of one interface, and those that wait for the one before."""

    __slots__ = ("_interface", "_not_before", "_timer", "_waiting")

    def __init__(self, interface: "Interface") -> None:
        self._interface = interface
        self._waiting: deque[IPv6Address] = deque()
        self._timer: Timer | None = None
        self._not_before = 0.0

    def address_assigned(self, address: IPv6Address, now: float) -> None:
        """Advertise an address that may be used from now on to all routers, if the setting asks for it."""
        if not self._interface.host.settings.ndisc_notify or is_link_local(address):
            return
        if now >= self._not_before and not self._waiting:
            self._advertise(address, now)
            return
        # No more than there are addresses; each is here once.
        if address not in self._waiting:
            self._waiting.append(address)
        self._arm()

    def address_removed(self, address: IPv6Address) -> None:
        """An address is gone, and is told of no more."""
        if address in self._waiting:
            self._waiting.remove(address)
            self._arm()

    def _arm(self) -> None:
        if self._timer is not None and not self._waiting:
            self._timer.cancel()
            self._timer = None
        elif self._timer is None and self._waiting:
            self._timer = self._interface.host.timers.at(self._not_before, self._due)

    def _due(self, now: float) -> None:
        self._timer = None
        self._advertise(self._waiting.popleft(), now)
        self._arm()

    def _advertise(self, address: IPv6Address, now: float) -> None:
        """RFC 9131 6.1: the Override flag is 0, so that an entry that is there already is left to be verified."""
        interface = self._interface
        self._not_before = now + GAP
        option = wire.LINK_LAYER.pack(wire.TARGET_LINK_LAYER_ADDRESS, 1, interface.mac)
        message = wire.neighbor_advertisement(address, ALL_ROUTERS, address, 0, option)
        interface.send_nd(address, ALL_ROUTERS, message)
        if interface.host.journal.on:
            what = f"new address {format_address(address)} told to routers"
            interface.host.journal.note(now, "nd", what, "RFC 9131 6.1")
