"""The header chain (RFC 8200 4): every header in any order, its bounds, and the octet that an error points at."""

import struct

import pytest

from stack.discard import Discard, Outcome, Verdict
from tests.playbook import (
    OUR_LINK_LOCAL,
    PEER_LINK_LOCAL,
    Header,
    Play,
    Sent,
    chain,
    fragment,
    frame,
    icmp,
    ip,
    mld_message,
    options,
    packet,
    routing,
)

HOP_BY_HOP, UDP, ROUTING, FRAGMENT, ICMPV6, NOTHING, DESTINATION = 0, 17, 43, 44, 58, 59, 60

PADDED = options(HOP_BY_HOP, "0104 00000000")
DESTINATION_PADDED = options(DESTINATION, "0104 00000000")
ATOMIC = fragment()
ROUTED = routing(0, 0)


@pytest.fixture
def play() -> Play:
    return Play().start().meet()


def echo_behind(*headers: Header, destination: str = OUR_LINK_LOCAL, source: str = PEER_LINK_LOCAL) -> bytes:
    """A frame with an echo request behind these headers."""
    message = icmp(source, destination, 128, 0, struct.pack("!HH", 7, 1) + b"data")
    first, octets = chain(headers, ICMPV6, message)
    return frame(packet(source, destination, octets, next_header=first, hop_limit=64))


def plain(payload: bytes, *, first: int, destination: str = OUR_LINK_LOCAL, to: bytes | None = None) -> bytes:
    """A frame with these octets behind the IPv6 header."""
    return frame(packet(PEER_LINK_LOCAL, destination, payload, next_header=first, hop_limit=64), to=to)


def assert_silent(play: Play, octets: bytes, outcome: Outcome) -> None:
    """This outcome, and nothing sent, now or later."""
    assert play.receive(octets) is outcome
    play.run(play.now + 3.0)
    assert play.sent() == []


def assert_problem(play: Play, octets: bytes, code: int, pointer: int) -> None:
    """One parameter problem about this frame, with everything that RFC 4443 3.4 says of it."""
    sent = problem_about(play, octets)
    assert (sent.message[1], struct.unpack("!I", sent.message[4:8])[0]) == (code, pointer)


def problem_about(play: Play, octets: bytes) -> Sent:
    (sent,) = play.sent()
    assert sent.kind == 4
    assert (sent.source, sent.destination) == (OUR_LINK_LOCAL, PEER_LINK_LOCAL)
    assert sent.packet[6] == ICMPV6
    assert sent.message[8:] == octets[14:]
    assert sent.checksum_is_right()
    return sent


# -- what is taken

TAKEN: dict[str, tuple[Header, ...]] = {
    "no extension header": (),
    "hop-by-hop options": (PADDED,),
    "destination options": (DESTINATION_PADDED,),
    "routing, no segments left": (ROUTED,),
    "fragment, atomic (RFC 6946)": (ATOMIC,),
    "all in the recommended order (4.1)": (PADDED, DESTINATION_PADDED, ROUTED, ATOMIC, DESTINATION_PADDED),
    "another order": (ATOMIC, DESTINATION_PADDED, ROUTED),
    "the reverse order": (DESTINATION_PADDED, ATOMIC, ROUTED, DESTINATION_PADDED),
    "hop-by-hop before the fragment": (PADDED, ATOMIC),
    "the same one three times": (DESTINATION_PADDED,) * 3,
    "routing twice": (ROUTED, ROUTED),
    "eight headers": (PADDED, *(DESTINATION_PADDED,) * 7),
    "eight headers without hop-by-hop": (ROUTED,) * 8,
}


@pytest.mark.parametrize("headers", TAKEN.values(), ids=TAKEN)
def test_headers_in_any_order(play: Play, headers: tuple[Header, ...]) -> None:
    """RFC 8200 4.1: any order, any number of times, hop-by-hop options at the front."""
    assert play.receive(echo_behind(*headers)) is Verdict.ANSWERED
    (reply,) = play.sent()
    assert reply.kind == 129
    assert reply.message[4:] == struct.pack("!HH", 7, 1) + b"data"


