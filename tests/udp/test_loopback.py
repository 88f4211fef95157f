"""Packets to ourselves: to ::1 and to our own addresses, heard here and never seen on the link (RFC 4291 2.5.3)."""

import pickle
from random import Random

import pytest

from stack.discard import Discard
from stack.errors import NoRouteError, RefusedError, UsageError
from stack.host import Host
from stack.icmp6.echo import EchoAnswer
from stack.udp.datagram import Sending
from tests.playbook import OUR_LINK_LOCAL, OUR_MAC, Play, frame, icmp, ip, packet
from tests.udp.common import GROUP, OUR_GLOBAL, bound, datagram, listen, received

LOOPBACK = "::1"


@pytest.fixture
def play() -> Play:
    play = Play().start().meet()
    play.add_address(OUR_GLOBAL, nodad=True)
    play.sent()
    return play


@pytest.mark.parametrize("address", [LOOPBACK, OUR_LINK_LOCAL, OUR_GLOBAL])
class TestToOurselves:
    def test_a_datagram_arrives_and_never_leaves(self, play: Play, address: str) -> None:
        socket = bound(play, 5000)
        sender = bound(play, 6000)
        sender.send(b"hello", ip(address), 5000, play.now)
        play.settle()
        found = socket.receive()
        assert found is not None
        # RFC 6724 5, rule 1: the same address is the best source.
        assert (found.data, found.source, found.port, found.destination) == (b"hello", ip(address), 6000, ip(address))
        assert play.sent() == []

    def test_longer_than_the_mtu(self, play: Play, address: str) -> None:
        socket = bound(play, 5000)
        socket.receive_limit = 1 << 20
        bound(play, 6000).send(bytes(65_527), ip(address), 5000, play.now)
        play.settle()
        assert [len(each) for each in received(socket)] == [65_527]
        assert play.sent() == []

    def test_nobody_listens(self, play: Play, address: str) -> None:
        """RFC 4443 3.1: the sender is told, without a message on the link."""
        socket = bound(play, 6000)
        socket.send(b"hello", ip(address), 5000, play.now)
        play.settle()
        error = socket.take_error()
        assert error is not None
        assert (error.source, error.type, error.code, error.data) == (ip(address), 1, 4, b"hello")
        assert play.sent() == []

    def test_ping(self, play: Play, address: str) -> None:
        (answer,) = play.ping(address)
        assert isinstance(answer, EchoAnswer)
        assert (answer.source, answer.intact) == (ip(address), True)
        assert play.sent() == []

    def test_a_socket_bound_there(self, play: Play, address: str) -> None:
        socket = bound(play, 5000, address)
        socket.send(b"hello", ip(address), 5000, play.now)
        play.settle()
        assert received(socket) == [b"hello"]


def test_the_loopback_address_needs_no_link() -> None:
    host = Host(Random(1))
    host.attach("t0", OUR_MAC)
    socket = host.udp.open()
    socket.bind(ip(LOOPBACK), 5000)
    socket.send(b"hello", ip(LOOPBACK), 5000, 1.0)
    host.advance(1.0)
    assert received(socket) == [b"hello"]
    assert host.output() == []


def test_nothing_leaves_from_the_loopback_address(play: Play) -> None:
    """RFC 4291 2.5.3."""
    socket = bound(play, 5000, LOOPBACK)
    with pytest.raises(UsageError, match="from ::1"):
        socket.send(b"hello", ip("fe80::70ff:fe00:2"), 5000, play.now)
    assert play.sent() == []


def test_the_loopback_address_from_the_link_is_refused(play: Play) -> None:
    """RFC 4291 2.5.3: a packet from another node with it must be dropped, whoever sends it."""
    bound(play, 5000)
    assert play.receive(datagram(destination=LOOPBACK, to=OUR_MAC)) is Discard.SOURCE_LOOPBACK
    assert play.receive(datagram(source=LOOPBACK)) is Discard.SOURCE_LOOPBACK
    reply = icmp("fe80::70ff:fe00:2", LOOPBACK, 129, 0, bytes(4))
    octets = packet("fe80::70ff:fe00:2", LOOPBACK, reply)
    assert play.receive(frame(octets, to=OUR_MAC)) is Discard.SOURCE_LOOPBACK


