"""ICMPv6 errors: sending them within the rules of RFC 4443 2.4 (e, f), and handing received ones to the sender."""

from typing import TYPE_CHECKING

from stack.address import UNSPECIFIED, IPv6Address
from stack.discard import Discard, Outcome, Verdict
from stack.icmp6.echo import EchoError
from stack.ip6 import output
from stack.wire import icmpv6, ipv6
from stack.wire.checksum import with_checksum

if TYPE_CHECKING:
    from stack.interface import Interface
    from stack.ip6.received import Received

BURST = 10
# 2.4 (c): as much of the packet as fits the minimum MTU.
MAXIMUM_QUOTE = ipv6.MINIMUM_MTU - ipv6.HEADER_LENGTH - icmpv6.ERROR_HEADER.size
_MAXIMUM_HEADERS = 8
_FIRST_INFORMATIONAL = 128
_ECHO_QUOTE_LENGTH = ipv6.HEADER_LENGTH + icmpv6.ECHO_HEADER.size
_OPTIONS_AND_ROUTING = (ipv6.HOP_BY_HOP, ipv6.DESTINATION_OPTIONS, ipv6.ROUTING)


def parameter_problem(interface: "Interface", received: "Received", code: int, pointer: int, now: float) -> None:
    """Report the octet at `pointer`, counted from the IPv6 header (RFC 4443 3.4)."""
    # 2.4 (e.3): unknown options are the one parameter problem reported to senders to a group.
    to_group = code == icmpv6.UNRECOGNIZED_OPTION
    send(interface, received, icmpv6.PARAMETER_PROBLEM, code, pointer, now, to_group=to_group)


def send(
    interface: "Interface",
    received: "Received",
    kind: int,
    code: int,
    parameter: int,
    now: float,
    *,
    to_group: bool = False,
) -> None:
    """Send an error about a received packet, unless 2.4 (e) forbids it or the rate limit (f) is reached.

    `to_group` allows it for a packet that was sent to a group.
    """
    if not _may_answer(interface, received, to_group):
        return
    host = interface.host
    interval = host.settings.icmp_ratelimit
    if interval and not host.error_bucket.take(now, 1000 / interval, BURST):
        host.counters.icmp_errors_limited += 1
        return
    source: IPv6Address | None = received.destination
    entry = interface.addresses.get(received.destination)
    if entry is None or entry.anycast or not entry.assigned:
        source = interface.source_for(received.source)
    if source is None:
        return
    quote = received.packet[:MAXIMUM_QUOTE]
    message = with_checksum(source, received.source, icmpv6.ERROR_HEADER.pack(kind, code, 0, parameter) + quote)
    packet = ipv6.packet(source, received.source, ipv6.ICMPV6, host.settings.hop_limit, message)
    host.counters.icmp_out[kind] += 1
    output.send(interface, packet, now)


def _may_answer(interface: "Interface", received: "Received", to_group: bool) -> bool:
    """2.4 (e): never about an error or a redirect, to a group, or to a source that is no single node."""
    if received.source == UNSPECIFIED or received.source[0] == 0xFF or interface.addresses.get(received.source):
        return False
    if not to_group and (received.destination[0] == 0xFF or received.link_multicast):
        return False
    return not _is_error(received.packet)


def _is_error(packet: bytes) -> bool:
    """Whether a packet carries an ICMPv6 error or a redirect, as far as its headers can be followed."""
    next_header, offset = packet[6], ipv6.HEADER_LENGTH
    for _ in range(_MAXIMUM_HEADERS):
        if offset + 2 > len(packet):
            return False
        if next_header == ipv6.ICMPV6:
            return packet[offset] < _FIRST_INFORMATIONAL or packet[offset] == icmpv6.REDIRECT
        if next_header == ipv6.FRAGMENT:
            length = 8
        elif next_header in _OPTIONS_AND_ROUTING:
            length = 8 + 8 * packet[offset + 1]
        else:
            return False
        next_header = packet[offset]
        offset += length
    return False


def received(interface: "Interface", received: "Received", now: float) -> Outcome:
    """An error message from the link, known type or not, goes to whoever sent the packet in it (2.4 a, d)."""
    payload = received.payload
    if len(payload) < icmpv6.ERROR_HEADER.size:
        return Discard.ICMP_TRUNCATED
    invoking = payload[icmpv6.ERROR_HEADER.size :]
    if invoking[8:24] not in interface.addresses.table:
        return Discard.ICMP_ERROR_UNCLAIMED
    if _deliver(interface, invoking, received.source, payload[0], payload[1], now):
        return Verdict.DELIVERED
    return Discard.ICMP_ERROR_UNCLAIMED


def undeliverable(interface: "Interface", packet: bytes, now: float) -> None:
    """A packet of ours whose neighbour does not answer: address unreachable, told to its sender (RFC 4861 7.2.2)."""
    kind, code = icmpv6.DESTINATION_UNREACHABLE, icmpv6.ADDRESS_UNREACHABLE
    _deliver(interface, packet, packet[8:24], kind, code, now)


def _deliver(interface: "Interface", invoking: bytes, source: IPv6Address, kind: int, code: int, now: float) -> bool:
    """Hand an error to the echo session whose request it quotes; false if there is none."""
    if len(invoking) < _ECHO_QUOTE_LENGTH or invoking[6] != ipv6.ICMPV6:
        return False
    if invoking[ipv6.HEADER_LENGTH] != icmpv6.ECHO_REQUEST:
        return False
    _, _, _, identifier, sequence = icmpv6.ECHO_HEADER.unpack_from(invoking, ipv6.HEADER_LENGTH)
    session = interface.host.echoes.sessions.get(identifier)
    if session is None or session.destination != invoking[24:40]:
        return False
    return session.failed(EchoError(sequence, source, kind, code, now))