OPTIONS_PASSED = {
    "six Pad1": "00 00 00 00 00 00",
    "PadN of two octets": "0100 0102 0000",
    "PadN with data that is not zero": "0104 ffffffff",
    "PadN as long as can be": "01ff" + "00" * 255 + "0101 00",
    "Pad1 before and behind": "00 0102 0000 00",
    "unknown, bits 00": "1e04 ffffffff",
    "unknown, bits 00, may change on the way": "3e04 ffffffff",
    "unknown, bits 00, of no length": "1e00 1e00 1e00",
    "unknown, bits 00, as long as can be": "1eff" + "5a" * 255 + "0101 00",
    "router alert": "0502 0000 0100",
    "router alert of another value": "0502 0002 0100",
    "router alert behind padding": "0100 0502 0000",
    "tunnel encapsulation limit (RFC 2473)": "0401 04 0101 00",
    "longest header (Hdr Ext Len 255)": "01fe" + "00" * 254 + ("01fe" + "00" * 254) * 6 + "01fc" + "00" * 252,
}


@pytest.mark.parametrize("number", [HOP_BY_HOP, DESTINATION], ids=["hop-by-hop", "destination"])
@pytest.mark.parametrize("octets", OPTIONS_PASSED.values(), ids=OPTIONS_PASSED)
def test_options_that_are_passed_over(play: Play, octets: str, number: int) -> None:
    """RFC 8200 4.2: Pad1 has one octet, everything else a length; unknown options with bits 00 are skipped."""
    assert play.receive(echo_behind(options(number, octets))) is Verdict.ANSWERED
    assert [sent.kind for sent in play.sent()] == [129]


def test_the_longest_header_is_the_longest() -> None:
    """The table above means what it says: 8 + 255 * 8 octets."""
    header = options(HOP_BY_HOP, OPTIONS_PASSED["longest header (Hdr Ext Len 255)"])
    assert header.rest[0] == 255
    assert len(header.rest) == 2047


@pytest.mark.parametrize("kind", [0, 1, 2, 3, 4, 6, 200, 255])
@pytest.mark.parametrize("data", [bytes(4), b"\xff" * 4, ip("2001:db8::1") + bytes(4)], ids=["0", "f", "24 octets"])
def test_routing_header_without_segments_left(play: Play, kind: int, data: bytes) -> None:
    """RFC 8200 4.4: ignored whatever its type and its data; type 0 too (RFC 5095 3)."""
    assert play.receive(echo_behind(routing(kind, 0, data))) is Verdict.ANSWERED
    assert [sent.kind for sent in play.sent()] == [129]


@pytest.mark.parametrize("reserved", [0, 1, 2, 3])
def test_atomic_fragment_with_reserved_bits(play: Play, reserved: int) -> None:
    """RFC 8200 4.5: reserved bits are ignored on reception, the reserved octet too."""
    header = fragment(reserved=reserved)
    assert play.receive(echo_behind(header)) is Verdict.ANSWERED
    assert play.receive(echo_behind(Header(FRAGMENT, b"\xff" + header.rest[1:]))) is Verdict.ANSWERED


@pytest.mark.parametrize("before", [(), (PADDED,), (DESTINATION_PADDED, ROUTED)], ids=["alone", "hop", "routed"])
@pytest.mark.parametrize("second", [ATOMIC, fragment(0, True), fragment(1)], ids=["atomic", "first", "last"])
def test_a_second_fragment_header(play: Play, before: tuple[Header, ...], second: Header) -> None:
    """RFC 8200 4.5: a source divides what is no fragment; RFC 4443 3.4: what names the second header is reported."""
    octets = echo_behind(*before, ATOMIC, second)
    assert play.receive(octets) is Discard.FRAGMENT_NESTED
    assert_problem(play, octets, 0, 40 + sum(len(header.rest) + 1 for header in before))


