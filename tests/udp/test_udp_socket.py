"""Sockets: binding and its limits, sending, our own copy, errors about datagrams, closing."""

import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack.discard import Discard, Verdict
from stack.errors import RefusedError, StackError, TooLongError, UsageError
from stack.host import Host
from stack.udp.datagram import Sending
from stack.udp.ports import EPHEMERAL_COUNT, FIRST_EPHEMERAL
from stack.udp.udp_socket import UdpSocket
from tests.playbook import (
    OUR_LINK_LOCAL,
    OUR_MAC,
    PEER_LINK_LOCAL,
    PEER_MAC,
    Play,
    frame,
    group_mac,
    icmp,
    ip,
    packet,
)
from tests.udp.common import (
    GROUP,
    OUR_GLOBAL,
    PEER_GLOBAL,
    bound,
    datagram,
    datagrams,
    included,
    listen,
    message,
    received,
)

NONE = included()


@pytest.fixture
def play() -> Play:
    play = Play().start()
    play.add_address(OUR_GLOBAL, nodad=True)
    play.run(40.0)
    play.meet()
    play.sent()
    return play


def send(play: Play, socket: UdpSocket, data: bytes = b"hello", to: str = PEER_LINK_LOCAL, **options: object) -> None:
    """One datagram to port 7 there."""
    socket.send(data, ip(to), 7, play.now, Sending(**options))  # type: ignore[arg-type]
    play.settle()


# -- binding


class TestBinding:
    def test_a_port_in_use(self, play: Play) -> None:
        bound(play, 5000)
        with pytest.raises(RefusedError, match="port 5000 is in use"):
            bound(play, 5000)
        bound(play, 5001)

    @pytest.mark.parametrize(
        ("one", "other", "refused"),
        [
            (None, OUR_LINK_LOCAL, True),
            (OUR_LINK_LOCAL, None, True),
            (OUR_LINK_LOCAL, OUR_LINK_LOCAL, True),
            (OUR_LINK_LOCAL, OUR_GLOBAL, False),
            (GROUP, OUR_GLOBAL, False),
        ],
    )
    def test_addresses_that_overlap(self, play: Play, one: str | None, other: str | None, refused: bool) -> None:
        bound(play, 5000, one)
        if refused:
            with pytest.raises(RefusedError):
                bound(play, 5000, other)
        else:
            bound(play, 5000, other)

    def test_a_port_is_shared_only_if_both_want_it(self, play: Play) -> None:
        bound(play, 5000, reuse=True)
        bound(play, 5000, reuse=True)
        with pytest.raises(RefusedError):
            bound(play, 5000)

    def test_free_again_once_closed(self, play: Play) -> None:
        bound(play, 5000).close(play.now)
        bound(play, 5000)

    def test_of_its_own_choice(self, play: Play) -> None:
        """RFC 6335 6: 49152 to 65535; RFC 6056 3.3: not the same for every host, and none twice."""
        ports = [bound(play, 0).port for _ in range(50)]
        assert len(set(ports)) == 50
        assert all(FIRST_EPHEMERAL <= port <= 65_535 for port in ports)
        assert (FIRST_EPHEMERAL, EPHEMERAL_COUNT) == (49_152, 16_384)
        again, other = Play(1).start(), Play(2).start()
        assert bound(again, 0).port == bound(Play(1).start(), 0).port
        assert bound(again, 0).port != bound(other, 0).port

    def test_all_chosen_ports_taken(self) -> None:
        play = Play(max_sockets=20_000).start()
        assert len({bound(play, 0).port for _ in range(EPHEMERAL_COUNT)}) == EPHEMERAL_COUNT
        with pytest.raises(RefusedError, match="in use"):
            bound(play, 0)
        bound(play, 80)

    def test_the_limit_names_its_setting(self) -> None:
        """DESIGN rule 6; unbound ones count."""
        play = Play(max_sockets=2).start()
        first, _ = play.host.udp.open(), bound(play)
        with pytest.raises(RefusedError, match="max_sockets"):
            play.host.udp.open()
        assert play.host.counters.as_dict()["Limit_max_sockets"] == 1
        first.close(play.now)
        play.host.udp.open()

    @pytest.mark.parametrize("port", [-1, 65_536])
    def test_what_is_no_port(self, play: Play, port: int) -> None:
        with pytest.raises(UsageError):
            bound(play, port)

    @pytest.mark.parametrize("address", ["fe80::99", PEER_LINK_LOCAL, "2001:db8::99"])
    def test_an_address_that_is_not_ours(self, play: Play, address: str) -> None:
        with pytest.raises(RefusedError, match="no valid address"):
            bound(play, 5000, address)
        bound(play, 5000)

    def test_a_tentative_address(self, play: Play) -> None:
        """RFC 4862 5.4: it is not assigned yet."""
        play.add_address("2001:db8::5")
        with pytest.raises(RefusedError):
            bound(play, 5000, "2001:db8::5")

    def test_the_unspecified_address_is_any(self, play: Play) -> None:
        assert bound(play, 5000, "::").local is None

    def test_twice(self, play: Play) -> None:
        with pytest.raises(RefusedError, match="already"):
            bound(play, 5000).bind(None, 5001)


