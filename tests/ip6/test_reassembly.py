"""Reassembly (RFC 8200 4.5, RFC 5722, RFC 6946, RFC 7112): the packet or nothing, who is told, and the bounds."""

import copy
import pickle
import struct
from random import Random

import pytest

from stack.discard import Discard, Outcome, Verdict
from stack.journal import Record
from tests.ip6.fragments import ECHO, IDENTIFICATION, OTHER, cut, echo, part
from tests.playbook import (
    OUR_LINK_LOCAL,
    OUR_MAC,
    PEER_LINK_LOCAL,
    Header,
    Play,
    chain,
    checksum,
    fragment,
    icmp,
    ip,
    options,
    packet,
    routing,
    solicitation,
)

ICMPV6, UDP, TCP, FRAGMENT, DESTINATION, NOTHING = 58, 17, 6, 44, 60, 59

HELD = Verdict.DELIVERED


@pytest.fixture
def play() -> Play:
    return Play().start().meet()


def counters(play: Play) -> dict[str, int]:
    return play.host.counters.as_dict()


def assert_answered(play: Play, data: bytes) -> None:
    (reply,) = play.sent()
    assert reply.kind == 129
    assert reply.message[8:] == data
    assert reply.checksum_is_right()


def assert_nothing_is_left(play: Play) -> None:
    assert len(play.host.reassembler) == play.host.reassembler.cost == 0


def assert_problem(play: Play, octets: bytes, code: int, pointer: int) -> None:
    """One parameter problem about this frame (RFC 4443 3.4)."""
    (sent,) = play.sent()
    assert (sent.kind, sent.message[1]) == (4, code)
    assert struct.unpack("!I", sent.message[4:8]) == (pointer,)
    assert sent.message[8:] == octets[14:]


# -- the packet

ORDERS = {
    "in order": (0, 1, 2),
    "the last first": (2, 1, 0),
    "the middle last": (0, 2, 1),
    "each twice": (0, 0, 2, 2, 1),
    "the first twice at the end": (1, 0, 0, 2),
}


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_fragments_in_any_order(play: Play, order: tuple[int, ...]) -> None:
    """RFC 8200 4.5: reassembled into the original; exact duplicates are dropped and change nothing."""
    data = bytes(range(200))
    parts = cut(echo(data), 80)
    assert len(parts) == 3
    seen: set[int] = set()
    for at in order[:-1]:
        assert play.receive(parts[at]) is (Discard.FRAGMENT_DUPLICATE if at in seen else HELD)
        seen.add(at)
        assert play.sent() == []
    assert play.receive(parts[order[-1]]) is Verdict.ANSWERED
    assert_answered(play, data)
    assert_nothing_is_left(play)
    assert counters(play)["Ip6ReasmOKs"] == 1
    assert counters(play)["Ip6ReasmReqds"] == len(order)


@pytest.mark.parametrize("size", [8, 64, 1232])
def test_the_longest_packet(play: Play, size: int) -> None:
    """RFC 8200 4.5: up to 65,535 octets of payload, in fragments of any size."""
    data = bytes(range(256)) * 255 + bytes(247)
    octets = echo(data)
    assert len(octets) == 65_535
    for each in cut(octets, size):
        last = play.receive(each)
    assert last is Verdict.ANSWERED
    assert play.host.counters.icmp_out[129] == 1
    assert_nothing_is_left(play)


def test_the_time_to_insert_is_short() -> None:
    """Many small parts out of order are placed by bisection: each alone is looked at with its two neighbours."""
    play = Play(icmp_ratelimit=0).start().meet()
    parts = cut(echo(bytes(60_000)), 8)
    Random(1).shuffle(parts)
    outcomes = [play.receive(each) for each in parts]
    assert outcomes[-1] is Verdict.ANSWERED
    assert set(outcomes[:-1]) == {HELD}


