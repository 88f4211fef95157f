"""UDP input, clause by clause: what is discarded, what is delivered to whom, what is answered."""

import struct

import pytest

from stack.discard import Discard, Verdict
from stack.mld.filters import SourceFilter
from tests.playbook import (
    OUR_LINK_LOCAL,
    PEER_LINK_LOCAL,
    PEER_MAC,
    Play,
    checksum,
    fragment,
    frame,
    ip,
    options,
    packet,
    text,
)
from tests.playbook import chain as chained
from tests.udp.common import (
    GROUP,
    OTHER_GROUP,
    OUR_GLOBAL,
    PEER_GLOBAL,
    bound,
    datagram,
    excluded,
    included,
    listen,
    message,
    received,
)


@pytest.fixture
def play() -> Play:
    play = Play().start()
    play.add_address(OUR_GLOBAL, nodad=True)
    play.run(40.0)
    play.meet()
    play.sent()
    return play


def changed(play: Play, octets: bytes) -> dict[str, int]:
    """The Udp6 counters that a frame changes, and by how much."""
    before = play.host.counters.as_dict()
    play.receive(octets)
    after = play.host.counters.as_dict()
    return {name: after[name] - before[name] for name in after if name[:4] == "Udp6" and after[name] != before[name]}


# -- what is no datagram

MALFORMED: dict[str, tuple[bytes, Discard, dict[str, int]]] = {
    "empty": (frame(packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, b"", next_header=17)), Discard.UDP_TRUNCATED, {"In": 1}),
    "seven octets": (
        frame(packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, bytes(7), next_header=17)),
        Discard.UDP_TRUNCATED,
        {"In": 1},
    ),
    "length 0: no jumbogram (RFC 2675 4, KNOWN_BUGS 78)": (datagram(length=0), Discard.UDP_LENGTH, {"In": 1}),
    "length 7": (datagram(length=7), Discard.UDP_LENGTH, {"In": 1}),
    "length past the packet": (datagram(b"hello", length=14), Discard.UDP_LENGTH, {"In": 1}),
    "length 65535": (datagram(length=65_535), Discard.UDP_LENGTH, {"In": 1}),
    "checksum 0 (RFC 8200 8.1)": (datagram(value=0), Discard.UDP_NO_CHECKSUM, {"In": 1, "Csum": 1}),
    "wrong checksum": (datagram(value=0x1234), Discard.UDP_CHECKSUM, {"In": 1, "Csum": 1}),
}


@pytest.mark.parametrize(("octets", "reason", "errors"), MALFORMED.values(), ids=MALFORMED)
def test_malformed(play: Play, octets: bytes, reason: Discard, errors: dict[str, int]) -> None:
    """RFC 768, RFC 8200 8.1: discarded in silence, though somebody listens; counted as Linux counts it."""
    socket = bound(play)
    names = {"In": "Udp6InErrors", "Csum": "Udp6InCsumErrors"}
    assert changed(play, octets) == {names[each]: count for each, count in errors.items()}
    assert play.host.counters.outcomes[reason] == 1
    assert received(socket) == []
    assert play.sent() == []


@pytest.mark.parametrize("octets", [each[0] for each in MALFORMED.values()], ids=MALFORMED)
def test_malformed_and_nobody_listens(play: Play, octets: bytes) -> None:
    """RFC 4443 3.1 is about datagrams: what is none is not reported."""
    play.receive(octets)
    assert play.sent() == []


def test_a_checksum_of_ffff_is_right(play: Play) -> None:
    """RFC 8200 8.1: the other form of zero."""
    socket = bound(play)
    probe = message(PEER_LINK_LOCAL, OUR_LINK_LOCAL, 4000, 5000, bytes(2), value=0)
    # The data that brings the sum to ffff is the checksum of the datagram without it.
    data = struct.pack("!H", checksum(ip(PEER_LINK_LOCAL), ip(OUR_LINK_LOCAL), 17, probe))
    octets = datagram(data)
    assert octets[14 + 46 : 14 + 48] == b"\xff\xff"
    assert play.receive(octets) is Verdict.DELIVERED
    assert received(socket) == [data]


@pytest.mark.parametrize("behind", [b"\0", b"surplus octets"], ids=["one", "many"])
def test_octets_behind_the_datagram_are_no_part_of_it(play: Play, behind: bytes) -> None:
    """RFC 768: length is that of header and data; RFC 8200 8.1: it is the one in the pseudo-header."""
    socket = bound(play)
    assert play.receive(datagram(b"hello", behind=behind)) is Verdict.DELIVERED
    assert received(socket) == [b"hello"]