@pytest.mark.parametrize("trailing", [b"", b"\0", bytes(8), b"\xff" * 40], ids=len)
@pytest.mark.parametrize(
    "headers",
    [(), (PADDED,), (DESTINATION_PADDED,), (ROUTED,), (ATOMIC,)],
    ids=["IPv6", "hop-by-hop", "destination", "routing", "fragment"],
)
def test_no_next_header(play: Play, headers: tuple[Header, ...], trailing: bytes) -> None:
    """RFC 8200 4.7: nothing follows; octets that do follow are ignored."""
    first, octets = chain(headers, NOTHING, trailing)
    before = play.host.counters.as_dict()["Ip6InDelivers"]
    assert_silent(play, plain(octets, first=first), Verdict.DELIVERED)
    assert play.host.counters.as_dict()["Ip6InDelivers"] == before + 1


# -- unknown next headers

UNKNOWN_NEXT_HEADERS: dict[str, tuple[tuple[Header, ...], int, int]] = {
    "in the IPv6 header": ((), 253, 6),
    "in a hop-by-hop options header": ((PADDED,), 253, 40),
    "in a destination options header": ((DESTINATION_PADDED,), 253, 40),
    "in a routing header": ((ROUTED,), 253, 40),
    "in an atomic fragment header": ((ATOMIC,), 253, 40),
    "in a second header": ((PADDED, DESTINATION_PADDED), 253, 48),
    "behind a longer one": ((options(DESTINATION, "0114" + "00" * 20), ROUTED), 253, 64),
    "behind seven headers": ((PADDED, *(DESTINATION_PADDED,) * 6, ATOMIC), 253, 96),
    "TCP": ((), 6, 6),
    "ESP (KNOWN_BUGS 67)": ((), 50, 6),
    "authentication": ((PADDED,), 51, 40),
    "IPv6 in IPv6": ((), 41, 6),
    "ICMP of version 4": ((ATOMIC,), 1, 40),
    "RPL (KNOWN_BUGS 53)": ((), 254, 6),
    "hop-by-hop options after themselves": ((PADDED,), HOP_BY_HOP, 40),
    "hop-by-hop options after destination options": ((DESTINATION_PADDED,), HOP_BY_HOP, 40),
    "hop-by-hop options after routing": ((DESTINATION_PADDED, ROUTED), HOP_BY_HOP, 48),
    "hop-by-hop options after an atomic fragment header": ((PADDED, ATOMIC), HOP_BY_HOP, 48),
}


@pytest.mark.parametrize("payload", [b"", b"\0", bytes(8), bytes(range(100))], ids=lambda payload: f"{len(payload)}")
@pytest.mark.parametrize(("headers", "last", "pointer"), UNKNOWN_NEXT_HEADERS.values(), ids=UNKNOWN_NEXT_HEADERS)
def test_unknown_next_header(play: Play, headers: tuple[Header, ...], last: int, pointer: int, payload: bytes) -> None:
    """RFC 8200 4: parameter problem, code 1, at the value itself; next header 0 anywhere but in front is one."""
    first, octets = chain(headers, last, payload)
    received = plain(octets, first=first)
    outcome = play.receive(received)
    assert outcome is (Discard.HOP_BY_HOP_NOT_FIRST if last == HOP_BY_HOP else Discard.UNKNOWN_NEXT_HEADER)
    assert_problem(play, received, 1, pointer)


@pytest.mark.parametrize(("headers", "last", "pointer"), UNKNOWN_NEXT_HEADERS.values(), ids=UNKNOWN_NEXT_HEADERS)
def test_unknown_next_header_to_a_group(play: Play, headers: tuple[Header, ...], last: int, pointer: int) -> None:
    """RFC 4443 2.4 (e.3): code 1 is no exception."""
    first, octets = chain(headers, last, bytes(8))
    outcome = Discard.HOP_BY_HOP_NOT_FIRST if last == HOP_BY_HOP else Discard.UNKNOWN_NEXT_HEADER
    assert_silent(play, plain(octets, first=first, destination="ff02::1"), outcome)


