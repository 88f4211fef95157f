"""Captures read record by record: pcap in all its forms, and pcapng (draft-ietf-opsawg-pcapng).

A record is its time in whole nanoseconds, its link type and its octets. Nothing in
the file is believed: no length is larger than what is read at once, a damaged file
is read as far as it makes sense, and what ended it is told in a line. dpkt
declares the headers of pcap; why it reads no more is in docs/decisions.
"""

import struct
from collections.abc import Callable, Iterator
from typing import IO, Any, NamedTuple

from dpkt import pcap

from stack.errors import UsageError

Complain = Callable[[str], None]

# What libpcap takes (MAXIMUM_SNAPLEN); a longer record is no record.
MAXIMUM_RECORD = 262_144
MAXIMUM_INTERFACES = 65_536
_CHUNK = 65_536
_NANOSECONDS = 1_000_000_000
# A frame check sequence may be told in the upper bits of pcap's link type.
_LINK_TYPE = 0xFFFF

_SECTION = 0x0A0D0D0A
_SECTION_MAGIC = 0x1A2B3C4D
_INTERFACE = 1
_PACKET = 2  # obsolete, still found
_SIMPLE_PACKET = 3
_ENHANCED_PACKET = 6
_TSRESOL = 9
_TSOFFSET = 14


class Record(NamedTuple):
    """One record: `time` in ns since 1970, `link` the link type, `length` what the frame had on the wire."""

    time: int
    link: int
    octets: bytes
    length: int


class _DamagedError(Exception):
    """The rest of the file cannot be read."""


def records(stream: IO[bytes], name: str, complain: Complain) -> Iterator[Record]:
    """The records of an open capture; `complain` is told what a damaged file ends with.

    Raises UsageError if it is no capture at all.
    """
    magic = stream.read(4)
    if magic == _SECTION.to_bytes(4, "big"):
        found = _pcapng(stream)
    elif magic in _PCAP_FORMS:
        found = _pcap(stream, magic)
    else:
        raise UsageError(f"{name} is neither a pcap nor a pcapng file")
    count = 0
    try:
        for record in found:
            count += 1
            yield record
    except _DamagedError as error:
        complain(f"{name} is damaged after {count} frames: {error}; the rest is left out")


def _exactly(stream: IO[bytes], length: int, what: str) -> bytes:
    octets = stream.read(length)
    if len(octets) < length:
        raise _DamagedError(f"{what} is cut off")
    return octets


# -- pcap

# Magic number: file header, record header, its octets, nanoseconds that the fraction of a second counts in. The last
# two are a patched libpcap's, whose record headers are longer.
_PCAP_FORMS: dict[bytes, tuple[type[Any], type[Any], int, int]] = {
    b"\xa1\xb2\xc3\xd4": (pcap.FileHdr, pcap.PktHdr, 16, 1_000),
    b"\xd4\xc3\xb2\xa1": (pcap.LEFileHdr, pcap.LEPktHdr, 16, 1_000),
    b"\xa1\xb2\x3c\x4d": (pcap.FileHdr, pcap.PktHdr, 16, 1),
    b"\x4d\x3c\xb2\xa1": (pcap.LEFileHdr, pcap.LEPktHdr, 16, 1),
    b"\xa1\xb2\xcd\x34": (pcap.FileHdr, pcap.PktHdr, 24, 1_000),
    b"\x34\xcd\xb2\xa1": (pcap.LEFileHdr, pcap.LEPktHdr, 24, 1_000),
}
_PCAP_HEADER = 24
_PCAP_RECORD = 16


def _pcap(stream: IO[bytes], magic: bytes) -> Iterator[Record]:
    file_header, record_header, size, unit = _PCAP_FORMS[magic]
    header = file_header(magic + _exactly(stream, _PCAP_HEADER - 4, "its header"))
    link = header.linktype & _LINK_TYPE
    while octets := stream.read(size):
        if len(octets) < size:
            raise _DamagedError("a record's header is cut off")
        record = record_header(octets[:_PCAP_RECORD])
        if record.caplen > MAXIMUM_RECORD:
            raise _DamagedError(f"a record claims {record.caplen} octets")
        data = _exactly(stream, record.caplen, "a record")
        yield Record(record.tv_sec * _NANOSECONDS + record.tv_usec * unit, link, data, record.len)


# -- pcapng


class _Interface(NamedTuple):
    """What an interface description says: link type, snap length, ticks per second, seconds to add."""

    link: int
    snap_length: int
    resolution: int
    offset: int