# -- sending


class TestSending:
    def test_a_datagram(self, play: Play) -> None:
        """RFC 768's picture, from the port that it is bound to; hop limit and source are the host's choice."""
        send(play, bound(play))
        (sent,) = datagrams(play)
        assert sent == (OUR_LINK_LOCAL, 5000, PEER_LINK_LOCAL, 7, b"hello", 64)
        assert play.host.counters.as_dict()["Udp6OutDatagrams"] == 1

    def test_an_unbound_socket_is_bound_first(self, play: Play) -> None:
        socket = play.host.udp.open()
        send(play, socket)
        send(play, socket)
        first, second = datagrams(play)
        assert first.source_port == second.source_port == socket.port >= FIRST_EPHEMERAL

    def test_the_source_fits_the_destination(self, play: Play) -> None:
        """RFC 6724 5."""
        play.meet(PEER_GLOBAL)
        socket = bound(play)
        send(play, socket, to=PEER_GLOBAL)
        send(play, socket)
        assert [each.source for each in datagrams(play)] == [OUR_GLOBAL, OUR_LINK_LOCAL]

    def test_from_where_it_is_bound_or_told(self, play: Play) -> None:
        send(play, bound(play, 5000, OUR_GLOBAL))
        send(play, bound(play, 5001), source=ip(OUR_GLOBAL))
        assert [each.source for each in datagrams(play)] == [OUR_GLOBAL] * 2

    def test_hop_limits(self, play: Play) -> None:
        """RFC 3493 5.1, 5.2: the host's for one address, 1 for a group, unless the socket or the call says more."""
        socket = bound(play)
        play.host.settings.hop_limit = 9
        send(play, socket)
        send(play, socket, to=GROUP)
        socket.unicast_hops, socket.multicast_hops = 5, 6
        send(play, socket)
        send(play, socket, to=GROUP)
        send(play, socket, hop_limit=0)
        assert [each.hop_limit for each in datagrams(play)] == [9, 1, 5, 6, 0]

    def test_to_a_group(self, play: Play) -> None:
        """RFC 2464 7: to the MAC of the group."""
        send(play, bound(play), to=GROUP)
        (sent,) = play.sent()
        assert sent.to == group_mac(ip(GROUP))

    @pytest.mark.parametrize(
        ("destination", "port"),
        [("::", 7), ("::ffff:192.0.2.1", 7), ("ff00::7", 7), (PEER_LINK_LOCAL, 0), (PEER_LINK_LOCAL, 65_536)],
        ids=["unspecified", "mapped", "scope 0", "port 0", "port 65536"],
    )
    def test_what_is_no_destination(self, play: Play, destination: str, port: int) -> None:
        """RFC 4291 2.5.2, 2.5.5.2, 2.7."""
        socket = bound(play)
        with pytest.raises(UsageError):
            socket.send(b"", ip(destination), port, play.now)
        if port:
            with pytest.raises(UsageError):
                socket.connect(ip(destination), port)
        play.settle()
        assert play.sent() == []

    def test_too_long(self, play: Play) -> None:
        """RFC 768: 16 bits of length; RFC 8200 5: in one piece up to the MTU."""
        socket = bound(play)
        with pytest.raises(TooLongError, match="65527"):
            send(play, socket, bytes(65_528))
        send(play, socket, bytes(1452))
        (sent,) = play.sent()
        assert len(sent.packet) == 1500

    def test_no_way(self, play: Play) -> None:
        with pytest.raises(RefusedError, match="no route to 2001:db8:9::1"):
            send(play, bound(play), to="2001:db8:9::1")
        assert play.host.counters.udp_out == 0

    def test_while_the_interface_is_down(self, play: Play) -> None:
        socket = bound(play)
        play.interface.stop(play.now)
        for to in (PEER_LINK_LOCAL, GROUP):
            with pytest.raises(RefusedError):
                send(play, socket, to=to)

    def test_a_source_that_has_gone(self, play: Play) -> None:
        socket = bound(play, 5000, OUR_GLOBAL)
        play.remove_address(OUR_GLOBAL)
        play.sent()
        with pytest.raises(RefusedError, match="no valid address"):
            send(play, socket)
        assert datagrams(play) == []

    def test_a_host_without_interface(self) -> None:
        play = Play()
        host = Host(play.host.rng)
        with pytest.raises(RefusedError, match="no interface"):
            host.udp.open().send(b"", ip(PEER_LINK_LOCAL), 7, 0.0)

    def test_by_the_interface_where_the_destination_is(self, play: Play) -> None:
        """RFC 4861 5.2: the link that has the prefix."""
        other = play.host.attach("t1", PEER_MAC, index=9)
        other.start(play.now)
        other.addresses.add(ip("2001:db8:7::1"), 64, play.now, nodad=True)
        play.settle()
        socket = play.host.udp.open()
        socket.send(b"", ip("2001:db8:7::2"), 7, play.now)
        play.host.advance(play.now)
        assert {interface.name for interface, _ in play.host.output()} == {"t1"}
        socket.send(b"", ip(PEER_LINK_LOCAL), 7, play.now, Sending(source=ip(OUR_LINK_LOCAL)))
        play.host.advance(play.now)
        assert {interface.name for interface, _ in play.host.output()} == {"t0"}