def test_a_checksum_over_the_octets_behind_is_wrong(play: Play) -> None:
    """RFC 8200 8.1: the length in the pseudo-header is the datagram's own."""
    bound(play)
    octets = struct.pack("!HHHH", 4000, 5000, 13, 0) + b"hello" + b"abc"
    value = checksum(ip(PEER_LINK_LOCAL), ip(OUR_LINK_LOCAL), 17, octets)
    assert play.receive(datagram(b"hello", behind=b"abc", value=value)) is Discard.UDP_CHECKSUM


# -- to an address of ours


def test_what_a_socket_is_told(play: Play) -> None:
    """RFC 768, User Interface: the data octets, source port and source address; for IPv6 more (RFC 3542 6)."""
    socket = bound(play)
    octets = bytearray(datagram(b"data", hop_limit=33))
    octets[14:16] = b"\x6a\xb0"  # traffic class ab
    assert play.receive(bytes(octets)) is Verdict.DELIVERED
    found = socket.receive()
    assert found is not None
    assert (found.data, text(found.source), found.port) == (b"data", PEER_LINK_LOCAL, 4000)
    assert (text(found.destination), found.hop_limit, found.traffic_class) == (OUR_LINK_LOCAL, 33, 0xAB)
    assert (found.interface, found.time) == (play.interface, play.now)
    assert socket.receive() is None
    assert play.sent() == []


def test_empty_and_from_no_port(play: Play) -> None:
    """RFC 768: a length of eight is the least; the source port is optional, zero if not used."""
    socket = bound(play)
    assert play.receive(datagram(b"", source_port=0)) is Verdict.DELIVERED
    found = socket.receive()
    assert found is not None
    assert (found.data, found.port) == (b"", 0)


def test_counted(play: Play) -> None:
    bound(play)
    assert changed(play, datagram()) == {"Udp6InDatagrams": 1}
    assert changed(play, datagram(port=5001)) == {"Udp6NoPorts": 1}


def test_behind_extension_headers(play: Play) -> None:
    """RFC 8200 8.1: the pseudo-header has 17, whatever the IPv6 header says."""
    socket = bound(play)
    octets = message(PEER_LINK_LOCAL, OUR_LINK_LOCAL, 4000, 5000, b"hello")
    first, behind = chained((options(60, "0104 00000000"), fragment()), 17, octets)
    assert play.receive(frame(packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, behind, next_header=first))) is Verdict.DELIVERED
    assert received(socket) == [b"hello"]


@pytest.mark.parametrize("source", ["::", OUR_LINK_LOCAL], ids=["unspecified", "ours"])
def test_sources_that_no_datagram_has(play: Play, source: str) -> None:
    """RFC 4291 2.5.2; an address of ours is not heard from the link."""
    socket = bound(play)
    reason = Discard.SOURCE_UNSPECIFIED if source == "::" else Discard.SOURCE_OURS
    assert play.receive(datagram(source=source)) is reason
    assert play.receive(datagram(source=source, port=9)) is reason
    assert received(socket) == []
    assert play.sent() == []


class TestNobodyListens:
    def test_port_unreachable(self, play: Play) -> None:
        """RFC 4443 3.1: type 1, code 4, the unused field zero, the datagram in it, from the address it was sent to."""
        octets = datagram(b"hello", port=9)
        assert play.receive(octets) is Discard.UDP_NO_PORT
        (sent,) = play.sent()
        assert sent.message[:2] == b"\x01\x04"
        assert sent.message[4:8] == bytes(4)
        assert sent.message[8:] == octets[14:]
        assert (sent.source, sent.destination) == (OUR_LINK_LOCAL, PEER_LINK_LOCAL)
        assert sent.checksum_is_right()

    def test_port_0_is_nobodys(self, play: Play) -> None:
        assert play.receive(datagram(port=0)) is Discard.UDP_NO_PORT
        assert [sent.message[:2] for sent in play.sent()] == [b"\x01\x04"]

    def test_within_the_rate_limit(self, play: Play) -> None:
        """RFC 4443 2.4 (f), KNOWN_BUGS 50: 1500 datagrams to closed ports in an instant give ten errors."""
        for port in range(1, 1501):
            play.receive(datagram(port=port))
        assert len(play.sent(1)) == 10
        assert play.host.counters.icmp_errors_limited == 1490

    def test_not_in_a_frame_to_a_group(self, play: Play) -> None:
        """RFC 4443 2.4 (e.4)."""
        assert play.receive(datagram(port=9, to=bytes.fromhex("333300000001"))) is Discard.UDP_NO_PORT
        assert play.sent() == []

    def test_a_closed_socket_is_nobody(self, play: Play) -> None:
        socket = bound(play)
        socket.close(play.now)
        assert play.receive(datagram()) is Discard.UDP_NO_PORT


