"""Sending what is longer than the path carries (RFC 8200 4.5, 5): the fragments, and their identification."""

import copy
import pickle
import struct
from random import Random
from typing import NamedTuple

import pytest

from stack.discard import Verdict
from stack.errors import RefusedError
from stack.host import Host
from stack.ip6 import output
from tests.playbook import (
    OUR_LINK_LOCAL,
    PEER_LINK_LOCAL,
    PEER_MAC,
    Play,
    Sent,
    advertisement,
    checksum,
    echo_request,
    group_mac,
    ip,
    packet,
)

GROUP = "ff02::1:2"


class Part(NamedTuple):
    """A fragment packet taken apart by the picture of RFC 8200 4.5."""

    head: bytes
    next_header: int
    reserved: int
    start: int
    more: bool
    identification: int
    octets: bytes


def take_apart(octets: bytes) -> Part:
    assert octets[6] == 44
    assert struct.unpack("!H", octets[4:6]) == (len(octets) - 40,)
    next_header, reserved, field, identification = struct.unpack("!BBHI", octets[40:48])
    assert field & 6 == 0
    head = octets[:4] + octets[7:40]
    return Part(head, next_header, reserved, field & 0xFFF8, bool(field & 1), identification, octets[48:])


def put_together(sent: list[Sent], mtu: int = 1500) -> bytes:
    """The original packet, after every rule of 4.5 about its fragments has been looked at."""
    parts = [take_apart(each.packet) for each in sent]
    (first, *_) = parts
    whole = b""
    for each, frame in zip(parts, sent, strict=True):
        assert (each.head, each.next_header, each.identification) == (
            first.head,
            first.next_header,
            first.identification,
        )
        assert (each.reserved, each.start) == (0, len(whole))
        assert each.more is (each is not parts[-1])
        assert not each.more or len(each.octets) % 8 == 0
        assert len(frame.packet) <= mtu
        whole += each.octets
    # As few as can be.
    assert len(parts) == -(-len(whole) // ((mtu - 48) // 8 * 8))
    return first.head[:4] + struct.pack("!HB", len(whole), first.next_header) + first.head[4:] + whole


@pytest.fixture
def play() -> Play:
    return Play().start().meet()


def table(play: Play) -> dict[str, int]:
    return play.host.counters.as_dict()


@pytest.mark.parametrize("mtu", [1280, 1281, 1287, 1288, 1500, 9000, 65_521])
@pytest.mark.parametrize("over", [0, 1, 7, 8, 9, 1000, 20_000])
def test_a_packet_is_divided_when_it_does_not_fit(play: Play, mtu: int, over: int) -> None:
    """RFC 8200 4.5, 5: whole up to the MTU; above it in fragments that fit, each but the last a multiple of 8."""
    play.interface.set_mtu(mtu)
    if mtu - 40 + over > 65_535:
        return
    original = packet(OUR_LINK_LOCAL, PEER_LINK_LOCAL, Random(over).randbytes(mtu - 40 + over), next_header=17)
    assert output.send(play.interface, original, play.now)
    sent = play.sent()
    assert {frame.to for frame in sent} == {PEER_MAC}
    if over:
        assert put_together(sent, mtu) == original
    else:
        assert [frame.packet for frame in sent] == [original]


def test_a_group_gets_fragments_too(play: Play) -> None:
    original = packet(OUR_LINK_LOCAL, GROUP, bytes(5_000), next_header=17)
    assert output.send(play.interface, original, play.now)
    sent = play.sent()
    assert {frame.to for frame in sent} == {group_mac(ip(GROUP))}
    assert put_together(sent) == original


@pytest.mark.parametrize("size", [0, 1452, 1453, 20_000, 65_527])
def test_echo_of_every_size(play: Play, size: int) -> None:
    """RFC 4443 4.2: the data of the request, all of it."""
    data = Random(size).randbytes(size)
    if size <= 1452:
        assert play.receive(echo_request(data=data)) is Verdict.ANSWERED
        (reply,) = play.sent()
        assert reply.message[8:] == data
        return
    # A link that carries the request in one piece, and an answer that it does not.
    message = echo_request(data=data)[54:]
    for start in range(0, len(message), 1_400):
        header = struct.pack("!BBHI", 58, 0, start | (start + 1_400 < len(message)), 77)
        part = packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, header + message[start : start + 1_400], next_header=44)
        outcome = play.receive(echo_request()[:14] + part)
    assert outcome is Verdict.ANSWERED
    reply = put_together(play.sent())
    assert reply[40] == 129
    assert reply[44:] == message[4:]
    assert checksum(reply[8:24], reply[24:40], 58, reply[40:]) == 0
    assert play.host.counters.icmp_out[129] == 1


def test_a_request_of_ours(play: Play) -> None:
    """The longest ping; its answer comes in fragments as well."""
    heard: list[object] = []
    session = play.host.echoes.open(play.interface, ip(PEER_LINK_LOCAL), heard.append, data=bytes(65_527))
    session.send(1, play.now)
    play.settle()
    request = put_together(play.sent())
    assert len(request) == 40 + 65_535
    assert request[40] == 128


def test_counters(play: Play) -> None:
    """RFC 4293: one request, so many fragments, all octets that left."""
    before = table(play)
    output.send(play.interface, packet(OUR_LINK_LOCAL, PEER_LINK_LOCAL, bytes(3_000), next_header=17), play.now)
    after = table(play)
    grown = {name: after[name] - before[name] for name in after if after[name] != before[name]}
    # 3,000 octets are three fragments of at most 1,448, with 48 octets of headers each.
    expected = {"Ip6FragOKs": 1, "Ip6FragCreates": 3, "Ip6OutRequests": 1, "Ip6OutOctets": 3_144, "FramesOut": 3}
    assert grown == expected | {"Ip6OutTransmits": 3}


