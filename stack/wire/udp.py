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
    value = checksum(pseudo_header_sum(source, destination, 0, UDP), source_port, destination_port, data)
    return HEADER.pack(source_port, destination_port, HEADER_LENGTH + len(data), value) + data


def checksum(addresses: int, source_port: int, destination_port: int, data: bytes) -> int:
    """The checksum of a datagram; `addresses` is the sum of its pseudo-header without the length."""
    # The length is in the pseudo-header and in the header, whose words are added as they stand.
    total = addresses + source_port + destination_port + 2 * (HEADER_LENGTH + len(data)) + ones_sum(data)
    # RFC 8200 8.1: zero would say that there is no checksum, so its other form is sent.
    return -total % 0xFFFF or 0xFFFF


def verifies(source: bytes, destination: bytes, octets: bytes) -> bool:
    """Whether a datagram, cut to its own length, sums to all ones."""
    return icmpv6_verifies(source, destination, octets, UDP)
