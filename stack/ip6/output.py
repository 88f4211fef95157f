"""IPv6 output: where a packet goes next (RFC 4861 5.2), and getting it there."""

from typing import TYPE_CHECKING

from stack.address import IPv6Address

if TYPE_CHECKING:
    from stack.interface import Interface


def send(interface: "Interface", packet: bytes, now: float) -> bool:
    """Send a complete IPv6 packet from this interface; false if there is no way to its destination or it is too long.

    Packets to our own addresses come back without being seen on the link.
    """
    destination = packet[24:40]
    if len(packet) > interface.mtu and not interface.is_assigned(destination):
        # RFC 8200 5: nothing longer than the link's MTU leaves in one piece, and no fragments are made yet.
        interface.host.counters.frag_fails += 1
        return False
    if destination[0] == 0xFF:
        return interface.transmit_multicast(packet)
    if interface.is_assigned(destination):
        interface.host.timers.at(now, interface.receive_own, packet)
        return True
    next_hop = find_next_hop(interface, destination)
    if next_hop is None:
        interface.host.counters.out_no_routes += 1
        return False
    interface.resolver.send(next_hop, packet, now)
    return True


def find_next_hop(interface: "Interface", destination: IPv6Address) -> IPv6Address | None:
    """RFC 4861 5.2: an on-link destination is its own next hop; there are no routers yet."""
    return destination if interface.addresses.on_link(destination) else None
