"""An MLD message on its way: the frame, the IPv6 header and the router alert around it (RFC 2710 3, RFC 3810 5).

For those on a link who see frames rather than packets for them: routers and
switches. The header chain of a host is `stack.ip6.chain`.
"""

from typing import NamedTuple

from stack.address import MacAddress, is_multicast, multicast_mac
from stack.wire import ethernet, extension, icmpv6, ipv6
from stack.wire.checksum import icmpv6_verifies

MLD_TYPES = frozenset((icmpv6.MLD_QUERY, icmpv6.MLD_REPORT, icmpv6.MLD_DONE, icmpv6.MLDV2_REPORT))
# An Ethernet frame from a router to nobody in particular: the broadcast address reaches every node.
_NO_GROUP_MAC = b"\xff" * 6


class MldPacket(NamedTuple):
    """One ICMPv6 message of an MLD type with what surrounds it; addresses are 16 bytes, MACs 6.

    `intact` says that the checksum is right, `router_alert` that the option is there.
    """

    source_mac: bytes
    destination_mac: bytes
    source: bytes
    destination: bytes
    hop_limit: int
    router_alert: bool
    intact: bool
    message: bytes


def frame(
    message: bytes,
    source: bytes,
    destination: bytes,
    source_mac: MacAddress,
    *,
    hop_limit: int = 1,
    router_alert: bool = True,
    destination_mac: MacAddress | None = None,
) -> bytes:
    """The frame around an ICMPv6 message whose checksum is set already.

    Without a destination MAC it is the one that the group maps to (RFC 2464 7), for
    a unicast address, which nobody resolves here, the broadcast address.
    """
    if destination_mac is None:
        destination_mac = multicast_mac(destination) if is_multicast(destination) else _NO_GROUP_MAC
    if router_alert:
        payload = extension.MLD_HOP_BY_HOP_BYTES + message
        packet = ipv6.packet(source, destination, ipv6.HOP_BY_HOP, hop_limit, payload)
    else:
        packet = ipv6.packet(source, destination, ipv6.ICMPV6, hop_limit, message)
    return ethernet.HEADER.pack(destination_mac, source_mac, ethernet.ETHERTYPE_IPV6) + packet


def parse(octets: bytes) -> MldPacket | None:
    """The MLD message in an untagged frame; None if it is anything else, or not whole.

    RFC 3810 5: the message follows the IPv6 header or a hop-by-hop options header;
    behind other headers it is not looked for.
    """
    if octets[12:14] != ethernet.IPV6_TYPE:
        return None
    found = _message(octets, ethernet.HEADER_LENGTH)
    if found is None:
        return None
    start, end, alert = found
    _, _, _, hop_limit, source, destination = ipv6.HEADER.unpack_from(octets, ethernet.HEADER_LENGTH)
    message = octets[start:end]
    intact = icmpv6_verifies(source, destination, message)
    return MldPacket(octets[6:12], octets[:6], source, destination, hop_limit, alert, intact, message)


def carries_mld(packet: bytes) -> bool:
    """Whether an IPv6 packet is an MLD message, where `parse` looks for one; right or not."""
    return _message(packet, 0) is not None


def _message(octets: bytes, at: int) -> tuple[int, int, bool] | None:
    """Where the MLD message in the packet at `at` begins and ends, and whether the router alert is there."""
    start = at + ipv6.HEADER_LENGTH
    if len(octets) < start:
        return None
    head, length, next_header, _, _, _ = ipv6.HEADER.unpack_from(octets, at)
    end = start + length
    if head >> 28 != 6 or end > len(octets):
        return None
    alert = False
    if next_header == ipv6.HOP_BY_HOP:
        found = _hop_by_hop(octets, start, end)
        if found is None:
            return None
        next_header, start, alert = found
    if next_header != ipv6.ICMPV6 or end - start < icmpv6.HEADER.size or octets[start] not in MLD_TYPES:
        return None
    return start, end, alert


def _hop_by_hop(octets: bytes, start: int, end: int) -> tuple[int, int, bool] | None:
    """What follows the header, where, and whether the router alert is in it; None if it has to be dropped.

    RFC 8200 4.2: an option that is unknown and does not ask to be skipped drops the packet.
    """
    if start + 8 > end:
        return None
    stop = start + 8 + 8 * octets[start + 1]
    if stop > end:
        return None
    alert = False
    at = start + 2
    while at < stop:
        kind = octets[at]
        if kind == extension.PAD1:
            at += 1
            continue
        if at + 2 > stop or at + 2 + octets[at + 1] > stop:
            return None
        if kind == extension.ROUTER_ALERT:
            # RFC 2711 2.1: the value has two octets.
            if octets[at + 1] != 2:
                return None
            alert = True
        elif kind != extension.PADN and kind >> 6:
            return None
        at += 2 + octets[at + 1]
    return octets[start], stop, alert
