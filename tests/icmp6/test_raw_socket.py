"""Raw ICMPv6 sockets (RFC 3542 3): who is given a copy of what, and what is sent; bytes built by hand."""

import struct

import pytest

from stack.discard import Discard, Verdict
from stack.errors import NoRouteError, RefusedError, TooLongError, UnavailableError, UsageError
from stack.icmp6.raw_socket import RawSocket
from stack.mld.filters import FilterMode, SourceFilter
from stack.udp.datagram import Sending
from tests.playbook import (
    OUR_LINK_LOCAL,
    PEER_LINK_LOCAL,
    Play,
    echo_request,
    frame,
    icmp,
    ip,
    packet,
    solicitation,
)

GROUP = "ff05::77"


@pytest.fixture
def play() -> Play:
    return Play().start().meet()


def opened(play: Play, *wanted: int) -> RawSocket:
    """A socket that passes these types, or all."""
    socket = play.host.raw.open()
    if wanted:
        socket.blocked = (1 << 256) - 1 - sum(1 << kind for kind in wanted)
    return socket


def types(socket: RawSocket) -> list[int]:
    found = []
    while (each := socket.receive()) is not None:
        found.append(each.data[0])
    return found


def message(kind: int, *, source: str = PEER_LINK_LOCAL, destination: str = OUR_LINK_LOCAL) -> bytes:
    return frame(packet(source, destination, icmp(source, destination, kind, 0, bytes(4))))


class TestReceiving:
    def test_a_copy_and_the_hosts_own_answer(self, play: Play) -> None:
        """3: the message goes to the socket, checksum included, and to the kernel's handling as well."""
        socket = opened(play)
        assert play.receive(echo_request(hop_limit=9)) is Verdict.ANSWERED
        found = socket.receive()
        assert found is not None
        expected = icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, 128, 0, struct.pack("!HH", 7, 1) + b"abcdefgh")
        assert (found.data, found.source, found.hop_limit) == (expected, ip(PEER_LINK_LOCAL), 9)
        assert len(play.sent(129)) == 1

    def test_the_filter(self, play: Play) -> None:
        """3.2: each type is passed or blocked."""
        socket = opened(play, 128, 200)
        for kind in (127, 128, 129, 199, 200, 201, 255):
            play.receive(message(kind))
        assert types(socket) == [128, 200]

    @pytest.mark.parametrize("kind", [0, 99, 200, 255])
    def test_what_the_host_does_not_know_is_delivered(self, play: Play, kind: int) -> None:
        assert isinstance(play.receive(message(kind)), Discard)
        opened(play)
        assert play.receive(message(kind)) is Verdict.DELIVERED

    def test_what_the_host_refuses_stays_refused(self, play: Play) -> None:
        socket = opened(play)
        assert play.receive(solicitation(OUR_LINK_LOCAL, hop_limit=64)) is Discard.ND_HOP_LIMIT
        assert types(socket) == [135]

    def test_a_wrong_checksum(self, play: Play) -> None:
        """2.3: nobody sees it."""
        socket = opened(play)
        octets = bytearray(message(200))
        octets[-1] ^= 1
        assert play.receive(bytes(octets)) is Discard.ICMP_CHECKSUM
        assert types(socket) == []

    def test_bound_and_connected(self, play: Play) -> None:
        bound, connected, other = opened(play), opened(play), opened(play)
        play.add_address("2001:db8::1", nodad=True)
        bound.bind(ip("2001:db8::1"))
        connected.connect(ip("fe80::9"))
        other.connect(ip(PEER_LINK_LOCAL))
        for each in (bound, connected, other):
            types(each)
        play.receive(message(200))
        assert [types(each) for each in (bound, connected, other)] == [[], [], [200]]

    def test_groups(self, play: Play) -> None:
        """RFC 3810 4.2: of a group that it listens to, the sources that it wants; of others', all."""
        member, other = opened(play), opened(play)
        play.join(GROUP)
        member.listen(ip(GROUP), SourceFilter(FilterMode.INCLUDE, frozenset((ip("fe80::9"),))), play.now)
        types(member), types(other)
        play.receive(message(200, destination=GROUP))
        assert (types(member), types(other)) == ([], [200])
        other.multicast_all = False
        play.receive(message(200, destination=GROUP, source="fe80::9"))
        assert (types(member), types(other)) == ([200], [])

    def test_a_full_queue_is_counted(self) -> None:
        play = Play(rmem_default=2304).start().meet()
        socket = opened(play)
        for _ in range(20):
            play.receive(message(200))
        assert socket.dropped == 12
        assert play.host.counters.as_dict()["Limit_rmem_default"] == 12