def test_what_comes_before_the_fragment_header(play: Play) -> None:
    """RFC 8200 4.5: only the headers of the first fragment are kept; those of others may differ."""
    hop, target = options(0, "0104 00000000"), options(DESTINATION, "0104 00000000")
    first = part(echo(b"abcdefgh")[:8], 0, True, before=(hop, routing(0, 0)))
    last = part(echo(b"abcdefgh")[8:], 8, False, before=(target,))
    assert play.receive(last) is HELD
    assert play.receive(first) is Verdict.ANSWERED
    assert_answered(play, b"abcdefgh")


def test_headers_of_each_fragment_are_processed_when_it_arrives(play: Play) -> None:
    """RFC 8200 4.5: prior to queueing the fragments."""
    bad = options(DESTINATION, "c204 00000000")
    octets = part(echo(b"abcdefgh")[8:], 8, False, before=(bad,))
    assert play.receive(octets) is Discard.OPTION_UNKNOWN
    assert_problem(play, octets, 2, 42)
    assert_nothing_is_left(play)


def test_next_header_is_that_of_the_first(play: Play) -> None:
    """RFC 8200 4.5: only the value from the offset zero fragment is used."""
    message = echo(b"abcdefgh")
    assert play.receive(part(message[8:], 8, False, last=UDP)) is HELD
    assert play.receive(part(message[:8], 0, True)) is Verdict.ANSWERED


def test_headers_behind_the_fragment_header(play: Play) -> None:
    """RFC 8200 4.5: extension headers of the fragmentable part are walked once it is whole."""
    first, octets = chain((options(DESTINATION, "0104 00000000"),), ICMPV6, echo(b"abcdefgh"))
    assert play.receive(part(octets[:16], 0, True, last=first)) is HELD
    assert play.receive(part(octets[16:], 16, False, last=first)) is Verdict.ANSWERED


def test_a_problem_in_the_whole_packet_is_reported_about_the_whole(play: Play) -> None:
    """RFC 4443 3.4: the pointer is into the original packet."""
    first, octets = chain((options(DESTINATION, "c204 00000000"),), ICMPV6, echo(b"abcdefgh"))
    play.receive(part(octets[:16], 0, True, last=first))
    assert play.receive(part(octets[16:], 16, False, last=first)) is Discard.OPTION_UNKNOWN
    (sent,) = play.sent()
    assert struct.unpack("!I", sent.message[4:8]) == (42,)
    assert sent.message[8:] == packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, octets, next_header=first, hop_limit=64)


def test_a_fragment_header_inside(play: Play) -> None:
    """No reassembly within a reassembly: the header that names the second one is reported."""
    number, octets = chain((fragment(0, True, identification=9),), ICMPV6, echo(b"abcdefgh"))
    play.receive(part(octets[:16], 0, True, last=number))
    assert play.receive(part(octets[16:], 16, False, last=number)) is Discard.FRAGMENT_NESTED
    (sent,) = play.sent()
    assert (sent.kind, sent.message[1], struct.unpack("!I", sent.message[4:8])) == (4, 0, (6,))
    assert_nothing_is_left(play)


def test_hop_limit_is_that_of_the_first(play: Play) -> None:
    """RFC 8200 4.5: values of the offset zero fragment are used, whichever arrives last."""
    heard = play.ping()
    request = play.sent(128)[0].message
    reply = icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, 129, 0, request[4:] + bytes(8))
    play.receive(part(reply[:8], 0, True, hop_limit=33))
    play.receive(part(reply[8:], 8, False, hop_limit=44))
    assert [answer.hop_limit for answer in heard] == [33]


DIFFERENT = {
    "source": part(ECHO[8:], 8, False, source=OTHER),
    "identification": part(ECHO[8:], 8, False, identification=IDENTIFICATION ^ 1),
    "destination": part(ECHO[8:], 8, False, destination="ff02::1"),
}


