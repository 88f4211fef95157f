"""IPv6 input: what every packet must be before anything else looks at it (RFC 8200 3, RFC 4291 2)."""

from typing import TYPE_CHECKING

from stack.address import (
    ALL_NODES,
    LOOPBACK,
    SCOPE_INTERFACE_LOCAL,
    UNSPECIFIED,
    IPv6Address,
    MacAddress,
    is_multicast_mac,
    is_v4_mapped,
)
from stack.discard import Discard, Outcome, Verdict
from stack.icmp6 import dispatch, errors
from stack.ip6 import chain
from stack.ip6.received import Received
from stack.udp import input as udp
from stack.wire import icmpv6, ipv6
from stack.wire.mldpacket import carries_mld

if TYPE_CHECKING:
    from stack.interface import Interface

# RFC 3168 5: the last two bits of the traffic class, as they stand in the second octet.
_ECN = 0x30


def receive(
    interface: "Interface",
    octets: bytes,
    destination_mac: MacAddress,
    source_mac: MacAddress,
    now: float,
    *,
    looped: bool = False,
) -> Outcome:
    """Take one packet as it came in a frame, trailer included; `looped` is one of our own to ourselves."""
    if len(octets) < ipv6.HEADER_LENGTH:
        return Discard.TRUNCATED
    if octets[0] >> 4 != 6:
        return Discard.BAD_VERSION
    end = ipv6.HEADER_LENGTH + int.from_bytes(octets[4:6], "big")
    if end > len(octets):
        return Discard.TRUNCATED
    packet = octets[:end] if end > ipv6.HEADER_LENGTH else _without_payload(octets)
    if octets[1] & _ECN and not looped:
        interface.host.counters.ecn_in[octets[1] >> 4 & 3] += 1
    source, destination = packet[8:24], packet[24:40]
    reason = None if looped else check_addresses(source, destination)
    if reason is None:
        reason = _check_destination(interface, packet, destination, now)
    if reason is not None:
        return reason
    if destination[0] == 0xFF:
        interface.host.counters.mcast_in += 1
        interface.host.counters.mcast_octets_in += end
    link_multicast = is_multicast_mac(destination_mac)
    received = Received(packet, source, destination, packet[7], source_mac, link_multicast)
    next_header = chain.walk(interface, received, now)
    if not isinstance(next_header, int):
        return next_header
    if next_header == ipv6.ICMPV6:
        interface.host.counters.delivers_in += 1
        return dispatch.receive(interface, received, now, looped)
    if not looped and _is_suspicious(interface, received):
        return Discard.SOURCE_OURS if source != UNSPECIFIED else Discard.SOURCE_UNSPECIFIED
    if next_header == ipv6.UDP:
        interface.host.counters.delivers_in += 1
        outcome = udp.receive(interface, received, now, looped)
        if outcome is Verdict.DELIVERED and not looped and destination[0] != 0xFF:
            interface.known.learn_datagram(received)
        return outcome
    if next_header == ipv6.NO_NEXT_HEADER:
        return _nothing_follows(interface, now)
    errors.parameter_problem(interface, received, icmpv6.UNRECOGNIZED_NEXT_HEADER, received.next_header_pointer, now)
    return Discard.UNKNOWN_NEXT_HEADER


def _without_payload(octets: bytes) -> bytes:
    """RFC 2675 3: what may be a jumbogram has all that came, so that it can be told from a packet that ends here."""
    return octets if octets[6] == ipv6.HOP_BY_HOP else octets[: ipv6.HEADER_LENGTH]


def _nothing_follows(interface: "Interface", now: float) -> Outcome:
    """RFC 8200 4.7: a packet that ends here is complete; octets behind its last header are ignored."""
    host = interface.host
    host.counters.delivers_in += 1
    if host.journal.on:
        host.journal.note(now, "ip6", "no next header: nothing to deliver", "RFC 8200 4.7")
    return Verdict.DELIVERED


def check_addresses(source: IPv6Address, destination: IPv6Address) -> Discard | None:
    """Addresses that must not be seen on a link, whoever the packet is for."""
    if source[0] == 0xFF:
        return Discard.SOURCE_MULTICAST
    if source == LOOPBACK or destination == LOOPBACK:
        return Discard.SOURCE_LOOPBACK
    if destination == UNSPECIFIED:
        return Discard.DESTINATION_UNSPECIFIED
    if is_v4_mapped(source) or is_v4_mapped(destination):
        return Discard.SOURCE_MAPPED
    if destination[0] == 0xFF and destination[1] & 0x0F <= SCOPE_INTERFACE_LOCAL:
        return Discard.DESTINATION_SCOPE
    return None


def _check_destination(interface: "Interface", packet: bytes, destination: IPv6Address, now: float) -> Discard | None:
    if destination[0] == 0xFF:
        # Groups that share a MAC are told apart here (RFC 2464 7). RFC 4861 7.2.1: all nodes, whoever has an address.
        if destination == ALL_NODES or destination in interface.listener.groups.records:
            return None
        if interface.afterlives.watched and not carries_mld(packet):
            # What routers and listeners say about a group is none of its data (RFC 2710 8, RFC 3810 5.1.15).
            interface.afterlives.heard(destination, now)
        return Discard.GROUP_NOT_JOINED
    entry = interface.addresses.table.get(destination)
    if entry is None:
        # From a link it was refused before (RFC 4291 2.5.3).
        return None if destination == LOOPBACK else Discard.ADDRESS_NOT_OURS
    if not entry.assigned:
        return Discard.ADDRESS_TENTATIVE
    return None


def _is_suspicious(interface: "Interface", received: Received) -> bool:
    """No sender (RFC 4291 2.5.2), or one that has our address: no answer could reach whoever it was."""
    return received.source == UNSPECIFIED or interface.addresses.claims(received.source)
