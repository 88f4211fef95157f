"""What broke other stacks on the way to the upper layer: the frame, the IPv6 header and the extension headers."""

import pytest

from stack.discard import Discard, Verdict
from tests.known_bugs.rows import discarded, row, still_answers
from tests.playbook import (
    OUR_LINK_LOCAL,
    OUR_MAC,
    PEER_LINK_LOCAL,
    Header,
    Play,
    chain,
    echo_request,
    fragment,
    frame,
    icmp,
    options,
    packet,
    routing,
)


def host(**settings: int | str) -> Play:
    return Play(**settings).start().meet()


def carrying(*headers: Header, destination: str = OUR_LINK_LOCAL, hop_limit: int = 64) -> bytes:
    """An echo request behind extension headers."""
    message = icmp(PEER_LINK_LOCAL, destination, 128, 0, b"\0\7\0\1abcdefgh")
    first, octets = chain(headers, 58, message)
    return frame(packet(PEER_LINK_LOCAL, destination, octets, next_header=first, hop_limit=hop_limit))


@row(
    "a hop-by-hop header of length 255 in a short packet",
    "its end is compared with the packet's: discarded and reported",
)
@pytest.mark.parametrize("number", [0, 43, 60])
def test_a_header_longer_than_the_packet(number: int) -> None:
    play = host()
    assert play.receive(carrying(Header(number, b"\xff" + bytes(6)))) is Discard.HEADER_TRUNCATED
    (told,) = play.sent(4)
    assert told.message[4:8] == (41).to_bytes(4, "big")


@row("an option that runs past its header", "discarded, and reported at its length")
@pytest.mark.parametrize("octets", ["1e05", "1eff", "0105", "05ff"])
def test_an_option_past_its_header(octets: str) -> None:
    play = host()
    assert play.receive(carrying(Header(0, b"\0" + bytes.fromhex(octets) + bytes(4)))) is Discard.OPTION_MALFORMED
    assert [each.message[1] for each in play.sent(4)] == [0]


@row(
    "options that leave one octet, with no room for a length",
    "discarded: sums are compared, no difference goes below 0",
)
def test_an_option_without_its_length() -> None:
    play = host()
    assert play.receive(carrying(Header(60, b"\0\1\3\0\0\0\x1e"))) is Discard.OPTION_MALFORMED


@row(
    "option types of every value, with every action", "skipped, discarded, or discarded and reported, by their two bits"
)
def test_every_option_type() -> None:
    play = host(icmp_ratelimit=0)
    for kind in range(2, 256):
        if kind in (5, 0xC2):
            continue
        play.sent()
        outcome = play.receive(carrying(options(0, f"{kind:02x}00")))
        told = [each.message[1] for each in play.sent(4)]
        if kind >> 6 == 0:
            assert outcome is Verdict.ANSWERED
        else:
            assert outcome is Discard.OPTION_UNKNOWN
        assert told == ([2] if kind >> 6 >= 2 else [])


@row("an RPL or any other unknown option or header", "known by its bits alone; every walk goes on or ends")
@pytest.mark.parametrize("kind", ["6304000001ff", "23060000000000ff", "ee00"])
def test_an_rpl_option_ends_no_walk(kind: str) -> None:
    play = host()
    assert play.receive(carrying(options(0, kind))) in (Discard.OPTION_UNKNOWN, Verdict.ANSWERED)
    still_answers(play)


@row("a payload length up to 40 more than there is", "compared with the frame less the IPv6 header")
@pytest.mark.parametrize("more", [1, 20, 40])
def test_a_payload_length_that_counts_the_header(more: int) -> None:
    message = icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, 128, 0, bytes(8))
    octets = packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, message, length=len(message) + more)
    discarded(host(), frame(octets), Discard.TRUNCATED)


@row("a source route with our own address as the next stop", "not followed; no recursion over headers")
@pytest.mark.parametrize("kind", [0, 2, 3, 4, 253])
@pytest.mark.parametrize("left", [1, 2, 255])
def test_a_routing_header_with_segments_left(kind: int, left: int) -> None:
    from tests.playbook import ip

    play = host()
    assert play.receive(carrying(routing(kind, left, bytes(4) + ip(OUR_LINK_LOCAL) * 2))) is Discard.ROUTING_HEADER
    (told,) = play.sent(4)
    # RFC 8200 4.4: code 0, pointing at the routing type.
    assert (told.message[1], told.message[4:8]) == (0, (42).to_bytes(4, "big"))


