"""ICMPv6 errors: sending them within the rules of RFC 4443 2.4 (e, f), and handing received ones to the sender."""

from typing import TYPE_CHECKING

from stack.address import UNSPECIFIED, IPv6Address
from stack.discard import Discard, Outcome, Verdict
from stack.icmp6.echo import EchoError
from stack.ip6 import output, path_mtu
from stack.wire import extension, icmpv6, ipv6, multipart
from stack.wire.checksum import with_checksum

if TYPE_CHECKING:
    from stack.interface import Interface
    from stack.ip6.received import Received

BURST = 10
# 2.4 (c): as much of the packet as fits the minimum MTU.
MAXIMUM_QUOTE = ipv6.MINIMUM_MTU - ipv6.HEADER_LENGTH - icmpv6.ERROR_HEADER.size
_FRAGMENT = bytes((ipv6.FRAGMENT,))
_ECHO_QUOTE_LENGTH = ipv6.HEADER_LENGTH + icmpv6.ECHO_HEADER.size


def parameter_problem(
    interface: "Interface", received: "Received", code: int, pointer: int, now: float, *, to_group: bool = False
) -> None:
    """Report the octet at `pointer`, counted from the IPv6 header (RFC 4443 3.4)."""
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

    `to_group` allows it for a packet that was sent to a group: the exceptions of (e.3).
    """
    source = _source(interface, received)
    against = _forbidden(interface, received, to_group)
    if against is None and source is None:
        against = "RFC 4443 2.2"
    if against is None and not _take_token(interface, now):
        against = "RFC 4443 2.4 (f)"
    _note(interface, kind, code, parameter, against, now)
    if against is not None or source is None:
        return
    quote = received.packet[:MAXIMUM_QUOTE]
    message = with_checksum(source, received.source, icmpv6.ERROR_HEADER.pack(kind, code, 0, parameter) + quote)
    host = interface.host
    packet = ipv6.packet(source, received.source, ipv6.ICMPV6, interface.variables.hop_limit, message)
    host.counters.icmp_out[kind] += 1
    if not output.send(interface, packet, now):
        host.counters.icmp_out_errors += 1


def _note(interface: "Interface", kind: int, code: int, parameter: int, against: str | None, now: float) -> None:
    journal = interface.host.journal
    if journal.on:
        what = f"error of type {kind}, code {code}, parameter {parameter}"
        journal.note(now, "icmp6", f"{what} is not sent" if against else f"{what} is sent", against or "RFC 4443 3")


def _take_token(interface: "Interface", now: float) -> bool:
    """2.4 (f): one token for each error; an interval of 0 is no limit."""
    host = interface.host
    interval = host.settings.icmp_ratelimit
    if not interval or host.error_bucket.take(now, 1000 / interval, BURST):
        return True
    host.counters.icmp_errors_limited += 1
    return False


def _source(interface: "Interface", received: "Received") -> IPv6Address | None:
    """2.2: the unicast address that the packet was sent to, else one chosen for the way back."""
    entry = interface.addresses.get(received.destination)
    if entry is None or entry.anycast or not entry.assigned:
        return interface.source_for(received.source)
    return received.destination


def _forbidden(interface: "Interface", received: "Received", to_group: bool) -> str | None:
    """Which part of 2.4 (e) forbids an error about this packet, or None."""
    source = received.source
    if source == UNSPECIFIED or source[0] == 0xFF or interface.addresses.claims(source):
        return "RFC 4443 2.4 (e.6)"
    if received.destination[0] == 0xFF and not to_group:
        return "RFC 4443 2.4 (e.3)"
    if received.link_multicast and not to_group:
        return "RFC 4443 2.4 (e.4)"
    return "RFC 4443 2.4 (e.1)" if _is_error(received.packet) else None


def _is_error(packet: bytes) -> bool:
    """Whether a packet carries an ICMPv6 error or a redirect (2.4 e.1, e.2), also behind headers not followed here."""
    for next_header, offset in extension.headers(packet, packet[6], ipv6.HEADER_LENGTH):
        if next_header == ipv6.ICMPV6:
            kind = packet[offset : offset + 1]
            return kind != b"" and (kind[0] < icmpv6.FIRST_INFORMATIONAL or kind[0] == icmpv6.REDIRECT)
    # Nor is a fragment behind the first: an error fits the minimum MTU (2.4 c), and comes in one piece.
    return False


def received(interface: "Interface", received: "Received", now: float) -> Outcome:
    """An error message from the link, known type or not, goes to whoever sent the packet in it (2.4 a, d)."""
    payload = received.payload
    if len(payload) < icmpv6.ERROR_HEADER.size:
        return Discard.ICMP_TRUNCATED
    quote, objects = multipart.split(payload)
    if quote[8:24] not in interface.addresses.table:
        return Discard.ICMP_ERROR_UNCLAIMED
    kind, code, _, parameter = icmpv6.ERROR_HEADER.unpack_from(payload)
    believed = False
    if kind == icmpv6.PACKET_TOO_BIG:
        if parameter < ipv6.MINIMUM_MTU:
            return Discard.PACKET_TOO_BIG_MINIMUM
        believed = path_mtu.too_big(interface, quote, parameter, now)
    elif kind != icmpv6.PARAMETER_PROBLEM:
        # 3.1, 3.3: unused, and ignored.
        parameter = 0
    invoking = _whole(quote)
    if deliver(interface, invoking, received.source, kind, code, parameter, now):
        if interface.host.journal.on:
            sender = "socket" if invoking[6] == ipv6.UDP else "ping"
            what = f"error of type {kind}, code {code} passed to the {sender} that it is about"
            if objects:
                what += f", with {len(objects)} extension object{'s' * (len(objects) > 1)}"
            interface.host.journal.note(now, "icmp6", what, "RFC 4443 2.4 (d)")
        return Verdict.DELIVERED
    return Verdict.DELIVERED if believed else Discard.ICMP_ERROR_UNCLAIMED


def _whole(quote: bytes) -> bytes:
    """The packet that a quoted first fragment of ours is of, as far as it shows it; nothing of one behind the first."""
    if quote[6:7] != _FRAGMENT or len(quote) < extension.FRAGMENT_END:
        return quote
    if extension.is_later_fragment(quote, ipv6.HEADER_LENGTH):
        return b""
    return (
        quote[:6] + quote[ipv6.HEADER_LENGTH : ipv6.HEADER_LENGTH + 1] + quote[7:40] + quote[extension.FRAGMENT_END :]
    )


def undeliverable(interface: "Interface", packet: bytes, now: float) -> None:
    """A packet of ours whose neighbour does not answer: address unreachable, told to its sender (RFC 4861 7.2.2)."""
    kind, code = icmpv6.DESTINATION_UNREACHABLE, icmpv6.ADDRESS_UNREACHABLE
    deliver(interface, packet, packet[8:24], kind, code, 0, now)


def deliver(
    interface: "Interface", invoking: bytes, source: IPv6Address, kind: int, code: int, parameter: int, now: float
) -> bool:
    """Hand an error to the echo session or the socket whose packet it quotes; false if there is none."""
    if len(invoking) >= ipv6.HEADER_LENGTH and invoking[6] == ipv6.UDP:
        return interface.host.udp.failed(interface, invoking, source, kind, code, parameter, now)
    if len(invoking) < _ECHO_QUOTE_LENGTH or invoking[6] != ipv6.ICMPV6:
        return False
    raw = interface.host.raw
    copied = bool(raw.sockets) and raw.failed(interface, invoking, source, kind, code, parameter, now)
    return _to_session(interface, invoking, source, kind, code, parameter, now) or copied


def _to_session(
    interface: "Interface", invoking: bytes, source: IPv6Address, kind: int, code: int, parameter: int, now: float
) -> bool:
    """To the ping whose request is quoted, if it is one."""
    if invoking[ipv6.HEADER_LENGTH] != icmpv6.ECHO_REQUEST:
        return False
    _, _, _, identifier, sequence = icmpv6.ECHO_HEADER.unpack_from(invoking, ipv6.HEADER_LENGTH)
    session = interface.host.echoes.sessions.get(identifier)
    if session is None or session.destination != invoking[24:40]:
        return False
    return session.failed(EchoError(sequence, source, kind, code, now, parameter))
