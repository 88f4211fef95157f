"""The Internet checksum: RFC 1071 section 3's example, odd lengths, the two zeros, and any data at all."""

import struct

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stack.wire.checksum import icmpv6_checksum, icmpv6_verifies, ones_sum, with_checksum
from tests import playbook
from tests.playbook import ip

SOURCE = ip("fe80::1")
DESTINATION = ip("ff02::1")
ADDRESSES = st.binary(min_size=16, max_size=16)
MESSAGES = st.binary(min_size=4, max_size=200)


@pytest.mark.parametrize(
    ("octets", "total"),
    [
        ("0001 f203 f4f5 f6f7", 0xDDF2),
        ("0001 f203 f4f5 f6", 0xDCFB),
        ("0001", 1),
        ("01", 0x0100),
        ("ff00 00ff 0001", 1),
    ],
    ids=["RFC 1071 3", "odd length is padded behind", "one word", "one octet", "end-around carry"],
)
def test_ones_complement_sum(octets: str, total: int) -> None:
    """RFC 1071 1 and its section 3: sums of 16-bit words with end-around carry."""
    assert ones_sum(bytes.fromhex(octets)) == total


def test_order_of_words_does_not_matter() -> None:
    """RFC 1071 2 (A): the sum is commutative and associative."""
    assert ones_sum(bytes.fromhex("f6f7 0001 f4f5 f203")) == 0xDDF2


def message_whose_sum_is(remainder: int) -> bytes:
    """An echo request whose words, pseudo-header included, sum to `remainder` modulo 65535."""
    head = struct.pack("!BBHHH", 128, 0, 0, 7, 1)
    total = 0xFFFF ^ playbook.checksum(SOURCE, DESTINATION, 58, head + bytes(2))
    return head + struct.pack("!H", (remainder - total) % 0xFFFF)


def test_remainder_zero() -> None:
    """RFC 1071 2: the sum of words that are not all zero is never +0 but 0xffff, so the field is 0x0000."""
    message = message_whose_sum_is(0)
    assert playbook.checksum(SOURCE, DESTINATION, 58, message) == 0
    assert icmpv6_checksum(SOURCE, DESTINATION, message) == 0
    assert icmpv6_verifies(SOURCE, DESTINATION, with_checksum(SOURCE, DESTINATION, message))


def test_the_other_zero_verifies_too() -> None:
    """RFC 1071 2: 0x0000 and 0xffff in the field are both zero to the sum; a receiver cannot tell them apart."""
    message = message_whose_sum_is(0)
    assert icmpv6_verifies(SOURCE, DESTINATION, message[:2] + b"\xff\xff" + message[4:])


def test_remainder_one() -> None:
    """The next sum to it gives 0xfffe: the two edges are not mixed up."""
    assert icmpv6_checksum(SOURCE, DESTINATION, message_whose_sum_is(1)) == 0xFFFE


@settings(max_examples=300, deadline=None, database=None)
@given(source=ADDRESSES, destination=ADDRESSES, message=MESSAGES, next_header=st.sampled_from((58, 6, 17)))
@example(source=bytes(16), destination=bytes(16), message=bytes(4), next_header=58)
def test_equals_the_plain_routine(source: bytes, destination: bytes, message: bytes, next_header: int) -> None:
    """RFC 8200 8.1: the pseudo-header has both addresses, a 32-bit length and the next header."""
    cleared = message[:2] + bytes(2) + message[4:]
    expected = playbook.checksum(source, destination, next_header, cleared)
    assert icmpv6_checksum(source, destination, cleared, next_header) == expected


@settings(max_examples=200, deadline=None, database=None)
@given(source=ADDRESSES, destination=ADDRESSES, message=MESSAGES)
def test_what_is_filled_in_verifies(source: bytes, destination: bytes, message: bytes) -> None:
    """RFC 4443 2.3: with the checksum in its field the sum is all ones, and only the field has changed."""
    filled = with_checksum(source, destination, message[:2] + bytes(2) + message[4:])
    assert filled[:2] + filled[4:] == message[:2] + message[4:]
    assert icmpv6_verifies(source, destination, filled)
    assert playbook.checksum(source, destination, 58, filled) == 0


@settings(max_examples=200, deadline=None, database=None)
@given(source=ADDRESSES, destination=ADDRESSES, message=MESSAGES, bit=st.integers(0, 31))
def test_one_flipped_bit_does_not_verify(source: bytes, destination: bytes, message: bytes, bit: int) -> None:
    """RFC 1071 1: any single error is found."""
    filled = bytearray(with_checksum(source, destination, message[:2] + bytes(2) + message[4:]))
    filled[bit // 8] ^= 1 << bit % 8
    assert not icmpv6_verifies(source, destination, bytes(filled))


@pytest.mark.parametrize(
    "changed",
    [
        (ip("fe80::2"), DESTINATION, 58),
        (SOURCE, ip("ff02::2"), 58),
        (SOURCE, DESTINATION, 17),
    ],
    ids=["source", "destination", "next header"],
)
def test_the_pseudo_header_counts(changed: tuple[bytes, bytes, int]) -> None:
    """RFC 8200 8.1: a packet that came to another address, or as another protocol, does not verify."""
    message = with_checksum(SOURCE, DESTINATION, struct.pack("!BBHHH", 128, 0, 0, 7, 1))
    source, destination, next_header = changed
    assert not icmpv6_verifies(source, destination, message, next_header)


def test_the_largest_message() -> None:
    """RFC 8200 3: a payload has up to 65,535 octets; that is an odd number."""
    message = struct.pack("!BBHHH", 129, 0, 0, 7, 1) + b"\xff" * (65_535 - 8)
    assert icmpv6_checksum(SOURCE, DESTINATION, message) == playbook.checksum(SOURCE, DESTINATION, 58, message)