class TestConnected:
    def test_its_peer_is_the_destination(self, play: Play) -> None:
        socket = play.host.udp.open()
        socket.connect(ip(PEER_LINK_LOCAL), 7)
        assert socket.local == ip(OUR_LINK_LOCAL)
        socket.send(b"hello", None, 0, play.now)
        play.settle()
        (sent,) = datagrams(play)
        assert (sent.source, sent.destination, sent.port) == (OUR_LINK_LOCAL, PEER_LINK_LOCAL, 7)

    def test_of_port_0(self, play: Play) -> None:
        """As on Linux, a peer without a port: one may be connected to it, and what is sent goes to port 0."""
        socket = play.host.udp.open()
        socket.connect(ip(PEER_LINK_LOCAL), 0)
        socket.send(b"hello", None, 0, play.now)
        play.settle()
        (sent,) = datagrams(play)
        assert (sent.source, sent.destination, sent.port) == (OUR_LINK_LOCAL, PEER_LINK_LOCAL, 0)

    def test_without_a_peer(self, play: Play) -> None:
        with pytest.raises(UsageError, match="destination"):
            bound(play).send(b"", None, 0, play.now)

    def test_no_address_that_reaches_it(self) -> None:
        play = Play().start(until=None)
        socket = play.host.udp.open()
        with pytest.raises(RefusedError, match="reach"):
            socket.connect(ip(PEER_LINK_LOCAL), 7)
        assert (socket.remote, socket.port) == (None, 0)


# -- to ourselves


