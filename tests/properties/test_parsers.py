"""Any octets at all: nothing raises, every frame has one outcome, no table outgrows its bound.

Valid frames of every kind are cut, edited, spliced with extension headers and
given a right checksum again, so that they get as far as the handlers. The
declarations of the formats judge the fast paths.
"""

import struct
from collections.abc import Callable

import construct
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from stack.discard import Discard, Verdict
from stack.ip6 import chain
from stack.ip6.received import Received
from stack.mld.filters import EVERYTHING
from stack.udp.datagram import ReceiveQueue
from stack.wire import extension, nd
from tests.playbook import (
    OUR_LINK_LOCAL,
    OUR_MAC,
    PEER_LINK_LOCAL,
    PEER_MAC,
    Play,
    advertisement,
    checksum,
    echo_request,
    frame,
    icmp,
    ip,
    lladdr_option,
    mld_message,
    packet,
    solicitation,
    text,
)
from tests.udp.common import datagram

pytestmark = pytest.mark.long

OUR_GLOBAL = "2001:db8:1::1"
ANYCAST = "2001:db8:1::abcd"
TENTATIVE = "2001:db8:2::1"
GROUP = "ff05::77"
NEIGHBOURS, GROUPS, QUEUE, ADDRESSES, ROUTERS = 8, 32, 64, 3, 2
LIMITS = {
    "gc_thresh3": NEIGHBOURS,
    "mld_max_groups": GROUPS,
    "tx_queue_len": QUEUE,
    "max_addresses": ADDRESSES,
    "max_routers": ROUTERS,
    "max_learnt_routes": ROUTERS,
    "max_prefixes": ROUTERS,
    "max_dns_servers": ROUTERS,
    "max_dns_domains": ROUTERS,
}
SOCKET_PORT, SOCKET_QUEUE = 5000, 2304

