"""Path MTU discovery (RFC 8201): which packet too big is believed, what it changes, and for how long."""

import struct

import pytest

from stack.discard import Discard, Outcome, Verdict
from stack.icmp6.echo import EchoSession
from stack.ip6 import output
from tests.ip6.test_fragmentation import put_together
from tests.playbook import OUR_MAC, PEER_LINK_LOCAL, PEER_MAC, Play, echo_request, frame, icmp, ip, packet, text

OURS = "2001:db8::1"
FAR = "2001:db8:9::9"
FARTHER = "2001:db8:9::a"
ROUTER = "2001:db8:5::5"


@pytest.fixture
def play() -> Play:
    play = Play().start().meet()
    play.add_address(OURS)
    play.run(play.now + 3)
    play.interface.routes.add(ip("::"), 0, ip(PEER_LINK_LOCAL))
    play.interface.resolver.add_permanent(ip(PEER_LINK_LOCAL), PEER_MAC, play.now)
    play.sent()
    return play


def session(play: Play, size: int = 1_452, to: str = FAR) -> EchoSession:
    return play.host.echoes.open(play.interface, ip(to), HEARD.append, data=bytes(size))


HEARD: list[object] = []


@pytest.fixture(autouse=True)
def nothing_heard() -> None:
    HEARD.clear()


def ping(play: Play, size: int = 1_452, to: str = FAR) -> list[bytes]:
    """The packets of one echo request of ours."""
    session(play, size, to).send(1, play.now)
    play.settle()
    return [sent.packet for sent in play.sent()]


def too_big(quote: bytes, mtu: int, *, code: int = 0, source: str = ROUTER) -> bytes:
    """A frame with a packet too big (RFC 4443 3.2)."""
    message = icmp(source, OURS, 2, code, struct.pack("!I", mtu) + quote[: 1280 - 48])
    return frame(packet(source, OURS, message, hop_limit=60), to=OUR_MAC)


def path_mtu(play: Play, to: str = FAR) -> int:
    return play.interface.routes.path_mtu(ip(to))


def lengths(packets: list[bytes]) -> list[int]:
    return [len(each) for each in packets]


def test_packets_become_as_short_as_the_path_wants(play: Play) -> None:
    """RFC 8201 4: the estimate is reduced to the MTU of the message, for this destination, and packets with it."""
    (first,) = ping(play)
    assert len(first) == 1500
    assert play.receive(too_big(first, 1400)) is Verdict.DELIVERED
    assert (path_mtu(play), path_mtu(play, FARTHER)) == (1400, 1500)
    session(play).send(2, play.now)
    play.settle()
    sent = play.sent()
    assert lengths([each.packet for each in sent]) == [40 + 8 + 1352, 40 + 8 + 108]
    assert len(put_together(sent, 1400)) == 1500
    assert lengths(ping(play, 1_352)) == [1400]
    assert lengths(ping(play, to=FARTHER)) == [1500]


def test_the_sender_is_told(play: Play) -> None:
    """RFC 4443 3.2: passed to the upper layer."""
    (first,) = ping(play)
    play.receive(too_big(first, 1400))
    assert [(error.type, error.code) for error in HEARD] == [(2, 0)]  # type: ignore[attr-defined]


def test_code_is_ignored(play: Play) -> None:
    """RFC 4443 3.2: ignored by the receiver."""
    (first,) = ping(play)
    play.receive(too_big(first, 1400, code=77))
    assert path_mtu(play) == 1400


@pytest.mark.parametrize("mtu", [0, 1, 68, 1279])
def test_below_the_minimum(play: Play, mtu: int) -> None:
    """RFC 8201 4: discarded; the path MTU stays, no fragment header appears, and nobody is told."""
    (first,) = ping(play)
    assert play.receive(too_big(first, mtu)) is Discard.PACKET_TOO_BIG_MINIMUM
    assert path_mtu(play) == 1500
    assert HEARD == []
    assert lengths(ping(play, 1_232)) == [1280]


def test_the_minimum(play: Play) -> None:
    (first,) = ping(play)
    play.receive(too_big(first, 1280))
    assert path_mtu(play) == 1280
    assert lengths(ping(play, 1_233)) == [1280, 40 + 8 + 9]


def test_twice_smaller(play: Play) -> None:
    """RFC 8201 5: another link on the path may be narrower still."""
    (first,) = ping(play)
    play.receive(too_big(first, 1400))
    (second,) = ping(play, 1_352)
    play.receive(too_big(second, 1300))
    assert path_mtu(play) == 1300


@pytest.mark.parametrize("mtu", [1400, 1401, 1499, 1500, 9000, 0xFFFFFFFF])
def test_it_never_raises(play: Play, mtu: int) -> None:
    """RFC 8201 4: no increase in response to the contents of a packet too big."""
    (first,) = ping(play)
    play.receive(too_big(first, 1400))
    play.receive(too_big(first, mtu))
    assert path_mtu(play) == 1400


def test_an_mtu_above_that_of_the_link(play: Play) -> None:
    (first,) = ping(play)
    play.receive(too_big(first, 9000))
    assert path_mtu(play) == 1500
    assert list(play.interface.routes.destinations.learnt()) == []


