"""What broke the ICMPv6 of other stacks: echo, errors and the packets that errors quote."""

import struct

import pytest

from stack.discard import Discard, Verdict
from tests.known_bugs.rows import discarded, row, still_answers
from tests.playbook import (
    OUR_LINK_LOCAL,
    PEER_LINK_LOCAL,
    Play,
    chain,
    echo_request,
    frame,
    icmp,
    ip,
    options,
    packet,
    routing,
)
from tests.udp.common import datagram


def host(**settings: int | str) -> Play:
    return Play(**settings).start().meet()


def error(kind: int, quoted: bytes, *, code: int = 0, parameter: int = 0) -> bytes:
    message = icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, kind, code, struct.pack("!I", parameter) + quoted)
    return frame(packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, message))


def from_us(payload: bytes, next_header: int = 58) -> bytes:
    return packet(OUR_LINK_LOCAL, PEER_LINK_LOCAL, payload, next_header=next_header)


@row("an echo request of 4 to 7 octets", "discarded: the length is looked at first")
@pytest.mark.parametrize("length", [4, 5, 7])
def test_an_echo_request_without_its_header(length: int) -> None:
    message = icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, 128, 0, bytes(length - 4))
    discarded(host(), frame(packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, message)), Discard.ICMP_TRUNCATED)


@row("an ICMPv6 message of 0 to 3 octets", "discarded")
@pytest.mark.parametrize("length", [0, 1, 3])
def test_a_message_without_a_header(length: int) -> None:
    octets = frame(packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, b"\x80\0\0"[:length]))
    discarded(host(), octets, Discard.ICMP_TRUNCATED)


@row("a payload length that is more than the frame holds", "discarded before any checksum")
@pytest.mark.parametrize("more", [1, 8, 40, 60_000])
def test_a_payload_length_beyond_the_frame(more: int) -> None:
    message = icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, 128, 0, bytes(12))
    octets = frame(packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, message, length=len(message) + more))
    discarded(host(), octets, Discard.TRUNCATED)


@row("octets behind the packet: padding or a trailer", "cut off: neither summed nor answered")
def test_octets_behind_the_packet() -> None:
    play = host()
    assert play.receive(echo_request(data=b"data") + b"trailer" * 9) is Verdict.ANSWERED
    (answer,) = play.sent(129)
    assert answer.message[8:] == b"data"


@row(
    "an error that quotes a packet with routing and options headers",
    "the quote is walked with bounds, and nothing of it is kept",
)
def test_an_error_that_quotes_extension_headers() -> None:
    play = host()
    for headers in ([routing(0, 1)], [options(0, "c2040000ffff")], [options(60, "1e04"), routing(4, 9)]):
        first, octets = chain(headers, 17, bytes(8))
        for cut in (8, 9, 20, len(octets)):
            quoted = from_us(octets[:cut], first)
            assert isinstance(play.receive(error(1, quoted, code=4)), Discard)
    crooked = from_us(b"\x3a\xff" + bytes(6), 60)
    discarded(play, error(4, crooked, parameter=0xFFFFFFFF), Discard.ICMP_ERROR_UNCLAIMED)


@row("an error that quotes 0 to 47 octets", "discarded, at every length")
def test_an_error_with_a_short_quote() -> None:
    play = host()
    quoted = from_us(bytes(8))
    for length in range(len(quoted)):
        for kind in (1, 2, 3, 4, 99):
            assert isinstance(play.receive(error(kind, quoted[:length])), Discard)
    still_answers(play)


@row("an error about a packet that we never sent", "discarded: no socket, no ping, no path is told")
@pytest.mark.parametrize("kind", [1, 2, 3, 4])
def test_an_error_about_nothing_of_ours(kind: int) -> None:
    quoted = packet(PEER_LINK_LOCAL, "2001:db8::1", bytes(16))
    discarded(host(), error(kind, quoted, parameter=1280), Discard.ICMP_ERROR_UNCLAIMED)


@row("packet too big with an MTU of 0 to 1279", "packets stay at 1280 or more; no atomic fragment is sent")
@pytest.mark.parametrize("mtu", [0, 1, 48, 68, 1279])
def test_packet_too_big_below_the_minimum(mtu: int) -> None:
    play = host()
    play.ping()
    (request,) = play.sent(128)
    play.receive(error(2, request.packet, parameter=mtu))
    play.ping()
    assert [each.packet[6] for each in play.sent() if each.packet[6] in (44, 58)].count(44) == 0
    assert play.interface.mtu == 1500


def unknown(
    size: int = 8, *, source: str = PEER_LINK_LOCAL, to: bytes | None = None, dst: str = OUR_LINK_LOCAL
) -> bytes:
    """A packet whose next header is unknown, so that an error is due about it."""
    return frame(packet(source, dst, bytes(size), next_header=253, hop_limit=64), to=to)


@row(
    "a wrong packet of 1500 octets, about which an error is due", "the error quotes what fits 1280 octets, and no more"
)
@pytest.mark.parametrize("size", [8, 1190, 1191, 1192, 1193, 1300, 1460])
def test_the_quote_of_an_error_fits(size: int) -> None:
    play = host()
    octets = unknown(size)
    play.receive(octets)
    (told,) = play.sent(4)
    assert told.packet[48:] == octets[14:][: 1280 - 48]
    assert told.checksum_is_right()