class TestOwn:
    def test_an_address_of_ours(self, play: Play) -> None:
        """What is for us is delivered here and never seen on the link."""
        here, there = bound(play, 5000), bound(play, 7)
        send(play, here, to=OUR_LINK_LOCAL)
        found = there.receive()
        assert found is not None
        assert (found.data, found.source, found.port) == (b"hello", ip(OUR_LINK_LOCAL), 5000)
        assert play.sent() == []

    def test_longer_than_the_mtu(self, play: Play) -> None:
        here, there = bound(play, 5000), bound(play, 7)
        send(play, here, bytes(60_000), to=OUR_LINK_LOCAL)
        assert received(there) == [bytes(60_000)]

    def test_nobody_there(self, play: Play) -> None:
        """RFC 4443 3.1: the error reaches the socket without a message."""
        socket = bound(play)
        send(play, socket, to=OUR_LINK_LOCAL)
        error = socket.take_error()
        assert error is not None
        assert (error.source, error.destination, error.port) == (ip(OUR_LINK_LOCAL), ip(OUR_LINK_LOCAL), 7)
        assert (error.type, error.code) == (1, 4)
        assert play.sent() == []
        assert play.host.counters.as_dict()["Udp6NoPorts"] == 1

    def test_our_copy_of_what_goes_to_a_group(self, play: Play) -> None:
        """RFC 3493 5.2, IPV6_MULTICAST_LOOP: on unless the sender turns it off; only for members."""
        sender, member = bound(play, 5000), bound(play, 7)
        send(play, sender, b"1", to=GROUP)
        listen(play, member)
        send(play, sender, b"2", to=GROUP)
        sender.multicast_loop = False
        send(play, sender, b"3", to=GROUP)
        assert received(member) == [b"2"]
        assert [each.data for each in datagrams(play)] == [b"1", b"2", b"3"]

    def test_the_source_gate_is_for_our_copy_too(self, play: Play) -> None:
        member = bound(play, 7)
        listen(play, member, GROUP, included(PEER_LINK_LOCAL))
        send(play, bound(play), to=GROUP)
        assert received(member) == []

    def test_interface_local_groups_stay_here(self, play: Play) -> None:
        """RFC 4291 2.7: scope 1 spans one interface of a node, useful only for loopback."""
        member = bound(play, 7)
        listen(play, member, "ff01::7")
        play.sent()
        send(play, bound(play), to="ff01::7")
        assert received(member) == [b"hello"]
        assert play.sent() == []

    def test_our_copy_from_the_network_is_not_heard(self, play: Play) -> None:
        """A frame that a bridge reflects has our own source address."""
        member = bound(play, 7)
        member.multicast_loop = False
        listen(play, member)
        play.sent()
        send(play, member, to=GROUP)
        (sent,) = play.sent()
        assert play.receive(sent.frame) is Discard.SOURCE_OURS


# -- errors about our datagrams


def error(quote: bytes, kind: int = 1, code: int = 4, parameter: int = 0, source: str = PEER_LINK_LOCAL) -> bytes:
    """A frame with an ICMPv6 error that quotes a packet (RFC 4443 3)."""
    body = struct.pack("!I", parameter) + quote
    return frame(packet(source, OUR_LINK_LOCAL, icmp(source, OUR_LINK_LOCAL, kind, code, body)))


def quoted(source_port: int = 5000, port: int = 7, to: str = PEER_LINK_LOCAL, source: str = OUR_LINK_LOCAL) -> bytes:
    """A datagram of ours as an error quotes it."""
    return packet(source, to, message(source, to, source_port, port, b"hello"), next_header=17, hop_limit=64)


class TestErrors:
    @pytest.mark.parametrize(
        ("kind", "code", "parameter"), [(1, 4, 0), (2, 0, 1280), (3, 0, 0), (4, 1, 40), (99, 5, 6)]
    )
    def test_delivered_to_the_sender(self, play: Play, kind: int, code: int, parameter: int) -> None:
        """RFC 4443 2.4 (a, d): passed to the upper-layer process that sent the packet, unknown types too."""
        socket = bound(play)
        assert play.receive(error(quoted(), kind, code, parameter)) is Verdict.DELIVERED
        found = socket.take_error()
        assert found is not None
        # What stands there in an error of an unknown type is nobody's to say.
        told = parameter if kind <= 4 else 0
        assert found[:6] == (ip(PEER_LINK_LOCAL), ip(PEER_LINK_LOCAL), 7, kind, code, told)
        assert (found.data, found.interface, found.time) == (b"hello", play.interface, play.now)
        assert socket.take_error() is None
        assert socket.receive() is None

    def test_of_a_connected_socket(self, play: Play) -> None:
        socket = bound(play)
        socket.connect(ip(PEER_LINK_LOCAL), 7)
        assert play.receive(error(quoted(port=8))) is Discard.ICMP_ERROR_UNCLAIMED
        assert play.receive(error(quoted(to="fe80::9"))) is Discard.ICMP_ERROR_UNCLAIMED
        assert play.receive(error(quoted())) is Verdict.DELIVERED

    @pytest.mark.parametrize(
        "quote",
        [
            quoted(source_port=5001),
            quoted(source=PEER_LINK_LOCAL, to=OUR_LINK_LOCAL),
            quoted()[:47],
            quoted()[:40],
            quoted()[:39],
            quoted()[:7],
            b"",
        ],
        ids=["another port", "not from us", "47 octets", "40 octets", "39 octets", "7 octets", "nothing"],
    )
    def test_that_nobody_sent(self, play: Play, quote: bytes) -> None:
        socket = bound(play)
        assert play.receive(error(quote)) is Discard.ICMP_ERROR_UNCLAIMED
        assert socket.take_error() is None

    def test_about_a_datagram_of_a_socket_that_is_bound_to_a_group(self, play: Play) -> None:
        """It sends from an address of ours, since no packet comes from a group (RFC 4291 2.7)."""
        socket = bound(play, 5000, GROUP)
        assert play.receive(error(quoted())) is Verdict.DELIVERED
        assert socket.take_error() is not None
        socket.remote, socket.remote_port = ip("fe80::99"), 7
        assert play.receive(error(quoted())) is Discard.ICMP_ERROR_UNCLAIMED

    def test_a_neighbour_that_does_not_answer(self, play: Play) -> None:
        """RFC 4861 7.2.2: address unreachable, told to the sender, from an address of ours."""
        socket = bound(play)
        send(play, socket, to="fe80::77")
        play.run(play.now + 10)
        found = socket.take_error()
        assert found is not None
        assert (found.source, found.type, found.code) == (ip(OUR_LINK_LOCAL), 1, 3)

    def test_they_take_room_in_the_queue(self) -> None:
        """DESIGN rule 6: any number of errors, one bound."""
        play = Play(rmem_default=2304).start().meet()
        socket = bound(play)
        for _ in range(100):
            play.receive(error(quoted()))
        assert socket.dropped == 92
        assert play.host.counters.as_dict()["Udp6RcvbufErrors"] == 0
        assert play.receive(datagram()) is Discard.UDP_QUEUE_FULL

    def test_heard_is_called(self, play: Play) -> None:
        calls: list[int] = []
        socket = bound(play)
        socket.heard = lambda: calls.append(1)
        play.receive(error(quoted()))
        assert calls == [1]