RUN = settings(
    max_examples=300, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


def busy_host() -> Play:
    """A host in the middle of everything: addresses of all kinds, a group, a ping, a neighbour unresolved."""
    play = Play(**LIMITS, rmem_default=SOCKET_QUEUE, use_tempaddr=2).start()
    play.add_address(OUR_GLOBAL)
    play.add_address(ANYCAST, anycast=True)
    play.join(GROUP)
    play.run(30.0)
    play.meet()
    play.add_address(TENTATIVE)
    for port in (SOCKET_PORT, SOCKET_PORT + 1):
        socket = play.host.udp.open()
        socket.bind(None, port)
        socket.listen(ip(GROUP), EVERYTHING, play.now)
    session = play.host.echoes.open(play.interface, ip(PEER_LINK_LOCAL), lambda heard: None, data=b"12345678")
    session.send(1, play.now)
    other = play.host.echoes.open(play.interface, ip("fe80::5"), lambda heard: None)
    other.send(1, play.now)
    play.settle()
    return play


def starting_host() -> Play:
    """A host that has just begun: its link-local address is tentative, and another is at hand if it is a duplicate."""
    play = Play(addr_gen_mode=3, **LIMITS).start(until=None)
    play.run(0.9)
    play.sent()
    return play


def refused_host() -> Play:
    """The same with a driver that refuses every further filter."""
    play = starting_host()
    play.refuse_filter = True
    return play


def last_address(play: Play) -> str:
    """The address that the host took last."""
    addresses = list(play.interface.addresses.table)
    return text(addresses[-1]) if addresses else OUR_LINK_LOCAL


def solicited_node(address: str) -> bytes:
    """RFC 4291 2.7.1."""
    return ip("ff02::1:ff00:0")[:13] + ip(address)[13:]


def queues(play: Play) -> list[ReceiveQueue]:
    """What waits in the sockets."""
    return [socket._queue for socket in play.host.udp.sockets.values()]


def take(play: Play, octets: bytes) -> None:
    """One frame: no exception, one outcome, counted once; no table past its bound, whatever is sent is sound."""
    counters = play.host.counters
    before = sum(counters.outcomes.values())
    outcome = play.host.receive(octets, play.now)
    assert isinstance(outcome, Discard | Verdict)
    assert sum(counters.outcomes.values()) == before + 1 == counters.frames_in
    play.settle()
    assert len(play.interface.resolver.cache) <= NEIGHBOURS
    assert len(play.interface.listener.groups.records) <= GROUPS
    assert len(play.interface.addresses) <= 4 + ADDRESSES
    assert len(play.interface.autoconfiguration) <= ADDRESSES
    assert len(play.interface.routers) <= ROUTERS and len(play.interface.routers.routes) <= ROUTERS
    assert len(play.interface.prefixes) <= ROUTERS
    assert len(play.interface.dns.servers) <= ROUTERS and len(play.interface.dns.search) <= ROUTERS
    assert len(play.host.echoes.sessions) <= 2
    assert all(len(each) <= SOCKET_QUEUE // 256 for each in queues(play))
    assert len(play.host.timers) < 4 * (NEIGHBOURS + GROUPS)
    for sent in play.sent():
        assert sent.frame[6:14] == OUR_MAC + b"\x86\xdd"
        assert len(sent.packet) == 40 + int.from_bytes(sent.packet[4:6], "big") <= 1500
        assert sent.checksum_is_right()
        assert sent.packet[24:40] != bytes(16)


# -- any octets


@RUN
@given(st.binary(max_size=200))
def test_any_frame(octets: bytes) -> None:
    """DESIGN rule 5: nothing received raises (KNOWN_BUGS 58, 62)."""
    take(PLAY, octets)


@RUN
@given(
    st.binary(max_size=200), st.sampled_from([OUR_MAC, bytes.fromhex("333300000001"), bytes.fromhex("333300000077")])
)
def test_any_packet(octets: bytes, to: bytes) -> None:
    """RFC 8200 3: any octets in a frame of ours."""
    take(PLAY, frame(octets, to=to))


@RUN
@given(st.binary(max_size=120), st.integers(0, 255), st.sampled_from([OUR_LINK_LOCAL, OUR_GLOBAL, "ff02::1", GROUP]))
def test_any_payload(octets: bytes, next_header: int, destination: str) -> None:
    """RFC 8200 4: any octets behind a sound IPv6 header."""
    take(PLAY, frame(packet(PEER_LINK_LOCAL, destination, octets, next_header=next_header)))


@RUN
@given(
    st.integers(0, 255),
    st.sampled_from([0, 0, 0, 1, 255]),
    st.binary(max_size=80),
    st.sampled_from([PEER_LINK_LOCAL, "fe80::5", "::", OUR_LINK_LOCAL, "2001:db8:1::9", "2001:db8:9::9"]),
    st.sampled_from([OUR_LINK_LOCAL, ANYCAST, TENTATIVE, "ff02::1", "ff02::1:ff00:1", GROUP]),
    st.sampled_from([255, 1, 64]),
)
def test_any_message(kind: int, code: int, body: bytes, source: str, destination: str, hop_limit: int) -> None:
    """RFC 4443 2: any octets behind a right checksum."""
    take(PLAY, frame(packet(source, destination, icmp(source, destination, kind, code, body), hop_limit=hop_limit)))


PLAY = busy_host()

# -- valid frames, changed


def error(kind: int) -> bytes:
    """An error about a packet that could be ours."""
    quote = echo_request(PEER_LINK_LOCAL, source=OUR_LINK_LOCAL)[14:]
    return frame(
        packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, kind, 0, bytes(4) + quote))
    )


def nd_message(kind: int, body: bytes, destination: str = "ff02::1") -> bytes:
    """A neighbour discovery message of a router."""
    return frame(packet("fe80::1", destination, icmp("fe80::1", destination, kind, 0, body)))


def with_hop_by_hop(octets: str) -> bytes:
    """An echo request behind hop-by-hop options."""
    inner = echo_request()[54:]
    return frame(packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, bytes.fromhex(octets) + inner, next_header=0))


RDNSS = bytes.fromhex("1903 0000 00000e10") + ip("2001:db8::53")
PREFIX = bytes.fromhex("0304 40c0 00000e10 00000e10 00000000") + ip("2001:db8:3::")
V2_REPORT = struct.pack("!HHBBH", 0, 1, 4, 0, 0) + ip(GROUP)

