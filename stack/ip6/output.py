"""IPv6 output: our own addresses, groups, and the next hop of everything else (RFC 4861 5.2)."""

from typing import TYPE_CHECKING

from stack.ip6.routes import next_hop

if TYPE_CHECKING:
    from stack.interface import Interface


def send(interface: "Interface", packet: bytes, now: float) -> bool:
    """Send a complete IPv6 packet from this interface; false if there is no route to its destination or it is too long.

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
    neighbour = next_hop(interface, destination, now, packet)
    if neighbour is None:
        interface.host.counters.out_no_routes += 1
        return False
    interface.resolver.send(neighbour, packet, now)
    return True