def test_every_next_header_value_is_known_or_reported() -> None:
    """RFC 8200 4: of the 256 values seven are known, all others are reported at octet 6."""
    play = Play(icmp_ratelimit=0).start().meet()
    reported = []
    for value in range(256):
        play.receive(plain(b"", first=value))
        reported += [
            value for sent in play.sent(4) if sent.message[1] == 1 and sent.message[4:8] == bytes((0, 0, 0, 6))
        ]
    assert set(range(256)) - set(reported) == {HOP_BY_HOP, UDP, ROUTING, FRAGMENT, ICMPV6, NOTHING, DESTINATION}


# -- routing

SEGMENTS_LEFT: dict[str, tuple[tuple[Header, ...], Header, int]] = {
    "in front": ((), routing(200, 1), 42),
    "type 0 (KNOWN_BUGS 60, RFC 5095 3)": ((), routing(0, 1, bytes(4) + ip("2001:db8::1")), 42),
    "type 0 with a wrong count": ((), routing(0, 255), 42),
    "type 0 to ourselves (KNOWN_BUGS 55)": ((), routing(0, 1, bytes(4) + ip(OUR_LINK_LOCAL)), 42),
    "type 3, RPL (KNOWN_BUGS 63)": ((), routing(3, 1, bytes(12)), 42),
    "type 4, segments": ((), routing(4, 3, bytes(20)), 42),
    "behind hop-by-hop options": ((PADDED,), routing(200, 1), 50),
    "behind two headers": ((PADDED, options(DESTINATION, "010c" + "00" * 12)), routing(2, 1), 66),
    "behind one without segments left": ((ROUTED,), routing(0, 2), 50),
}


@pytest.mark.parametrize(("before", "header", "pointer"), SEGMENTS_LEFT.values(), ids=SEGMENTS_LEFT)
def test_routing_header_with_segments_left(
    play: Play, before: tuple[Header, ...], header: Header, pointer: int
) -> None:
    """RFC 8200 4.4: parameter problem, code 0, at the routing type; nothing is forwarded."""
    received = echo_behind(*before, header)
    assert play.receive(received) is Discard.ROUTING_HEADER
    assert_problem(play, received, 0, pointer)


def test_routing_header_to_a_group(play: Play) -> None:
    """RFC 4443 2.4 (e.3)."""
    assert_silent(play, echo_behind(routing(200, 1), destination="ff02::1"), Discard.ROUTING_HEADER)


# -- options that are not known

UNICAST, GROUP, GROUP_FRAME = "to us", "to a group", "to us in a frame to a group"

# option type -> whether it is reported (RFC 8200 4.2, RFC 4443 2.4 e.3, e.4)
ACTIONS = {
    "01": (0x5E, {UNICAST: False, GROUP: False, GROUP_FRAME: False}),
    "01, may change": (0x7E, {UNICAST: False, GROUP: False, GROUP_FRAME: False}),
    "10": (0x9E, {UNICAST: True, GROUP: True, GROUP_FRAME: True}),
    "10, may change": (0xBE, {UNICAST: True, GROUP: True, GROUP_FRAME: True}),
    "11": (0xDE, {UNICAST: True, GROUP: False, GROUP_FRAME: False}),
    "11, may change": (0xFE, {UNICAST: True, GROUP: False, GROUP_FRAME: False}),
    "11, jumbo payload (RFC 2675)": (0xC2, {UNICAST: True, GROUP: False, GROUP_FRAME: False}),
    "11, home address (RFC 6275)": (0xC9, {UNICAST: True, GROUP: False, GROUP_FRAME: False}),
    "10, low bits of Pad1": (0x80, {UNICAST: True, GROUP: True, GROUP_FRAME: True}),
    "11, low bits of PadN": (0xC1, {UNICAST: True, GROUP: False, GROUP_FRAME: False}),
    "10, low bits of router alert": (0x85, {UNICAST: True, GROUP: True, GROUP_FRAME: True}),
    "01, RPL": (0x63, {UNICAST: False, GROUP: False, GROUP_FRAME: False}),
}


