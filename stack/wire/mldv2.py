"""Multicast listener discovery version 2 (RFC 3810 5): queries, reports and their records, both ways.

Builders write every field as they are told, legal or not; what is not named takes
its legal value. Parsers take what arrived: a message whose lists do not fit into
it is none, octets behind the last field are ignored (5.1.12, 5.2.11).
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from construct import Array, Bytes, Int8ub, Int16ub, Struct, this

from stack.wire import icmpv6, mld
from stack.wire.declare import derive

# 5.2.12
MODE_IS_INCLUDE = 1
MODE_IS_EXCLUDE = 2
CHANGE_TO_INCLUDE_MODE = 3
CHANGE_TO_EXCLUDE_MODE = 4
ALLOW_NEW_SOURCES = 5
BLOCK_OLD_SOURCES = 6
# Their short names there.
RECORD_NAMES = {
    MODE_IS_INCLUDE: "IS_IN",
    MODE_IS_EXCLUDE: "IS_EX",
    CHANGE_TO_INCLUDE_MODE: "TO_IN",
    CHANGE_TO_EXCLUDE_MODE: "TO_EX",
    ALLOW_NEW_SOURCES: "ALLOW",
    BLOCK_OLD_SOURCES: "BLOCK",
}

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

# The whole messages; the fast paths below read and write the same.
QUERY_MESSAGE = Struct(*mld.V2_QUERY.subcons, "sources" / Array(this.number_of_sources, Bytes(16)))
RECORD_BLOCK = Struct(
    *RECORD.subcons,
    "sources" / Array(this.number_of_sources, Bytes(16)),
    "auxiliary_data" / Bytes(this.auxiliary_data_length * 4),
)
REPORT_MESSAGE = Struct(*REPORT.subcons, "records" / Array(this.number_of_records, RECORD_BLOCK))

REPORT_HEADER = derive(REPORT)
RECORD_HEADER = derive(RECORD)

_ADDRESS = 16
_FLOATING_DELAY = 0x8000
_FLOATING_INTERVAL = 0x80


class Query(NamedTuple):
    """A query of either version; `version` is told by the length (8.1).

    `delay` is the maximum response delay in milliseconds, `group` 16 bytes (zeros
    in a general query). The rest is of version 2: `interval` in seconds, `sources`
    of 16 bytes each.
    """

    version: int
    delay: int
    group: bytes
    suppress: bool = False
    robustness: int = 0
    interval: int = 0
    sources: tuple[bytes, ...] = ()


class Record(NamedTuple):
    """One multicast address record (5.2.4); `auxiliary` is a multiple of 4 octets."""

    type: int
    group: bytes
    sources: tuple[bytes, ...] = ()
    auxiliary: bytes = b""


# -- codes


def maximum_response_delay(code: int) -> int:
    """5.1.3: the milliseconds that a maximum response code of 16 bits stands for."""
    if code < _FLOATING_DELAY:
        return code
    return (code & 0x0FFF | 0x1000) << ((code >> 12 & 0x7) + 3)


def maximum_response_code(delay: int) -> int:
    """5.1.3: the code for so many milliseconds, for the next lower value if that has none (9.8)."""
    if delay < _FLOATING_DELAY:
        return max(delay, 0)
    # A mantissa of 13 bits, its highest not sent, shifted by 3 to 10: 16 to 23 bits.
    exponent = delay.bit_length() - 16
    if exponent > 7:
        return 0xFFFF
    return 0x8000 | exponent << 12 | delay >> (exponent + 3) & 0x0FFF


def query_interval(code: int) -> int:
    """5.1.9: the seconds that a querier's query interval code of 8 bits stands for."""
    if code < _FLOATING_INTERVAL:
        return code
    return (code & 0x0F | 0x10) << ((code >> 4 & 0x7) + 3)


def query_interval_code(interval: int) -> int:
    """5.1.9: the code for so many seconds, for the next lower value if that has none."""
    if interval < _FLOATING_INTERVAL:
        return max(interval, 0)
    exponent = interval.bit_length() - 8
    if exponent > 7:
        return 0xFF
    return 0x80 | exponent << 4 | interval >> (exponent + 3) & 0x0F


# -- builders


def query(
    group: bytes,
    sources: Sequence[bytes] = (),
    *,
    response_code: int,
    suppress: bool = False,
    robustness: int = 0,
    interval_code: int = 0,
    code: int = 0,
) -> bytes:
    """A query (5.1) with its checksum field zero; codes as they stand in the message.

    The robustness variable is zero if it exceeds what its three bits hold (5.1.8).
    """
    flags = (FLAG_SUPPRESS if suppress else 0) | (robustness if robustness <= QRV_MASK else 0)
    fixed = mld.V2_QUERY_HEADER.pack(
        icmpv6.MLD_QUERY, code, 0, response_code, 0, group, flags, interval_code, len(sources)
    )
    return fixed + b"".join(sources)


def record(entry: Record) -> bytes:
    """A record (5.2.4)."""
    head = RECORD_HEADER.pack(entry.type, len(entry.auxiliary) // 4, len(entry.sources), entry.group)
    return head + b"".join(entry.sources) + entry.auxiliary


def report(records: Iterable[Record], *, code: int = 0) -> bytes:
    """A report (5.2) with its checksum field zero; `code` is the first of its reserved fields."""
    blocks = [record(each) for each in records]
    return REPORT_HEADER.pack(icmpv6.MLDV2_REPORT, code, 0, 0, len(blocks)) + b"".join(blocks)


# -- parsers


def parse_query(message: bytes) -> Query | None:
    """A query of either version as it arrived; None if its length is that of no version, or its sources do not fit.

    8.1 makes a query of 24 octets one of version 1, one of 28 or more one of version 2.
    """
    if len(message) == mld.MESSAGE_LENGTH:
        _, _, _, delay, _, group = mld.HEADER.unpack(message)
        return Query(1, delay, group)
    if len(message) < mld.V2_QUERY_LENGTH:
        return None
    _, _, _, code, _, group, flags, interval_code, count = mld.V2_QUERY_HEADER.unpack_from(message)
    sources = _addresses(message, mld.V2_QUERY_LENGTH, count)
    if sources is None:
        return None
    robustness, interval = flags & QRV_MASK, query_interval(interval_code)
    return Query(2, maximum_response_delay(code), group, bool(flags & FLAG_SUPPRESS), robustness, interval, sources)


def parse_report(message: bytes) -> tuple[Record, ...] | None:
    """The records of a report as it arrived, of known types or not; None if one of them does not fit into it."""
    if len(message) < REPORT_HEADER.size:
        return None
    count = REPORT_HEADER.unpack_from(message)[4]
    at = REPORT_HEADER.size
    # Each record has a head at least: a count that cannot be true is not counted up to.
    if at + count * RECORD_HEADER.size > len(message):
        return None
    records: list[Record] = []
    for _ in range(count):
        if at + RECORD_HEADER.size > len(message):
            return None
        kind, words, number, group = RECORD_HEADER.unpack_from(message, at)
        at += RECORD_HEADER.size
        sources = _addresses(message, at, number)
        at += _ADDRESS * number
        if sources is None or at + 4 * words > len(message):
            return None
        records.append(Record(kind, group, sources, message[at : at + 4 * words]))
        at += 4 * words
    return tuple(records)


def _addresses(message: bytes, at: int, count: int) -> tuple[bytes, ...] | None:
    end = at + _ADDRESS * count
    if end > len(message):
        return None
    return tuple(message[each : each + _ADDRESS] for each in range(at, end, _ADDRESS))
