"""ICMPv6 (RFC 4443): the common header, echo, and the error messages; types and codes by name."""

from construct import GreedyBytes, Int8ub, Int16ub, Int32ub, Struct

from stack.wire.checksum import with_checksum
from stack.wire.declare import derive

DESTINATION_UNREACHABLE = 1
PACKET_TOO_BIG = 2
TIME_EXCEEDED = 3
PARAMETER_PROBLEM = 4
ECHO_REQUEST = 128
ECHO_REPLY = 129
MLD_QUERY = 130
MLD_REPORT = 131
MLD_DONE = 132
ROUTER_SOLICITATION = 133
ROUTER_ADVERTISEMENT = 134
NEIGHBOR_SOLICITATION = 135
NEIGHBOR_ADVERTISEMENT = 136
REDIRECT = 137
MLDV2_REPORT = 143
# 2.1: lower types are errors.
FIRST_INFORMATIONAL = 128

# Codes of destination unreachable (3.1), time exceeded (3.3) and parameter problem (3.4)
ADDRESS_UNREACHABLE = 3
PORT_UNREACHABLE = 4
REASSEMBLY_TIME_EXCEEDED = 1
ERRONEOUS_HEADER_FIELD = 0
UNRECOGNIZED_NEXT_HEADER = 1
UNRECOGNIZED_OPTION = 2
# RFC 7112 5
INCOMPLETE_HEADER_CHAIN = 3

ICMPV6 = Struct("type" / Int8ub, "code" / Int8ub, "checksum" / Int16ub)

ECHO = Struct(
    "type" / Int8ub,
    "code" / Int8ub,
    "checksum" / Int16ub,
    "identifier" / Int16ub,
    "sequence_number" / Int16ub,
)

# `parameter` is the unused field, the MTU, or the pointer, by type; `invoking` the packet in error.
ERROR = Struct(
    "type" / Int8ub,
    "code" / Int8ub,
    "checksum" / Int16ub,
    "parameter" / Int32ub,
    "invoking" / GreedyBytes,
)

ERROR_FIXED = Struct(*ERROR.subcons[:-1])

HEADER = derive(ICMPV6)
ECHO_HEADER = derive(ECHO)
ERROR_HEADER = derive(ERROR_FIXED)


def echo(
    message_type: int, source: bytes, destination: bytes, identifier: int, sequence_number: int, data: bytes
) -> bytes:
    """An echo request or reply (4.1, 4.2) with its checksum; identifier and sequence are 16 bits."""
    message = ECHO_HEADER.pack(message_type, 0, 0, identifier, sequence_number) + data
    return with_checksum(source, destination, message)
