"""Multicast listener discovery version 2 (RFC 3810 5): the report and its records, and the codes of the query."""

from construct import Bytes, Int8ub, Int16ub, Struct

from stack.wire.declare import derive

# 5.2.12
MODE_IS_INCLUDE = 1
MODE_IS_EXCLUDE = 2
CHANGE_TO_INCLUDE_MODE = 3
CHANGE_TO_EXCLUDE_MODE = 4
ALLOW_NEW_SOURCES = 5
BLOCK_OLD_SOURCES = 6

# 5.1.7 and 5.1.8: the S flag and the querier's robustness variable share an octet.
FLAG_SUPPRESS = 0x08
QRV_MASK = 0x07

# 5.2; the records follow.
REPORT = Struct(
    "type" / Int8ub,
    "code" / Int8ub,
    "checksum" / Int16ub,
    "reserved" / Int16ub,
    "number_of_records" / Int16ub,
)

# 5.2.4; sources of 16 octets each follow, then auxiliary data in units of 4 octets.
RECORD = Struct(
    "record_type" / Int8ub,
    "auxiliary_data_length" / Int8ub,
    "number_of_sources" / Int16ub,
    "multicast_address" / Bytes(16),
)

REPORT_HEADER = derive(REPORT)
RECORD_HEADER = derive(RECORD)


def maximum_response_delay(code: int) -> int:
    """5.1.3: the milliseconds that a maximum response code of 16 bits stands for."""
    if code < 0x8000:
        return code
    return (code & 0x0FFF | 0x1000) << ((code >> 12 & 0x7) + 3)


def query_interval(code: int) -> int:
    """5.1.9: the seconds that a querier's query interval code of 8 bits stands for."""
    if code < 0x80:
        return code
    return (code & 0x0F | 0x10) << ((code >> 4 & 0x7) + 3)
