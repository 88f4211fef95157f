"""The frames of the benchmark: echo, UDP, neighbour solicitations and advertisements, queries.

Made by hand, with none of the code under test.
"""

import struct
from typing import NamedTuple

ETHERNET = 14
IPV6 = 40
ICMP = ETHERNET + IPV6
ECHO_REQUEST, ECHO_REPLY, SOLICITATION, ADVERTISEMENT = 128, 129, 135, 136
QUERY, MLDV2_REPORT = 130, 143
# RFC 3810 5: a hop-by-hop options header with a router alert
ROUTER_ALERT = bytes.fromhex("3a00050200000100")
ALL_NODES = bytes.fromhex("ff02") + bytes(13) + b"\x01"
UDP = 17
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


def udp(sender: Station, receiver: Station, source_port: int, port: int, data: bytes) -> bytes:
    """An Ethernet frame with one datagram (RFC 768)."""
    message = struct.pack("!HHHH", source_port, port, 8 + len(data), 0) + data
    pseudo = sender.address + receiver.address + struct.pack("!II", len(message), UDP)
    total = checksum(pseudo + message) or 0xFFFF
    header = struct.pack("!IHBB", 6 << 28, len(message), UDP, HOP_LIMIT)
    ethernet = receiver.mac + sender.mac + b"\x86\xdd"
    return ethernet + header + sender.address + receiver.address + message[:6] + total.to_bytes(2, "big") + data


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


def solicitation(sender: Station, target: Station) -> bytes:
    """A unicast solicitation of `target` (RFC 4861 4.3) with the sender's MAC."""
    message = struct.pack("!BBHI", SOLICITATION, 0, 0, 0) + target.address + b"\x01\x01" + sender.mac
    return packet(sender, target, 255, message)


def advertisement(sender: Station, receiver: Station) -> bytes:
    """The answer to a solicitation of `sender`'s address (RFC 4861 4.4): solicited, override, with its MAC."""
    message = struct.pack("!BBHI", ADVERTISEMENT, 0, 0, 0x60000000) + sender.address + b"\x02\x01" + sender.mac
    return packet(sender, receiver, 255, message)


def general_query(sender: Station, delay: float) -> bytes:
    """A version 2 general query (RFC 3810 5.1) that gives so many seconds to answer, 32 at the most."""
    message = struct.pack("!BBHHH", QUERY, 0, 0, round(delay * 1000), 0) + bytes(16) + b"\x02\x7d\0\0"
    pseudo = sender.address + ALL_NODES + struct.pack("!II", len(message), 58)
    message = message[:2] + checksum(pseudo + message).to_bytes(2, "big") + message[4:]
    header = struct.pack("!IHBB", 6 << 28, len(ROUTER_ALERT + message), 0, 1)
    ethernet = b"\x33\x33\0\0\0\x01" + sender.mac + b"\x86\xdd"
    return ethernet + header + sender.address + ALL_NODES + ROUTER_ALERT + message
