"""Wire formats: the derived `struct` and the construct declaration are the same format, and it is the RFC's."""

from typing import Any

import construct
import pytest
from construct import Container, Struct
from hypothesis import given, settings
from hypothesis import strategies as st

from stack.wire import ethernet, extension, icmpv6, ipv6, mld, nd
from stack.wire.declare import derive
from tests.playbook import OUR_MAC, PEER_MAC, ip

A = ip("2001:db8::1")
B = ip("ff02::1:ff00:2")
ND_FIXED = Struct(*nd.NEIGHBOR_SOLICITATION_MESSAGE.subcons[:-1])
ADVERTISEMENT_FIXED = Struct(*nd.NEIGHBOR_ADVERTISEMENT_MESSAGE.subcons[:-1])

# name: declaration, derived struct, values in the order of the picture, the octets drawn by hand from that picture
FORMATS: dict[str, tuple[Any, Any, tuple[Any, ...], str]] = {
    # RFC 2464 3
    "ethernet": (
        ethernet.ETHERNET,
        ethernet.HEADER,
        (OUR_MAC, PEER_MAC, 0x86DD),
        "02006e000001 020070000002 86dd",
    ),
    # IEEE 802.1Q 9.5: what follows the two MACs is 8100, the control information, then the type of the payload
    "vlan tag": (ethernet.VLAN_TAG, ethernet.TAG, (0x8100, 0x2005), "8100 2005"),
    # RFC 8200 3
    "ipv6": (
        ipv6.IPV6,
        ipv6.HEADER,
        (0x6AB12345, 0x1234, 58, 255, A, B),
        "6ab12345 1234 3a ff 20010db8000000000000000000000001 ff0200000000000000000001ff000002",
    ),
    # RFC 4443 2.1
    "icmpv6": (icmpv6.ICMPV6, icmpv6.HEADER, (128, 1, 0xBEEF), "80 01 beef"),
    # RFC 4443 4.1
    "echo": (icmpv6.ECHO, icmpv6.ECHO_HEADER, (129, 0, 0xBEEF, 0x0102, 0x0304), "81 00 beef 0102 0304"),
    # RFC 4443 3.4
    "error": (icmpv6.ERROR_FIXED, icmpv6.ERROR_HEADER, (4, 2, 0xBEEF, 0x2A), "04 02 beef 0000002a"),
    # RFC 8200 4.4
    "routing": (extension.ROUTING_FIXED, extension.ROUTING, (58, 2, 0, 1), "3a 02 00 01"),
    # RFC 8200 4.5
    "fragment": (
        extension.FRAGMENT_HEADER,
        extension.FRAGMENT,
        (58, 0, 0x05A9, 0x01020304),
        "3a 00 05a9 01020304",
    ),
    # RFC 2710 3
    "mld": (
        mld.MLD,
        mld.HEADER,
        (130, 0, 0xBEEF, 10_000, 0, B),
        "82 00 beef 2710 0000 ff0200000000000000000001ff000002",
    ),
    # RFC 3810 5.1
    "v2 query": (
        mld.V2_QUERY,
        mld.V2_QUERY_HEADER,
        (130, 0, 0xBEEF, 0x8001, 0, B, 0x0A, 125, 3),
        "82 00 beef 8001 0000 ff0200000000000000000001ff000002 0a 7d 0003",
    ),
    # RFC 4861 4.3
    "neighbour solicitation": (
        ND_FIXED,
        nd.FIXED,
        (135, 0, 0xBEEF, 0, A),
        "87 00 beef 00000000 20010db8000000000000000000000001",
    ),
    # RFC 4861 4.4: R, S and O are the three highest bits
    "neighbour advertisement": (
        ADVERTISEMENT_FIXED,
        nd.FIXED,
        (136, 0, 0xBEEF, 0x60000000, A),
        "88 00 beef 60000000 20010db8000000000000000000000001",
    ),
    # RFC 4861 4.6.1 with RFC 2464 6
    "link-layer option": (nd.LINK_LAYER_OPTION, nd.LINK_LAYER, (2, 1, PEER_MAC), "02 01 020070000002"),
}

