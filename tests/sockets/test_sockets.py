"""Sockets between hosts on a switch in memory, in virtual time: what arrives where, who is told of what, who waits."""

import errno
import select
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

import stack
from stack.hosting import RunningHost
from stack.sockets import constants
from stack.sockets.host_socket import HostSocket
from tests.sockets.misuse import group_request, mreq

IP6 = socket.IPPROTO_IPV6
GROUP = "ff05::77"
ONE, OTHER, THIRD = "2001:db8::1", "2001:db8::2", "2001:db8::3"


@pytest.fixture
def clock() -> MockClock:
    """Time passes when nobody has anything to do."""
    return MockClock(autojump_threshold=0)


@asynccontextmanager
async def hosts(**settings: int) -> AsyncIterator[tuple[RunningHost, RunningHost]]:
    """Two hosts with a global address each; their interfaces are `a` (1) and `b` (2)."""
    switch = stack.Switch()
    async with (
        stack.open_host(switch.add_port("a"), addresses=[f"{ONE}/64"], seed=1, settings=settings) as one,
        stack.open_host(
            switch.add_port("b"), addresses=[f"{OTHER}/64", f"{THIRD}/64"], seed=2, settings=settings
        ) as other,
    ):
        await trio.sleep(10)
        yield one, other


async def waiting(sock: HostSocket) -> list[bytes]:
    """What arrives before a second is over."""
    found: list[bytes] = []
    with trio.move_on_after(1):
        while True:
            found.append(await sock.recv(70_000))
    return found


class TestBetweenHosts:
    async def test_an_echo(self, clock: MockClock) -> None:
        async with hosts() as (one, other):
            with one.socket() as client, other.socket() as server:
                await server.bind(("::", 7))
                await client.connect((OTHER, 7))
                assert client.getsockname()[0] == ONE
                await client.send(b"hello")
                data, sender = await server.recvfrom(100)
                assert (data, sender) == (b"hello", client.getsockname())
                await server.sendto(data, sender)
                assert await client.recvfrom(100) == (b"hello", (OTHER, 7, 0, 0))

    async def test_scopes(self, clock: MockClock) -> None:
        """RFC 4007 11: an address of the link comes with the number of the interface that it is seen through."""
        async with hosts() as (one, other):
            with one.socket() as client, other.socket() as server:
                await server.bind((other.interface.link_local, 7, 0, other.interface.index))
                await client.sendto(b"x", (f"{other.interface.link_local}%a", 7))
                data, sender = await server.recvfrom(100)
                assert sender[0] == one.interface.link_local
                assert sender[3] == other.interface.index == 2
                await server.sendto(data, sender)
                assert (await client.recvfrom(100))[1] == (other.interface.link_local, 7, 0, 1)

    async def test_a_long_datagram(self, clock: MockClock) -> None:
        """RFC 8200 4.5: in fragments, whole again at the other end."""
        async with hosts() as (one, other):
            with one.socket() as client, other.socket() as server:
                await server.bind(("::", 7))
                data = bytes(range(256)) * 234
                assert await client.sendto(data, (OTHER, 7)) == len(data)
                assert await server.recv(70_000) == data

    async def test_a_source_of_ones_choice(self, clock: MockClock) -> None:
        """RFC 3542 6.1: by ancillary data for one datagram, by the option for all."""
        async with hosts() as (one, other):
            with one.socket() as server, other.socket() as client:
                await server.bind(("::", 7))
                info = socket.inet_pton(socket.AF_INET6, THIRD) + struct.pack("=I", 0)
                await client.sendmsg([b"x"], [(IP6, socket.IPV6_PKTINFO, info)], 0, (ONE, 7))
                assert (await server.recvfrom(100))[1][0] == THIRD
                client.setsockopt(IP6, socket.IPV6_PKTINFO, info)
                assert client.getsockopt(IP6, socket.IPV6_PKTINFO, 20) == info
                await client.sendto(b"y", (ONE, 7))
                assert (await server.recvfrom(100))[1][0] == THIRD
                client.setsockopt(IP6, socket.IPV6_PKTINFO, b"")
                await client.sendto(b"z", (ONE, 7))
                assert (await server.recvfrom(100))[1][0] in (OTHER, THIRD)

    async def test_hop_limits_and_classes(self, clock: MockClock) -> None:
        async with hosts() as (one, other):
            with one.socket() as client, other.socket() as server:
                await server.bind(("::", 7))
                for option in (socket.IPV6_RECVHOPLIMIT, socket.IPV6_RECVTCLASS):
                    server.setsockopt(IP6, option, 1)
                client.setsockopt(IP6, socket.IPV6_UNICAST_HOPS, 9)
                client.setsockopt(IP6, socket.IPV6_TCLASS, 0x2E)
                await client.sendto(b"x", (OTHER, 7))
                _, items, _, _ = await server.recvmsg(10, 100)
                assert {kind: struct.unpack("=i", value)[0] for _, kind, value in items} == {
                    socket.IPV6_HOPLIMIT: 9,
                    socket.IPV6_TCLASS: 0x2E,
                }
                buffers = [bytearray(2), bytearray(4)]
                await client.sendto(b"abcde", (OTHER, 7))
                count, _, _, sender = await server.recvmsg_into(buffers)
                assert (count, buffers, sender[0]) == (5, [b"ab", b"cde\0"], ONE)
                await client.sendto(b"abcde", (OTHER, 7))
                assert await server.recvfrom_into(buffers[1], 2) == (2, sender)
                assert buffers[1] == b"abe\0"

    async def test_a_socket_of_the_interface_alone(self, clock: MockClock) -> None:
        async with hosts() as (one, other):
            with one.socket() as client, other.socket() as server:
                server.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"b\0")
                await server.bind(("::", 7))
                await client.sendto(b"x", (OTHER, 7))
                assert await server.recv(10) == b"x"
                server.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"\0")
                assert server.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16) == b""