VALID = {
    "echo request": echo_request(),
    "echo request to a group": echo_request("ff02::1"),
    "echo reply": frame(
        packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, 129, 0, bytes(12)))
    ),
    "solicitation": solicitation(OUR_LINK_LOCAL),
    "solicitation of an anycast address": solicitation(ANYCAST),
    "probe of a tentative address": solicitation(TENTATIVE, source="::"),
    "solicitation with a nonce": solicitation(OUR_LINK_LOCAL, options=lladdr_option(1) + b"\x0e\x01" + bytes(6)),
    "advertisement": advertisement(PEER_LINK_LOCAL),
    "advertisement of whom we look for": advertisement("fe80::5"),
    "advertisement of our tentative address": advertisement(TENTATIVE, destination="ff02::1", flags="O"),
    "general query": mld_message(130, "::"),
    "specific query": mld_message(130, GROUP, delay=1000),
    "query of version 2": mld_message(130, "::", extra=struct.pack("!BBH", 2, 125, 0)),
    "query of version 2 with sources": mld_message(
        130, GROUP, extra=struct.pack("!BBH", 2, 125, 1) + ip("2001:db8::9")
    ),
    "report": mld_message(131, GROUP),
    "done": mld_message(132, GROUP, to=OUR_MAC, destination=OUR_LINK_LOCAL),
    "report of version 2": frame(
        packet(PEER_LINK_LOCAL, "ff02::1", icmp(PEER_LINK_LOCAL, "ff02::1", 143, 0, V2_REPORT))
    ),
    "router solicitation": nd_message(133, bytes(4) + lladdr_option(1)),
    "router advertisement": nd_message(134, bytes.fromhex("4000 0708 00000000 00000000") + PREFIX + RDNSS),
    "redirect": nd_message(137, bytes(4) + ip("fe80::2") + ip("2001:db8::9") + lladdr_option(2), OUR_LINK_LOCAL),
    "unreachable": error(1),
    "packet too big": error(2),
    "time exceeded": error(3),
    "parameter problem": error(4),
    "error of unknown type": error(99),
    "datagram": datagram(port=SOCKET_PORT),
    "datagram to a group": datagram(bytes(100), destination=GROUP, port=SOCKET_PORT),
    "datagram that nobody takes": datagram(port=9),
    "unreachable, about a datagram": frame(
        packet(
            PEER_LINK_LOCAL,
            OUR_LINK_LOCAL,
            icmp(
                *(PEER_LINK_LOCAL, OUR_LINK_LOCAL, 1, 4),
                bytes(4) + datagram(b"", source=OUR_LINK_LOCAL, destination=PEER_LINK_LOCAL, source_port=5000)[14:],
            ),
        )
    ),
    "unknown informational": frame(
        packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, 200, 0, b""))
    ),
    "router alert and PadN": with_hop_by_hop("3a00 0502 0000 0100"),
    "unknown option to be reported": with_hop_by_hop("3a00 9e04 00000000"),
    "atomic fragment": frame(
        packet(
            PEER_LINK_LOCAL, OUR_LINK_LOCAL, bytes.fromhex("3a00 0000 01020304") + echo_request()[54:], next_header=44
        )
    ),
}

# What is said to a host about an address of its own.
START: dict[str, Callable[[str], bytes]] = {
    "probe": lambda address: solicitation(address, source="::"),
    "advertisement": lambda address: advertisement(address, destination="ff02::1", flags="O"),
    "solicitation": solicitation,
    "query": lambda address: mld_message(130, "::"),
    "echo request": echo_request,
    "report": lambda address: mld_message(131, text(solicited_node(address))),
}

# Headers to put before a message, next header still to be filled in.
SPLICED = [
    bytes.fromhex(octets)
    for octets in (
        "0000 0104 00000000",
        "0000 0502 0000 0100",
        "0000 9e04 00000000",
        "0000 01ff 00000000",
        "00ff 0104 00000000",
        "0001 0104 00000000 0106 000000000000",
        "0000 00 00 00000000",
        "0000 00 01 00000000",
        "0000 0000 01020304",
        "0000 0001 01020304",
        "0000 0008 01020304",
    )
]
NUMBERS = [0, 60, 43, 44]


def repaired(octets: bytes) -> bytes:
    """The packet with its payload length made right, and the checksum of what is reached as ICMPv6."""
    if len(octets) < 40:
        return octets
    octets = octets[:4] + struct.pack("!H", min(len(octets) - 40, 65_535)) + octets[6:]
    at, following = 40, octets[6]
    while following in NUMBERS and at + 8 <= len(octets):
        following, at = octets[at], at + (8 if following == 44 else 8 + 8 * octets[at + 1])
    # Where the checksum is in ICMPv6 (RFC 4443 2.1) and in UDP (RFC 768).
    field = {58: 2, 17: 6}.get(following)
    if field is None or at + field + 2 > len(octets):
        return octets
    field += at
    message = octets[at:field] + bytes(2) + octets[field + 2 :]
    value = checksum(octets[8:24], octets[24:40], following, message)
    return octets[:field] + struct.pack("!H", value) + octets[field + 2 :]