# -- memberships and the end


class TestMemberships:
    def test_a_membership_of_its_own(self, play: Play) -> None:
        """RFC 3810 3: Start Listening reports, Stop Listening leaves; the socket is the owner."""
        socket = bound(play)
        listen(play, socket)
        record = play.interface.listener.groups.records[ip(GROUP)]
        assert record.refcount == 1
        assert [each.owner for each in record.memberships.values()] == [f"udp {socket.number}"]
        listen(play, socket, GROUP, NONE)
        assert ip(GROUP) not in play.interface.listener.groups.records

    def test_two_requests_are_one_membership(self, play: Play) -> None:
        socket = bound(play)
        listen(play, socket)
        listen(play, socket, GROUP, included(PEER_LINK_LOCAL))
        assert play.interface.listener.groups.records[ip(GROUP)].refcount == 1
        assert len(socket.memberships.filters) == 1

    def test_leaving_what_was_not_joined(self, play: Play) -> None:
        listen(play, bound(play), GROUP, NONE)
        assert ip(GROUP) not in play.interface.listener.groups.records

    def test_others_stay(self, play: Play) -> None:
        one, other = bound(play, 5000), bound(play, 5001)
        listen(play, one)
        listen(play, other)
        one.close(play.now)
        play.settle()
        assert play.receive(datagram(destination=GROUP, port=5001)) is Verdict.DELIVERED

    def test_closing_ends_them(self, play: Play) -> None:
        socket = bound(play)
        for last in range(1, 6):
            listen(play, socket, f"ff05::{last}")
        before = play.interface.listener.groups.membership_count
        socket.close(play.now)
        play.settle()
        assert play.interface.listener.groups.membership_count == before - 5
        assert socket.memberships.filters == {}

    def test_a_driver_that_refuses(self, play: Play) -> None:
        """SEED row S58: nothing has changed then, and the caller is told."""
        socket = bound(play)
        play.refuse_filter = True
        with pytest.raises(OSError, match="refused"):
            listen(play, socket)
        assert socket.memberships.filters == {}
        play.refuse_filter = False
        listen(play, socket)

    def test_a_limit(self) -> None:
        play = Play(mld_max_groups=2).start()
        socket = bound(play)
        with pytest.raises(RefusedError, match="mld_max_groups"):
            listen(play, socket)
        assert socket.memberships.filters == {}

    def test_what_is_no_group(self, play: Play) -> None:
        with pytest.raises(UsageError, match="not a multicast address"):
            listen(play, bound(play), PEER_LINK_LOCAL)

    def test_they_survive_the_loss_of_the_addresses(self, play: Play) -> None:
        """SEED row S70: saved with the last address, back with the next; the socket does not notice."""
        socket = bound(play)
        listen(play, socket)
        for address in (OUR_GLOBAL, OUR_LINK_LOCAL):
            play.remove_address(address)
        play.add_address(OUR_LINK_LOCAL, nodad=True)
        assert play.receive(datagram(destination=GROUP)) is Verdict.DELIVERED