def test_the_smaller_of_path_and_link(play: Play) -> None:
    """RFC 8201 3: it starts with the first hop's, and cannot exceed it."""
    (first,) = ping(play)
    play.receive(too_big(first, 1400))
    play.interface.set_mtu(1300)
    assert path_mtu(play) == 1300


def quote(**changes: object) -> bytes:
    """A UDP packet that nobody here has sent, unless told so."""
    fields: dict[str, object] = {"source": OURS, "to": FAR, "ports": (5000, 9), "length": 1460, "next_header": 17}
    fields |= changes
    ports: tuple[int, int] = fields["ports"]  # type: ignore[assignment]
    payload = struct.pack("!HHHH", *ports, 1460, 0) + bytes(1_452)
    source, to = str(fields["source"]), str(fields["to"])
    return packet(source, to, payload, next_header=int(str(fields["next_header"])), length=int(str(fields["length"])))


FORGED: dict[str, tuple[bytes, Outcome]] = {
    "not our source": (quote(source="2001:db8::77"), Discard.ICMP_ERROR_UNCLAIMED),
    "a destination that nothing went to": (quote(to="2001:db8:9::77"), Verdict.DELIVERED),
    "a port that nobody has": (quote(ports=(5001, 9)), Discard.ICMP_ERROR_UNCLAIMED),
    "not the peer that it is connected to": (quote(ports=(5000, 10)), Discard.ICMP_ERROR_UNCLAIMED),
    "no longer than the MTU that it names": (quote(length=1360), Verdict.DELIVERED),
    "longer than anything sent": (quote(length=1461), Verdict.DELIVERED),
    "a protocol that is not here": (quote(next_header=6), Discard.ICMP_ERROR_UNCLAIMED),
    "a fragment that is not ours": (quote(next_header=44), Discard.ICMP_ERROR_UNCLAIMED),
    "a ping that is none of ours": (
        packet(OURS, FAR, icmp(OURS, FAR, 128, 0, struct.pack("!HH", 7, 1) + bytes(1_452))),
        Discard.ICMP_ERROR_UNCLAIMED,
    ),
    "cut in the upper header": (quote()[:47], Discard.ICMP_ERROR_UNCLAIMED),
    "cut in the header": (quote()[:39], Discard.ICMP_ERROR_UNCLAIMED),
    "nothing": (b"", Discard.ICMP_ERROR_UNCLAIMED),
}


@pytest.mark.parametrize(("forged", "outcome"), FORGED.values(), ids=FORGED)
def test_what_quotes_nothing_of_ours(play: Play, forged: bytes, outcome: Outcome) -> None:
    """RFC 8201 4: validated by what it quotes; PITFALLS 1: one that is not is not believed."""
    socket = play.host.udp.open()
    socket.bind(None, 5000)
    if forged == FORGED["not the peer that it is connected to"][0]:
        socket.connect(ip(FAR), 9)
    socket.send(bytes(1_452), ip(FAR), 9, play.now)
    play.settle()
    assert play.receive(too_big(forged, 1400)) is outcome
    assert path_mtu(play) == 1500
    assert play.receive(too_big(quote(), 1400)) is Verdict.DELIVERED
    assert path_mtu(play) == 1400


def test_a_ping_to_somebody_else(play: Play) -> None:
    """An identifier of ours says nothing without its destination."""
    (first,) = ping(play)
    ping(play, to=FARTHER)
    forged = first[:24] + ip(FARTHER) + first[40:]
    assert play.receive(too_big(forged, 1400)) is Discard.ICMP_ERROR_UNCLAIMED
    assert path_mtu(play, FARTHER) == 1500


def test_before_anything_long_was_sent(play: Play) -> None:
    """A router cannot have found too big what was never sent."""
    socket = play.host.udp.open()
    socket.bind(None, 5000)
    socket.send(bytes(1_000), ip(FAR), 9, play.now)
    play.settle()
    play.receive(too_big(quote(), 1400))
    assert path_mtu(play) == 1500


def test_a_link_local_destination_has_no_path(play: Play) -> None:
    """RFC 4291 2.5.6: no router forwards to it."""
    (sent,) = ping(play, to=PEER_LINK_LOCAL)
    message = icmp(ROUTER, OURS, 2, 0, struct.pack("!I", 1400) + sent[:1232])
    play.receive(frame(packet(ROUTER, OURS, message), to=OUR_MAC))
    assert path_mtu(play, PEER_LINK_LOCAL) == 1500


def test_an_answer_of_ours(play: Play) -> None:
    """An echo reply is a packet of ours too, if one so long went there."""
    request = echo_request(OURS, source=FAR, data=bytes(1_452))
    play.receive(request)
    (reply,) = play.sent()
    assert play.receive(too_big(reply.packet, 1400)) is Verdict.DELIVERED
    assert path_mtu(play) == 1400
    play.receive(request)
    assert len(put_together(play.sent(), 1400)) == 1500