class TestErrors:
    async def test_port_unreachable(self, clock: MockClock) -> None:
        """RFC 4443 3.1, by an error on the link: the next call of a connected socket, and only once."""
        async with hosts() as (one, _):
            with one.socket() as client:
                await client.connect((OTHER, 9))
                await client.send(b"x")
                with pytest.raises(ConnectionRefusedError):
                    await client.recv(10)
                assert await waiting(client) == []

    async def test_nobody_at_the_address(self, clock: MockClock) -> None:
        """RFC 4861 7.2.2: told to whoever asks for errors; a connected socket that does not may try again."""
        async with hosts() as (one, _):
            with one.socket() as asking, one.socket() as other:
                asking.setsockopt(IP6, constants.IPV6_RECVERR, 1)
                for each in (asking, other):
                    await each.connect(("2001:db8::99", 9))
                    await each.send(b"lost")
                await trio.sleep(5)
                with pytest.raises(OSError, match="No route to host"):
                    await asking.recv(10)
                data, ((level, kind, value),), flags, where = await asking.recvmsg(100, 100, socket.MSG_ERRQUEUE)
                assert (data, where) == (b"lost", ("2001:db8::99", 9, 0, 0))
                assert (level, kind, flags) == (IP6, constants.IPV6_RECVERR, socket.MSG_ERRQUEUE)
                number, origin, icmp_type, code, *_ = constants.SOCK_EXTENDED_ERR.unpack_from(value)
                assert (number, origin, icmp_type, code) == (errno.EHOSTUNREACH, 3, 1, 3)
                assert other.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
                assert await waiting(other) == []

    async def test_a_wait_for_errors(self, clock: MockClock) -> None:
        async with hosts() as (one, _):
            with one.socket() as client:
                client.setsockopt(IP6, constants.IPV6_RECVERR, 1)
                found: list[bytes] = []

                async def wait() -> None:
                    found.append((await client.recvmsg(3, 10, socket.MSG_ERRQUEUE))[0])

                async with trio.open_nursery() as nursery:
                    nursery.start_soon(wait)
                    await wait_all_tasks_blocked()
                    await client.sendto(b"lost", (OTHER, 9))
                assert found == [b"los"]

    async def test_a_receiver_that_waits_is_told(self, clock: MockClock) -> None:
        async with hosts() as (one, _):
            with one.socket() as client:
                await client.connect((OTHER, 9))
                told: list[str] = []

                async def wait() -> None:
                    try:
                        await client.recv(10)
                    except ConnectionRefusedError:
                        told.append("refused")

                async with trio.open_nursery() as nursery:
                    nursery.start_soon(wait)
                    await wait_all_tasks_blocked()
                    await client.send(b"x")
                assert told == ["refused"]