def test_a_link_that_takes_no_more(play: Play) -> None:
    """Fragments of what cannot leave whole are of no use: the rest is not sent, and it is counted."""
    play.host.settings.set_text("tx_queue_len", "2")
    output.send(play.interface, packet(OUR_LINK_LOCAL, PEER_LINK_LOCAL, bytes(9_000), next_header=17), play.now)
    assert len(play.sent()) == 2
    assert table(play)["Ip6FragFails"] == table(play)["Ip6OutDiscards"] == 1
    assert table(play)["Ip6FragOKs"] == 0


def test_nothing_leaves_an_interface_that_is_down(play: Play) -> None:
    play.interface.stop(play.now)
    play.sent()
    output.send(play.interface, packet(OUR_LINK_LOCAL, GROUP, bytes(3_000), next_header=17), play.now)
    assert play.sent() == []
    assert play.host.identifications.issued == 0


def test_a_long_packet_waits_whole_for_its_neighbour() -> None:
    """RFC 4861 7.2.2: what waits is one packet, however many fragments it will be."""
    play = Play().start()
    original = packet(OUR_LINK_LOCAL, PEER_LINK_LOCAL, bytes(60_000), next_header=17)
    output.send(play.interface, original, play.now)
    assert [frame.kind for frame in play.sent()] == [135]
    play.receive(advertisement(PEER_LINK_LOCAL))
    assert put_together(play.sent()) == original


def test_an_unreachable_neighbour_is_one_error() -> None:
    """RFC 4861 7.2.2: about the packet that was not sent."""
    play = Play().start()
    heard: list[object] = []
    play.host.echoes.open(play.interface, ip(PEER_LINK_LOCAL), heard.append, data=bytes(60_000)).send(1, play.now)
    play.run(play.now + 5)
    assert len(heard) == 1


def test_to_ourselves_in_one_piece(play: Play) -> None:
    """What stays on the host meets no link."""
    heard: list[object] = []
    play.host.echoes.open(play.interface, ip(OUR_LINK_LOCAL), heard.append, data=bytes(65_527)).send(1, play.now)
    play.settle()
    assert [answer.intact for answer in heard] == [True]  # type: ignore[attr-defined]
    assert play.sent() == []
    assert table(play)["Ip6FragCreates"] == table(play)["Ip6ReasmReqds"] == 0


@pytest.mark.parametrize("size", [65_527, 65_528])
def test_datagrams(play: Play, size: int) -> None:
    """RFC 768: 16 bits of length, and no more."""
    socket = play.host.udp.open()
    if size > 65_527:
        with pytest.raises(Exception, match="65527"):
            socket.send(bytes(size), ip(PEER_LINK_LOCAL), 9, play.now)
        return
    socket.send(bytes(size), ip(PEER_LINK_LOCAL), 9, play.now)
    datagram = put_together(play.sent())[40:]
    assert len(datagram) == 65_535
    assert checksum(ip(OUR_LINK_LOCAL), ip(PEER_LINK_LOCAL), 17, datagram) == 0


def test_no_way_is_no_fragment(play: Play) -> None:
    session = play.host.echoes.open(play.interface, ip("2001:db8::1"), print, data=bytes(3_000))
    with pytest.raises(RefusedError):
        session.send(1, play.now)
    assert play.sent() == []


# -- the identification


def identifications(seed: int, count: int) -> list[int]:
    host = Host(Random(seed))
    return [host.identifications.next() for _ in range(count)]


def test_identifications_do_not_repeat() -> None:
    """RFC 8200 4.5: different from that of any other fragmented packet sent recently."""
    assert len(set(identifications(1, 20_000))) == 20_000


def test_identifications_cannot_be_foreseen() -> None:
    """RFC 7739: each host has its own; the differences of successive ones, and the halves of them, do not repeat."""
    ours = identifications(1, 2_000)
    assert not set(ours) & set(identifications(2, 2_000))
    steps = {(one - other) % (1 << 32) for one, other in zip(ours[1:], ours, strict=False)}
    assert len(steps) > 1_990
    for shift in (0, 16):
        halves = [value >> shift & 0xFFFF for value in ours]
        assert len(set(halves)) > 1_900
        for bit in range(16):
            assert 800 < sum(half >> bit & 1 for half in halves) < 1_200


def test_a_run_repeats() -> None:
    assert identifications(5, 10) == identifications(5, 10)


def test_what_was_given_out_is_recognised() -> None:
    host = Host(Random(1))
    assert not host.identifications.is_ours(0)
    given = [host.identifications.next() for _ in range(500)]
    assert all(map(host.identifications.is_ours, given))
    assert host.identifications.issued == 500
    others = [Random(2).getrandbits(32) for _ in range(1)] + [value ^ 1 for value in given]
    assert not any(host.identifications.is_ours(value) for value in set(others) - set(given))
    copies = [copy.deepcopy(host), pickle.loads(pickle.dumps(host))]
    assert all(each.identifications.is_ours(given[7]) for each in copies)
    assert len({each.identifications.next() for each in (host, *copies)}) == 1


def test_never_an_atomic_fragment(play: Play) -> None:
    """RFC 8021: what fits is sent without a fragment header."""
    for size in range(1_230, 1_470):
        output.send(play.interface, packet(OUR_LINK_LOCAL, PEER_LINK_LOCAL, bytes(size), next_header=17), play.now)
    for frame in play.sent():
        if frame.packet[6] == 44:
            part = take_apart(frame.packet)
            assert part.start or part.more
