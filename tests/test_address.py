"""Address values: text forms, scopes, prefixes, and the addresses made from others; examples from the RFCs."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stack import address
from stack.errors import UsageError
from tests.playbook import ip

ADDRESSES = st.binary(min_size=16, max_size=16)


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("ABCD:EF01:2345:6789:ABCD:EF01:2345:6789", "abcdef0123456789abcdef0123456789"),
        ("2001:DB8:0:0:8:800:200C:417A", "20010db80000000000080800200c417a"),
        ("2001:DB8::8:800:200C:417A", "20010db80000000000080800200c417a"),
        ("FF01::101", "ff010000000000000000000000000101"),
        ("::1", "00000000000000000000000000000001"),
        ("::", "00000000000000000000000000000000"),
        ("::FFFF:129.144.52.38", "00000000000000000000ffff81903426"),
    ],
)
def test_parse_address(text: str, octets: str) -> None:
    """RFC 4291 2.2: the three text forms, with the examples given there."""
    assert address.parse_address(text) == bytes.fromhex(octets)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        ":::",
        "1::2::3",
        "2001:db8::g",
        "2001:db8:0:0:0:0:0:0:1",
        "2001:db8:0:0:0:0:1",
        "12345::",
        "192.0.2.1",
        "fe80::1%eth0",
        "fe80::1/64",
        " ::1",
        "::1 ",
        "::1\n",
        "::1\0",
        "[::1]",
        "\ud800",
        "\uff11::",
    ],
)
def test_what_is_no_address(text: str) -> None:
    """RFC 4291 2.2; a zone is never inside an address (RFC 4007 is the call's business)."""
    with pytest.raises(UsageError):
        address.parse_address(text)


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        ("20010db8000000000000000000000001", "2001:db8::1"),
        ("20010db8000000000002000000000001", "2001:db8::2:0:0:1"),
        ("20010db8000000010001000100010001", "2001:db8:0:1:1:1:1:1"),
        ("20010000000000010000000000000001", "2001:0:0:1::1"),
        ("20010db8000000000001000000000001", "2001:db8::1:0:0:1"),
        ("20010db8aaaabbbbccccddddeeeeaaaa", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:aaaa"),
    ],
    ids=["4.1 leading zeros", "4.2.1 shorten", "4.2.2 not one field", "4.2.3 longest", "4.2.3 first", "4.3 lower case"],
)
def test_format_address(octets: str, text: str) -> None:
    """RFC 5952 4, with its examples."""
    assert address.format_address(bytes.fromhex(octets)) == text


@settings(max_examples=200, deadline=None, database=None)
@given(ADDRESSES)
def test_text_comes_back(octets: bytes) -> None:
    """Every address has a text form that means it."""
    assert address.parse_address(address.format_address(octets)) == octets


@pytest.mark.parametrize(
    ("text", "length"),
    [("fe80::1/10", 10), ("fe80::1/0", 0), ("fe80::1/128", 128), ("fe80::1", 64)],
)
def test_prefix_length(text: str, length: int) -> None:
    """RFC 4291 2.3: address/prefix-length; without one, 64 as on any Ethernet."""
    assert address.parse_address_with_length(text) == (ip("fe80::1"), length)


@pytest.mark.parametrize(
    "text",
    [
        "::1/",
        "::1/129",
        "::1/-1",
        "::1/+1",
        "::1/1.0",
        "::1/ 64",
        "::1/\u0666\u0664",
        "::1/64/64",
        "/64",
        "x/64",
        "::1/" + "9" * 5000,
    ],
    ids=[
        "none",
        "129",
        "negative",
        "signed",
        "fraction",
        "blank",
        "foreign digits",
        "twice",
        "no address",
        "bad",
        "huge",
    ],
)
def test_bad_prefix_length(text: str) -> None:
    """RFC 4291 2.3: a decimal value of how many bits, 0 to 128; anything else is the user's error, not a crash."""
    with pytest.raises(UsageError):
        address.parse_address_with_length(text)


@pytest.mark.parametrize("text", ["02:00:5e:10:00:01", "02-00-5E-10-00-01", "2:0:5e:10:0:1"])
def test_parse_mac(text: str) -> None:
    """IEEE 802: hyphens or colons, either case."""
    assert address.parse_mac(text) == bytes.fromhex("02005e100001")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "02:00:5e:10:00",
        "02:00:5e:10:00:01:02",
        "02:00:5e-10-00-01",
        "02005e100001",
        "02:00:5e:10:00:0g",
        "\u06602:0:0:0:0:1",
    ],
)
def test_what_is_no_mac(text: str) -> None:
    """Anything else than six octets is refused."""
    with pytest.raises(UsageError):
        address.parse_mac(text)


def test_format_mac() -> None:
    """Lower case, two digits, colons."""
    assert address.format_mac(bytes.fromhex("02005E10000A")) == "02:00:5e:10:00:0a"


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("ff01::1", 1),
        ("ff02::1", 2),
        ("ff05::2", 5),
        ("ff0e::101", 14),
        ("ff32::8000:1", 2),
        ("ffff::1", 15),
        ("fe80::1", 2),
        ("febf::1", 2),
        ("::1", 2),
        ("fec0::1", 5),
        ("feff::1", 5),
        ("fe7f::1", 14),
        ("fd00::1", 14),
        ("2001:db8::1", 14),
    ],
)
def test_scope(text: str, scope: int) -> None:
    """RFC 4291 2.7 for groups (flags do not count), RFC 6724 3.1 for unicast: ULAs are global, ::1 link-local."""
    assert address.scope(ip(text)) == scope