class TestGroups:
    async def test_members_alone(self, clock: MockClock) -> None:
        """RFC 3810 4.2: each socket has what it asked for, from the sources it wants."""
        async with hosts() as (one, other):
            every, some, none, strict = (one.socket() for _ in range(4))
            for each in (every, some, none, strict):
                each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                await each.bind(("::", 5000))
            strict.setsockopt(IP6, constants.IPV6_MULTICAST_ALL, 0)
            every.setsockopt(IP6, socket.IPV6_JOIN_GROUP, mreq(GROUP, 1))
            some.setsockopt(IP6, constants.MCAST_JOIN_SOURCE_GROUP, group_request(GROUP, 1, THIRD))
            with other.socket() as sending:
                for source in (OTHER, THIRD):
                    info = socket.inet_pton(socket.AF_INET6, source) + struct.pack("=I", 0)
                    await sending.sendmsg([source.encode()], [(IP6, socket.IPV6_PKTINFO, info)], 0, (GROUP, 5000))
            assert await waiting(every) == [OTHER.encode(), THIRD.encode()]
            assert await waiting(some) == [THIRD.encode()]
            # As on Linux, a socket without a membership hears what others have asked for, unless it says no.
            assert await waiting(none) == [OTHER.encode(), THIRD.encode()]
            assert await waiting(strict) == []
            every.setsockopt(IP6, socket.IPV6_LEAVE_GROUP, mreq(GROUP, 1))
            some.close()
            assert socket.inet_pton(socket.AF_INET6, GROUP) not in one.interface.core.listener.groups

    async def test_the_loop_back(self, clock: MockClock) -> None:
        """RFC 3493 5.2: IPV6_MULTICAST_LOOP is the sender's to say."""
        async with hosts() as (one, _):
            with one.socket() as member, one.socket() as sender:
                await member.bind((GROUP, 5000))
                member.setsockopt(IP6, socket.IPV6_JOIN_GROUP, mreq(GROUP, 0))
                await sender.sendto(b"heard", (GROUP, 5000))
                sender.setsockopt(IP6, socket.IPV6_MULTICAST_LOOP, 0)
                await sender.sendto(b"not heard", (GROUP, 5000))
                await sender.sendto(b"not for a socket bound to the group", (ONE, 5000))
                assert await waiting(member) == [b"heard"]

    async def test_the_interface_by_option(self, clock: MockClock) -> None:
        async with hosts() as (one, other):
            with one.socket() as member, other.socket() as sender:
                await member.bind(("::", 5000))
                member.setsockopt(IP6, socket.IPV6_JOIN_GROUP, mreq("ff02::77", 1))
                sender.setsockopt(IP6, socket.IPV6_MULTICAST_IF, 2)
                sender.setsockopt(IP6, socket.IPV6_MULTICAST_HOPS, 3)
                await sender.sendto(b"x", ("ff02::77", 5000))
                assert await waiting(member) == [b"x"]

    async def test_a_driver_that_refuses(self, clock: MockClock) -> None:
        """SEED row S58: the driver's own errno, and nothing has changed."""
        async with hosts() as (one, _):
            with one.socket() as sock:

                def refuse(plan: object) -> None:
                    raise OSError(errno.ENOSPC, "no room")

                one.interface.core.program = refuse
                with pytest.raises(OSError, match="no room") as caught:
                    sock.setsockopt(IP6, socket.IPV6_JOIN_GROUP, mreq(GROUP, 1))
                assert caught.value.errno == errno.ENOSPC
                one.interface.core.program = None
                sock.setsockopt(IP6, socket.IPV6_JOIN_GROUP, mreq(GROUP, 1))

    async def test_limits(self, clock: MockClock) -> None:
        async with hosts(mld_max_groups=5, max_sockets=2) as (one, _):
            with one.socket() as sock, one.socket():
                with pytest.raises(OSError, match="max_sockets") as caught:
                    one.socket()
                assert caught.value.errno == errno.ENOBUFS
                with pytest.raises(OSError, match="mld_max_groups") as caught:
                    for last in range(10):
                        sock.setsockopt(IP6, socket.IPV6_JOIN_GROUP, mreq(f"ff05::{last:x}", 1))
                assert caught.value.errno == errno.ENOBUFS


