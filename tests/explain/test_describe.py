"""Frames in plain words: one line for every kind of message, and for any octets at all."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack.explain.frame import account, describe
from tests.playbook import (
    OUR_LINK_LOCAL,
    OUR_MAC,
    PEER_LINK_LOCAL,
    PEER_MAC,
    ROUTER_ALERT_HEADER,
    advertisement,
    echo_request,
    frame,
    icmp,
    ip,
    lladdr_option,
    mld_message,
    packet,
    solicitation,
)

NAMES = {ip(PEER_LINK_LOCAL): "peer", ip(OUR_LINK_LOCAL): "us", PEER_MAC: "peer's card"}
GROUP = "ff15::cafe"


def icmp_frame(
    kind: int, body: bytes, *, code: int = 0, destination: str = OUR_LINK_LOCAL, hop_limit: int = 64
) -> bytes:
    """A message from the peer, described as such."""
    return frame(
        packet(PEER_LINK_LOCAL, destination, icmp(PEER_LINK_LOCAL, destination, kind, code, body), hop_limit=hop_limit)
    )


def upper(next_header: int, payload: bytes) -> bytes:
    """A packet from the peer to us with another upper layer."""
    return frame(packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, payload, next_header=next_header))


def option(kind: int, data: bytes) -> bytes:
    """A neighbour discovery option."""
    return bytes((kind, (len(data) + 2) // 8)) + data


def mldv2(body: bytes, kind: int = 143, destination: str = "ff02::16") -> bytes:
    """A message of MLD behind a hop-by-hop header."""
    message = icmp(PEER_LINK_LOCAL, destination, kind, 0, body)
    octets = packet(PEER_LINK_LOCAL, destination, ROUTER_ALERT_HEADER + message, next_header=0, hop_limit=1)
    return frame(octets)


def record(kind: int, group: str, *sources: str, auxiliary: bytes = b"") -> bytes:
    """A record of a version 2 report (RFC 3810 5.2.4)."""
    head = struct.pack("!BBH", kind, len(auxiliary) // 4, len(sources)) + ip(group)
    return head + b"".join(ip(source) for source in sources) + auxiliary


PREFIX = option(3, struct.pack("!BBIII", 64, 0xC0, 0xFFFFFFFF, 14_400, 0) + ip("2001:db8::"))
ROUTE = option(24, struct.pack("!BBI", 48, 0x08, 1_800) + ip("2001:db8:5::")[:8])
DNS = option(25, struct.pack("!HI", 0, 600) + ip("2001:db8::53"))
SEARCH = option(31, struct.pack("!HI", 0, 600) + b"\x07example\x03com\x00\x00\x00\x00")
QUOTED = echo_request(destination="2001:db8::9", source=OUR_LINK_LOCAL)[14:]
QUOTED_ERROR = icmp(OUR_LINK_LOCAL, "fe80::9", 1, 0, bytes(4) + QUOTED)
QUERY_OF_SOURCES = struct.pack("!HH", 0x8000, 0) + ip(GROUP) + struct.pack("!BBH", 0x0A, 0x80, 2) + ip("fe80::7") * 2

# name: frame, its line with the names above
CASES: dict[str, tuple[bytes, str]] = {
    "echo request": (echo_request(), "peer -> us: echo request 1 with 8 octets of data"),
    "echo reply": (
        icmp_frame(129, struct.pack("!HH", 7, 2) + b"x"),
        "peer -> us: echo reply 2 with 1 octet of data",
    ),
    "echo, cut short": (icmp_frame(128, b"\0\7"), "peer -> us: echo request, cut short"),
    "unreachable": (
        icmp_frame(1, bytes(4) + QUOTED, code=3),
        "peer -> us: destination unreachable (address unreachable), "
        "about the echo request 1 with 8 octets of data to 2001:db8::9",
    ),
    "unreachable, unknown code": (
        icmp_frame(1, bytes(4) + QUOTED[:20], code=77),
        "peer -> us: destination unreachable (code 77), about IPv6, cut short in its header (20 octets)",
    ),
    "too big": (
        icmp_frame(2, struct.pack("!I", 1_400) + QUOTED),
        "peer -> us: packet too big (the MTU is 1400), about the echo request 1 with 8 octets of data to 2001:db8::9",
    ),
    "time exceeded": (
        icmp_frame(3, bytes(4)),
        "peer -> us: time exceeded (hop limit reached 0), about nothing",
    ),
    "parameter problem": (
        icmp_frame(4, struct.pack("!I", 42), code=2),
        "peer -> us: parameter problem (unrecognised option at octet 42), about nothing",
    ),
    "an error about an error": (
        icmp_frame(1, bytes(4) + packet(OUR_LINK_LOCAL, "fe80::9", QUOTED_ERROR)),
        "peer -> us: destination unreachable (no route), "
        "about the destination unreachable (no route), about a packet to fe80::9",
    ),
    "unknown error": (icmp_frame(77, b""), "peer -> us: ICMPv6 error of unknown type 77, code 0"),
    "unknown message": (icmp_frame(200, b"", code=3), "peer -> us: ICMPv6 message of unknown type 200, code 3"),
    "general query": (
        mld_message(130, "::", delay=10_000),
        "peer -> all nodes (ff02::1): MLD version 1 query: which groups have listeners here? "
        "Answer within 10 s; hop-by-hop options (router alert)",
    ),
    "query for a group": (
        mld_message(130, GROUP, delay=250),
        "peer -> ff15::cafe: MLD version 1 query: who listens to ff15::cafe? "
        "Answer within 0.25 s; hop-by-hop options (router alert)",
    ),
    "query without router alert, from afar": (
        mld_message(130, "::", delay=0, alert=False, hop_limit=64),
        "peer -> all nodes (ff02::1): MLD version 1 query: which groups have listeners here? "
        "Answer within 0 s [hop limit 64 instead of 1]",
    ),
    "query of 26 octets": (
        mld_message(130, "::", extra=b"\0\0", alert=False),
        "peer -> all nodes (ff02::1): MLD query of no version (26 octets)",
    ),
    "version 2 query": (
        mldv2(QUERY_OF_SOURCES, 130, GROUP),
        "peer -> ff15::cafe: MLD version 2 query: who listens to ff15::cafe from fe80::7, fe80::7? "
        "Answer within 32.768 s (robustness 2, a query every 128 s, routers keep their timers); "
        "hop-by-hop options (router alert)",
    ),
    "version 2 query that promises too much": (
        mldv2(struct.pack("!HH", 1_000, 0) + ip("::") + struct.pack("!BBH", 2, 125, 3), 130, "ff02::1"),
        "peer -> all nodes (ff02::1): MLD version 2 query: which groups have listeners here? Answer within 1 s "
        "(robustness 2, a query every 125 s, 3 sources announced but missing); hop-by-hop options (router alert)",
    ),
    "report": (
        mld_message(131, GROUP),
        "peer -> ff15::cafe: MLD version 1 report: listens to ff15::cafe; hop-by-hop options (router alert)",
    ),
    "report from nowhere": (
        mld_message(131, GROUP, source="::"),
        "peer's card (::) -> ff15::cafe: MLD version 1 report: listens to ff15::cafe; "
        "hop-by-hop options (router alert)",
    ),
    "Done": (
        mld_message(132, GROUP),
        "peer -> all routers (ff02::2): MLD version 1 Done: no longer listens to ff15::cafe; "
        "hop-by-hop options (router alert)",
    ),
    "version 2 report": (
        mldv2(
            struct.pack("!HH", 0, 7)
            + record(1, GROUP, "fe80::1")
            + record(2, GROUP)
            + record(3, GROUP, auxiliary=b"abcd")
            + record(4, GROUP)
            + record(5, GROUP, "fe80::1")
            + record(6, GROUP, "fe80::2")
            + record(9, GROUP)
        ),
        "peer -> all MLDv2 routers (ff02::16): MLD version 2 report: listens to ff15::cafe, only from fe80::1; "
        "listens to ff15::cafe; leaves ff15::cafe; joins ff15::cafe; listens to ff15::cafe also from fe80::1; "
        "listens to ff15::cafe no longer from fe80::2; record of unknown type 9 for ff15::cafe; "
        "hop-by-hop options (router alert)",
    ),
    "version 2 report that promises too much": (
        mldv2(struct.pack("!HH", 0, 2) + record(4, GROUP)),
        "peer -> all MLDv2 routers (ff02::16): MLD version 2 report: joins ff15::cafe, "
        "1 record announced but missing; hop-by-hop options (router alert)",
    ),
    "router solicitation": (
        icmp_frame(133, bytes(4) + lladdr_option(1), destination="ff02::2", hop_limit=255),
        "peer -> all routers (ff02::2): router solicitation: is there a router? (from 02:00:70:00:00:02)",
    ),
    "router advertisement": (
        icmp_frame(
            134,
            struct.pack("!BBHII", 64, 0xC8, 1_800, 30_000, 500)
            + lladdr_option(1)
            + option(5, struct.pack("!HI", 0, 1_280))
            + PREFIX
            + ROUTE
            + DNS
            + SEARCH
            + option(99, bytes(6)),
            destination="ff02::1",
            hop_limit=255,
        ),
        "peer -> all nodes (ff02::1): router advertisement: default router for 1800 s, preference high, "
        "use hop limit 64, addresses by DHCPv6, other settings by DHCPv6, reachable time 30 s, "
        "retransmission timer 0.5 s, from 02:00:70:00:00:02, MTU 1280, "
        "prefix 2001:db8::/64 (on-link, make addresses, valid for ever, "
        "preferred 14400 s), route to 2001:db8:5::/48 (1800 s, preference high), DNS servers 2001:db8::53 (600 s), "
        "DNS search list example.com (600 s), option 99 (6 octets)",
    ),
    "router that gives up": (
        icmp_frame(134, bytes(12), destination="ff02::1", hop_limit=255),
        "peer -> all nodes (ff02::1): router advertisement: not a default router",
    ),
    "neighbour solicitation": (
        solicitation(OUR_LINK_LOCAL),
        "peer -> ff02::1:ff00:1: neighbour solicitation: who has fe80::6eff:fe00:1? I am at 02:00:70:00:00:02",
    ),
    "probe": (
        solicitation(OUR_LINK_LOCAL, source="::", options=option(14, b"\1\2\3\4\5\6")),
        "peer's card (::) -> ff02::1:ff00:1: neighbour solicitation: does anybody have fe80::6eff:fe00:1? "
        "(nonce 010203040506)",
    ),
    "neighbour advertisement": (
        advertisement(PEER_LINK_LOCAL, flags="RSO"),
        "peer -> us: neighbour advertisement: fe80::70ff:fe00:2 is at 02:00:70:00:00:02 (router, solicited, override)",
    ),
    "bare neighbour advertisement": (
        advertisement(PEER_LINK_LOCAL, flags="", options=b"", hop_limit=64),
        "peer -> us: neighbour advertisement: fe80::70ff:fe00:2 is here (no flags) [hop limit 64 instead of 255]",
    ),
    "option of length 0": (
        solicitation(OUR_LINK_LOCAL, options=bytes(8)),
        "peer -> ff02::1:ff00:1: neighbour solicitation: who has fe80::6eff:fe00:1? (options malformed)",
    ),
    "redirect": (
        icmp_frame(137, bytes(4) + ip("fe80::9") + ip("2001:db8::1") + lladdr_option(2), hop_limit=255),
        "peer -> us: redirect: 2001:db8::1 is better reached through fe80::9 (target at 02:00:70:00:00:02)",
    ),
    "redirect to the link": (
        icmp_frame(137, bytes(4) + ip("2001:db8::1") * 2 + option(4, bytes(14)), hop_limit=255),
        "peer -> us: redirect: 2001:db8::1 is on this link (with 8 octets of the packet redirected)",
    ),
    "UDP": (
        upper(17, struct.pack("!HHHH", 546, 547, 10, 0) + b"ab"),
        "peer -> us: UDP from port 546 to port 547, 2 octets of data",
    ),
    "TCP": (upper(6, struct.pack("!HH", 1_024, 80) + bytes(16)), "peer -> us: TCP from port 1024 to port 80"),
    "unknown next header": (upper(200, b"abc"), "peer -> us: next header 200, 3 octets"),
    "no next header": (upper(59, b""), "peer -> us: no next header"),
    "routing header": (
        upper(43, bytes((59, 0, 4, 2, 0, 0, 0, 0))),
        "peer -> us: no next header; routing header of type 4, 2 segments left",
    ),
    "unknown options": (
        upper(60, bytes((59, 0, 0x1E, 1, 0, 0xC2, 1, 0))),
        "peer -> us: no next header; destination options (option 30, jumbo payload)",
    ),
    "malformed option": (
        upper(0, bytes((59, 0, 5, 9, 0, 0, 0, 0))),
        "peer -> us: no next header; hop-by-hop options (malformed)",
    ),
    "extension header, cut short": (upper(0, bytes((58, 9, 0, 0))), "peer -> us: hop-by-hop options, cut short"),
    "first fragment": (
        upper(44, struct.pack("!BBHI", 17, 0, 1, 0xABCD) + struct.pack("!HHHH", 1, 2, 99, 0)),
        "peer -> us: UDP from port 1 to port 2, 0 octets of data; "
        "fragment of packet 0000abcd from octet 0, more follow",
    ),
    # The checksum is over the whole message.
    "first fragment of a message": (
        upper(44, struct.pack("!BBHI", 58, 0, 1, 0xABCD) + bytes((128, 0, 1, 2, 0, 7, 0, 1)) + bytes(8)),
        "peer -> us: echo request 1 with 8 octets of data; fragment of packet 0000abcd from octet 0, more follow",
    ),
    "whole message with a fragment header and a wrong checksum": (
        upper(44, struct.pack("!BBHI", 58, 0, 0, 1) + bytes((128, 0, 1, 2, 0, 7, 0, 1)) + bytes(8)),
        "peer -> us: echo request 1 with 8 octets of data; fragment header around a whole packet [wrong checksum]",
    ),
    "later fragment": (
        upper(44, struct.pack("!BBHI", 17, 0, 1_280, 0xABCD) + bytes(5)),
        "peer -> us: a later fragment with 5 octets; fragment of packet 0000abcd from octet 1280, the last",
    ),
    "atomic fragment": (
        upper(44, struct.pack("!BBHI", 59, 0, 0, 1)),
        "peer -> us: no next header; fragment header around a whole packet",
    ),
    "wrong checksum": (
        echo_request()[:-1] + b"!",
        "peer -> us: echo request 1 with 8 octets of data [wrong checksum]",
    ),
    "cut short": (
        echo_request()[:-3],
        "peer -> us: echo request 1 with 5 octets of data [cut short by 3 octets]",
    ),
    "tagged": (
        echo_request()[:12] + bytes.fromhex("81000005") + echo_request()[12:],
        "peer -> us: echo request 1 with 8 octets of data [VLAN 5]",
    ),
    "IPv4 in an IPv6 frame": (
        OUR_MAC + PEER_MAC + b"\x86\xdd\x45",
        "peer's card -> 02:00:6e:00:00:01: IP of version 4 where IPv6 should be",
    ),
    "ARP": (
        b"\xff" * 6 + PEER_MAC + b"\x08\x06" + bytes(28),
        "peer's card -> everybody (ff:ff:ff:ff:ff:ff): ARP, 28 octets",
    ),
    "unknown ethertype": (
        OUR_MAC + PEER_MAC + b"\x12\x34",
        "peer's card -> 02:00:6e:00:00:01: ethertype 1234, 0 octets",
    ),
    "802.3": (OUR_MAC + PEER_MAC + b"\x00\x03abc", "peer's card -> 02:00:6e:00:00:01: 802.3 frame, 3 octets"),
    "runt": (b"\1\2\3", "runt frame of 3 octets"),
}


@pytest.mark.parametrize("name", CASES)
def test_every_kind_of_frame_has_its_line(name: str) -> None:
    octets, line = CASES[name]
    assert describe(octets, NAMES) == line


def test_without_names_addresses_stand_for_themselves() -> None:
    assert describe(echo_request()) == ("fe80::70ff:fe00:2 -> fe80::6eff:fe00:1: echo request 1 with 8 octets of data")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("probe", "neighbour solicitation"),
        ("version 2 query", "MLD query"),
        ("unknown message", "ICMPv6 type 200"),
        ("UDP", "UDP"),
        ("later fragment", "fragment"),
        ("IPv4 in an IPv6 frame", "malformed"),
        ("ARP", "ARP"),
        ("runt", "runt frame"),
    ],
)
def test_the_kind_is_for_counting(name: str, kind: str) -> None:
    assert account(CASES[name][0]).kind == kind


def test_a_name_from_the_link_cannot_break_the_line() -> None:
    label = option(31, struct.pack("!HI", 0, 600) + b"\x05a\nb\x1b[\x00\x00")
    line = describe(icmp_frame(134, bytes(12) + label, destination="ff02::1", hop_limit=255))
    assert "a?b?[" in line


def check(octets: bytes) -> None:
    line = describe(octets)
    assert line.strip() and line.isprintable(), f"{octets.hex()} gave {line!r}"


@given(st.binary(max_size=200))
def test_any_octets_give_one_line(octets: bytes) -> None:
    check(octets)
    check(OUR_MAC + PEER_MAC + b"\x86\xdd" + octets)


@given(
    st.sampled_from([octets for octets, _ in CASES.values()]),
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), max_size=6),
    st.integers(0, 300),
)
def test_mutated_frames_give_one_line(octets: bytes, edits: list[tuple[int, int]], cut: int) -> None:
    mutated = bytearray(octets)
    for position, value in edits:
        mutated[position % len(mutated)] = value
    check(bytes(mutated[: max(1, len(mutated) - cut)]) if cut % 3 == 0 else bytes(mutated))


@given(st.integers(0, 255), st.binary(max_size=120))
def test_every_next_header_gives_one_line(next_header: int, payload: bytes) -> None:
    check(upper(next_header, payload))


@given(st.integers(0, 255), st.integers(0, 255), st.binary(max_size=120))
def test_every_icmpv6_type_gives_one_line(kind: int, code: int, body: bytes) -> None:
    check(icmp_frame(kind, body, code=code))