@pytest.mark.parametrize("other", DIFFERENT.values(), ids=DIFFERENT)
def test_only_fragments_of_the_same_packet(play: Play, other: bytes) -> None:
    """RFC 8200 4.5: same source, destination and identification."""
    play.receive(part(ECHO[:8], 0, True))
    assert play.receive(other) is HELD
    assert play.sent() == []
    assert len(play.host.reassembler) == 2


def test_two_interfaces_do_not_mix(play: Play) -> None:
    """RFC 4007 6: a link-local address says nothing without its link."""
    second = play.host.attach("t1", OUR_MAC, index=4)
    second.start(play.now)
    play.run(play.now + 20)
    play.sent()
    play.receive(part(ECHO[:8], 0, True))
    assert play.host.receive(part(ECHO[8:], 8, False), play.now, second) is HELD
    assert play.sent(129) == []


def test_a_group(play: Play) -> None:
    """A packet to a group is reassembled like any other, and no error is sent about one (RFC 4443 2.4 e.3)."""
    message = icmp(PEER_LINK_LOCAL, "ff02::1", 128, 0, bytes(12))
    play.receive(part(message[:8], 0, True, destination="ff02::1"))
    assert play.receive(part(message[8:], 8, False, destination="ff02::1")) is Verdict.ANSWERED
    play.sent()
    play.receive(part(message[:8], 0, True, destination="ff02::1"))
    play.run(play.now + 61)
    assert play.sent(3) == []


# -- atomic fragments


def test_an_atomic_fragment_touches_no_reassembly(play: Play) -> None:
    """RFC 6946 4, RFC 8200 4.5: processed by itself, whatever else has its identification."""
    play.receive(part(ECHO[:8], 0, True))
    assert play.receive(part(echo(b"atomic!!"), 0, False)) is Verdict.ANSWERED
    assert_answered(play, b"atomic!!")
    assert play.receive(part(ECHO[8:], 8, False)) is Verdict.ANSWERED
    assert_answered(play, b"abcdefgh")


def test_an_atomic_fragment_of_a_packet_that_was_given_up(play: Play) -> None:
    """RFC 6946 4: an overlap does not concern it."""
    play.receive(part(ECHO[:8], 0, True))
    play.receive(part(bytes(16), 0, True))
    assert play.receive(part(echo(b"atomic!!"), 0, False)) is Verdict.ANSWERED


# -- overlap

OVERLAPS = {
    "the same octets, changed": (8, bytes(16), True),
    "one unit of the part before": (0, bytes(16), True),
    "one unit of the part behind": (16, bytes(16), True),
    "inside": (16, bytes(8), True),
    "around": (0, bytes(40), True),
    "the same start, longer": (8, bytes(24), True),
    "the same start, shorter": (8, bytes(8), True),
    "the same, but the last": (8, b"m" * 16, False),
}


@pytest.mark.parametrize(("start", "octets", "more"), OVERLAPS.values(), ids=OVERLAPS)
def test_overlap_discards_all_of_it(play: Play, start: int, octets: bytes, more: bool) -> None:
    """RFC 5722 4, RFC 8200 4.5: everything that came, everything to come, and no error, not even after the time."""
    play.receive(part(b"m" * 16, 8, True))
    assert play.receive(part(octets, start, more)) is Discard.FRAGMENT_OVERLAP
    for each in (part(ECHO[:8], 0, True), part(b"m" * 16, 8, True), part(bytes(8), 24, False)):
        assert play.receive(each) is Discard.FRAGMENT_OVERLAP
    play.run(play.now + 120)
    assert play.sent() == []
    assert_nothing_is_left(play)
    assert counters(play)["Ip6ReasmTimeout"] == 0


ENDS = {
    "another end": [(16, 8, False), (24, 4, False)],
    "a part behind the end": [(16, 8, False), (24, 8, True)],
    "an end before a part": [(24, 8, True), (16, 4, False)],
    "not the last at the end": [(16, 8, False), (16, 8, True)],
}


