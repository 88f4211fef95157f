"""Multicast listener discovery messages: version 1 (RFC 2710 3) and the query of version 2 (RFC 3810 5.1)."""

from construct import Bytes, Int8ub, Int16ub, Struct

from stack.wire.checksum import with_checksum
from stack.wire.declare import derive

MESSAGE_LENGTH = 24
# RFC 3810 8.1: at least this long is a query of version 2.
V2_QUERY_LENGTH = 28

MLD = Struct(
    "type" / Int8ub,
    "code" / Int8ub,
    "checksum" / Int16ub,
    "maximum_response_delay" / Int16ub,
    "reserved" / Int16ub,
    "multicast_address" / Bytes(16),
)

# RFC 3810 5.1; the sources follow, 16 octets each.
V2_QUERY = Struct(
    *MLD.subcons,
    "flags_and_qrv" / Int8ub,
    "qqic" / Int8ub,
    "number_of_sources" / Int16ub,
)

HEADER = derive(MLD)
V2_QUERY_HEADER = derive(V2_QUERY)


def message(
    message_type: int, source: bytes, destination: bytes, group: bytes, maximum_response_delay: int = 0
) -> bytes:
    """A 24-octet query, report or Done with its checksum; the delay is in milliseconds."""
    octets = HEADER.pack(message_type, 0, 0, maximum_response_delay, 0, group)
    return with_checksum(source, destination, octets)
