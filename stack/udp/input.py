"""UDP input (RFC 768, RFC 8200 8.1): length, checksum, then to the socket, or to every member socket of the group."""

from typing import TYPE_CHECKING

from stack.discard import Discard, Outcome, Verdict
from stack.icmp6 import errors
from stack.ip6.received import Received
from stack.udp.datagram import Datagram
from stack.wire import icmpv6, udp

if TYPE_CHECKING:
    from stack.interface import Interface


def receive(interface: "Interface", received: Received, now: float, looped: bool) -> Outcome:
    """One datagram; `looped` is one of our own to ourselves."""
    payload = received.payload
    if len(payload) < udp.HEADER_LENGTH:
        return Discard.UDP_TRUNCATED
    source_port, port, length, checksum = udp.HEADER.unpack_from(payload)
    # RFC 768: the length counts the header. RFC 2675 4 lets 0 stand for a jumbogram; this node understands none.
    if not udp.HEADER_LENGTH <= length <= len(payload):
        return Discard.UDP_LENGTH
    if checksum == 0:
        return Discard.UDP_NO_CHECKSUM
    # RFC 8200 8.1: the datagram's own length is in the pseudo-header; octets behind it are no part of the datagram.
    octets = payload[:length]
    if not udp.verifies(received.source, received.destination, octets):
        return Discard.UDP_CHECKSUM
    # An optional field (RFC 768): a source port of 0 is no reason to discard.
    datagram = Datagram(
        octets[udp.HEADER_LENGTH :],
        received.source,
        source_port,
        received.destination,
        received.hop_limit,
        received.traffic_class,
        interface,
        now,
    )
    if received.destination[0] == 0xFF:
        return _to_members(interface, datagram, port)
    return _to_socket(interface, datagram, port, received, looped)


def _to_socket(interface: "Interface", datagram: Datagram, port: int, received: Received, looped: bool) -> Outcome:
    socket = interface.host.udp.find(interface, datagram.destination, port, datagram.source, datagram.port)
    if socket is None:
        _unreachable(interface, received, datagram.time, looped)
        return Discard.UDP_NO_PORT
    if not socket.put(datagram):
        return Discard.UDP_QUEUE_FULL
    _note(interface, datagram, port, 1, "RFC 768")
    return Verdict.DELIVERED


def _unreachable(interface: "Interface", received: Received, now: float, looped: bool) -> None:
    """RFC 4443 3.1: nobody listens at the port."""
    kind, code = icmpv6.DESTINATION_UNREACHABLE, icmpv6.PORT_UNREACHABLE
    if looped:
        # The sender is on this host: it is told without a message.
        errors.deliver(interface, received.packet, received.destination, kind, code, 0, now)
    else:
        errors.send(interface, received, kind, code, 0, now)


def _to_members(interface: "Interface", datagram: Datagram, port: int) -> Outcome:
    """RFC 3810 4.2: to each socket of the port that listens to the group here, from this source. Never an error."""
    outcome: Outcome = Discard.UDP_NO_MEMBER
    taken = 0
    for socket in interface.host.udp.at(port):
        if socket.score(interface, datagram.destination, datagram.source, datagram.port) < 0:
            continue
        wanted = socket.wants_group(interface, datagram.destination, datagram.source)
        if wanted is None:
            continue
        if not wanted:
            if outcome is Discard.UDP_NO_MEMBER:
                outcome = Discard.UDP_SOURCE_FILTERED
        elif socket.put(datagram):
            taken += 1
        else:
            outcome = Discard.UDP_QUEUE_FULL
    if not taken:
        return outcome
    _note(interface, datagram, port, taken, "RFC 3810 4.2")
    return Verdict.DELIVERED


def _note(interface: "Interface", datagram: Datagram, port: int, sockets: int, clause: str) -> None:
    journal = interface.host.journal
    if journal.on:
        to = "the socket" if sockets == 1 else f"{sockets} sockets"
        journal.note(datagram.time, "udp", f"{len(datagram.data)} octets of data for {to} at port {port}", clause)