# -- demultiplexing


class TestDemultiplexing:
    """The most specific first: remote address and port, then local address, then the port alone."""

    def test_by_port(self, play: Play) -> None:
        one, other = bound(play, 5000), bound(play, 5001)
        play.receive(datagram(b"1", port=5000))
        play.receive(datagram(b"2", port=5001))
        assert (received(one), received(other)) == ([b"1"], [b"2"])

    def test_by_local_address(self, play: Play) -> None:
        here = bound(play, 5000, OUR_LINK_LOCAL)
        there = bound(play, 5000, OUR_GLOBAL)
        play.receive(datagram(b"1"))
        play.receive(datagram(b"2", destination=OUR_GLOBAL, source=PEER_GLOBAL))
        assert (received(here), received(there)) == ([b"1"], [b"2"])

    def test_another_local_address_is_another_port(self, play: Play) -> None:
        bound(play, 5000, OUR_GLOBAL)
        assert play.receive(datagram()) is Discard.UDP_NO_PORT

    @pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)], ids=str)
    def test_most_specific_first_whatever_the_order(self, play: Play, order: tuple[int, ...]) -> None:
        made = {}
        for number in order:
            socket = made[number] = bound(play, 5000, None if number == 0 else OUR_LINK_LOCAL, reuse=True)
            if number == 2:
                socket.connect(ip(PEER_LINK_LOCAL), 4000)
        play.receive(datagram(b"peer"))
        play.receive(datagram(b"other port", source_port=4001))
        play.receive(datagram(b"other address", source="fe80::9"))
        play.receive(datagram(b"other local", destination=OUR_GLOBAL, source=PEER_GLOBAL))
        assert received(made[2]) == [b"peer"]
        assert received(made[1]) == [b"other port", b"other address"]
        assert received(made[0]) == [b"other local"]

    def test_a_connected_socket_hears_its_peer_only(self, play: Play) -> None:
        socket = bound(play, 5000)
        socket.connect(ip(PEER_LINK_LOCAL), 4000)
        assert play.receive(datagram(source_port=4001)) is Discard.UDP_NO_PORT
        assert play.receive(datagram(b"peer")) is Verdict.DELIVERED

    def test_a_socket_connected_to_port_0_hears_every_port_of_its_peer(self, play: Play) -> None:
        """As on Linux; one that is connected to the very port says more."""
        exact, every = (bound(play, 5000, reuse=True) for _ in range(2))
        exact.connect(ip(PEER_LINK_LOCAL), 4000)
        every.connect(ip(PEER_LINK_LOCAL), 0)
        play.receive(datagram(b"1", source_port=4001))
        play.receive(datagram(b"2", source_port=4000))
        assert play.receive(datagram(b"3", source="fe80::3")) is Discard.UDP_NO_PORT
        assert (received(exact), received(every)) == ([b"2"], [b"1"])

    def test_of_equals_the_one_bound_last(self, play: Play) -> None:
        first, second = (bound(play, 5000, reuse=True) for _ in range(2))
        play.receive(datagram(b"1"))
        second.close(play.now)
        play.receive(datagram(b"2"))
        assert received(first) == [b"2"]

    def test_of_one_interface(self, play: Play) -> None:
        other = play.host.attach("t1", PEER_MAC, index=9)
        away, here = play.host.udp.open(other), play.host.udp.open(play.interface)
        away.bind(None, 5000)
        here.bind(None, 5000)
        play.receive(datagram(b"1"))
        assert (received(away), received(here)) == ([], [b"1"])


# -- to a group