@row("a routing header of any type with no segments left", "passed over")
@pytest.mark.parametrize("kind", [0, 2, 3, 4, 253])
def test_a_routing_header_with_nothing_left(kind: int) -> None:
    assert host().receive(carrying(routing(kind, 0))) is Verdict.ANSWERED


@row("a routing header whose length does not fit its segments", "segments are not looked at: type 0 writes nowhere")
def test_a_routing_header_with_a_wrong_count() -> None:
    play = host()
    assert play.receive(carrying(Header(43, b"\1\0\xff" + bytes(4 + 8)))) is Discard.ROUTING_HEADER
    assert play.receive(carrying(Header(43, b"\7\0\1" + bytes(4)))) is Discard.HEADER_TRUNCATED


@row("an option to be discarded in a packet to a group", "reported only for bits 10")
@pytest.mark.parametrize(("kind", "reported"), [("7e", False), ("be", True), ("fe", False)])
def test_an_unknown_option_to_a_group(kind: str, reported: bool) -> None:
    play = host()
    assert play.receive(carrying(options(60, f"{kind}00"), destination="ff02::1")) is Discard.OPTION_UNKNOWN
    assert bool(play.sent(4)) is reported


@row("a frame of 0 to 13 octets", "discarded as a runt")
@pytest.mark.parametrize("length", [0, 1, 6, 13])
def test_runts(length: int) -> None:
    discarded(host(), echo_request()[:length], Discard.RUNT_FRAME)


@row("a frame with a header of Ethernet and 0 to 39 octets of IPv6", "discarded")
@pytest.mark.parametrize("length", [0, 1, 39])
def test_a_packet_without_a_header(length: int) -> None:
    discarded(host(), echo_request()[: 14 + length], Discard.TRUNCATED)


@row("a packet of version 0, 4 or 15", "discarded")
@pytest.mark.parametrize("version", [0, 4, 5, 7, 15])
def test_another_version(version: int) -> None:
    octets = bytearray(echo_request())
    octets[14] = version << 4
    discarded(host(), bytes(octets), Discard.BAD_VERSION)


@row("a router alert option of a length other than 2", "malformed: discarded and reported")
@pytest.mark.parametrize("octets", ["0500", "050100", "0503000000"])
def test_a_router_alert_of_another_length(octets: str) -> None:
    assert host().receive(carrying(options(0, octets))) is Discard.OPTION_MALFORMED


@row("a packet to a group that is not joined, wrong behind its header", "discarded before anything else of it is read")
def test_a_group_that_is_not_joined() -> None:
    play = host()
    octets = carrying(options(60, "fe00"), destination="ff02::1:ff99:1")
    octets = bytes.fromhex("333300000001") + octets[6:]
    discarded(play, octets, Discard.GROUP_NOT_JOINED)


@row("two groups with one MAC, one of them joined", "told apart by the address")
def test_two_groups_with_one_mac() -> None:
    play = host()
    play.join("ff05::1:99")
    play.run(play.now + 20)
    octets = carrying(destination="ff02::1:99")
    discarded(play, octets, Discard.GROUP_NOT_JOINED)
    assert play.receive(carrying(destination="ff05::1:99")) is Verdict.ANSWERED


@row("a hop-by-hop header anywhere but first", "discarded and reported as an unknown next header")
def test_hop_by_hop_not_first() -> None:
    play = host()
    assert play.receive(carrying(options(60, "0100"), options(0, "0100"))) is Discard.HOP_BY_HOP_NOT_FIRST
    assert [each.message[1] for each in play.sent(4)] == [1]


@row("a chain of a hundred headers, or a thousand options", "not followed beyond a limit (RFC 8504 5.3)")
def test_endless_chains() -> None:
    play = host()
    assert play.receive(carrying(*[options(60, "0100")] * 100)) is Discard.HEADER_CHAIN_TOO_LONG
    assert play.receive(carrying(options(60, "1e00" * 1000))) is Discard.HEADER_CHAIN_TOO_LONG
    still_answers(play)