FORMAT_NAMES = list(FORMATS)

# The names in the RFC's pictures, in order
FIELD_NAMES = {
    "ethernet": "destination source ethertype",
    "ipv6": "version_class_flow payload_length next_header hop_limit source destination",
    "icmpv6": "type code checksum",
    "echo": "type code checksum identifier sequence_number",
    "routing": "next_header header_extension_length routing_type segments_left",
    "fragment": "next_header reserved offset_and_flags identification",
    "mld": "type code checksum maximum_response_delay reserved multicast_address",
    "v2 query": (
        "type code checksum maximum_response_delay reserved multicast_address flags_and_qrv qqic number_of_sources"
    ),
    "neighbour solicitation": "type code checksum reserved target",
    "neighbour advertisement": "type code checksum flags target",
    "link-layer option": "type length address",
}


def names(declaration: Any) -> list[str]:
    return [field.name for field in declaration.subcons]


def values_for(declaration: Any) -> st.SearchStrategy[tuple[Any, ...]]:
    """Random values for every field of a flat declaration; constants keep theirs."""
    return st.tuples(*(value_for(field) for field in declaration.subcons))


def value_for(field: Any) -> st.SearchStrategy[Any]:
    while isinstance(field, construct.Renamed):
        field = field.subcon
    if isinstance(field, construct.Const):
        return st.just(field.value)
    size = field.sizeof()
    if isinstance(field, construct.Bytes):
        return st.binary(min_size=size, max_size=size)
    return st.integers(0, (1 << 8 * size) - 1)


@pytest.mark.parametrize("name", FORMAT_NAMES)
def test_the_octets_are_those_of_the_picture(name: str) -> None:
    """Both ways of building give the octets that the RFC's picture asks for, and both ways of parsing read them."""
    declaration, derived, values, picture = FORMATS[name]
    octets = bytes.fromhex(picture)
    fields = dict(zip(names(declaration), values, strict=True))
    assert derived.pack(*values) == octets
    assert declaration.build(fields) == octets
    assert derived.unpack(octets) == values
    parsed = declaration.parse(octets)
    assert {each: parsed[each] for each in fields} == fields


@pytest.mark.parametrize("name", FORMAT_NAMES)
def test_struct_and_declaration_agree_on_any_values(name: str) -> None:
    """DESIGN rule 4: a format is declared once, what is derived from it is held equal to it."""
    declaration, derived, _, _ = FORMATS[name]
    assert derived.size == declaration.sizeof()

    @settings(max_examples=60, deadline=None, database=None)
    @given(values_for(declaration))
    def equal(values: tuple[Any, ...]) -> None:
        octets = derived.pack(*values)
        assert declaration.build(dict(zip(names(declaration), values, strict=True))) == octets
        parsed = declaration.parse(octets)
        assert tuple(parsed[each] for each in names(declaration)) == derived.unpack(octets) == values

    equal()


@pytest.mark.parametrize("name", list(FIELD_NAMES))
def test_fields_are_named_as_in_the_rfc(name: str) -> None:
    """STYLE: the words of the RFCs are the names."""
    assert names(FORMATS[name][0]) == FIELD_NAMES[name].split()


def test_error_keeps_the_invoking_packet() -> None:
    """RFC 4443 3: after the parameter comes as much of the invoking packet as there is."""
    octets = bytes.fromhex("01 03 beef 00000000") + b"the packet in error"
    parsed = icmpv6.ERROR.parse(octets)
    assert (parsed.type, parsed.code, parsed.checksum, parsed.parameter) == (1, 3, 0xBEEF, 0)
    assert parsed.invoking == b"the packet in error"
    assert icmpv6.ERROR.build(parsed) == octets