class TestGroups:
    def test_to_every_member_socket_of_the_port(self, play: Play) -> None:
        """RFC 3810 4.2; each is given its own copy."""
        members = [bound(play, reuse=True) for _ in range(3)]
        outsider = bound(play, reuse=True)
        elsewhere = bound(play, 5001)
        for socket in (*members, elsewhere):
            listen(play, socket)
        assert play.receive(datagram(destination=GROUP)) is Verdict.DELIVERED
        assert [received(each) for each in members] == [[b"hello"]] * 3
        assert (received(outsider), received(elsewhere)) == ([], [])
        assert play.host.counters.udp_in == 3

    def test_no_member_at_the_port(self, play: Play) -> None:
        """RFC 3810 4.2: the group is joined, but not by this socket; RFC 4443 2.4 (e.3): never an error."""
        socket, member = bound(play), bound(play, 5001)
        listen(play, member)
        play.sent()
        assert play.receive(datagram(destination=GROUP)) is Discard.UDP_NO_MEMBER
        assert play.receive(datagram(destination=GROUP, port=5002)) is Discard.UDP_NO_MEMBER
        assert received(socket) == []
        assert play.sent() == []
        assert play.host.counters.as_dict()["Udp6IgnoredMulti"] == 2
        assert play.host.counters.as_dict()["Udp6NoPorts"] == 0

    def test_all_nodes_without_a_member(self, play: Play) -> None:
        """Every node is in ff02::1 (RFC 4291 2.8); a socket still has to say that it listens."""
        socket = bound(play)
        assert play.receive(datagram(destination="ff02::1")) is Discard.UDP_NO_MEMBER
        listen(play, socket, "ff02::1")
        assert play.receive(datagram(destination="ff02::1")) is Verdict.DELIVERED

    def test_a_group_that_nobody_joined_ends_before(self, play: Play) -> None:
        assert play.receive(datagram(destination=OTHER_GROUP)) is Discard.NOT_FOR_US

    def test_one_that_shares_its_mac(self, play: Play) -> None:
        """RFC 2464 7: ff05::77 and ff08::77 have one MAC; the address tells them apart."""
        listen(play, bound(play))
        assert play.receive(datagram(destination="ff08::77")) is Discard.GROUP_NOT_JOINED

    @pytest.mark.parametrize(
        ("wanted", "passes"),
        [
            (included(PEER_LINK_LOCAL), True),
            (included("fe80::9", PEER_LINK_LOCAL), True),
            (included("fe80::9"), False),
            (excluded(), True),
            (excluded("fe80::9"), True),
            (excluded(PEER_LINK_LOCAL), False),
        ],
        ids=["IN, in it", "IN, one of it", "IN, not in it", "EX of none", "EX of another", "EX of it"],
    )
    def test_the_source_gate(self, play: Play, wanted: SourceFilter, passes: bool) -> None:
        """RFC 3810 3, 4.2: a socket is given data only from the sources that its own filter wants."""
        socket = bound(play)
        listen(play, socket, GROUP, wanted)
        play.sent()
        outcome = play.receive(datagram(destination=GROUP))
        assert outcome is (Verdict.DELIVERED if passes else Discard.UDP_SOURCE_FILTERED)
        assert received(socket) == [b"hello"] * passes
        assert play.sent() == []

    def test_the_example_of_the_rfc(self, play: Play) -> None:
        """RFC 3810 4.2: s1 wants a, b, c and s2 wants b, c, d; data from a is for s1 and not for s2."""
        a, b, c, d = (f"fe80::{letter}" for letter in "abcd")
        first, second = bound(play, reuse=True), bound(play, reuse=True)
        listen(play, first, GROUP, included(a, b, c))
        listen(play, second, GROUP, included(b, c, d))
        for source in (a, b, c, d, "fe80::e"):
            play.receive(datagram(source[-1].encode(), source=source, destination=GROUP))
        assert received(first) == [b"a", b"b", b"c"]
        assert received(second) == [b"b", b"c", b"d"]
        assert play.host.counters.outcomes[Discard.UDP_SOURCE_FILTERED] == 1

    def test_filtered_at_one_socket_and_no_member_at_another(self, play: Play) -> None:
        listen(play, bound(play, reuse=True), GROUP, excluded(PEER_LINK_LOCAL))
        bound(play, reuse=True)
        assert play.receive(datagram(destination=GROUP)) is Discard.UDP_SOURCE_FILTERED

    def test_a_later_filter_replaces_the_earlier(self, play: Play) -> None:
        """RFC 3810 3: each request completely replaces any earlier one for this socket and group."""
        socket = bound(play)
        for wanted, outcome in (
            (included("fe80::9"), Discard.UDP_SOURCE_FILTERED),
            (included(PEER_LINK_LOCAL), Verdict.DELIVERED),
            (excluded(PEER_LINK_LOCAL), Discard.UDP_SOURCE_FILTERED),
            (excluded(), Verdict.DELIVERED),
        ):
            listen(play, socket, GROUP, wanted)
            assert play.receive(datagram(destination=GROUP)) is outcome
        listen(play, socket, GROUP, included())
        assert play.receive(datagram(destination=GROUP)) is Discard.NOT_FOR_US

    def test_bound_to_a_group(self, play: Play) -> None:
        """A socket bound to a group takes nothing else, though it is a member of others."""
        socket = bound(play, 5000, GROUP)
        listen(play, socket)
        listen(play, socket, OTHER_GROUP)
        assert play.receive(datagram(destination=GROUP)) is Verdict.DELIVERED
        assert play.receive(datagram(destination=OTHER_GROUP)) is Discard.UDP_NO_MEMBER
        assert play.receive(datagram()) is Discard.UDP_NO_PORT

    def test_bound_to_an_address(self, play: Play) -> None:
        socket = bound(play, 5000, OUR_LINK_LOCAL)
        listen(play, socket)
        assert play.receive(datagram(destination=GROUP)) is Discard.UDP_NO_MEMBER

    def test_on_the_interface_where_it_listens(self, play: Play) -> None:
        """RFC 3810 3: a membership is of a socket, an interface and a group."""
        other = play.host.attach("t1", PEER_MAC, index=9)
        socket = bound(play)
        socket.listen(ip(GROUP), excluded(), play.now, interface=other)
        listen(play, bound(play, 5001))
        assert play.receive(datagram(destination=GROUP)) is Discard.UDP_NO_MEMBER