@pytest.mark.parametrize("number", [HOP_BY_HOP, DESTINATION], ids=["hop-by-hop", "destination"])
@pytest.mark.parametrize("way", [UNICAST, GROUP, GROUP_FRAME])
@pytest.mark.parametrize(("kind", "reported"), ACTIONS.values(), ids=ACTIONS)
def test_action_bits(play: Play, kind: int, reported: dict[str, bool], way: str, number: int) -> None:
    """RFC 8200 4.2: the option type is eight bits; its highest two say what becomes of the packet."""
    destination = "ff02::1" if way == GROUP else OUR_LINK_LOCAL
    first, octets = chain((options(number, f"{kind:02x}04 00000000"),), NOTHING, b"")
    to = bytes.fromhex("333300000001") if way == GROUP_FRAME else None
    received = plain(octets, first=first, destination=destination, to=to)
    if not reported[way]:
        assert_silent(play, received, Discard.OPTION_UNKNOWN)
        return
    assert play.receive(received) is Discard.OPTION_UNKNOWN
    assert_problem(play, received, 2, 42)


UNKNOWN_OPTIONS: dict[str, tuple[tuple[Header, ...], str, int]] = {
    "first option": ((), "9e00", 42),
    "behind Pad1": ((), "00 9e00", 43),
    "behind two Pad1": ((), "0000 9e00", 44),
    "behind PadN": ((), "0102 0000 9e00", 46),
    "behind a skipped one": ((), "1e03 010203 9e00", 47),
    "the first of two": ((), "9e00 de00", 42),
    "last octets of the header": ((), "0102 0000 9e00", 46),
    "in a header of 264 octets": ((), "01fe" + "00" * 254 + "9e04 00000000", 298),
    "behind hop-by-hop options": ((PADDED,), "9e00", 50),
    "behind routing of 24 octets": ((routing(0, 0, bytes(20)),), "9e00", 66),
    "behind an atomic fragment header": ((PADDED, ATOMIC), "0100 9e00", 60),
    "in the eighth header": ((PADDED, *(DESTINATION_PADDED,) * 6), "de00", 98),
}


@pytest.mark.parametrize(("before", "octets", "pointer"), UNKNOWN_OPTIONS.values(), ids=UNKNOWN_OPTIONS)
def test_pointer_to_an_unknown_option(play: Play, before: tuple[Header, ...], octets: str, pointer: int) -> None:
    """RFC 8200 4.2: the pointer is at the option type, counted from the first octet of the IPv6 header."""
    received = echo_behind(*before, options(DESTINATION, octets))
    assert play.receive(received) is Discard.OPTION_UNKNOWN
    assert_problem(play, received, 2, pointer)


def test_options_are_processed_in_order(play: Play) -> None:
    """RFC 8200 4.2: the first option that asks for a discard decides; a later one is not looked at."""
    assert_silent(play, echo_behind(options(DESTINATION, "5e00 9e00")), Discard.OPTION_UNKNOWN)
    assert play.receive(echo_behind(options(DESTINATION, "9e00 5e00"))) is Discard.OPTION_UNKNOWN
    assert [sent.message[1] for sent in play.sent()] == [2]


def test_headers_are_processed_in_order(play: Play) -> None:
    """RFC 8200 4: strictly in the order of the packet; what comes first in it is reported."""
    received = echo_behind(options(DESTINATION, "9e00"), routing(0, 1))
    assert play.receive(received) is Discard.OPTION_UNKNOWN
    assert_problem(play, received, 2, 42)
    received = echo_behind(routing(0, 1), options(DESTINATION, "9e00"))
    assert play.receive(received) is Discard.ROUTING_HEADER
    assert_problem(play, received, 0, 42)


# -- options and headers that do not fit

MALFORMED_OPTIONS = {
    "PadN past the header by one": ("0105 00000000", 43),
    "PadN of 255 octets": ("01ff 00000000", 43),
    "unknown option past the header": ("1e05 00000000", 43),
    "unknown option to be discarded, past the header (KNOWN_BUGS 52)": ("9eff 00000000", 43),
    "second option past the header": ("0101 00 0102 00", 46),
    "type in the last octet": ("0103 000000 01", 47),
    "unknown type in the last octet": ("0103 000000 9e", 47),
    "length in the last octet but data": ("0102 0000 0101", 47),
    "router alert past the header": ("0102 0000 0502", 47),
}