@pytest.mark.parametrize("parts", ENDS.values(), ids=ENDS)
def test_parts_that_disagree_about_the_end(play: Play, parts: list[tuple[int, int, bool]]) -> None:
    """A packet of two lengths cannot be made: it goes like one whose fragments overlap."""
    (start, length, more), second = parts
    assert play.receive(part(bytes(length), start, more)) is HELD
    start, length, more = second
    assert play.receive(part(bytes(length), start, more)) is Discard.FRAGMENT_OVERLAP
    assert play.receive(part(ECHO[:16], 0, True)) is Discard.FRAGMENT_OVERLAP


def test_overlap_is_remembered_for_the_rest_of_the_time(play: Play) -> None:
    """RFC 5722 4: 60 seconds from the first fragment; then the identification may come again."""
    started = play.now
    play.receive(part(ECHO[:8], 0, True))
    play.run(started + 30)
    play.receive(part(bytes(8), 0, True))
    play.run(started + 59.9)
    assert play.receive(part(ECHO[:8], 0, True)) is Discard.FRAGMENT_OVERLAP
    play.run(started + 60.1)
    assert play.receive(part(ECHO[:8], 0, True)) is HELD
    assert play.receive(part(ECHO[8:], 8, False)) is Verdict.ANSWERED


def test_a_malformed_fragment_of_a_packet_that_was_given_up(play: Play) -> None:
    """RFC 5722 4: silently, what is still to come too."""
    play.receive(part(ECHO[:8], 0, True))
    play.receive(part(bytes(8), 0, True))
    assert play.receive(part(bytes(9), 8, True)) is Discard.FRAGMENT_OVERLAP
    assert play.sent() == []


# -- errors

HOP = options(0, "0104 00000000")
BEFORE: dict[str, tuple[Header, ...]] = {"alone": (), "behind options": (HOP, options(DESTINATION, "010c" + "00" * 12))}


@pytest.mark.parametrize("before", BEFORE.values(), ids=BEFORE)
@pytest.mark.parametrize("length", [1, 7, 9, 15])
@pytest.mark.parametrize("start", [0, 8])
def test_unaligned(play: Play, before: tuple[Header, ...], length: int, start: int) -> None:
    """RFC 8200 4.5: M set and no multiple of 8 octets: discarded, code 0 at the payload length."""
    octets = part(echo(bytes(8))[:length], start, True, before=before)
    assert play.receive(octets) is Discard.FRAGMENT_UNALIGNED
    assert_problem(play, octets, 0, 4)
    assert_nothing_is_left(play)


@pytest.mark.parametrize("before", BEFORE.values(), ids=BEFORE)
def test_too_long(play: Play, before: tuple[Header, ...]) -> None:
    """RFC 8200 4.5: a payload above 65,535 octets: discarded, code 0 at the fragment offset field; not one below."""
    headers = sum(len(header.rest) + 1 for header in before)
    room = 65_535 - headers
    start = room // 8 * 8
    octets = part(bytes(room - start + 1), start, False, before=before)
    assert play.receive(octets) is Discard.FRAGMENT_TOO_LONG
    assert_problem(play, octets, 0, 40 + headers + 2)
    assert play.receive(part(bytes(room - start), start, False, before=before)) is HELD


def test_too_long_with_the_headers_of_the_first(play: Play) -> None:
    """RFC 8200 4.5: they are those of the reassembled packet, whichever fragment comes first."""
    wide = options(DESTINATION, "01fe" + "00" * 254)
    first, last = part(ECHO[:8], 0, True, before=(wide,)), part(bytes(7), 65_528, False)
    assert play.receive(first) is HELD
    assert play.receive(last) is Discard.FRAGMENT_TOO_LONG
    assert_problem(play, last, 0, 42)
    play = Play().start().meet()
    assert play.receive(last) is HELD
    assert play.receive(first) is Discard.FRAGMENT_TOO_LONG
    assert_problem(play, first, 0, 40 + len(wide.rest) + 1 + 2)