def test_first_word_of_ipv6_in_detail() -> None:
    """RFC 8200 3: 4 bits of version, 8 of traffic class, 20 of flow label."""
    parsed = ipv6.VERSION_CLASS_FLOW.parse(bytes.fromhex("6ab12345"))
    assert (parsed.version, parsed.traffic_class, parsed.flow_label) == (6, 0xAB, 0x12345)
    assert bytes.fromhex("60000000") == ipv6.VERSION_6.to_bytes(4, "big")


def test_mld_hop_by_hop_header() -> None:
    """RFC 2711 2.1 behind RFC 8200 4.2's PadN: the octets of SEED row S01."""
    assert bytes.fromhex("3a 00 01 00 05 02 00 00") == extension.MLD_HOP_BY_HOP_BYTES
    assert extension.MLD_HOP_BY_HOP.parse(extension.MLD_HOP_BY_HOP_BYTES).router_alert_value == 0


def test_options_header() -> None:
    """RFC 8200 4.3: the length counts units of 8 octets, the first not included."""
    body = bytes.fromhex("0502 0000 010a") + bytes(8)
    parsed = extension.OPTIONS_HEADER.parse(bytes((58, 1)) + body)
    assert (parsed.next_header, parsed.header_extension_length, parsed.options) == (58, 1, body)


def test_options_of_an_options_header() -> None:
    """RFC 8200 4.2: Pad1 has no length and no data; every other option has both."""
    parsed = extension.OPTIONS.parse(bytes.fromhex("00 05020000 0100 c204 00010000"))
    found = [(option.type, option.data) for option in parsed.options]
    assert found == [(0, None), (5, bytes(2)), (1, b""), (0xC2, bytes.fromhex("00010000"))]


@pytest.mark.parametrize("octets", ["05", "0502", "050200", "01ff00"], ids=["no length", "no data", "short", "past"])
def test_a_truncated_option_is_no_option(octets: str) -> None:
    """RFC 8200 4.2: lists end strictly."""
    with pytest.raises(construct.ConstructError):
        extension.OPTIONS.parse(bytes.fromhex(octets))


@pytest.mark.parametrize(
    "field",
    [
        construct.GreedyBytes,
        construct.VarInt,
        construct.BitStruct("bits" / construct.BitsInteger(8)),
        construct.Int24ub,
    ],
    ids=["greedy", "variable", "bits", "three octets"],
)
def test_only_flat_declarations_can_be_derived(field: Any) -> None:
    """`derive` refuses what `struct` cannot say, at import time."""
    with pytest.raises((TypeError, construct.ConstructError)):
        derive(Struct("field" / field))


@pytest.mark.parametrize(
    "field",
    [construct.Int16ul, construct.Int16sb, construct.Float32b],
    ids=["little-endian", "signed", "floating point"],
)
def test_fields_that_are_no_big_endian_integers_are_not_derived_as_such(field: Any) -> None:
    """`derive` gives a struct with the same fields: one that would read other values is to be refused."""
    with pytest.raises(TypeError):
        derive(Struct("field" / field))


def test_defaults_and_constants_are_derived_by_what_they_hold() -> None:
    """A Const or Default around an integer is an octet like any other."""
    declaration = Struct("one" / construct.Const(7, construct.Int8ub), "two" / construct.Default(construct.Int32ub, 9))
    assert derive(declaration).format == "!BI"
    assert declaration.build(Container()) == derive(declaration).pack(7, 9)


def test_tag_bytes() -> None:
    """IEEE 802.1Q: 8100, priority 0, the VLAN identifier."""
    assert ethernet.tag_bytes(5) == bytes.fromhex("81000005")
    assert ethernet.tag_bytes(4094) == bytes.fromhex("81000ffe")


def test_mld_message_is_24_octets() -> None:
    """RFC 2710 3: type, code, checksum, delay in milliseconds, reserved, group."""
    group = ip("ff05::99")
    octets = mld.message(131, ip("fe80::1"), group, group, 0)
    assert octets[:2] + octets[4:] == bytes((131, 0)) + bytes(4) + group