@pytest.mark.parametrize("number", [HOP_BY_HOP, DESTINATION], ids=["hop-by-hop", "destination"])
@pytest.mark.parametrize(("octets", "pointer"), MALFORMED_OPTIONS.values(), ids=MALFORMED_OPTIONS)
def test_option_past_its_header(play: Play, octets: str, pointer: int, number: int) -> None:
    """RFC 8200 4.2: options end with their header, whatever follows; RFC 4443 3.4: code 0 at the erroneous octet."""
    received = echo_behind(options(number, octets))
    assert play.receive(received) is Discard.OPTION_MALFORMED
    assert_problem(play, received, 0, pointer)


@pytest.mark.parametrize("octets", ["0500 0102 0000", "0501 00 0101 00", "0503 000000 00", "0504 00000000"])
def test_router_alert_of_another_length(play: Play, octets: str) -> None:
    """RFC 2711 2.1 (KNOWN_BUGS 59): its length is 2; RFC 4443 3.4: code 0 at the length."""
    received = echo_behind(options(HOP_BY_HOP, octets))
    assert play.receive(received) is Discard.OPTION_MALFORMED
    assert_problem(play, received, 0, 43)


@pytest.mark.parametrize("destination", ["ff02::1"])
@pytest.mark.parametrize("octets", ["0105 00000000", "0500 0102 0000"], ids=["past the header", "router alert"])
def test_malformed_option_to_a_group(play: Play, octets: str, destination: str) -> None:
    """RFC 4443 2.4 (e.3): code 0 is no exception."""
    received = echo_behind(options(HOP_BY_HOP, octets), destination=destination)
    assert_silent(play, received, Discard.OPTION_MALFORMED)


KINDS = {"hop-by-hop": HOP_BY_HOP, "destination": DESTINATION, "routing": ROUTING, "fragment": FRAGMENT}


@pytest.mark.parametrize("size", range(8))
@pytest.mark.parametrize("number", KINDS.values(), ids=KINDS)
def test_header_of_which_less_than_eight_octets_came(play: Play, number: int, size: int) -> None:
    """RFC 8200 4: a header has eight octets at least; RFC 4443 3.4: the payload length cannot be right."""
    received = plain(bytes((NOTHING, 0, 0, 0, 0, 0, 0))[:size], first=number)
    assert play.receive(received) is Discard.HEADER_TRUNCATED
    assert_problem(play, received, 0, 4)


@pytest.mark.parametrize(
    ("units", "size"), [(1, 8), (1, 15), (2, 16), (2, 23), (255, 8), (255, 1280), (255, 2047)], ids=str
)
@pytest.mark.parametrize("number", [HOP_BY_HOP, DESTINATION, ROUTING], ids=["hop-by-hop", "destination", "routing"])
def test_header_longer_than_its_packet(play: Play, number: int, units: int, size: int) -> None:
    """RFC 8200 4 (KNOWN_BUGS 51): it ends within the packet; RFC 4443 3.4: code 0 at its length."""
    received = plain(bytes((NOTHING, units)) + bytes(size - 2), first=number)
    assert play.receive(received) is Discard.HEADER_TRUNCATED
    (sent,) = play.sent()
    assert (sent.kind, sent.message[1], sent.message[4:8]) == (4, 0, bytes((0, 0, 0, 41)))


def test_trailer_of_the_frame_does_not_complete_a_header(play: Play) -> None:
    """RFC 8200 3: what stands behind the payload length is not of the packet."""
    received = plain(bytes((NOTHING, 0, 1, 2)), first=DESTINATION)
    assert play.receive(received + bytes(40)) is Discard.HEADER_TRUNCATED
    assert_problem(play, received, 0, 4)