def test_what_goes_to_a_tentative_address_of_ours_stays_here(play: Play) -> None:
    play.add_address("2001:db8::5")
    play.sent()
    with pytest.raises(NoRouteError):
        bound(play, 5000).send(b"hello", ip("2001:db8::5"), 7, play.now)
    assert play.sent() == []


def test_an_address_of_another_interface(play: Play) -> None:
    """What belongs to the host is the host's, whichever of its links it is on."""
    other = play.host.attach("t1", bytes.fromhex("02006e000009"), index=9)
    other.start(play.now)
    other.addresses.add(ip("2001:db8:9::9"), 64, play.now, nodad=True)
    play.settle()
    play.sent()
    socket = bound(play, 5000, "2001:db8:9::9")
    bound(play, 6000).send(b"hello", ip("2001:db8:9::9"), 5000, play.now, Sending(interface=play.interface))
    play.host.advance(play.now)
    assert received(socket) == [b"hello"]
    assert [each for each in play.sent() if each.packet[6] == 17] == []


def test_traffic_class_and_confirmation(play: Play) -> None:
    """RFC 8200 7; RFC 4861 7.3.1: the peer is known to answer, so that no probe is due."""
    socket = bound(play, 5000)
    play.run(play.now + 60)
    play.sent()
    socket.send(b"a", ip("fe80::70ff:fe00:2"), 7, play.now, Sending(traffic_class=0xB8, confirm=True))
    play.settle()
    (sent,) = play.sent()
    assert int.from_bytes(sent.packet[:4], "big") == 6 << 28 | 0xB8 << 20
    assert play.neighbour("fe80::70ff:fe00:2") == "REACHABLE"


def test_a_socket_that_hears_all_groups(play: Play) -> None:
    """IPV6_MULTICAST_ALL: what others on this host have joined; its own filters still hold."""
    member, other = bound(play, 5000, reuse=True), bound(play, 5000, reuse=True)
    listen(play, member)
    other.multicast_all = True
    play.receive(datagram(destination=GROUP))
    assert (received(member), received(other)) == ([b"hello"], [b"hello"])
    other.multicast_all = False
    play.receive(datagram(destination=GROUP))
    assert (received(member), received(other)) == ([b"hello"], [])


def test_a_copy_of_a_socket_has_nobody_to_call() -> None:
    host = Host(Random(1))
    host.attach("t0", OUR_MAC)
    calls: list[int] = []
    socket = host.udp.open(heard=lambda: calls.append(1))
    socket.bind(None, 5000)
    copy = pickle.loads(pickle.dumps(host)).udp.sockets[socket.number]
    assert (copy.port, copy.heard) == (5000, None)


def test_listeners_may_change_while_they_are_told(play: Play) -> None:
    heard: list[str] = []

    def once(event: object) -> None:
        play.host.listeners.remove(once)
        play.host.listeners.append(lambda event: heard.append("late"))
        heard.append("once")

    play.host.listeners[:0] = [once]
    play.events.clear()
    play.remove_address(OUR_GLOBAL)
    assert heard[0] == "once"
    assert heard.count("once") == 1
    # Nobody was passed over for it.
    assert len(play.events) == len(heard)


def test_raw_and_udp_sockets_share_one_limit() -> None:
    play = Play(max_sockets=2).start()
    play.host.raw.open()
    play.host.udp.open()
    for ports in (play.host.raw, play.host.udp):
        with pytest.raises(RefusedError, match="max_sockets"):
            ports.open()


def test_the_source_of_the_last_datagram_is_chosen_again_when_something_changes(play: Play) -> None:
    """RFC 6724: by the interface of each datagram, and the addresses of the moment."""
    other = play.host.attach("t1", bytes.fromhex("02006e000009"), index=9)
    other.start(play.now)
    other.addresses.add(ip("2001:db8:9::9"), 64, play.now, nodad=True)
    group = ip("ff0e::5")
    socket = play.host.udp.open()
    assert socket.way(group, None, None) == (play.interface, ip(OUR_GLOBAL))
    assert socket.way(group, None, other) == (other, ip("2001:db8:9::9"))
    assert socket.way(group, None, None) == (play.interface, ip(OUR_GLOBAL))
    socket.multicast_interface = other
    assert socket.way(group, None, None) == (other, ip("2001:db8:9::9"))
    other.addresses.add(ip("2001:db8:9::a"), 64, play.now, nodad=True)
    other.addresses.remove(ip("2001:db8:9::9"), play.now)
    assert socket.way(group, None, None) == (other, ip("2001:db8:9::a"))
