"""The UDP header and its checksum, judged by RFC 768, RFC 8200 8.1 and a routine that adds word by word."""

import struct

import construct
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack.wire import udp
from tests.playbook import checksum, ip

A, B = ip("2001:db8::1"), ip("2001:db8::2")


def test_fields_are_in_the_order_of_the_picture() -> None:
    """RFC 768, Format: source port, destination port, length, checksum, 16 bits each."""
    octets = bytes.fromhex("0fa0 1388 000d beef")
    assert udp.HEADER.unpack(octets) == (4000, 5000, 13, 0xBEEF)
    found = udp.UDP_HEADER.parse(octets)
    assert (found.source_port, found.destination_port, found.length, found.checksum) == (4000, 5000, 13, 0xBEEF)
    assert udp.UDP_HEADER.build(found) == octets


@given(st.binary(min_size=8, max_size=8))
def test_both_ways_of_reading_agree(octets: bytes) -> None:
    """DESIGN rule 4: the derived struct is the declaration."""
    parsed = udp.UDP_HEADER.parse(octets)
    assert tuple(parsed[name] for name in ("source_port", "destination_port", "length", "checksum")) == (
        udp.HEADER.unpack(octets)
    )


@given(st.binary(max_size=7))
def test_a_header_cut_short_is_none(octets: bytes) -> None:
    with pytest.raises(construct.StreamError):
        udp.UDP_HEADER.parse(octets)
    with pytest.raises(struct.error):
        udp.HEADER.unpack(octets)


@given(
    st.binary(min_size=16, max_size=16),
    st.binary(min_size=16, max_size=16),
    st.integers(0, 65535),
    st.integers(0, 65535),
    st.binary(max_size=64),
)
def test_the_checksum_is_the_plain_one(a: bytes, b: bytes, source_port: int, port: int, data: bytes) -> None:
    """RFC 768 and RFC 8200 8.1: over pseudo-header, header and data; never zero on the wire."""
    octets = udp.datagram(a, b, source_port, port, data)
    plain = struct.pack("!HHHH", source_port, port, 8 + len(data), 0) + data
    assert octets[:6] + octets[8:] == plain[:6] + plain[8:]
    assert struct.unpack_from("!H", octets, 6)[0] == (checksum(a, b, 17, plain) or 0xFFFF)
    assert udp.verifies(a, b, octets)
    assert checksum(a, b, 17, octets) == 0


def test_a_sum_of_zero_is_sent_as_ffff() -> None:
    """RFC 8200 8.1: if the computation yields zero it must be changed to hex ffff."""
    # Two octets of data that bring the ones' complement sum to ffff, found with the plain routine.
    without = struct.pack("!HHHH", 1, 2, 10, 0)
    rest = checksum(A, B, 17, without + bytes(2))
    data = struct.pack("!H", rest)
    assert checksum(A, B, 17, without + data) == 0
    octets = udp.datagram(A, B, 1, 2, data)
    assert octets == struct.pack("!HHHH", 1, 2, 10, 0xFFFF) + data
    assert udp.verifies(A, B, octets)


@given(st.binary(max_size=32), st.integers(0, 39), st.integers(1, 255))
def test_one_changed_octet_is_found(data: bytes, at: int, change: int) -> None:
    octets = bytearray(udp.datagram(A, B, 4000, 5000, data))
    octets[at % len(octets)] ^= change
    assert not udp.verifies(A, B, bytes(octets))


def test_the_largest_datagram() -> None:
    """RFC 768: the length is 16 bits and counts the header."""
    octets = udp.datagram(A, B, 1, 2, bytes(udp.MAXIMUM_DATA))
    assert len(octets) == 65_535
    assert octets[4:6] == b"\xff\xff"
    assert udp.verifies(A, B, octets)