def spliced(octets: bytes, headers: list[tuple[int, bytes]]) -> bytes:
    """The packet with more extension headers behind its IPv6 header."""
    following, rest = octets[6], octets[40:]
    for number, header in headers:
        rest = bytes((following,)) + header[1:] + rest
        following = number
    return octets[:6] + bytes((following,)) + octets[7:40] + rest


EDITS = st.lists(st.tuples(st.integers(0, 200), st.sampled_from([0, 1, 2, 0x3A, 0x7F, 0x80, 0xFF])), max_size=4)
HEADERS = st.lists(st.tuples(st.sampled_from(NUMBERS), st.sampled_from(SPLICED)), max_size=3)
CUTS = st.one_of(st.none(), st.none(), st.integers(0, 120))
TAILS = st.one_of(st.just(b""), st.just(b""), st.binary(max_size=24))


@settings(RUN, max_examples=1200)
@given(st.sampled_from(sorted(VALID)), EDITS, HEADERS, CUTS, TAILS, st.booleans(), st.floats(0.0, 3.0))
def test_valid_frames_that_were_changed(
    name: str,
    edits: list[tuple[int, int]],
    headers: list[tuple[int, bytes]],
    cut: int | None,
    tail: bytes,
    repair: bool,
    later: float,
) -> None:
    """DESIGN rule 5, KNOWN_BUGS 11 to 64: edits, truncations, splices and tails, most with a right checksum again."""
    octets = bytearray(spliced(VALID[name][14:], headers)[:cut] + tail)
    for at, value in edits:
        if at < len(octets):
            octets[at] = value
    changed = repaired(bytes(octets)) if repair else bytes(octets)
    play = busy_host()
    play.now += later
    take(play, VALID[name][:14] + changed)
    take(play, VALID[name])
    play.run(play.now + 5.0)


@settings(RUN, max_examples=150)
@given(st.lists(st.tuples(st.sampled_from(sorted(VALID)), EDITS, st.floats(0.0, 2.0)), min_size=2, max_size=12))
def test_many_frames_one_after_the_other(steps: list[tuple[str, list[tuple[int, int]], float]]) -> None:
    """KNOWN_BUGS 64: state of one packet never touches the next; timers between them find what they expect."""
    play = busy_host()
    for name, edits, later in steps:
        octets = bytearray(VALID[name][14:])
        for at, value in edits:
            if at < len(octets):
                octets[at] = value
        take(play, VALID[name][:14] + repaired(bytes(octets)))
        play.run(play.now + later)
    play.run(play.now + 100.0)


@settings(RUN, max_examples=300)
@given(
    st.sampled_from([starting_host, refused_host]),
    st.lists(st.tuples(st.sampled_from(sorted(START)), EDITS, st.floats(0.0, 1.5)), min_size=1, max_size=8),
)
def test_frames_while_the_host_starts(
    host: Callable[[], Play], steps: list[tuple[str, list[tuple[int, int]], float]]
) -> None:
    """RFC 4862 5.4: whatever is said about tentative addresses, and whatever the driver says to the next one."""
    play = host()
    for name, edits, later in steps:
        octets = bytearray(START[name](last_address(play)))
        for at, value in edits:
            if 14 + at < len(octets):
                octets[14 + at] = value
        take(play, bytes(octets[:14]) + repaired(bytes(octets[14:])))
        play.run(play.now + later)
    play.run(play.now + 100.0)


def test_the_hosts_above_meet_what_they_are_for() -> None:
    """RFC 7217 6: a duplicate makes the next identifier; a driver that refuses its group leaves the host without."""
    fine, refused = starting_host(), refused_host()
    for play in (fine, refused):
        first = last_address(play)
        take(play, START["probe"](first))
        play.run(5.0)
        assert last_address(play) != first or play is refused
        assert not play.interface.is_assigned(ip(first))
    assert fine.interface.addresses.link_local() is not None
    assert refused.interface.addresses.link_local() is None
    assert refused.host.counters.filter_errors > 0


def test_valid_frames_are_valid() -> None:
    """What is changed above starts out as something that gets to its handler: most are taken as they are."""
    early = {Discard.ICMP_CHECKSUM, Discard.ICMP_TRUNCATED, Discard.NOT_FOR_US, Discard.TRUNCATED, Discard.NOT_IPV6}
    outcomes = {name: busy_host().receive(octets) for name, octets in VALID.items()}
    assert not early & set(outcomes.values()), outcomes
    taken = [name for name, outcome in outcomes.items() if isinstance(outcome, Verdict)]
    assert len(taken) >= 15, outcomes