CALLS: dict[str, Callable[[UdpSocket], None]] = {
    "bind": lambda socket: socket.bind(None, 0),
    "connect": lambda socket: socket.connect(ip(PEER_LINK_LOCAL), 7),
    "send": lambda socket: socket.send(b"", ip(PEER_LINK_LOCAL), 7, 50.0),
    "listen": lambda socket: socket.listen(ip(GROUP), included(PEER_LINK_LOCAL), 50.0),
}


class TestClosed:
    @pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
    def test_nothing_more(self, play: Play, call: Callable[[UdpSocket], None]) -> None:
        socket = bound(play)
        play.receive(datagram())
        socket.close(play.now)
        socket.close(play.now)
        assert socket.closed
        assert socket.receive() is None
        with pytest.raises(RefusedError, match="closed"):
            call(socket)
        assert play.host.udp.sockets == {}

    def test_unbound(self, play: Play) -> None:
        play.host.udp.open().close(play.now)
        assert play.host.udp.sockets == {}

    def test_it_does_not_take_the_port_of_another(self, play: Play) -> None:
        one, other = bound(play, reuse=True), bound(play, reuse=True)
        one.close(play.now)
        assert play.receive(datagram()) is Verdict.DELIVERED
        assert received(other) == [b"hello"]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("bind"), st.integers(0, 3), st.integers(0, 2)),
        st.tuples(st.just("listen"), st.integers(0, 3), st.integers(0, 2)),
        st.tuples(st.just("send"), st.integers(0, 3), st.integers(0, 2)),
        st.tuples(st.just("close"), st.integers(0, 3), st.just(0)),
        st.tuples(st.just("datagram"), st.integers(0, 3), st.integers(0, 2)),
        st.tuples(st.just("error"), st.integers(0, 3), st.integers(0, 2)),
        st.tuples(st.just("bytes"), st.binary(max_size=24), st.just(0)),
    ),
    max_size=25,
)
TARGETS = [PEER_LINK_LOCAL, OUR_LINK_LOCAL, GROUP]


@given(STEPS)
def test_any_calls_and_frames(steps: list[tuple[str, int | bytes, int]]) -> None:
    """DESIGN rules 5, 6: nothing raises but refusals, every table is within its bound, closing leaves nothing."""
    play = Play(max_sockets=3, rmem_default=2304).start().meet()
    groups = set(play.interface.listener.groups.records)
    sockets: list[UdpSocket] = []
    for name, number, choice in steps:
        try:
            perform(play, sockets, name, number, choice)
        except StackError:
            continue
        play.settle()
        assert len(play.host.udp.sockets) <= 3
    for socket in sockets:
        socket.close(play.now)
    play.settle()
    assert play.host.udp.sockets == {}
    assert set(play.interface.listener.groups.records) == groups
    assert play.receive(datagram(port=5000)) is Discard.UDP_NO_PORT
    assert OUR_MAC in {each.frame[6:12] for each in play.sent()}


def perform(play: Play, sockets: list[UdpSocket], name: str, number: int | bytes, choice: int) -> None:
    """One step: a call on the socket of that number, or a frame to its port."""
    if isinstance(number, bytes):
        play.receive(frame(packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, number, next_header=17)))
    elif name == "bind":
        socket = play.host.udp.open()
        sockets.append(socket)
        socket.reuse = choice == 1
        socket.bind(None if choice == 0 else ip(OUR_LINK_LOCAL), 5000 + number)
    elif name == "datagram":
        play.receive(datagram(bytes(700), destination=TARGETS[1 + choice % 2], port=5000 + number))
    elif name == "error":
        play.receive(error(quoted(5000 + number, 5000 + choice)))
    elif sockets:
        socket = sockets[number % len(sockets)]
        if name == "listen":
            socket.listen(ip(GROUP), (NONE, included(PEER_LINK_LOCAL), included(OUR_LINK_LOCAL))[choice], play.now)
        elif name == "send":
            socket.send(b"data", ip(TARGETS[choice]), 5000 + number, play.now)
        else:
            socket.close(play.now)