# -- the queue


class TestQueue:
    def test_full_to_an_address(self) -> None:
        """DESIGN rule 6: rmem_default bounds what waits; what it costs is counted, and nothing is answered."""
        play = Play(rmem_default=2304).start().meet()
        socket = bound(play)
        outcomes = [play.receive(datagram(bytes(512))) for _ in range(5)]
        assert outcomes == [Verdict.DELIVERED] * 3 + [Discard.UDP_QUEUE_FULL] * 2
        table = play.host.counters.as_dict()
        assert (table["Udp6RcvbufErrors"], table["Udp6InErrors"], table["Udp6InDatagrams"]) == (2, 2, 3)
        assert (table["Limit_rmem_default"], socket.dropped) == (2, 2)
        assert play.sent() == []
        assert socket.receive() is not None
        assert play.receive(datagram(bytes(512))) is Verdict.DELIVERED

    def test_empty_ones_take_room_too(self) -> None:
        play = Play(rmem_default=2304).start().meet()
        bound(play)
        outcomes = [play.receive(datagram(b"")) for _ in range(20)]
        assert outcomes.count(Verdict.DELIVERED) == 9

    def test_one_always_has_room(self) -> None:
        play = Play(rmem_default=2304, mtu=9000).start().meet()
        bound(play)
        assert play.receive(datagram(bytes(5000))) is Verdict.DELIVERED
        assert play.receive(datagram(b"")) is Discard.UDP_QUEUE_FULL

    def test_full_at_one_member_and_not_at_another(self) -> None:
        play = Play(rmem_default=2304).start().meet()
        slow, fast = bound(play, reuse=True), bound(play, reuse=True)
        listen(play, slow)
        listen(play, fast)
        for _ in range(5):
            assert play.receive(datagram(bytes(512), destination=GROUP)) is Verdict.DELIVERED
            fast.receive()
        assert (slow.dropped, fast.dropped) == (2, 0)
        assert play.host.counters.as_dict()["Udp6RcvbufErrors"] == 2

    def test_heard_is_called_for_each(self, play: Play) -> None:
        calls: list[int] = []
        socket = play.host.udp.open(heard=lambda: calls.append(1))
        socket.bind(None, 5000)
        play.receive(datagram())
        play.receive(datagram())
        assert calls == [1, 1]
        assert len(received(socket)) == 2

    def test_heard_may_close_the_sockets(self, play: Play) -> None:
        """A member that is closed by another's call while a datagram is delivered is given nothing more."""
        sockets = [bound(play, reuse=True) for _ in range(3)]
        for socket in sockets:
            listen(play, socket)
        sockets[0].heard = lambda: [each.close(play.now) for each in sockets]
        assert play.receive(datagram(destination=GROUP)) is Verdict.DELIVERED
        play.settle()
        assert play.host.udp.sockets == {}
        assert ip(GROUP) not in play.interface.listener.groups.records


def test_the_journal_says_who_was_given_it(play: Play) -> None:
    lines: list[str] = []
    play.host.journal.listen(lambda entry: lines.append(str(entry)))
    bound(play)
    play.receive(datagram())
    assert any("port 5000" in line and "RFC 768" in line for line in lines)
