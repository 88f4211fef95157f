"""The header chain of a received packet (RFC 8200 4): walked with bounds, one header after the other.

A fragment goes to `stack.ip6.reassembly`, but for the atomic one, which is a whole
packet (RFC 6946); the chain of a packet that came whole out of it is walked again.
"""

from typing import TYPE_CHECKING

from stack.discard import Discard, Outcome
from stack.icmp6 import errors
from stack.ip6.received import Received
from stack.wire import extension, icmpv6, ipv6

if TYPE_CHECKING:
    from stack.interface import Interface

# RFC 8504 5.3 lets a host limit how many extension headers it follows, and how many options.
MAXIMUM_HEADERS = 8
MAXIMUM_OPTIONS = 32

# RFC 8200 4.2: what the two highest bits of an unknown option's type ask for.
_SKIP = 0
_DISCARD_AND_REPORT = 2

# Offsets in the IPv6 header (RFC 8200 3).
_NEXT_HEADER_FIELD = 6


def walk(interface: "Interface", received: Received, now: float) -> int | Outcome:
    """Follow the headers up to the upper layer: its next header value, or what became of the packet before it.

    Sets `payload`, `next_header_pointer`, `router_alert` and `fragmented` on the way, and `packet` if that was made
    of fragments.
    """
    packet = received.packet
    next_header = packet[_NEXT_HEADER_FIELD]
    pointer = _NEXT_HEADER_FIELD
    offset = ipv6.HEADER_LENGTH
    for count in range(MAXIMUM_HEADERS + 1):
        if next_header not in _EXTENSION_HEADERS:
            received.payload = packet[offset:]
            received.next_header_pointer = pointer
            return next_header
        if next_header == ipv6.HOP_BY_HOP and count:
            # 4.1: recognised only right after the IPv6 header; 4: anywhere else it is unrecognised.
            errors.parameter_problem(interface, received, icmpv6.UNRECOGNIZED_NEXT_HEADER, pointer, now)
            return Discard.HOP_BY_HOP_NOT_FIRST
        length = _header_length(packet, offset, next_header)
        if length == 0:
            return _truncated(interface, received, offset, now)
        if next_header == ipv6.FRAGMENT:
            result = _fragment(interface, received, pointer, offset, now)
        else:
            result = _examine(interface, received, next_header, offset, length, now)
        if result is not None:
            return result
        pointer = offset
        next_header = packet[offset]
        offset += length
    return Discard.HEADER_CHAIN_TOO_LONG


_EXTENSION_HEADERS = frozenset((ipv6.HOP_BY_HOP, ipv6.DESTINATION_OPTIONS, ipv6.ROUTING, ipv6.FRAGMENT))


def _header_length(packet: bytes, offset: int, next_header: int) -> int:
    """Octets of the extension header at `offset`, 0 if it does not end within the packet."""
    if offset + 8 > len(packet):
        return 0
    length = 8 if next_header == ipv6.FRAGMENT else 8 + 8 * packet[offset + 1]
    return length if offset + length <= len(packet) else 0


def _truncated(interface: "Interface", received: Received, offset: int, now: float) -> Discard:
    """RFC 4443 3.4: a header that cannot be processed is reported, here by the length that is wrong."""
    # A header whose length octet is there names its own length; else the packet is too short for any header, as it
    # is by its own word if its payload length is 0 (RFC 2675 3).
    packet = received.packet
    own_length = offset + 8 <= len(packet) and packet[ipv6.PAYLOAD_LENGTH_FIELD : _NEXT_HEADER_FIELD] != b"\0\0"
    pointer = offset + 1 if own_length else ipv6.PAYLOAD_LENGTH_FIELD
    errors.parameter_problem(interface, received, icmpv6.ERRONEOUS_HEADER_FIELD, pointer, now)
    return Discard.HEADER_TRUNCATED


