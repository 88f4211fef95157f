"""Datagrams built by hand from RFC 768's picture, and a host with sockets to send them to."""

import struct
from typing import NamedTuple

from stack.mld.filters import EVERYTHING, FilterMode, SourceFilter
from stack.udp.udp_socket import UdpSocket
from tests.playbook import OUR_LINK_LOCAL, PEER_LINK_LOCAL, Play, Sent, checksum, frame, ip, packet, text

GROUP = "ff05::77"
OTHER_GROUP = "ff05::78"
PEER_GLOBAL = "2001:db8::9"
OUR_GLOBAL = "2001:db8::1"


def message(
    source: str,
    destination: str,
    source_port: int,
    port: int,
    data: bytes,
    *,
    length: int | None = None,
    value: int | None = None,
    behind: bytes = b"",
) -> bytes:
    """A UDP message; `length` and `value` override length and checksum, `behind` follows the datagram."""
    size = 8 + len(data) if length is None else length
    octets = struct.pack("!HHHH", source_port, port, size, 0) + data
    if value is None:
        # RFC 8200 8.1: zero is sent as ffff.
        value = checksum(ip(source), ip(destination), 17, octets) or 0xFFFF
    return octets[:6] + struct.pack("!H", value) + octets[8:] + behind


def datagram(
    data: bytes = b"hello",
    *,
    source: str = PEER_LINK_LOCAL,
    destination: str = OUR_LINK_LOCAL,
    source_port: int = 4000,
    port: int = 5000,
    hop_limit: int = 64,
    to: bytes | None = None,
    length: int | None = None,
    value: int | None = None,
    behind: bytes = b"",
) -> bytes:
    """A frame with a datagram."""
    octets = message(source, destination, source_port, port, data, length=length, value=value, behind=behind)
    return frame(packet(source, destination, octets, next_header=17, hop_limit=hop_limit), to=to)


class Parsed(NamedTuple):
    """A datagram of ours, taken apart by the picture."""

    source: str
    source_port: int
    destination: str
    port: int
    data: bytes
    hop_limit: int


def parsed(sent: Sent) -> Parsed:
    """Of a frame with a datagram; the lengths agree and the checksum is right."""
    octets = sent.packet
    assert octets[6] == 17
    source_port, port, length, value = struct.unpack("!HHHH", octets[40:48])
    assert length == int.from_bytes(octets[4:6], "big") == len(octets) - 40
    assert value != 0
    assert checksum(octets[8:24], octets[24:40], 17, octets[40:]) == 0
    return Parsed(text(octets[8:24]), source_port, text(octets[24:40]), port, octets[48:], octets[7])


def datagrams(play: Play) -> list[Parsed]:
    """The datagrams sent since the last look; other frames are passed over."""
    return [parsed(each) for each in play.sent() if each.packet[6] == 17]


def bound(play: Play, port: int = 5000, address: str | None = None, *, reuse: bool = False) -> UdpSocket:
    """A socket bound to a port."""
    socket = play.host.udp.open()
    socket.reuse = reuse
    socket.bind(None if address is None else ip(address), port)
    return socket


def included(*sources: str) -> SourceFilter:
    """INCLUDE of these."""
    return SourceFilter(FilterMode.INCLUDE, frozenset(map(ip, sources)))


def excluded(*sources: str) -> SourceFilter:
    """EXCLUDE of these."""
    return SourceFilter(FilterMode.EXCLUDE, frozenset(map(ip, sources)))


def listen(play: Play, socket: UdpSocket, group: str = GROUP, wanted: SourceFilter = EVERYTHING) -> None:
    """IPv6MulticastListen on the play's interface."""
    socket.listen(ip(group), wanted, play.now)
    play.settle()


def received(socket: UdpSocket) -> list[bytes]:
    """The data of everything that waits in a socket."""
    found = []
    while (each := socket.receive()) is not None:
        found.append(each.data)
    return found
