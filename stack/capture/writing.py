"""Writing captures: pcapng (draft-ietf-opsawg-pcapng) with a comment for each frame, direction and nanoseconds; pcap.

The blocks are made as octets, so that they can go anywhere; `CaptureWriter` puts
them into a file that is open for writing octets.
"""

import struct
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

_SECTION_HEADER = 0x0A0D0D0A
_INTERFACE_DESCRIPTION = 1
_ENHANCED_PACKET = 6
_BYTE_ORDER_MAGIC = 0x1A2B3C4D
_LINKTYPE_ETHERNET = 1

_OPT_END = 0
_OPT_COMMENT = 1
_SHB_USERAPPL = 4
_IF_NAME = 2
_IF_MACADDR = 6
_IF_TSRESOL = 9
_EPB_FLAGS = 2

# Powers of ten: time stamps count nanoseconds.
_RESOLUTION = 9
_UNITS = 10**_RESOLUTION
_INBOUND, _OUTBOUND = 1, 2
# pcap, with time stamps in nanoseconds; the longest frame that may follow.
_PCAP_MAGIC = 0xA1B23C4D
_PCAP_SNAPLEN = 0xFFFF
# An option's length is a 16-bit number.
_OPTION_MAX = 0xFFFF


def section_header(application: str) -> bytes:
    """The block that a file begins with; everything in it is in little endian."""
    body = struct.pack("<IHHq", _BYTE_ORDER_MAGIC, 1, 0, -1)
    return _block(_SECTION_HEADER, body + _options((_SHB_USERAPPL, application.encode())))


def interface_description(name: str, mac: bytes) -> bytes:
    """An Ethernet interface (MAC of 6 bytes); they are numbered from 0 as they are described."""
    options = ((_IF_NAME, name.encode()), (_IF_MACADDR, mac), (_IF_TSRESOL, bytes((_RESOLUTION,))))
    return _block(_INTERFACE_DESCRIPTION, struct.pack("<HHI", _LINKTYPE_ETHERNET, 0, 0) + _options(*options))


def enhanced_packet(
    frame: bytes, time: float, *, interface: int = 0, inbound: bool | None = None, comments: Sequence[str] = ()
) -> bytes:
    """One frame at `time` (seconds since 1970), with where it went and what is said of it."""
    stamp = max(0, round(time * _UNITS))
    body = struct.pack("<IIIII", interface, stamp >> 32 & 0xFFFFFFFF, stamp & 0xFFFFFFFF, len(frame), len(frame))
    options = [(_OPT_COMMENT, _cut(comment)) for comment in comments]
    if inbound is not None:
        options.append((_EPB_FLAGS, struct.pack("<I", _INBOUND if inbound else _OUTBOUND)))
    return _block(_ENHANCED_PACKET, body + _padded(frame) + _options(*options))


def pcap(frames: Iterable[tuple[float, bytes]]) -> bytes:
    """A pcap file of Ethernet frames, each with the seconds since the one before; the first time is its own gap."""
    octets = struct.pack("<IHHiIII", _PCAP_MAGIC, 2, 4, 0, 0, _PCAP_SNAPLEN, _LINKTYPE_ETHERNET)
    time = 0
    for gap, frame in frames:
        time += round(gap * _UNITS)
        seconds, fraction = divmod(time, _UNITS)
        octets += struct.pack("<IIII", seconds, fraction, len(frame), len(frame)) + frame
    return octets


class Sink(Protocol):
    """What a capture is written to: a file open for octets is one."""

    def write(self, octets: bytes, /) -> Any: ...
    def flush(self) -> Any: ...


class CaptureWriter:
    """Frames into a file, which is written only, and flushed by `flush` alone."""

    def __init__(self, file: Sink, application: str = "sixtap") -> None:
        self._file = file
        self._interfaces = 0
        file.write(section_header(application))

    def add_interface(self, name: str, mac: bytes) -> int:
        """Describe an interface; the number that its frames carry."""
        self._file.write(interface_description(name, mac))
        self._interfaces += 1
        return self._interfaces - 1

    def write(
        self,
        frame: bytes,
        time: float,
        *,
        interface: int = 0,
        inbound: bool | None = None,
        comments: Sequence[str] = (),
    ) -> None:
        """One frame at `time` (seconds since 1970). Raises OSError if the file takes it not."""
        self._file.write(enhanced_packet(frame, time, interface=interface, inbound=inbound, comments=comments))

    def flush(self) -> None:
        """Whoever reads the file sees all frames up to here."""
        self._file.flush()


def _cut(comment: str) -> bytes:
    """A comment as octets that fit an option, cut between two characters."""
    return comment.encode()[:_OPTION_MAX].decode(errors="ignore").encode()


def _padded(octets: bytes) -> bytes:
    return octets + bytes(-len(octets) % 4)


def _options(*options: tuple[int, bytes]) -> bytes:
    if not options:
        return b""
    listed = b"".join(struct.pack("<HH", code, len(value)) + _padded(value) for code, value in options)
    return listed + struct.pack("<HH", _OPT_END, 0)


def _block(kind: int, body: bytes) -> bytes:
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length
