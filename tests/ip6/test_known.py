"""Known headers: whatever comes and whatever changes, a host that remembers headers does what one without them does.

Two hosts are told the same, frame by frame and change by change. One of them may
remember no header, so that each of its frames goes through the whole parser.
"""

import struct

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from stack.discard import Outcome
from stack.ip6 import input as ip6_input
from tests.ip6.twins import (
    FAR,
    OTHER_MAC,
    PEERS,
    PORT,
    SIZES,
    Step,
    Twins,
    batches,
    changes,
    data,
    later,
    marked,
    redirect,
    request,
    set_one,
    take,
    toggle_address,
)
from tests.nd import advertising
from tests.playbook import OUR_LINK_LOCAL, OUR_MAC, PEER_LINK_LOCAL, Play, advertisement, frame, ip, packet
from tests.udp.common import datagram, message


@pytest.mark.long
@settings(max_examples=250, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.one_of(batches, batches, changes), min_size=1, max_size=12))
@example([take(request(), request()), take(request()), set_one("hop_limit", 5), take(request(), request())])
@example([take(request(FAR), request(FAR)), take(advertising.advertisement(lifetime=0), request(FAR))])
@example([take(request(FAR), request(FAR)), take(redirect(), request(FAR), request(FAR))])
@example([take(request(), request()), later(1.0), take(request(), request())])
@example([take(marked(request()), marked(request())), take(marked(data()), marked(data()))])
@example([take(data(), data()), toggle_address(PEER_LINK_LOCAL), take(data(), data())])
@example([take(request(), request()), toggle_address(PEER_LINK_LOCAL), take(request(), request())])
@example([take(request(), request()), take(advertisement(PEER_LINK_LOCAL, mac=OTHER_MAC), request(), request())])
def test_nobody_can_tell_whether_headers_are_remembered(steps: list[Step]) -> None:
    twins = Twins()
    for step in steps:
        twins.do(step)
    assert not twins.plain.interface.known.table


@pytest.mark.parametrize("source", PEERS)
@pytest.mark.parametrize("size", SIZES)
def test_a_second_request_is_known(source: str, size: int) -> None:
    twins = Twins()
    twins.do(take(request(source, size), request(source, size, 2), request(source, size, 3)))
    assert twins.known == 1
    assert twins.quick.host.counters.icmp_out[129] == 3


def test_a_second_datagram_is_known_and_goes_straight_to_udp(monkeypatch: pytest.MonkeyPatch) -> None:
    twins = Twins()
    twins.do(take(*(data() for _ in range(3))))
    assert len(twins.quick.interface.known.datagrams) == 1
    assert twins.quick.host.counters.udp_in == 3

    def parsed(*arguments: object) -> Outcome:
        raise AssertionError("the whole way")

    monkeypatch.setattr(ip6_input, "receive", parsed)
    twins.quick.host.receive_batch([data()], twins.quick.now, twins.quick.interface)
    assert twins.quick.host.counters.udp_in == 4


def test_a_known_datagram_is_still_looked_at() -> None:
    """RFC 768, RFC 8200 8.1: its length and its checksum; what is odd about them is the parser's to judge."""
    twins = Twins()
    twins.do(take(data(size=9)))
    # With the length of the headers before it, the sum of the octets is right; with its own length it is not.
    whole = message(PEER_LINK_LOCAL, OUR_LINK_LOCAL, 4000, PORT, bytes(9))
    odd = whole[:4] + struct.pack("!HH", 16, int.from_bytes(whole[6:8], "big") + 1) + whole[8:]
    twins.do(take(frame(packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, odd, next_header=17, hop_limit=64))))
    assert twins.quick.host.counters.as_dict()["Udp6InErrors"] == 1
    # A datagram whose checksum comes out as zero, and is sent so.
    value = int.from_bytes(message(PEER_LINK_LOCAL, OUR_LINK_LOCAL, 4000, PORT, bytes(2))[6:8], "big")
    twins.do(take(data(size=2)))
    for sent in (0xFFFF, 0):
        twins.do(take(datagram(struct.pack("!H", value), port=PORT, value=sent)))
    assert twins.quick.host.counters.udp_in == 3


def answered_by_the_parser(play: Play, monkeypatch: pytest.MonkeyPatch, *frames: bytes) -> int:
    """How many of `frames` go through the whole parser."""
    whole: list[bytes] = []
    receive = play.host.receive

    def counted(frame, now, interface=None):  # type: ignore[no-untyped-def]
        whole.append(frame)
        return receive(frame, now, interface)

    monkeypatch.setattr(play.host, "receive", counted)
    play.host.receive_batch(list(frames), play.now, play.interface)
    return len(whole)


def test_what_is_known_does_not_go_through_the_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    play = Twins().quick
    frames = [request(sequence=number) for number in range(10)]
    assert answered_by_the_parser(play, monkeypatch, *frames) == 1
    assert len(play.sent(129)) == 10


@pytest.mark.parametrize(
    "change",
    [
        set_one("hop_limit", 7),
        toggle_address("2001:db8:7::7"),
        lambda play: play.interface.set_mtu(1_400),
        lambda play: play.interface.set_mac(OUR_MAC, play.now),
        lambda play: play.interface.start(play.now),
        lambda play: play.interface.routes.add(ip("2001:db8:8::"), 64, ip(PEER_LINK_LOCAL)),
        lambda play: play.receive(advertising.advertisement(router=advertising.OTHER_ROUTER)),
    ],
)
def test_a_change_of_what_it_rests_on_forgets_it(change: Step) -> None:
    twins = Twins()
    twins.do(take(request()))
    assert twins.known == 1
    twins.do(change)
    twins.do(take())
    assert twins.known == 0


def test_the_journal_is_told_of_every_frame() -> None:
    """Nothing is remembered past it while somebody listens."""
    twins = Twins()
    twins.do(take(request()))
    records: list[object] = []
    twins.quick.host.journal.listen(records.append)
    twins.do(take(request(sequence=2), request(sequence=3)))
    assert len(records) >= 4


def test_the_table_is_bounded_and_the_oldest_goes() -> None:
    twins = Twins(max_known_headers=2)
    twins.do(take(*(request(size=size) for size in (1, 2, 3))))
    twins.do(take(request(size=4), request(size=3), request(size=4)))
    assert twins.known == 2


def test_our_own_packets_to_ourselves_are_not_learnt() -> None:
    """A frame from the link with our own address as its source is discarded, whatever we have told ourselves."""
    twins = Twins()
    twins.do(lambda play: play.interface.resolver.add_permanent(ip(OUR_LINK_LOCAL), OUR_MAC, play.now))
    twins.do(lambda play: play.ping(OUR_LINK_LOCAL))
    assert twins.known == 0
