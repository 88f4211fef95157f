"""The frames of the benchmark: echo requests, the replies that they must get, and the peer's own advertisement.

Made by hand, with none of the code under test.
"""

import struct
from typing import NamedTuple

ETHERNET = 14
IPV6 = 40
ICMP = ETHERNET + IPV6
ECHO_REQUEST, ECHO_REPLY, SOLICITATION, ADVERTISEMENT = 128, 129, 135, 136
IDENTIFIER = 0x6274
HOP_LIMIT = 64


class Station(NamedTuple):
    """A MAC (6 bytes) and an address (16 bytes)."""

    mac: bytes
    address: bytes


def checksum(data: bytes) -> int:
    """RFC 1071 over an even or odd number of bytes."""
    if len(data) % 2:
        data += b"\0"
    return -int.from_bytes(data, "big") % 0xFFFF


def packet(sender: Station, receiver: Station, hop_limit: int, message: bytes) -> bytes:
    """An Ethernet frame with one ICMPv6 message, whose checksum is filled in."""
    pseudo = sender.address + receiver.address + struct.pack("!II", len(message), 58)
    total = checksum(pseudo + message)
    message = message[:2] + total.to_bytes(2, "big") + message[4:]
    header = struct.pack("!IHBB", 6 << 28, len(message), 58, hop_limit)
    ethernet = receiver.mac + sender.mac + b"\x86\xdd"
    return ethernet + header + sender.address + receiver.address + message


def echo(kind: int, sender: Station, receiver: Station, sequence: int, size: int) -> bytes:
    """An echo request or reply with `size` bytes of data."""
    data = bytes((sequence + index) & 0xFF for index in range(size))
    return packet(sender, receiver, HOP_LIMIT, struct.pack("!BBHHH", kind, 0, 0, IDENTIFIER, sequence) + data)


def advertisement(sender: Station, receiver: Station) -> bytes:
    """The answer to a solicitation of `sender`'s address (RFC 4861 4.4): solicited, override, with its MAC."""
    message = struct.pack("!BBHI", ADVERTISEMENT, 0, 0, 0x60000000) + sender.address + b"\x02\x01" + sender.mac
    return packet(sender, receiver, 255, message)
