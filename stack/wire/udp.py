"""The UDP header (RFC 768), and a datagram with the checksum that IPv6 makes mandatory (RFC 8200 8.1)."""

from construct import Int16ub, Struct

from stack.wire.checksum import icmpv6_verifies, ones_sum, pseudo_header_sum
from stack.wire.declare import derive
from stack.wire.ipv6 import MAXIMUM_PAYLOAD, UDP

UDP_HEADER = Struct("source_port" / Int16ub, "destination_port" / Int16ub, "length" / Int16ub, "checksum" / Int16ub)

HEADER = derive(UDP_HEADER)
HEADER_LENGTH = 8
MAXIMUM_DATA = MAXIMUM_PAYLOAD - HEADER_LENGTH
MAXIMUM_PORT = 65_535


def datagram(source: bytes, destination: bytes, source_port: int, destination_port: int, data: bytes) -> bytes:
    """A datagram with its checksum; addresses are of 16 bytes, the data of 65,527 octets at most."""
    length = HEADER_LENGTH + len(data)
    # The words of the header, its checksum being zero, are added as they stand.
    total = pseudo_header_sum(source, destination, length, UDP) + source_port + destination_port + length
    # RFC 8200 8.1: zero would say that there is no checksum, so its other form is sent.
    checksum = -(total + ones_sum(data)) % 0xFFFF or 0xFFFF
    return HEADER.pack(source_port, destination_port, length, checksum) + data


def verifies(source: bytes, destination: bytes, octets: bytes) -> bool:
    """Whether a datagram, cut to its own length, sums to all ones."""
    return icmpv6_verifies(source, destination, octets, UDP)