def test_header_of_which_a_part_is_missing_in_second_place(play: Play) -> None:
    """The pointer counts all headers before it."""
    first, octets = chain((PADDED, ROUTED), DESTINATION, bytes((NOTHING, 1)) + bytes(13))
    received = plain(octets, first=first)
    assert play.receive(received) is Discard.HEADER_TRUNCATED
    assert_problem(play, received, 0, 57)


@pytest.mark.parametrize("number", KINDS.values(), ids=KINDS)
def test_truncated_header_to_a_group(play: Play, number: int) -> None:
    """RFC 4443 2.4 (e.3): code 0 is no exception."""
    assert_silent(play, plain(bytes(7), first=number, destination="ff02::1"), Discard.HEADER_TRUNCATED)


# -- limits

LONG_CHAINS = {
    "nine headers": (DESTINATION_PADDED,) * 9,
    "nine with hop-by-hop": (PADDED, *(DESTINATION_PADDED,) * 8),
    "as many as the payload length holds": (ROUTED,) * 8_000,
}


@pytest.mark.parametrize("headers", LONG_CHAINS.values(), ids=LONG_CHAINS)
def test_chain_of_more_headers(play: Play, headers: tuple[Header, ...]) -> None:
    """RFC 8504 5.3: a host may limit how many headers it follows; the packet is discarded."""
    assert_silent(play, echo_behind(*headers), Discard.HEADER_CHAIN_TOO_LONG)


@pytest.mark.parametrize("number", [HOP_BY_HOP, DESTINATION], ids=["hop-by-hop", "destination"])
@pytest.mark.parametrize(("count", "taken"), [(31, True), (32, True), (33, False), (1000, False)])
def test_number_of_options(play: Play, number: int, count: int, taken: bool) -> None:
    """RFC 8504 5.3: a host may limit how many options it looks at; up to the limit all are."""
    octets = "1e00" * (count - 1) + "1e" + f"{-(count * 2 + 2) % 8:02x}" + "00" * (-(count * 2 + 2) % 8)
    received = echo_behind(options(number, octets))
    if taken:
        assert play.receive(received) is Verdict.ANSWERED
    else:
        assert_silent(play, received, Discard.HEADER_CHAIN_TOO_LONG)


# -- one packet and the next


def test_nothing_of_a_packet_touches_the_next(play: Play) -> None:
    """KNOWN_BUGS 64: the router alert of one packet does not count for another."""
    query = mld_message(130, "::")
    assert play.receive(query) is Verdict.DELIVERED
    assert play.receive(mld_message(130, "::", alert=False)) is Discard.MLD_ROUTER_ALERT
    assert play.receive(query) is Verdict.DELIVERED


def test_atomic_fragment_of_one_packet_does_not_mark_the_next(play: Play) -> None:
    """RFC 6980 5: neighbour discovery behind a fragment header is dropped, and only that."""
    message = icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, 135, 0, bytes(4) + ip(OUR_LINK_LOCAL))
    first, octets = chain((ATOMIC,), ICMPV6, message)
    whole = frame(packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, message))
    assert play.receive(frame(packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, octets, next_header=first))) is (
        Discard.ND_FRAGMENTED
    )
    assert play.sent() == []
    assert play.receive(whole) is Verdict.ANSWERED


BAD_HEADERS = {
    "unknown option": options(DESTINATION, "9e00"),
    "malformed option": options(HOP_BY_HOP, "0105 00000000"),
    "segments left": routing(0, 1),
    "longer than the packet": Header(DESTINATION, b"\xff" + bytes(6)),
}


@pytest.mark.parametrize("source", ["::", OUR_LINK_LOCAL, "ff02::1", "::1"])
@pytest.mark.parametrize("header", BAD_HEADERS.values(), ids=BAD_HEADERS)
def test_sources_that_nothing_is_sent_to(play: Play, source: str, header: Header) -> None:
    """RFC 4443 2.4 (e.6): no error to a source that is not one other node."""
    received = echo_behind(header, source=source)
    assert isinstance(play.receive(received), Discard)
    play.run(play.now + 3.0)
    assert play.sent() == []
