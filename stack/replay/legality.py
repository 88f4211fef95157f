"""Whether a frame of ours may be sent at all: an independent reading of the RFCs' rules for senders.

It shares no parser with the stack: every offset stands here once more, read off
the pictures. `illegal` says what is wrong with a frame, with the clause, or None.
What is known of the sender is given: its MAC and whether an address is its own.
"""

from collections.abc import Callable
from typing import NamedTuple

from stack.replay import messages

ETHERNET, IPV6 = 14, 40
UNSPECIFIED = bytes(16)
LOOPBACK = bytes(15) + b"\1"
ND = frozenset(range(133, 138))
MLD = frozenset((130, 131, 132, 143))
_CONTINUED = 0xFFF8
_OPTION_HEADERS = (0, 60)


class Wrong(NamedTuple):
    """What is wrong, and the clause that says so."""

    what: str
    clause: str


class Sender(NamedTuple):
    """Who sent it: its MAC (6 bytes), the longest packet in octets, and whether an address (16 bytes) is its own."""

    mac: bytes
    mtu: int
    owns: Callable[[bytes], bool]


def illegal(frame: bytes, sender: Sender) -> Wrong | None:
    """What is wrong with an untagged frame of `sender`, or None."""
    if len(frame) < ETHERNET + IPV6:
        return Wrong("shorter than an IPv6 packet in a frame", "RFC 8200 3")
    packet = frame[ETHERNET:]
    return _link(frame, packet, sender) or _header(packet, sender) or _chain(packet)


def _link(frame: bytes, packet: bytes, sender: Sender) -> Wrong | None:
    if frame[6:12] != sender.mac:
        return Wrong("the source MAC is not ours", "RFC 2464 3")
    if frame[12:14] != b"\x86\xdd":
        return Wrong("the ethertype is not that of IPv6", "RFC 2464 3")
    if packet[24] == 0xFF:
        return None if frame[:6] == b"\x33\x33" + packet[36:40] else Wrong("the MAC is not the group's", "RFC 2464 7")
    if frame[0] & 1 or not any(frame[:6]):
        return Wrong("a unicast packet goes to a MAC that no station has", "RFC 2464 6")
    return None


def _header(packet: bytes, sender: Sender) -> Wrong | None:
    source, destination = packet[8:24], packet[24:40]
    if packet[0] >> 4 != 6:
        return Wrong("the version is not 6", "RFC 8200 3")
    if int.from_bytes(packet[4:6], "big") != len(packet) - IPV6:
        return Wrong("the payload length is wrong", "RFC 8200 3")
    if len(packet) > sender.mtu:
        return Wrong(f"{len(packet)} octets are more than the link takes", "RFC 8200 5")
    if packet[7] == 0:
        return Wrong("the hop limit is 0", "RFC 8200 3")
    if destination in (UNSPECIFIED, LOOPBACK):
        return Wrong("the destination is no address on a link", "RFC 4291 2.5.2")
    if source[0] == 0xFF or source == LOOPBACK:
        return Wrong("the source is no address on a link", "RFC 4291 2.7")
    if destination[0] == 0xFF and destination[1] & 0x0F < 2:
        return Wrong("a group of a scope that never leaves a node", "RFC 4291 2.7")
    if source != UNSPECIFIED and not sender.owns(source):
        return Wrong("the source is not an address of ours", "RFC 8200 3")
    return None


def _chain(packet: bytes) -> Wrong | None:
    """The extension headers, then what they carry."""
    kind, at, alert = packet[6], IPV6, False
    first = True
    while kind in (0, 43, 44, 60):
        if at + 8 > len(packet):
            return Wrong("an extension header is cut short", "RFC 8200 4")
        if kind == 0 and not first:
            return Wrong("hop-by-hop options are not first", "RFC 8200 4.1")
        end = at + (8 if kind == 44 else 8 + 8 * packet[at + 1])
        if end > len(packet):
            return Wrong("an extension header runs past the packet", "RFC 8200 4")
        if kind == 44:
            return _fragment(packet, at)
        if kind in _OPTION_HEADERS:
            options = messages.ip_options(packet[at + 2 : end])
            if options is None:
                return Wrong("the options do not fill their header", "RFC 8200 4.2")
            alert = alert or (kind == 0 and (5, b"\0\0") in options)
        kind, at, first = packet[at], end, False
    return _upper(packet, kind, packet[at:], alert)


def _fragment(packet: bytes, at: int) -> Wrong | None:
    """RFC 8200 4.5; what a fragment is a piece of is not put together here."""
    word = int.from_bytes(packet[at + 2 : at + 4], "big")
    size = len(packet) - at - 8
    if not word & 0xFFF9:
        return Wrong("an atomic fragment is sent", "RFC 8021 3")
    if word & 1 and size % 8:
        return Wrong("a fragment that is not the last has no whole units of 8 octets", "RFC 8200 4.5")
    if not size:
        return Wrong("a fragment without data", "RFC 8200 4.5")
    if (word & _CONTINUED) + size > 65535:
        return Wrong("a fragment of more than a packet can hold", "RFC 8200 4.5")
    if packet[at] == 58 and not word & _CONTINUED and packet[at + 8] in ND:
        return Wrong("neighbour discovery in a fragment", "RFC 6980 5")
    return None


def _upper(packet: bytes, kind: int, message: bytes, alert: bool) -> Wrong | None:
    source, destination = packet[8:24], packet[24:40]
    if kind == 17:
        return _udp(source, destination, message)
    if kind != 58:
        return None
    if len(message) < 8:
        return Wrong("an ICMPv6 message under 8 octets", "RFC 4443 2.1")
    if messages.checksum(source, destination, 58, message):
        return Wrong("the ICMPv6 checksum is wrong", "RFC 4443 2.3")
    if source == UNSPECIFIED and message[0] not in (133, 135, 131, 132, 143):
        return Wrong("a message that needs a source comes from ::", "RFC 4443 2.2")
    if message[0] in ND:
        return _judged(messages.neighbour_discovery(source, destination, packet[7], message))
    if message[0] in MLD:
        return _judged(messages.listener_discovery(source, destination, packet[7], alert, message))
    if message[0] < 128:
        return _judged(messages.error(packet, message))
    return None


def _judged(verdict: tuple[str, str] | None) -> Wrong | None:
    return None if verdict is None else Wrong(*verdict)


def _udp(source: bytes, destination: bytes, message: bytes) -> Wrong | None:
    if len(message) < 8 or int.from_bytes(message[4:6], "big") != len(message):
        return Wrong("the UDP length is wrong", "RFC 768")
    if message[6:8] == b"\0\0" or messages.checksum(source, destination, 17, message):
        return Wrong("the UDP checksum is wrong", "RFC 8200 8.1")
    return Wrong("a datagram comes from ::", "RFC 4291 2.5.2") if source == UNSPECIFIED else None