@pytest.mark.parametrize("start", [8, 65_528])
def test_a_part_without_octets(play: Play, start: int) -> None:
    """It says nothing of the packet, and holds no room."""
    assert play.receive(part(b"", start, True)) is Discard.FRAGMENT_EMPTY
    assert play.receive(part(b"", start, False)) is Discard.FRAGMENT_EMPTY
    assert_nothing_is_left(play)


WIDE = options(DESTINATION, "010c" + "00" * 12)
INCOMPLETE = {
    "nothing behind the fragment header": (ICMPV6, b""),
    "ICMPv6 named by options that end the fragment": (DESTINATION, bytes((ICMPV6,)) + WIDE.rest),
    "options cut in the middle": (DESTINATION, bytes((ICMPV6,)) + WIDE.rest[:7]),
    "TCP, half a header": (TCP, bytes(16)),
    "UDP behind options": (DESTINATION, bytes((UDP,)) + WIDE.rest),
    "unknown protocol, not an octet": (DESTINATION, bytes((253,)) + WIDE.rest),
    "routing header cut": (43, bytes((ICMPV6, 2)) + bytes(6)),
    "second fragment header cut off": (FRAGMENT, b""),
}


@pytest.mark.parametrize("before", BEFORE.values(), ids=BEFORE)
@pytest.mark.parametrize(("last", "octets"), INCOMPLETE.values(), ids=INCOMPLETE)
def test_incomplete_header_chain(play: Play, last: int, octets: bytes, before: tuple[Header, ...]) -> None:
    """RFC 7112 5, RFC 8200 4.5: the first fragment is discarded; code 3, pointer 0."""
    sent = part(octets, 0, True, last=last, before=before)
    assert play.receive(sent) is Discard.FRAGMENT_HEADERS
    assert_problem(play, sent, 3, 0)
    assert_nothing_is_left(play)


def test_hop_by_hop_options_in_the_fragmentable_part(play: Play) -> None:
    """RFC 8200 4: a next header of 0 in any header but the IPv6 header is unrecognised, in a fragment header too."""
    octets = part(bytes((ICMPV6,)) + HOP.rest + ECHO, 0, True, last=0)
    assert play.receive(octets) is Discard.HOP_BY_HOP_NOT_FIRST
    assert_problem(play, octets, 1, 40)
    assert_nothing_is_left(play)


COMPLETE = {
    "ICMPv6": (ICMPV6, bytes(8)),
    "UDP": (UDP, bytes(8)),
    "TCP": (TCP, bytes(24)),
    "unknown protocol": (253, bytes(8)),
    "no next header": (NOTHING, bytes(8)),
    "no next header behind options": (DESTINATION, bytes((NOTHING,)) + WIDE.rest),
    "ICMPv6 behind options": (DESTINATION, bytes((ICMPV6,)) + WIDE.rest + bytes(8)),
}


@pytest.mark.parametrize(("last", "octets"), COMPLETE.values(), ids=COMPLETE)
def test_complete_header_chain(play: Play, last: int, octets: bytes) -> None:
    """RFC 7112 3: what the chain ends with, for ICMPv6 its first 4 octets."""
    assert play.receive(part(octets, 0, True, last=last)) is HELD
    assert play.sent() == []


def test_only_the_first_fragment_needs_the_chain(play: Play) -> None:
    """RFC 8200 4.5: no header follows in the others."""
    assert play.receive(part(b"\x3a" * 8, 8, True, last=DESTINATION)) is HELD


# -- the time


def test_time_exceeded_if_the_first_fragment_came(play: Play) -> None:
    """RFC 8200 4.5, RFC 4443 3.3: after 60 seconds from the fragment that came first; it quotes that of offset 0."""
    started = play.now
    play.receive(part(bytes(8), 8, True))
    play.run(started + 20)
    octets = part(ECHO[:8], 0, True)
    play.receive(octets)
    play.meet()
    play.run(started + 59.9)
    assert play.sent(3) == []
    play.run(started + 60.1)
    (sent,) = play.sent(3)
    assert sent.message[1] == 1
    assert sent.message[4:8] == bytes(4)
    assert sent.message[8:] == octets[14:]
    assert (sent.source, sent.destination) == (OUR_LINK_LOCAL, PEER_LINK_LOCAL)
    assert counters(play)["Ip6ReasmTimeout"] == counters(play)["Ip6ReasmFails"] == 1
    assert_nothing_is_left(play)