class TestSending:
    def test_the_checksum_is_made(self, play: Play) -> None:
        """3.1: whatever stands in the field."""
        socket = opened(play)
        how = Sending(hop_limit=7, traffic_class=4)
        socket.send(b"\xc8\x01\xff\xff" + b"abcde", ip(PEER_LINK_LOCAL), play.now, how)
        play.settle()
        (sent,) = play.sent(200)
        assert sent.checksum_is_right()
        assert (sent.message[:2], sent.message[4:], sent.hop_limit) == (b"\xc8\x01", b"abcde", 7)
        assert sent.packet[:2] == b"\x60\x40"
        assert play.host.counters.as_dict()["Icmp6OutType200"] == 1

    def test_to_ourselves(self, play: Play) -> None:
        socket = opened(play, 129)
        socket.send(b"\x80\0\0\0\0\1\0\1ping", ip("::1"), play.now)
        play.settle()
        found = socket.receive()
        assert found is not None
        assert (found.data[4:], found.source) == (b"\0\1\0\1ping", ip("::1"))
        assert play.sent() == []

    @pytest.mark.parametrize(
        ("data", "to", "error"),
        [
            (b"\xc8\0\0", PEER_LINK_LOCAL, UsageError),
            (b"\xc8\0\0\0", "::", UsageError),
            (b"\xc8\0\0\0", None, UsageError),
            (b"\xc8\0\0\0", "2001:db8::9", NoRouteError),
            (bytes(65_536), PEER_LINK_LOCAL, TooLongError),
        ],
        ids=["too short", "unspecified", "nowhere", "no route", "longer than a packet"],
    )
    def test_refused(self, play: Play, data: bytes, to: str | None, error: type[Exception]) -> None:
        with pytest.raises(error):
            opened(play).send(data, None if to is None else ip(to), play.now)
        assert play.sent() == []

    def test_a_foreign_address(self, play: Play) -> None:
        with pytest.raises(UnavailableError):
            opened(play).bind(ip("fe80::99"))

    def test_closed(self, play: Play) -> None:
        socket = opened(play)
        socket.close(play.now)
        socket.close(play.now)
        with pytest.raises(RefusedError, match="closed"):
            socket.send(b"\xc8\0\0\0", ip(PEER_LINK_LOCAL), play.now)
        assert play.host.raw.sockets == {}
        assert isinstance(play.receive(message(200)), Discard)


class TestErrors:
    def test_about_a_message_of_ours(self, play: Play) -> None:
        """RFC 4443 2.4 (a, d): to whoever may have sent what is quoted."""
        socket, other = opened(play), opened(play)
        other.connect(ip("fe80::9"))
        quoted = packet(OUR_LINK_LOCAL, PEER_LINK_LOCAL, icmp(OUR_LINK_LOCAL, PEER_LINK_LOCAL, 200, 0, bytes(4)))
        body = bytes(4) + quoted
        octets = packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, 1, 3, body))
        assert play.receive(frame(octets)) is Verdict.DELIVERED
        error = socket.take_error()
        assert error is not None
        assert (error.destination, error.type, error.code, error.data) == (ip(PEER_LINK_LOCAL), 1, 3, quoted[40:])
        assert other.take_error() is None
