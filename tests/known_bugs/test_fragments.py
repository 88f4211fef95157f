"""What broke the reassembly of other stacks."""

import struct

import pytest

from stack.discard import Discard, Verdict
from tests.known_bugs.rows import discarded, row, still_answers
from tests.playbook import (
    OUR_LINK_LOCAL,
    PEER_LINK_LOCAL,
    Header,
    Play,
    chain,
    fragment,
    frame,
    icmp,
    options,
    packet,
    routing,
)

ECHO = icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, 128, 0, b"\0\7\0\1" + bytes(range(120)))


def host(**settings: int | str) -> Play:
    return Play(**settings).start().meet()


def piece(
    offset: int,
    data: bytes,
    more: bool,
    *before: Header,
    identification: int = 7,
    source: str = PEER_LINK_LOCAL,
    last: int = 58,
    behind: tuple[Header, ...] = (),
) -> bytes:
    """A frame with a fragment; `offset` in octets, `before` the unfragmentable headers."""
    header = fragment(offset // 8, more, identification=identification)
    first, octets = chain([*before, header, *behind], last, data)
    return frame(packet(source, OUR_LINK_LOCAL, octets, next_header=first, hop_limit=64))


def reassembling(play: Play) -> int:
    return len(play.host.reassembler.packets)


@row(
    "an echo request of many thousand octets in fragments",
    "put together, and answered in fragments with the same octets",
)
def test_a_large_echo_request() -> None:
    play = host()
    message = icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, 128, 0, b"\0\7\0\1" + bytes(20_000))
    outcomes = [
        play.receive(piece(at, message[at : at + 1440], at + 1440 < len(message)))
        for at in range(0, len(message), 1440)
    ]
    assert outcomes[-1] is Verdict.ANSWERED
    sent = play.sent()
    assert all(each.packet[6] == 44 for each in sent)
    assert sum(len(each.packet) - 48 for each in sent) == len(message)


@row(
    "an unfragmentable part of thousands of octets before the fragment header",
    "limits on headers hold there as well; no room is taken for it",
)
def test_a_large_unfragmentable_part() -> None:
    play = host()
    for headers in ([options(60, "0100")] * 12, [options(60, "1e00" * 500)]):
        assert play.receive(piece(0, ECHO[:64], True, *headers)) is Discard.HEADER_CHAIN_TOO_LONG
    assert reassembling(play) == 0


@row("a fragment header inside of a fragmented packet", "refused: no reassembly from within a reassembly")
def test_nested_fragments() -> None:
    play = host()
    inner = chain([fragment(0, True, identification=9)], 58, ECHO[:64])
    play.receive(piece(0, inner[1] + bytes(-len(inner[1]) % 8), True, last=inner[0]))
    play.receive(piece(72, bytes(8), False))
    assert reassembling(play) <= 1
    assert play.sent(129) == []
    still_answers(play)


@row("two fragment headers in one packet, atomic or not", "discarded, or each passed over; never a loop")
def test_two_fragment_headers() -> None:
    play = host()
    for headers in ([fragment(), fragment()], [fragment(), fragment(1, True)], [fragment(1, True), fragment()]):
        first, octets = chain(headers, 58, ECHO)
        outcome = play.receive(frame(packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, octets, next_header=first)))
        assert isinstance(outcome, Discard | Verdict)
    still_answers(play)


@row("ESP inside of fragments", "the whole is an unknown next header: reported, nothing decrypted")
def test_esp_in_fragments() -> None:
    play = host()
    play.receive(piece(0, bytes(64), True, last=50))
    assert play.receive(piece(64, bytes(64), False, last=50)) is Discard.UNKNOWN_NEXT_HEADER
    assert [each.message[1] for each in play.sent(4)] == [1]


@row("fragments that together pass 65,535 octets", "discarded, and reported at the fragment offset")
@pytest.mark.parametrize("offset", [65_528, 65_480])
def test_a_packet_beyond_65535_octets(offset: int) -> None:
    play = host()
    assert play.receive(piece(offset, bytes(64), False)) is Discard.FRAGMENT_TOO_LONG
    (told,) = play.sent(4)
    # RFC 8200 4.5: code 0, at the fragment offset.
    assert (told.message[1], told.message[4:8]) == (0, (42).to_bytes(4, "big"))
    assert reassembling(play) == 0