def test_silence_if_it_did_not(play: Play) -> None:
    """RFC 8200 4.5: only if the first fragment has been received."""
    play.receive(part(bytes(8), 8, True))
    play.receive(part(bytes(8), 16, False))
    play.run(play.now + 61)
    assert play.sent(3) == []
    assert counters(play)["Ip6ReasmTimeout"] == 1


def test_the_time_is_a_setting() -> None:
    play = Play(ip6frag_time=5).start().meet()
    play.receive(part(ECHO[:8], 0, True))
    play.run(play.now + 5.1)
    assert len(play.sent(3)) == 1


def test_a_later_fragment_does_not_add_time(play: Play) -> None:
    """RFC 8200 4.5: of the first-arriving fragment."""
    started = play.now
    play.receive(part(ECHO[:8], 0, True))
    play.run(started + 59)
    play.receive(part(bytes(8), 16, False))
    play.run(started + 61)
    assert_nothing_is_left(play)


def test_nothing_is_owed_once_it_is_whole(play: Play) -> None:
    """The timer goes with the packet."""
    play.receive(part(ECHO[:8], 0, True))
    play.receive(part(ECHO[8:], 8, False))
    play.run(play.now + 120)
    assert play.sent(3) == []


def test_an_interface_that_goes_down_forgets(play: Play) -> None:
    """What was learnt of the link goes with it; no error follows."""
    play.receive(part(ECHO[:8], 0, True))
    play.interface.stop(play.now)
    assert_nothing_is_left(play)
    play.run(play.now + 61)
    assert play.sent() == []


# -- who is not served


@pytest.mark.parametrize("kind", ["solicitation", "advertisement", "router solicitation"])
def test_neighbour_discovery_is_never_fragmented(play: Play, kind: str) -> None:
    """RFC 6980 5: silently ignored, also when it was made of fragments."""
    message = solicitation(OUR_LINK_LOCAL)[54:]
    kinds = {"solicitation": 135, "advertisement": 136, "router solicitation": 133}
    message = icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, kinds[kind], 0, message[4:])
    assert play.receive(part(message[:16], 0, True, hop_limit=255)) is Discard.ND_FRAGMENTED
    play.receive(part(message[16:], 16, False, hop_limit=255))
    play.run(play.now + 61)
    assert play.sent() == []


@pytest.mark.parametrize(
    ("source", "reason"),
    [("::", Discard.SOURCE_UNSPECIFIED), (OUR_LINK_LOCAL, Discard.SOURCE_OURS)],
    ids=["unspecified", "ours"],
)
def test_sources_that_nobody_answers(play: Play, source: str, reason: Outcome) -> None:
    """RFC 4291 2.5.2, RFC 4862 5.4.3: such a fragment holds no room."""
    assert play.receive(part(ECHO[:8], 0, True, source=source)) is reason
    assert_nothing_is_left(play)


# -- bounds


def flood(play: Play, count: int, *, sources: int, size: int = 8, first: int = 0) -> None:
    for number in range(first, first + count):
        source = f"fe80::bad:{number % sources:x}"
        play.receive(part(bytes(size), 8, True, source=source, identification=number))


def test_one_source_makes_room_with_its_own(play: Play) -> None:
    """Whoever floods loses what it brought; a packet of another source that began before comes whole."""
    play.receive(part(ECHO[:8], 0, True))
    flood(play, 5_000, sources=1)
    assert len(play.host.reassembler) == 65
    assert play.receive(part(ECHO[8:], 8, False)) is Verdict.ANSWERED
    assert play.host.counters.limits["max_reassemblies_source"] == 5_000 - 64


