"""The IPv6 header (RFC 8200 3) and the next header values a host knows by name."""

from construct import BitsInteger, BitStruct, Bytes, Int8ub, Int16ub, Int32ub, Struct

from stack.wire.declare import derive

HEADER_LENGTH = 40
# Where the payload length stands in it.
PAYLOAD_LENGTH_FIELD = 4
MINIMUM_MTU = 1280
MAXIMUM_PAYLOAD = 65_535

HOP_BY_HOP = 0
TCP = 6
UDP = 17
ROUTING = 43
FRAGMENT = 44
AUTHENTICATION = 51
ICMPV6 = 58
NO_NEXT_HEADER = 59
DESTINATION_OPTIONS = 60

# The first four octets in detail; the fast path reads them as one number.
VERSION_CLASS_FLOW = BitStruct(
    "version" / BitsInteger(4), "traffic_class" / BitsInteger(8), "flow_label" / BitsInteger(20)
)

IPV6 = Struct(
    "version_class_flow" / Int32ub,
    "payload_length" / Int16ub,
    "next_header" / Int8ub,
    "hop_limit" / Int8ub,
    "source" / Bytes(16),
    "destination" / Bytes(16),
)

HEADER = derive(IPV6)
VERSION_6 = 6 << 28


def packet(
    source: bytes, destination: bytes, next_header: int, hop_limit: int, payload: bytes, traffic_class: int = 0
) -> bytes:
    """An IPv6 packet of flow label 0; the payload is at most 65,535 octets."""
    first = VERSION_6 | traffic_class << 20
    return HEADER.pack(first, len(payload), next_header, hop_limit, source, destination) + payload
