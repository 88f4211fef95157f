"""Frames of other link types as Ethernet frames (the numbers are those of the tcpdump group's list).

Linux cooked captures and packets without a link header get an Ethernet header:
with the sender's MAC where the capture has it, else with one made from the
address, which is then the same in every frame. VLAN tags stay in the frame.
"""

import hashlib
from typing import NamedTuple

from stack.address import MacAddress, multicast_mac
from stack.capture.reading import Record
from stack.wire import ethernet

BSD_LOOPBACK = 0
ETHERNET = 1
OPENBSD_LOOPBACK = 108
LINUX_COOKED = 113
LINUX_COOKED_2 = 276
# RAW has three numbers: libpcap's own, and those that BSD systems wrote into files.
RAW_IP = frozenset((101, 12, 14, 228, 229))

_ETHERTYPE_IPV4 = 0x0800
_ETHERTYPE_QINQ = 0x88A8
_TAGS = frozenset((ethernet.ETHERTYPE_VLAN, _ETHERTYPE_QINQ, 0x9100))
_IPV6_HEADER = 40


class Frame(NamedTuple):
    """An Ethernet frame and when it was captured, in ns; `cut` says that the capture does not have all of it."""

    time: int
    octets: bytes
    cut: bool


def ethernet_frame(record: Record) -> Frame | None:
    """The record as an Ethernet frame; None for a link type without Ethernet or IP, or if it is cut too short."""
    octets = _frame(record.link, record.octets)
    return None if octets is None else Frame(record.time, octets, record.length > len(record.octets))


def _frame(link: int, octets: bytes) -> bytes | None:
    if link == ETHERNET:
        return octets
    if link in RAW_IP:
        return _with_header(octets, None, None)
    if link in (BSD_LOOPBACK, OPENBSD_LOOPBACK):
        # The address family comes first, in either octet order; the IP version says as much.
        return _with_header(octets[4:], None, None) if len(octets) > 4 else None
    if link == LINUX_COOKED and len(octets) >= 16:
        mac = octets[6:12] if octets[4:6] == b"\0\x06" else None
        return _with_header(octets[16:], mac, int.from_bytes(octets[14:16], "big"))
    if link == LINUX_COOKED_2 and len(octets) >= 20:
        mac = octets[12:18] if octets[11] == 6 else None
        return _with_header(octets[20:], mac, int.from_bytes(octets[0:2], "big"))
    return None


def _with_header(packet: bytes, source_mac: MacAddress | None, ethertype: int | None) -> bytes:
    if ethertype is None:
        is_v4 = packet[:1] and packet[0] >> 4 == 4
        ethertype = _ETHERTYPE_IPV4 if is_v4 else ethernet.ETHERTYPE_IPV6
    source, destination = b"", b"\xff" * 6
    if ethertype == ethernet.ETHERTYPE_IPV6 and len(packet) >= _IPV6_HEADER:
        source = packet[8:24]
        group = packet[24] == 0xFF
        destination = multicast_mac(packet[24:40]) if group else made_mac(packet[24:40])
    if source_mac is None or not any(source_mac):
        source_mac = made_mac(source)
    return ethernet.HEADER.pack(destination, source_mac, ethertype) + packet


def made_mac(address: bytes) -> MacAddress:
    """The MAC that an address is given where the capture has none: locally administered, unicast, always the same."""
    return b"\x02" + hashlib.sha256(address).digest()[:5]


def untagged(octets: bytes) -> bytes:
    """The frame without its VLAN tags."""
    while len(octets) >= ethernet.HEADER_LENGTH + ethernet.TAG_LENGTH:
        if int.from_bytes(octets[12:14], "big") not in _TAGS:
            break
        octets = octets[:12] + octets[12 + ethernet.TAG_LENGTH :]
    return octets