def test_one_source_has_half_of_the_memory() -> None:
    play = Play(ip6frag_high_thresh=64_000).start().meet()
    play.receive(part(ECHO[:8], 0, True))
    flood(play, 200, sources=1, size=1_024)
    assert play.host.reassembler.cost <= 34_000
    assert play.host.counters.limits["ip6frag_high_thresh"] > 100
    assert play.receive(part(ECHO[8:], 8, False)) is Verdict.ANSWERED


@pytest.mark.parametrize("limit", [{"ip6frag_high_thresh": 64_000}, {"max_reassemblies": 40}], ids=str)
def test_many_sources(limit: dict[str, int]) -> None:
    """The bound holds, and a new packet always finds room: what has not grown for longest goes first."""
    play = Play(**limit).start().meet()
    for _ in range(20):
        flood(play, 100, sources=100)
        reassembler = play.host.reassembler
        assert reassembler.cost <= play.host.settings.ip6frag_high_thresh
        assert len(reassembler) <= play.host.settings.max_reassemblies
        play.receive(part(ECHO[:8], 0, True))
        flood(play, 30, sources=30)
        assert play.receive(part(ECHO[8:], 8, False)) is Verdict.ANSWERED
        play.sent()


@pytest.mark.parametrize("limit", ["max_reassemblies", "max_reassemblies_source"])
def test_what_grows_is_kept(limit: str) -> None:
    """A packet that goes on arriving is not the one that goes, however old it is; duplicates are no growth."""
    play = Play(**{limit: 10}).start().meet()

    def others(number: int) -> None:
        for each in range(5 * number, 5 * number + 5):
            source = PEER_LINK_LOCAL if limit == "max_reassemblies_source" else f"fe80::bad:{each:x}"
            play.receive(part(bytes(8), 8, True, source=source, identification=each))

    parts = cut(echo(bytes(400)), 8)
    for number, octets in enumerate(parts[:-1]):
        play.receive(octets)
        others(number)
    assert play.receive(parts[-1]) is Verdict.ANSWERED
    for number in (100, 101, 102):
        play.receive(parts[0] if number < 102 else parts[1])
        others(number)
    assert play.host.counters.limits[limit] > 0
    assert not any(each.first for each in play.host.reassembler.packets.values())


def test_small_parts_cost_more_than_their_octets(play: Play) -> None:
    """What is counted is about what is used: the smallest parts are not a way around the bound."""
    for each in cut(echo(bytes(792)), 8)[1:]:
        play.receive(each)
    assert play.host.reassembler.cost > 99 * (8 + 100)


@pytest.mark.parametrize("setting", ["ip6frag_high_thresh", "max_reassemblies", "max_reassemblies_source"])
def test_none_at_all(setting: str) -> None:
    play = Play(**{setting: 0}).start().meet()
    assert play.receive(part(ECHO[:8], 0, True)) is Discard.FRAGMENT_NO_ROOM
    assert_nothing_is_left(play)
    assert play.host.counters.limits == {setting: 1}
    assert play.receive(part(ECHO, 0, False)) is Verdict.ANSWERED


def test_a_host_in_the_middle_of_it_can_be_copied(play: Play) -> None:
    """Host state is plain data."""
    play.receive(part(ECHO[:8], 0, True))
    play.interface.program = None
    play.host.listeners.clear()
    for host in (copy.deepcopy(play.host), pickle.loads(pickle.dumps(play.host))):
        assert host.receive(part(ECHO[8:], 8, False), play.now) is Verdict.ANSWERED
        assert host.next_deadline() is not None


def test_the_journal_tells_of_a_fragment_that_is_held(play: Play) -> None:
    records: list[Record] = []
    play.host.journal.listen(records.append)
    play.receive(part(ECHO[:8], 0, True))
    assert "fragment held: 8 octets from octet 0, of packet 0a0b0c0d" in [record.what for record in records]


# -- congestion (RFC 3168 5.3)

NOT_ECT, ECT_1, ECT_0, CE = range(4)


