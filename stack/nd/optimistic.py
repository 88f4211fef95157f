"""Addresses that are used while they are tested (RFC 4429, `optimistic_dad`): which they are, and what they send.

Such an address answers and sends, but no neighbour may learn a link-layer address
from it that would displace another node's: it solicits nobody, and its own
advertisements override nothing. So a packet from it to a neighbour that is not
known goes to a router, which knows better, or waits for the verdict.
"""

from collections import deque
from typing import TYPE_CHECKING

from stack.address import IPv6Address, format_address, is_link_local
from stack.nd.interface_address import InterfaceAddress

if TYPE_CHECKING:
    from stack.interface import Interface


class Optimism:
    """What the optimistic addresses of one interface may do."""

    __slots__ = ("_detours", "_interface")

    def __init__(self, interface: "Interface") -> None:
        self._interface = interface
        # On-link destinations whose packets went to a router meanwhile, and to which.
        self._detours: dict[IPv6Address, IPv6Address] = {}

    def suits(self, entry: InterfaceAddress) -> bool:
        """Whether an address may be optimistic: most likely unique (3.1), and a router can be sent to (3.3).

        What the user gave is not, nor one that follows a duplicate. The link-local address never is, for no router is
        known before it: router solicitations and reports come from a unique address, or from ::.
        """
        if not self._interface.host.settings.optimistic_dad or entry.by_user or entry.dad_counter:
            return False
        return self._router() is not None

    def send_unresolved(self, next_hop: IPv6Address, packet: bytes, now: float) -> bool:
        """3.2: a packet to a neighbour whose link-layer address is not known; false if its source may solicit it."""
        entry = self._interface.addresses.get(packet[8:24])
        if entry is None or not entry.optimistic:
            return False
        router = None if is_link_local(next_hop) else self._router()
        if router is None:
            self._hold(entry, next_hop, packet)
            return True
        destination = packet[24:40]
        if len(self._detours) < self._interface.host.settings.max_destinations:
            self._detours[destination] = router
        journal = self._interface.host.journal
        if journal.on:
            what = f"packet from an optimistic address to {format_address(destination)} goes to a router"
            journal.note(now, "nd", what, "RFC 4429 3.2")
        self._interface.resolver.send(router, packet, now)
        return True

    def first_hop(self, destination: IPv6Address) -> IPv6Address | None:
        """The router that packets to an on-link destination went to, whose redirect is expected; None if to none."""
        return self._detours.get(destination)

    def settled(self, entry: InterfaceAddress, now: float) -> None:
        """An optimistic address is unique: what waited is sent."""
        held, entry.held = entry.held, None
        self._end()
        for next_hop, packet in held or ():
            self._interface.resolver.send(next_hop, packet, now)

    def given_up(self, entry: InterfaceAddress) -> None:
        """An address is gone, or another node's: what waited is not sent any more."""
        if entry.held:
            self._interface.host.counters.out_discards += len(entry.held)
        entry.held = None
        self._end()

    def _end(self) -> None:
        if self._detours and not any(each.optimistic for each in self._interface.addresses.table.values()):
            self._detours.clear()

    def _hold(self, entry: InterfaceAddress, next_hop: IPv6Address, packet: bytes) -> None:
        host = self._interface.host
        if entry.held is None:
            entry.held = deque()
        while len(entry.held) >= host.settings.unres_qlen:
            entry.held.popleft()
            host.counters.limit_hit("unres_qlen")
            host.counters.out_discards += 1
        entry.held.append((next_hop, packet))

    def _router(self) -> IPv6Address | None:
        """The preferred default router whose link-layer address is known."""
        routers, resolver = self._interface.routers, self._interface.resolver
        known = [each for each in routers.table.values() if resolver.knows(each.router)]
        best = max(known, key=lambda each: (routers.is_reachable(each.router), each.preference), default=None)
        return None if best is None else best.router