def _examine(
    interface: "Interface", received: Received, header: int, offset: int, length: int, now: float
) -> Discard | None:
    if header == ipv6.ROUTING:
        return _routing(interface, received, offset, now)
    if header == ipv6.HOP_BY_HOP and received.packet[ipv6.PAYLOAD_LENGTH_FIELD : _NEXT_HEADER_FIELD] == b"\0\0":
        # RFC 2675 3: so a node answers a jumbogram that understands none.
        errors.parameter_problem(interface, received, icmpv6.ERRONEOUS_HEADER_FIELD, ipv6.PAYLOAD_LENGTH_FIELD, now)
        return Discard.JUMBOGRAM
    return _options(interface, received, header, offset, offset + length, now)


def _routing(interface: "Interface", received: Received, offset: int, now: float) -> Discard | None:
    """4.4: no routing type is followed; with no segments left the header is passed over."""
    if received.packet[offset + 3] == 0:
        return None
    errors.parameter_problem(interface, received, icmpv6.ERRONEOUS_HEADER_FIELD, offset + 2, now)
    return Discard.ROUTING_HEADER


def _fragment(
    interface: "Interface", received: Received, pointer: int, offset: int, now: float
) -> int | Outcome | None:
    """4.5: the rest of the walk if the packet is whole now, None to go on with this one if it is an atomic fragment."""
    if received.fragmented:
        # A source makes fragments of what is none (4.5), so that this cannot be processed.
        errors.parameter_problem(interface, received, icmpv6.ERRONEOUS_HEADER_FIELD, pointer, now)
        return Discard.FRAGMENT_NESTED
    received.fragmented = True
    _, _, offset_and_flags, _ = extension.FRAGMENT.unpack_from(received.packet, offset)
    if not offset_and_flags & (extension.OFFSET_MASK | extension.MORE_FRAGMENTS):
        return None
    whole = interface.host.reassembler.receive(interface, received, pointer, offset, now)
    if not isinstance(whole, bytes):
        return whole
    received.packet = whole
    return walk(interface, received, now)


def _options(
    interface: "Interface", received: Received, header: int, offset: int, end: int, now: float
) -> Discard | None:
    """4.2: the options of a hop-by-hop or destination options header, in order."""
    packet = received.packet
    at = offset + 2
    for _ in range(MAXIMUM_OPTIONS):
        if at >= end:
            return None
        kind = packet[at]
        if kind == extension.PAD1:
            at += 1
            continue
        if at + 2 > end:
            return _malformed_option(interface, received, at, now)
        length = packet[at + 1]
        if at + 2 + length > end:
            return _malformed_option(interface, received, at + 1, now)
        if kind == extension.ROUTER_ALERT and header == ipv6.HOP_BY_HOP:
            # RFC 2711 2.1: the value has two octets.
            if length != 2:
                return _malformed_option(interface, received, at + 1, now)
            received.router_alert = True
        elif kind != extension.PADN and kind >> 6 != _SKIP:
            return _unknown_option(interface, received, kind, at, now)
        at += 2 + length
    return None if at >= end else Discard.HEADER_CHAIN_TOO_LONG


def _malformed_option(interface: "Interface", received: Received, pointer: int, now: float) -> Discard:
    """RFC 4443 3.4: the octet at `pointer` is where the option cannot be read any further."""
    errors.parameter_problem(interface, received, icmpv6.ERRONEOUS_HEADER_FIELD, pointer, now)
    return Discard.OPTION_MALFORMED


def _unknown_option(interface: "Interface", received: Received, kind: int, at: int, now: float) -> Discard:
    action = kind >> 6
    if action >= _DISCARD_AND_REPORT:
        # RFC 4443 2.4 (e.3, e.4): of a packet that was sent to a group only bits 10 are reported.
        to_group = action == _DISCARD_AND_REPORT
        errors.parameter_problem(interface, received, icmpv6.UNRECOGNIZED_OPTION, at, now, to_group=to_group)
    return Discard.OPTION_UNKNOWN