class TestRaw:
    async def test_a_ping_by_hand(self, clock: MockClock) -> None:
        async with hosts() as (one, _):
            with one.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as sock:
                blocked = ((1 << 256) - 1) & ~(1 << 129)
                sock.setsockopt(socket.IPPROTO_ICMPV6, constants.ICMP6_FILTER, blocked.to_bytes(32, "little"))
                await sock.connect((OTHER, 0))
                await sock.send(struct.pack("!BBHHH", 128, 0, 0, 7, 1) + b"data")
                message, sender = await sock.recvfrom(100)
                assert (message[0], message[4:], sender) == (129, b"\0\7\0\1data", (OTHER, 0, 0, 0))

    async def test_what_arrives_is_seen_beside_the_host(self, clock: MockClock) -> None:
        async with hosts() as (one, other):
            with other.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as sock:
                await one.ping(OTHER)
                assert 128 in [each[0] for each in await waiting(sock)]
                await sock.bind(("::1", 0))
                await one.ping(OTHER)
                assert await waiting(sock) == []


class TestWaiting:
    async def test_each_datagram_wakes_one(self, clock: MockClock) -> None:
        async with hosts() as (one, _):
            with one.socket() as sock:
                await sock.bind(("::1", 7))
                found: list[bytes] = []

                async def receive() -> None:
                    found.append(await sock.recv(10))

                async with trio.open_nursery() as nursery:
                    for _ in range(3):
                        nursery.start_soon(receive)
                    await wait_all_tasks_blocked()
                    for number in range(3):
                        await sock.sendto(b"%d" % number, ("::1", 7))
                assert sorted(found) == [b"0", b"1", b"2"]

    async def test_a_cancelled_call_does_nothing(self, clock: MockClock) -> None:
        """Cancelled before it begins: nothing is sent, nothing is taken."""
        async with hosts() as (one, _):
            with one.socket() as sock:
                await sock.bind(("::1", 7))
                await sock.sendto(b"x", ("::1", 7))
                for call in (lambda: sock.sendto(b"y", ("::1", 7)), lambda: sock.recv(10)):
                    with trio.CancelScope() as scope:
                        scope.cancel()
                        await call()
                    assert scope.cancelled_caught
                assert await waiting(sock) == [b"x"]

    async def test_who_sends_without_end_lets_others_run(self, clock: MockClock) -> None:
        async with hosts() as (one, other):
            turns = 0

            async def others() -> None:
                nonlocal turns
                while True:
                    turns += 1
                    await trio.lowlevel.checkpoint()

            with one.socket() as client, other.socket() as server:
                await server.bind(("::", 7))
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(others)
                    for _ in range(1000):
                        await client.sendto(b"x", (OTHER, 7))
                    nursery.cancel_scope.cancel()
                assert turns > 10
                # And those who receive have room for what comes in between.
                assert len(await waiting(server)) > 500

    async def test_a_descriptor_to_poll(self, clock: MockClock) -> None:
        async with hosts() as (one, _):
            sock = one.socket()
            await sock.bind(("::1", 7))
            poll = select.poll()
            poll.register(sock.fileno(), select.POLLIN)
            assert poll.poll(0) == []
            for _ in range(2):
                await sock.sendto(b"x", ("::1", 7))
            assert len(poll.poll(0)) == 1
            await sock.recv(10)
            assert (len(poll.poll(0)), sock.is_readable()) == (1, True)
            await sock.recv(10)
            assert (poll.poll(0), sock.is_readable()) == ([], False)
            descriptor = sock.fileno()
            sock.close()
            assert sock.fileno() == -1
            with pytest.raises(OSError, match="Bad file descriptor"):
                socket.socket(fileno=descriptor)

    async def test_the_receive_buffer_is_a_bound(self, clock: MockClock) -> None:
        async with hosts() as (one, _):
            with one.socket() as sock:
                await sock.bind(("::1", 7))
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 5000)
                assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == 10_000
                for _ in range(100):
                    await sock.sendto(bytes(744), ("::1", 7))
                assert len(await waiting(sock)) == 10
                assert one.counters()["Udp6RcvbufErrors"] == 90

    async def test_the_end_of_the_host_closes_them(self, clock: MockClock) -> None:
        async with hosts() as (one, _):
            sock = one.socket()

            async def wait() -> None:
                with pytest.raises(trio.ClosedResourceError):
                    await sock.recv(10)

            async with trio.open_nursery() as nursery:
                nursery.start_soon(wait)
                await wait_all_tasks_blocked()
                one.close()
            assert sock.fileno() == -1
            assert "closed" in repr(sock)