@pytest.mark.parametrize("which", [0, 1, 2])
def test_fragments_of_ours(play: Play, which: int) -> None:
    """Each is a packet, and known by its identification (RFC 7739)."""
    sent = ping(play, 4_336)
    assert lengths(sent) == [1496] * 3
    forged = sent[which][:44] + bytes(4) + sent[which][48:]
    assert play.receive(too_big(forged, 1400)) is (Discard.ICMP_ERROR_UNCLAIMED if which else Verdict.DELIVERED)
    assert path_mtu(play) == 1500
    assert play.receive(too_big(sent[which], 1400)) is Verdict.DELIVERED
    assert path_mtu(play) == 1400


def test_a_first_fragment_tells_whose_it_is(play: Play) -> None:
    """RFC 4443 2.4 (d): the upper layer is behind the fragment header; in the others it is not."""
    sent = ping(play, 4_336)
    for each in sent:
        play.receive(too_big(each, 1400))
    assert [(error.type, error.sequence) for error in HEARD] == [(2, 1)]  # type: ignore[attr-defined]


def test_a_socket_is_told_the_mtu(play: Play) -> None:
    socket = play.host.udp.open()
    socket.bind(None, 5000)
    socket.send(bytes(4_000), ip(FAR), 9, play.now)
    play.settle()
    (first, *_) = play.sent()
    play.receive(too_big(first.packet, 1400))
    error = socket.take_error()
    assert error is not None
    assert (error.type, error.parameter, error.port, text(error.destination)) == (2, 1400, 9, FAR)


def test_a_group(play: Play) -> None:
    """RFC 8201 4: a path to a group has an MTU as well, the least that anybody reports."""
    group = "ff0e::5"
    socket = play.host.udp.open()
    socket.bind(None, 5000)
    socket.send(bytes(1_452), ip(group), 9, play.now)
    play.settle()
    play.sent()
    for mtu in (1400, 1350, 1380):
        play.receive(too_big(quote(to=group), mtu))
    assert path_mtu(play, group) == 1350


# -- the time


def test_it_is_forgotten_after_ten_minutes(play: Play) -> None:
    """RFC 8201 4: the recommended time; then the path may have become wider, and the link's MTU is tried again."""
    (first,) = ping(play)
    play.receive(too_big(first, 1400))
    play.run(play.now + 599)
    assert path_mtu(play) == 1400
    play.run(play.now + 2)
    assert path_mtu(play) == 1500
    assert list(play.interface.routes.destinations.learnt()) == []


def test_each_message_starts_the_time_anew(play: Play) -> None:
    """RFC 8201 5.3: since the last decrease was told."""
    (first,) = ping(play)
    play.receive(too_big(first, 1400))
    play.run(play.now + 400)
    play.receive(too_big(first, 1400))
    play.run(play.now + 400)
    assert path_mtu(play) == 1400
    play.run(play.now + 201)
    assert path_mtu(play) == 1500


def test_the_time_is_a_setting_of_five_minutes_at_least(play: Play) -> None:
    """RFC 8201 4: no attempt to detect an increase within five minutes of a packet too big."""
    with pytest.raises(Exception, match="from 300"):
        play.host.settings.set_text("mtu_expires", "299")
    play.host.settings.set_text("mtu_expires", "300")
    (first,) = ping(play)
    play.receive(too_big(first, 1400))
    play.run(play.now + 299)
    assert path_mtu(play) == 1400
    play.run(play.now + 2)
    assert path_mtu(play) == 1500


def test_it_goes_with_the_entry_and_with_the_link(play: Play) -> None:
    """Nothing is armed for what is not there any more."""
    (first,) = ping(play)
    timers = len(play.host.timers)
    play.receive(too_big(first, 1400))
    assert len(play.host.timers) == timers + 1
    play.interface.stop(play.now)
    assert path_mtu(play) == 1500
    assert play.host.next_deadline() is None


def test_a_flood_of_forgeries_leaves_nothing(play: Play) -> None:
    """RFC 8201 6: no table grows by what was not sent."""
    before = len(play.interface.routes.destinations), len(play.host.timers)
    for number in range(5_000):
        play.host.receive(too_big(quote(to=f"2001:db8:9::{number:x}"), 1280 + number % 200), play.now)
    assert (len(play.interface.routes.destinations), len(play.host.timers)) == before


def test_known_headers_follow_the_path_mtu(play: Play) -> None:
    """An answer that is made from remembered headers is as short as any other."""
    request = echo_request(OURS, source=FAR, data=bytes(1_452))
    play.interface.known.revise()
    for _ in range(3):
        play.receive(request)
    reply = play.sent()[-1].packet
    play.interface.known.revise()
    assert play.interface.known.answer(request, play.now) is not None
    play.receive(too_big(reply, 1400))
    play.interface.known.revise()
    assert play.interface.known.answer(request, play.now) is None


def test_output_to_a_destination_with_a_path_mtu(play: Play) -> None:
    (first,) = ping(play)
    play.receive(too_big(first, 1400))
    original = packet(OURS, FAR, bytes(10_000), next_header=17)
    assert output.send(play.interface, original, play.now)
    assert put_together(play.sent(), 1400) == original