@row("a wrong packet from ::", "nothing is sent to ::")
def test_no_error_to_the_unspecified_address() -> None:
    play = host()
    play.receive(unknown(source="::"))
    play.receive(frame(packet("::", OUR_LINK_LOCAL, icmp("::", OUR_LINK_LOCAL, 128, 0, bytes(4)))))
    assert play.sent() == []


@row("a wrong packet from a group's address", "discarded; nothing is sent to a group")
def test_no_error_to_a_group() -> None:
    discarded(host(), unknown(source="ff02::1"), Discard.SOURCE_MULTICAST)


@row(
    "an error about bad extension headers, asked for by them",
    "built from scratch: no length of the packet is used again",
)
def test_an_error_about_headers_is_built_from_scratch() -> None:
    play = host()
    first, octets = chain([options(60, "c1ff" + "00" * 20)], 17, bytes(8))
    play.receive(frame(packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, octets, next_header=first)))
    (told,) = play.sent(4)
    assert int.from_bytes(told.packet[4:6], "big") == len(told.packet) - 40
    assert told.packet[6] == 58
    assert told.checksum_is_right()


@row("hundreds of datagrams to closed ports", "a burst of 10 errors, then 10 a second (icmp_ratelimit)")
def test_errors_are_limited() -> None:
    play = host()
    for _ in range(300):
        play.receive(datagram(b"x", port=9))
    assert len(play.sent(1)) == 10
    play.run(play.now + 1.0)
    for _ in range(300):
        play.receive(datagram(b"x", port=9))
    assert len(play.sent(1)) == 10


@row("an error, or a redirect, with something wrong about it", "no error about an error")
@pytest.mark.parametrize("kind", [1, 2, 3, 4, 99, 127, 137])
def test_no_error_about_an_error(kind: int) -> None:
    first, octets = chain([options(60, "c100")], 58, icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, kind, 0, bytes(44)))
    play = host()
    play.receive(frame(packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, octets, next_header=first)))
    assert play.sent() == []


@row("a unicast packet with something wrong about it, in a multicast frame", "no error: a group was asked")
def test_no_error_about_what_was_sent_to_a_multicast_mac() -> None:
    play = host()
    play.receive(unknown(to=b"\x33\x33\0\0\0\1"))
    assert play.sent() == []


@row("an echo request to a group", "answered from a unicast address of ours, never from the group")
def test_an_echo_request_to_a_group() -> None:
    play = host()
    play.receive(echo_request("ff02::1"))
    (answer,) = play.sent(129)
    assert (answer.source, answer.destination) == (OUR_LINK_LOCAL, PEER_LINK_LOCAL)


@row("an echo reply that nobody waits for", "discarded")
def test_an_echo_reply_out_of_the_blue() -> None:
    message = icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, 129, 0, b"\0\1\0\1")
    discarded(host(), frame(packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, message)), Discard.ECHO_REPLY_UNCLAIMED)


@row("messages of every type that is not known", "informational ones in silence, errors to nobody")
def test_every_unknown_type() -> None:
    play = host()
    for kind in [*range(5, 128), *range(144, 256), 138, 139, 140]:
        message = icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, kind, 0, bytes(20))
        reason = Discard.ICMP_ERROR_UNCLAIMED if kind < 128 else Discard.ICMP_UNKNOWN_TYPE
        assert play.receive(frame(packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, message))) is reason
    assert play.sent() == []


@row("a message with a wrong checksum, by one bit", "discarded")
@pytest.mark.parametrize("bit", [0, 5, 13])
def test_a_wrong_checksum(bit: int) -> None:
    octets = bytearray(echo_request())
    octets[-1 - bit // 8] ^= 1 << bit % 8
    discarded(host(), bytes(octets), Discard.ICMP_CHECKSUM)


@row("a datagram of UDP length 0, under 8, or past the packet", "discarded")
@pytest.mark.parametrize("length", [0, 7, 10, 0xFFFF])
def test_a_udp_length_that_cannot_be(length: int) -> None:
    message = struct.pack("!HHHH", 9, 9, length, 0x1234) + b"x"
    octets = frame(packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, message, next_header=17))
    discarded(host(), octets, Discard.UDP_LENGTH)


@row("a datagram without a checksum", "discarded: IPv6 has none of that")
def test_a_datagram_without_a_checksum() -> None:
    message = struct.pack("!HHHH", 9, 9, 9, 0) + b"x"
    octets = frame(packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, message, next_header=17))
    discarded(host(), octets, Discard.UDP_NO_CHECKSUM)


@row("a frame from our own MAC, and a packet from our own address", "not answered: a reflection is no request")
def test_our_own_frames_reflected() -> None:
    play = host()
    assert isinstance(play.receive(echo_request(source=OUR_LINK_LOCAL)), Discard)
    assert play.sent() == []
    assert ip(OUR_LINK_LOCAL) not in play.interface.resolver.cache.entries
