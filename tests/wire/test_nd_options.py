"""Neighbour discovery options are parsed strictly (RFC 4861 4.6, 7.1): all of a list or none of it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stack.wire import nd
from tests.playbook import PEER_MAC

SOURCE_LLADDR = "0101 020070000002"
TARGET_LLADDR = "0201 020070000002"
MTU = "0501 0000 000005dc"
NONCE = "0e01 a1a2a3a4a5a6"
UNKNOWN = "fd02 0102030405060708090a0b0c0d0e"
MAC = PEER_MAC

WELL_FORMED = {
    "no options": ("", []),
    "source link-layer address": (SOURCE_LLADDR, [(1, MAC)]),
    "target link-layer address": (TARGET_LLADDR, [(2, MAC)]),
    "nonce (RFC 3971 5.3.2)": (NONCE, [(14, bytes.fromhex("a1a2a3a4a5a6"))]),
    "MTU (4.6.4)": (MTU, [(5, bytes.fromhex("0000000005dc"))]),
    "unknown type keeps its octets": (UNKNOWN, [(0xFD, bytes(range(1, 15)))]),
    "type 0 is unknown, not padding": ("0001" + "00" * 6, [(0, bytes(6))]),
    "several, in order": (
        UNKNOWN + NONCE + SOURCE_LLADDR,
        [(0xFD, bytes(range(1, 15))), (14, bytes.fromhex("a1a2a3a4a5a6")), (1, MAC)],
    ),
    "the same twice": (SOURCE_LLADDR + "0101 020070000003", [(1, MAC), (1, bytes.fromhex("020070000003"))]),
    "the longest": ("fdff" + "5a" * 2038, [(0xFD, b"\x5a" * 2038)]),
}

MALFORMED = {
    "length 0": "0100 020070000002",
    "length 0 behind a good one": SOURCE_LLADDR + "0e00 a1a2a3a4a5a6",
    "length 0 before a good one": "0e00 a1a2a3a4a5a6" + SOURCE_LLADDR,
    "length 0 at the very end": SOURCE_LLADDR + "0000",
    "past the message": "0102 020070000002",
    "past the message by one octet": "0101 0200700000",
    "past the message behind a good one": SOURCE_LLADDR + "fd02 0102030405060708090a0b0c0d",
    "only a type": "01",
    "only a type behind a good one": SOURCE_LLADDR + "01",
    "only type and length": "0101",
    "seven octets of zeros behind a good one": SOURCE_LLADDR + "00" * 7,
    "length 255 in eight octets": "01ff 020070000002",
}


@pytest.mark.parametrize(("octets", "options"), WELL_FORMED.values(), ids=WELL_FORMED)
def test_well_formed(octets: str, options: list[tuple[int, bytes]]) -> None:
    """RFC 4861 4.6: type, length in units of 8 octets, data; unknown types are passed over, in order."""
    parsed = nd.parse_options(bytes.fromhex(octets))
    assert parsed is not None
    assert [tuple(option) for option in parsed] == options


@pytest.mark.parametrize("octets", MALFORMED.values(), ids=MALFORMED)
def test_malformed(octets: str) -> None:
    """RFC 4861 4.6 and 7.1: one option of length 0, or one that does not end with the message, voids all of it."""
    assert nd.parse_options(bytes.fromhex(octets)) is None


@settings(max_examples=200, deadline=None, database=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 255), st.integers(1, 5)).flatmap(
            lambda pair: st.tuples(st.just(pair[0]), st.binary(min_size=8 * pair[1] - 2, max_size=8 * pair[1] - 2))
        ),
        max_size=6,
    ),
    st.data(),
)
def test_any_list_comes_back_whole_and_cut_not_at_all(options: list[tuple[int, bytes]], data: st.DataObject) -> None:
    """What is built is what is parsed; cut within an option it is nothing."""
    octets = b"".join(bytes((kind, (len(body) + 2) // 8)) + body for kind, body in options)
    parsed = nd.parse_options(octets)
    assert parsed is not None
    assert [tuple(option) for option in parsed] == options
    ends = {sum(len(body) + 2 for _, body in options[:count]) for count in range(len(options) + 1)}
    cut = data.draw(st.integers(0, len(octets)))
    assert (nd.parse_options(octets[:cut]) is None) == (cut not in ends)


@pytest.mark.parametrize(
    ("kind", "data", "octets"),
    [
        (1, PEER_MAC, SOURCE_LLADDR),
        (14, bytes.fromhex("a1a2a3a4a5a6"), NONCE),
        (0xFD, bytes(range(1, 15)), UNKNOWN),
    ],
    ids=["link-layer address", "nonce", "two units"],
)
def test_building(kind: int, data: bytes, octets: str) -> None:
    """RFC 4861 4.6: the length includes the type and length octets, in units of 8."""
    assert nd.option_bytes(kind, data) == bytes.fromhex(octets)