class TestFactory:
    async def test_what_there_is_not(self, clock: MockClock) -> None:
        async with hosts() as (one, _):
            with one.installed():
                for family, kind, proto, number in (
                    (socket.AF_INET, socket.SOCK_DGRAM, 0, errno.EAFNOSUPPORT),
                    (socket.AF_INET6, socket.SOCK_STREAM, 0, errno.EPROTONOSUPPORT),
                    (socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_UDP, errno.EPROTONOSUPPORT),
                ):
                    with pytest.raises(OSError, match=r".") as caught:
                        trio.socket.socket(family, kind, proto)
                    assert caught.value.errno == number
                with pytest.raises(OSError, match=r"."):
                    await trio.open_tcp_stream(ONE, 80)

    async def test_what_there_is(self, clock: MockClock) -> None:
        async with hosts() as (one, _):
            with one.installed():
                kind = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
                with trio.socket.socket(socket.AF_INET6, kind, socket.IPPROTO_UDP) as sock:
                    assert isinstance(sock, trio.socket.SocketType)
                    assert (sock.type, sock.proto) == (socket.SOCK_DGRAM, socket.IPPROTO_UDP)
                    assert not sock.get_inheritable()
                    sock.set_inheritable(False)
                    for call in (sock.dup, sock.detach, lambda: sock.set_inheritable(True)):
                        with pytest.raises(OSError, match=r".") as caught:
                            call()
                        assert caught.value.errno == errno.EOPNOTSUPP
                    await sock.wait_writable()
                    assert repr(sock).startswith("<DatagramSocket of a, laddr=('::', 0, 0, 0)>")
                with trio.socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as unix:
                    assert not isinstance(unix, HostSocket)
            with trio.socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as system:
                assert not isinstance(system, HostSocket), "what was there before is back"

    async def test_names(self) -> None:
        async with stack.open_host(stack.FrameLink("t7", index=7), settings={"dad_transmits": 0}) as host:
            with host.installed():
                for text in ("fe80::1%t7", "fe80::1%7"):
                    ((family, kind, _, _, address), *_) = await trio.socket.getaddrinfo(
                        text, 80, type=socket.SOCK_DGRAM
                    )
                    assert (family, kind, address) == (socket.AF_INET6, socket.SOCK_DGRAM, ("fe80::1", 80, 0, 7))
                for text in ("fe80::1%t8", "name.invalid"):
                    with pytest.raises(socket.gaierror):
                        await trio.socket.getaddrinfo(text, 80)
                with pytest.raises(socket.gaierror):
                    await trio.socket.getaddrinfo("localhost", 80, family=socket.AF_INET)
                assert await trio.socket.getnameinfo(("fe80::1", 80, 0, 7), socket.NI_NUMERICSERV) == (
                    "fe80::1%t7",
                    "80",
                )
                assert await trio.socket.getnameinfo(("fe80::1", 80, 0, 9), socket.NI_NUMERICSERV) == (
                    "fe80::1%9",
                    "80",
                )
                assert await trio.socket.getnameinfo((ONE, 80), socket.NI_NUMERICSERV) == (ONE, "80")
                with host.socket() as sock:
                    # An empty name is any address of one's own, and the host itself as a peer.
                    await sock.bind(("", 7))
                    assert sock.getsockname() == ("::", 7, 0, 0)
                    await sock.connect(("", 7))
                    assert sock.getpeername() == ("::1", 7, 0, 0)