@row("bad destination options, and then a good packet in the same batch", "nothing of one packet is left for the next")
def test_no_state_between_packets() -> None:
    play = host()
    one, other = carrying(options(60, "c1ff")), echo_request()
    outcomes = [play.host.receive(each, play.now) for each in (one, other, one, other)]
    assert outcomes[1] is outcomes[3] is Verdict.ANSWERED
    assert outcomes[0] is outcomes[2] is Discard.OPTION_MALFORMED


@row(
    "a jumbo payload option, with and without a payload length",
    "no jumbograms: discarded, and reported as an unknown option where the length says nothing else",
)
@pytest.mark.parametrize("length", [-1, 0])
def test_jumbograms(length: int) -> None:
    message = icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, 128, 0, bytes(8))
    first, octets = chain([options(0, "c20400010000")], 58, message)
    play = host()
    outcome = play.receive(frame(packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, octets, next_header=first, length=length)))
    assert outcome is (Discard.OPTION_UNKNOWN if length else Discard.JUMBOGRAM)
    assert not play.sent(129)


def test_a_header_behind_a_packet_without_payload() -> None:
    """RFC 2675 3: payload length 0, hop-by-hop options and no jumbogram: the pointer is at the payload length."""
    for own_length in (0x00, 0x01, 0x52):
        play = host(icmp_ratelimit=0)
        octets = bytes((17, own_length)) + bytes.fromhex("af7c002b3fbc")
        play.receive(frame(packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, octets, next_header=0, length=0)))
        (answer,) = play.sent(4)
        assert answer.message[1] == 0
        assert answer.message[4:8] == (4).to_bytes(4, "big")


@row("next header values of every number", "known, reported, or the end; ESP and AH are unknown here")
def test_every_next_header() -> None:
    play = host(icmp_ratelimit=0)
    for number in range(256):
        octets = frame(packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, bytes(24), next_header=number, hop_limit=64))
        play.sent()
        outcome = play.receive(octets)
        if number not in (0, 17, 43, 44, 58, 59, 60):
            assert outcome is Discard.UNKNOWN_NEXT_HEADER
            assert [each.message[1] for each in play.sent(4)] == [1]
    still_answers(play)


@row("loopback, mapped and unspecified addresses on the link", "discarded, as source and as destination")
@pytest.mark.parametrize(
    ("source", "destination", "reason"),
    [
        ("::1", OUR_LINK_LOCAL, Discard.SOURCE_LOOPBACK),
        (PEER_LINK_LOCAL, "::1", Discard.SOURCE_LOOPBACK),
        (PEER_LINK_LOCAL, "::", Discard.DESTINATION_UNSPECIFIED),
        ("::ffff:192.0.2.1", OUR_LINK_LOCAL, Discard.SOURCE_MAPPED),
        ("ff02::1", OUR_LINK_LOCAL, Discard.SOURCE_MULTICAST),
    ],
)
def test_addresses_that_are_never_on_a_link(source: str, destination: str, reason: Discard) -> None:
    message = icmp(source, destination, 128, 0, bytes(8))
    discarded(host(), frame(packet(source, destination, message), to=OUR_MAC), reason)


@row("a frame whose sender is a group's MAC", "discarded")
def test_a_multicast_sender() -> None:
    octets = echo_request()
    discarded(host(), octets[:6] + b"\x33\x33\0\0\0\1" + octets[12:], Discard.BAD_SOURCE_MAC)


@row("a VLAN tag without the octets that follow it, or of another VLAN", "discarded")
def test_tags() -> None:
    octets = echo_request()
    discarded(host(), octets[:12] + b"\x81\0\0", Discard.RUNT_FRAME)
    discarded(host(), octets[:12] + b"\x81\0\0\7" + octets[12:], Discard.WRONG_VLAN)


@row("an atomic fragment header around a whole packet", "the packet as it would be without")
def test_an_atomic_fragment() -> None:
    assert host().receive(carrying(fragment())) is Verdict.ANSWERED