@row("thousands of small fragments, in the worst order", "bounded in packets and octets, work nearly constant for each")
def test_many_small_fragments_out_of_order() -> None:
    import sys

    def steps(count: int) -> int:
        play = host()
        frames = [piece(8 * n, bytes(8), True) for n in reversed(range(1, count))]
        counted = 0

        def count_one(*_: object) -> None:
            nonlocal counted
            counted += 1

        sys.setprofile(count_one)
        try:
            for each in frames:
                play.host.receive(each, play.now)
        finally:
            sys.setprofile(None)
        assert play.host.reassembler.cost <= play.host.settings.ip6frag_high_thresh
        return counted

    assert steps(1600) < 8.8 * steps(200)


@row(
    "incomplete packets without end, from one source and from many",
    "bounded by number, source and octets; the host lives",
)
def test_floods_of_incomplete_packets() -> None:
    play = host(ip6frag_high_thresh=100_000)
    for number in range(2_000):
        source = PEER_LINK_LOCAL if number % 2 else f"fe80::5:{number:x}"
        play.receive(piece(0, ECHO[:64], True, identification=number, source=source))
    settings = play.host.settings
    assert play.host.reassembler.cost <= settings.ip6frag_high_thresh
    assert reassembling(play) <= settings.max_reassemblies
    still_answers(play)


@row("later fragments with other extension headers than the first", "the headers of the first count")
def test_the_headers_of_the_first_fragment_count() -> None:
    play = host()
    play.receive(piece(64, ECHO[64:], False, options(60, "0100")))
    assert play.receive(piece(0, ECHO[:64], True)) is Verdict.ANSWERED
    assert play.sent(129)[0].message[4:] == ECHO[4:]


@row("later fragments that name another next header than the first", "that of the first counts")
def test_the_next_header_of_the_first_fragment_counts() -> None:
    play = host()
    play.receive(piece(0, ECHO[:64], True))
    assert play.receive(piece(64, ECHO[64:], False, last=17)) is Verdict.ANSWERED


@row("a fragment that is not the last, of no multiple of 8 octets", "discarded, and reported at the payload length")
@pytest.mark.parametrize("length", [1, 7, 63])
def test_an_odd_fragment(length: int) -> None:
    play = host()
    assert play.receive(piece(0, ECHO[:length], True)) is Discard.FRAGMENT_UNALIGNED
    assert [each.message[4:8] for each in play.sent(4)] == [(4).to_bytes(4, "big")]


@row("an incomplete packet whose first fragment came, 60 s later", "time exceeded, with the first fragment in it")
def test_a_timeout_with_the_first_fragment() -> None:
    play = host()
    octets = piece(0, ECHO[:64], True)
    play.receive(octets)
    play.run(play.now + 61)
    (told,) = [each for each in play.sent() if each.packet[6] == 58 and each.message[0] == 3]
    assert told.message[1] == 1
    assert told.message[8:] == octets[14:]
    assert reassembling(play) == 0


@row("an incomplete packet whose first fragment never came", "forgotten in silence after 60 s")
def test_a_timeout_without_the_first_fragment() -> None:
    play = host()
    play.receive(piece(64, ECHO[64:], False))
    play.run(play.now + 61)
    assert [each for each in play.sent() if each.packet[6] == 58 and each.message[0] == 3] == []
    assert reassembling(play) == 0


@row("fragments with a hole that is never filled", "nothing is delivered before every octet is there")
def test_a_hole() -> None:
    play = host()
    play.receive(piece(0, ECHO[:48], True))
    assert play.receive(piece(64, ECHO[64:], False)) is Verdict.DELIVERED
    assert play.sent(129) == []
    assert play.receive(piece(48, ECHO[48:64], True)) is Verdict.ANSWERED


@row("an interface that goes down amid a reassembly", "what has arrived is forgotten; no timer of it is left")
def test_going_down_during_reassembly() -> None:
    play = host()
    play.receive(piece(0, ECHO[:64], True))
    play.interface.stop(play.now)
    assert reassembling(play) == 0
    play.run(play.now + 100)
    play.start(play.now + 20)
    still_answers(play)


