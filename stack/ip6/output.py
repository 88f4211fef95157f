"""IPv6 output: our own addresses, groups, and the next hop of everything else (RFC 4861 5.2)."""

from typing import TYPE_CHECKING

from stack.address import LOOPBACK
from stack.ip6.routes import next_hop

if TYPE_CHECKING:
    from stack.interface import Interface


def send(interface: "Interface", packet: bytes, now: float) -> bool:
    """Send a complete IPv6 packet from this interface; false if there is no route to its destination.

    Packets to our own addresses and to ::1 come back whole, without being seen on any link; what is longer than the
    path to others carries leaves in fragments (`Interface.transmit`).
    """
    destination = packet[24:40]
    own = interface.host.holder(destination, interface)
    if own is not None:
        own.host.timers.at(now, own.receive_own, packet)
        return True
    if packet[8:24] == LOOPBACK or interface.addresses.claims(destination):
        # RFC 4291 2.5.3: the loopback address is never seen on a link, nor is what goes to ourselves, tentative or not.
        interface.host.counters.out_no_routes += 1
        return False
    if destination[0] == 0xFF:
        return interface.transmit_multicast(packet)
    neighbour = next_hop(interface, destination, now, packet)
    if neighbour is None:
        interface.host.counters.out_no_routes += 1
        return False
    interface.resolver.send(neighbour, packet, now)
    return True