def test_repaired_frames_are_right() -> None:
    """The repair finds the checksum of every valid frame where it is, and leaves it as it is."""
    for name, octets in VALID.items():
        assert repaired(octets[14:]) == octets[14:], name


# -- the declarations and the fast paths

HEADERS_SIZES = st.sampled_from([6, 14, 22])
OPTION_OCTETS = st.lists(
    st.one_of(
        st.just(b"\0"),
        st.integers(0, 5).map(lambda size: bytes((1, size)) + bytes(size)),
        st.integers(0, 9).map(lambda size: bytes((0x1E, size)) + b"\x5a" * size),
        st.binary(max_size=6),
    ),
    max_size=8,
).map(b"".join)


def declared(octets: bytes) -> list[tuple[int, bytes | None]] | None:
    """The options as the declaration reads them (RFC 8200 4.2), or None."""
    try:
        return [(option.type, option.data) for option in extension.OPTIONS.parse(octets).options]
    except construct.ConstructError:
        return None


@RUN
@given(OPTION_OCTETS, HEADERS_SIZES)
@example(b"\1\4\0\0\0\0", 6)
@example(b"\1\5\0\0\0\0", 6)
@example(b"\0\0\0\0\0\1", 6)
@example(b"\5\2\0\0\1\0", 6)
def test_options_are_walked_as_declared(octets: bytes, size: int) -> None:
    """DESIGN rule 4: the walk over options agrees with the declaration about what is malformed and what is there."""
    body = octets[:size].ljust(size, b"\0")
    header = bytes((59, size // 8)) + body
    received_packet = packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, header, next_header=60)
    received = Received(received_packet, ip(PEER_LINK_LOCAL), ip(OUR_LINK_LOCAL), 255, PEER_MAC, False)
    outcome = chain.walk(PLAY.interface, received, PLAY.now)
    PLAY.settle()
    PLAY.sent()
    found = declared(body)
    if found is None:
        # The walk stops at the first option that asks for a discard, the declaration reads to the end.
        assert outcome in (Discard.OPTION_MALFORMED, Discard.OPTION_UNKNOWN)
    elif any(kind >> 6 for kind, _ in found):
        assert outcome is Discard.OPTION_UNKNOWN
    else:
        assert outcome == 59


ND_OPTIONS = st.lists(
    st.one_of(
        st.just(lladdr_option(1)),
        st.integers(1, 3).map(lambda units: bytes((0xFD, units)) + bytes(units * 8 - 2)),
        st.just(bytes(8)),
        st.binary(max_size=9),
    ),
    max_size=4,
).map(b"".join)


@RUN
@given(ND_OPTIONS)
@example(b"")
@example(bytes((1, 1)) + bytes(6))
@example(bytes((1, 0)) + bytes(6))
@example(bytes((1, 2)) + bytes(6))
def test_options_of_neighbour_discovery_are_parsed_as_declared(octets: bytes) -> None:
    """RFC 4861 4.6, DESIGN rule 4: the short cut for one option gives what the declaration gives."""
    try:
        expected: list[tuple[int, bytes]] | None = [
            (option.type, option.data) for option in nd.OPTIONS.parse(octets).options
        ]
    except construct.ConstructError:
        expected = None
    parsed = nd.parse_options(octets)
    assert (None if parsed is None else [tuple(option) for option in parsed]) == expected


def by_hand(octets: bytes) -> list[tuple[int, bytes]] | None:
    """RFC 4861 4.6 without construct: type, length in units of 8, never 0, never past the end."""
    found = []
    while octets:
        if len(octets) < 2 or octets[1] == 0 or len(octets) < octets[1] * 8:
            return None
        found.append((octets[0], octets[2 : octets[1] * 8]))
        octets = octets[octets[1] * 8 :]
    return found


@RUN
@given(ND_OPTIONS)
def test_options_of_neighbour_discovery_are_parsed_as_the_rfc_says(octets: bytes) -> None:
    """RFC 4861 4.6 and 7.1: judged by a routine that shares nothing with the parser."""
    parsed = nd.parse_options(octets)
    assert (None if parsed is None else [tuple(option) for option in parsed]) == by_hand(octets)


@RUN
@given(st.binary(min_size=8, max_size=8))
def test_fragment_header_is_read_as_declared(octets: bytes) -> None:
    """RFC 8200 4.5: both ways give next header, reserved, offset with flags, identification."""
    parsed = extension.FRAGMENT_HEADER.parse(octets)
    fields = (parsed.next_header, parsed.reserved, parsed.offset_and_flags, parsed.identification)
    assert extension.FRAGMENT.unpack(octets) == fields