@row("fragments of equal identification from two sources", "kept apart: the key holds source and destination")
def test_two_sources_with_one_identification() -> None:
    play = host()
    play.receive(piece(0, ECHO[:64], True))
    assert play.receive(piece(64, ECHO[64:], False, source="fe80::9")) is Verdict.DELIVERED
    assert play.sent(129) == []
    assert reassembling(play) == 2


@row("fragments that overlap", "all of the packet goes, in silence, with what is still to come")
@pytest.mark.parametrize("offset", [8, 56])
def test_overlaps(offset: int) -> None:
    play = host()
    play.receive(piece(0, ECHO[:64], True))
    assert play.receive(piece(offset, bytes(64), True)) is Discard.FRAGMENT_OVERLAP
    assert play.receive(piece(64, ECHO[64:], False)) is Discard.FRAGMENT_OVERLAP
    play.run(play.now + 61)
    assert [each for each in play.sent() if each.packet[6] == 58 and each.message[0] in (3, 129)] == []


@row("the same fragment twice", "the second is ignored, and the packet is put together")
def test_a_fragment_twice() -> None:
    play = host()
    play.receive(piece(0, ECHO[:64], True))
    discarded(play, piece(0, ECHO[:64], True), Discard.FRAGMENT_DUPLICATE)
    assert play.receive(piece(64, ECHO[64:], False)) is Verdict.ANSWERED


@row("a first fragment without the upper layer's header", "discarded, and reported with code 3")
def test_a_first_fragment_without_all_headers() -> None:
    play = host()
    assert play.receive(piece(0, b"\x3a\0\1\4\0\0\0\0", True, last=60)) is Discard.FRAGMENT_HEADERS
    assert [each.message[1] for each in play.sent(4)] == [3]


@row("a fragment without an octet of data", "discarded; it completes nothing")
def test_an_empty_fragment() -> None:
    play = host()
    play.receive(piece(0, ECHO[:64], True))
    discarded(play, piece(64, b"", False), Discard.FRAGMENT_EMPTY)


@row("an atomic fragment amid a reassembly of the same identification", "whole by itself: it touches no reassembly")
def test_an_atomic_fragment_amid_a_reassembly() -> None:
    play = host()
    play.receive(piece(0, ECHO[:64], True))
    assert play.receive(piece(0, ECHO, False)) is Verdict.ANSWERED
    assert play.receive(piece(64, ECHO[64:], False)) is Verdict.ANSWERED


@row("two fragments that disagree about where the packet ends", "all of the packet goes")
def test_two_ends() -> None:
    play = host()
    play.receive(piece(64, ECHO[64:], False))
    assert play.receive(piece(32, ECHO[32:48], False)) is Discard.FRAGMENT_OVERLAP


@row("a routing header with segments left, then a fragment", "discarded at the routing header")
def test_a_routing_header_before_a_fragment() -> None:
    play = host()
    assert play.receive(piece(0, ECHO[:64], True, routing(0, 1))) is Discard.ROUTING_HEADER
    assert reassembling(play) == 0


@row("a UDP datagram in fragments whose length does not fit", "put together, then discarded by its own length")
def test_a_datagram_in_fragments_with_a_wrong_length() -> None:
    play = host()
    datagram = struct.pack("!HHHH", 9, 9, 500, 0x1234) + bytes(120)
    play.receive(piece(0, datagram[:64], True, last=17))
    assert play.receive(piece(64, datagram[64:], False, last=17)) is Discard.UDP_LENGTH
    assert reassembling(play) == 0


@row("fragments of one packet, one with a congestion mark and one that knows of none", "all of the packet goes")
def test_congestion_on_some_of_the_fragments() -> None:
    play = host()
    marked = bytearray(piece(0, ECHO[:64], True))
    marked[15] |= 0x30
    play.receive(bytes(marked))
    assert play.receive(piece(64, ECHO[64:], False)) is Discard.FRAGMENT_ECN
    assert play.sent() == []