class _Section:
    """What holds up to the next section header: the octet order and the interfaces."""

    __slots__ = ("interfaces", "order")

    def __init__(self, order: str) -> None:
        self.order = order
        self.interfaces: list[_Interface] = []

    def unpack(self, fields: str, octets: bytes, offset: int = 0) -> tuple[Any, ...]:
        """Unpack a structure; a block too short for it ends the file."""
        try:
            return struct.unpack_from(self.order + fields, octets, offset)
        except struct.error:
            raise _DamagedError("a block is too short for what it is") from None


def _pcapng(stream: IO[bytes]) -> Iterator[Record]:
    section = _begin_section(stream)
    while octets := stream.read(4):
        if len(octets) < 4:
            raise _DamagedError("a block is cut off")
        if octets == _SECTION.to_bytes(4, "big"):
            section = _begin_section(stream)
            continue
        (kind,) = section.unpack("I", octets)
        (length,) = section.unpack("I", _exactly(stream, 4, "a block"))
        if length < 12 or length % 4:
            raise _DamagedError(f"a block claims {length} octets")
        if kind not in _BLOCKS:
            _skip(stream, length - 8)
            continue
        if length > MAXIMUM_RECORD + _CHUNK:
            raise _DamagedError(f"a block claims {length} octets")
        # The length stands once more at the end, and is not needed.
        body = _exactly(stream, length - 8, "a block")[:-4]
        record = _BLOCKS[kind](section, body)
        if record is not None:
            yield record


def _begin_section(stream: IO[bytes]) -> _Section:
    head = _exactly(stream, 8, "a section header")
    for order in "<>":
        section = _Section(order)
        length, magic = section.unpack("II", head)
        if magic == _SECTION_MAGIC:
            if length < 28 or length % 4:
                raise _DamagedError(f"a section header claims {length} octets")
            _skip(stream, length - 12)
            return section
    raise _DamagedError("a section header has no octet order")


def _skip(stream: IO[bytes], length: int) -> None:
    while length > 0:
        length -= len(_exactly(stream, min(length, _CHUNK), "a block"))


def _describe(section: _Section, body: bytes) -> None:
    """An interface description block: link type, snap length, options."""
    link, _, snap_length = section.unpack("HHI", body)
    if len(section.interfaces) >= MAXIMUM_INTERFACES:
        raise _DamagedError(f"more than {MAXIMUM_INTERFACES} interfaces are described")
    resolution, offset, at = 1_000_000, 0, 8
    while at + 4 <= len(body):
        code, size = section.unpack("HH", body, at)
        value = body[at + 4 : at + 4 + size]
        if not code or len(value) < size:
            break
        if code == _TSRESOL and size == 1:
            # The highest bit says whether the others count powers of two or of ten.
            resolution = 2 ** min(value[0] & 0x7F, 63) if value[0] & 0x80 else 10 ** min(value[0], 19)
        elif code == _TSOFFSET and size == 8:
            (offset,) = section.unpack("q", value)
        at += 4 + size + -size % 4
    section.interfaces.append(_Interface(link, snap_length, resolution, offset))


def _enhanced(section: _Section, body: bytes) -> Record:
    number, high, low, captured, length = section.unpack("IIIII", body)
    return _record(section, number, high << 32 | low, body[20:], captured, length)


def _obsolete(section: _Section, body: bytes) -> Record:
    number, _, high, low, captured, length = section.unpack("HHIIII", body)
    return _record(section, number, high << 32 | low, body[20:], captured, length)


def _simple(section: _Section, body: bytes) -> Record:
    (length,) = section.unpack("I", body)
    snap_length = section.interfaces[0].snap_length if section.interfaces else 0
    captured = min(length, snap_length or length, len(body) - 4)
    return _record(section, 0, 0, body[4:], captured, length)


def _record(section: _Section, number: int, ticks: int, data: bytes, captured: int, length: int) -> Record:
    if number >= len(section.interfaces):
        raise _DamagedError(f"a frame came in through interface {number}, which is not described")
    if captured > len(data):
        raise _DamagedError("a frame is longer than its block")
    interface = section.interfaces[number]
    time = ticks * _NANOSECONDS // interface.resolution + interface.offset * _NANOSECONDS
    return Record(time, interface.link, data[:captured], length)


_BLOCKS: dict[int, Callable[[_Section, bytes], Record | None]] = {
    _INTERFACE: _describe,
    _PACKET: _obsolete,
    _SIMPLE_PACKET: _simple,
    _ENHANCED_PACKET: _enhanced,
}