@pytest.mark.parametrize(
    ("text", "multicast", "link_local", "mapped"),
    [
        ("ff02::1", True, False, False),
        ("fe80::1", False, True, False),
        ("fe9f:ffff::1", False, True, False),
        ("febf::1", False, True, False),
        ("fec0::1", False, False, False),
        ("fe7f::1", False, False, False),
        ("::ffff:192.0.2.1", False, False, True),
        ("::fffe:192.0.2.1", False, False, False),
        ("1::ffff:192.0.2.1", False, False, False),
        ("::1", False, False, False),
    ],
)
def test_kinds(text: str, multicast: bool, link_local: bool, mapped: bool) -> None:
    """RFC 4291 2.4: ff00::/8, fe80::/10 and ::ffff:0:0/96."""
    octets = ip(text)
    assert address.is_multicast(octets) is multicast
    assert address.is_link_local(octets) is link_local
    assert address.is_v4_mapped(octets) is mapped


def test_solicited_node() -> None:
    """RFC 4291 2.7.1: the example 4037::01:800:200E:8C6C gives FF02::1:FF0E:8C6C."""
    assert address.solicited_node(ip("4037::01:800:200E:8C6C")) == ip("FF02::1:FF0E:8C6C")


@pytest.mark.parametrize(
    ("group", "mac"),
    [("ff02::1", "333300000001"), ("ff02::1:ff0e:8c6c", "3333ff0e8c6c"), ("ff0e::1234:5678:9abc:def0", "33339abcdef0")],
)
def test_multicast_mac(group: str, mac: str) -> None:
    """RFC 2464 7: 33-33 and the last four octets."""
    assert address.multicast_mac(ip(group)) == bytes.fromhex(mac)


@pytest.mark.parametrize(
    ("mac", "group"),
    [
        ("333300000001", True),
        ("01005e000001", True),
        ("ffffffffffff", True),
        ("02006e000001", False),
        ("00" * 6, False),
    ],
)
def test_group_bit(mac: str, group: bool) -> None:
    """IEEE 802: the lowest bit of the first octet; broadcast has it too."""
    assert address.is_multicast_mac(bytes.fromhex(mac)) is group


def test_eui64_identifier() -> None:
    """RFC 2464 4: the example 34-56-78-9A-BC-DE gives 36-56-78-FF-FE-9A-BC-DE."""
    assert address.eui64_identifier(bytes.fromhex("3456789abcde")) == bytes.fromhex("365678fffe9abcde")


def test_eui64_of_a_local_mac_clears_the_bit() -> None:
    """RFC 4291 appendix A: the universal/local bit is inverted, not set."""
    assert address.eui64_identifier(bytes.fromhex("02006e000001")) == bytes.fromhex("00006efffe000001")


PREFIX = ip("fe80::")[:8]


@pytest.mark.parametrize(
    "other",
    [
        (ip("2001:db8::")[:8], "tap0", 0, b"secret"),
        (PREFIX, "tap1", 0, b"secret"),
        (PREFIX, "tap0", 1, b"secret"),
        (PREFIX, "tap0", 0, b"Secret"),
    ],
    ids=["prefix", "interface", "DAD counter", "secret"],
)
def test_opaque_identifier_depends_on(other: tuple[bytes, str, int, bytes]) -> None:
    """RFC 7217 5: F(Prefix, Net_Iface, Network_ID, DAD_Counter, secret_key), each of them, and nothing else."""
    identifier = address.opaque_identifier(PREFIX, "tap0", 0, b"secret")
    assert len(identifier) == 8
    assert identifier == address.opaque_identifier(PREFIX, "tap0", 0, b"secret")
    assert identifier != address.opaque_identifier(*other)


@pytest.mark.parametrize(
    ("identifier", "reserved"),
    [
        ("0000000000000000", True),
        ("0000000000000001", False),
        ("02005efffe000000", True),
        ("02005efffe005213", True),
        ("02005efffeffffff", True),
        ("02005effff000000", False),
        ("00005efffe000000", False),
        ("fdffffffffffff7f", False),
        ("fdffffffffffff80", True),
        ("fdffffffffffffff", True),
        ("fdfffffffffffeff", False),
    ],
)
def test_reserved_identifiers(identifier: str, reserved: bool) -> None:
    """RFC 5453 3 and its registry: subnet-router anycast, the IANA block, reserved subnet anycast."""
    assert address.is_reserved_identifier(bytes.fromhex(identifier)) is reserved


@pytest.mark.parametrize(
    ("one", "other", "length"),
    [
        ("2001:db8:1::1", "2001:db8:1::1", 128),
        ("2001:db8:1::1", "2001:db8:1::", 127),
        ("2001:db8:1::1", "2001:db8:3::1", 46),
        ("::", "8000::", 0),
        ("fe80::1", "febf::1", 10),
    ],
)
def test_common_prefix_length(one: str, other: str, length: int) -> None:
    """RFC 6724 2.2: counted by hand, the same in both directions."""
    assert address.common_prefix_length(ip(one), ip(other)) == length
    assert address.common_prefix_length(ip(other), ip(one)) == length
    assert address.matches_prefix(ip(one), ip(other), length)
    assert length == 128 or not address.matches_prefix(ip(one), ip(other), length + 1)


@pytest.mark.parametrize(
    ("text", "length", "network"),
    [
        ("2001:db8:ffff::1", 64, "2001:db8:ffff::"),
        ("2001:db8:ffff::1", 33, "2001:db8:8000::"),
        ("2001:db8:ffff::1", 0, "::"),
        ("2001:db8:ffff::1", 128, "2001:db8:ffff::1"),
    ],
)
def test_network(text: str, length: int, network: str) -> None:
    """RFC 4291 2.3: the bits of the prefix, zeros behind."""
    assert address.network(ip(text), length) == ip(network)