def with_class(octets: tuple[int, ...], order: tuple[int, ...] = (0, 1, 2)) -> tuple[list[Outcome], list[int]]:
    """A datagram in fragments with these traffic classes: what became of each, and the class a socket is told."""
    play = Play().start().meet()
    sock = play.host.udp.open()
    sock.bind(None, 9)
    datagram = struct.pack("!HHHH", 9, 9, 32, 0) + b"m" * 24
    datagram = (
        datagram[:6]
        + struct.pack("!H", checksum(ip(PEER_LINK_LOCAL), ip(OUR_LINK_LOCAL), UDP, datagram))
        + datagram[8:]
    )
    cuts = [datagram[:8], datagram[8:16], datagram[16:]]
    outcomes = [
        play.receive(part(cuts[at], 8 * at, at < 2, last=UDP, traffic_class=octets[at])) for at in order[: len(octets)]
    ]
    received = sock.receive()
    if received is None or Discard.FRAGMENT_ECN in outcomes:
        play.run(play.now + 61)
        assert play.sent() == []
    assert_nothing_is_left(play)
    return outcomes, [] if received is None else [received.traffic_class]


CONGESTED = {
    "the first": (CE, ECT_0, ECT_0),
    "the middle": (ECT_0, CE, ECT_0),
    "the last": (ECT_1, ECT_1, CE),
    "one, of both codepoints": (ECT_1, ECT_0, CE),
    "all": (CE, CE, CE),
}


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
@pytest.mark.parametrize("codepoints", CONGESTED.values(), ids=CONGESTED)
def test_congestion_of_a_fragment_is_that_of_the_packet(codepoints: tuple[int, ...], order: tuple[int, ...]) -> None:
    """RFC 3168 5.3: reassembly does not lose indications of congestion. The other six bits are the first's."""
    octets = (0xB8 | codepoints[0], *codepoints[1:])
    outcomes, classes = with_class(octets, order)
    assert outcomes == [HELD] * 3
    assert classes == [0xB8 | CE]


@pytest.mark.parametrize("codepoint", [NOT_ECT, ECT_1, ECT_0, CE])
def test_a_codepoint_that_all_fragments_have_stays(codepoint: int) -> None:
    """RFC 3168 5.3: reassembly does not change it."""
    assert with_class((codepoint,) * 3) == ([HELD] * 3, [codepoint])


@pytest.mark.parametrize("codepoints", [(ECT_0, ECT_1, ECT_1), (ECT_1, ECT_0, ECT_1), (ECT_0, NOT_ECT, ECT_0)])
def test_other_codepoints_are_those_of_the_first(codepoints: tuple[int, ...]) -> None:
    """RFC 3168 5.3 leaves the choice where nobody says congestion; RFC 8200 4.5: what varies is the first's."""
    assert with_class(codepoints) == ([HELD] * 3, [codepoints[0]])


@pytest.mark.parametrize("codepoints", [(CE, NOT_ECT, CE), (NOT_ECT, CE, NOT_ECT), (NOT_ECT, CE, ECT_0)])
def test_congestion_of_a_packet_that_is_not_capable_of_it(codepoints: tuple[int, ...]) -> None:
    """RFC 3168 5.3: CE must not be set if another fragment has Not-ECT, nor be lost: the packet is dropped."""
    outcomes, classes = with_class(codepoints)
    assert outcomes == [HELD, Discard.FRAGMENT_ECN, Discard.FRAGMENT_ECN]
    assert classes == []


def test_a_repeated_fragment_says_nothing_of_congestion() -> None:
    """RFC 3168 5.3 speaks of the fragments that the packet is made of."""
    play = Play().start().meet()
    assert play.receive(part(ECHO[:8], 0, True)) is HELD
    assert play.receive(part(ECHO[:8], 0, True, traffic_class=CE)) is Discard.FRAGMENT_DUPLICATE
    assert play.receive(part(ECHO[8:], 8, False)) is Verdict.ANSWERED
