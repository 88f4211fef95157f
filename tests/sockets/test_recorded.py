"""What a program does with sockets is repeated from a recording, byte for byte, without the program."""

import socket
import struct

import pytest
import trio
from trio.testing import MockClock

import stack
from stack.recorder.bundle import pack, unpack
from stack.recorder.replaying import Replay
from stack.recorder.ring import Recorder
from stack.sockets import constants
from tests.recorder.test_replaying import state
from tests.sockets.misuse import group_request, mreq

IP6 = socket.IPPROTO_IPV6
GROUP = "ff05::77"


@pytest.fixture
def clock() -> MockClock:
    """Time passes when nobody has anything to do."""
    return MockClock(autojump_threshold=0)


async def busy(host: stack.RunningHost, other: stack.RunningHost) -> None:
    """Something of everything."""
    with host.socket() as sock, host.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as raw:
        await sock.bind((host.interface.link_local, 7, 0, host.interface.index))
        sock.setsockopt(IP6, socket.IPV6_TCLASS, 4)
        sock.setsockopt(IP6, socket.IPV6_DONTFRAG, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 5000)
        sock.setsockopt(IP6, socket.IPV6_JOIN_GROUP, mreq(GROUP, 1))
        sock.setsockopt(IP6, constants.MCAST_BLOCK_SOURCE, group_request(GROUP, 1, "2001:db8::9"))
        peer = (other.interface.link_local, 9, 0, host.interface.index)
        with pytest.raises(OSError, match="path MTU"):
            await sock.sendto(bytes(3000), peer)
        await sock.sendto(b"nobody listens", peer)
        await raw.sendto(struct.pack("!BBHHH", 128, 0, 0, 7, 1), (other.interface.link_local, 0, 0, 1))
        with other.socket() as sending:
            for number in range(20):
                await sending.sendto(bytes([number]) * 700, (host.interface.link_local, 7, 0, 2))
                await sending.sendto(b"x", (GROUP, 7, 0, 2))
        await trio.sleep(1)
        while sock.is_readable():
            data, sender = await sock.recvfrom(2000)
            await sock.sendto(data, sender)
    await trio.sleep(5)


async def test_a_program_is_repeated(clock: MockClock) -> None:
    switch = stack.Switch()
    async with (
        stack.open_host(switch.add_port("a"), seed=1) as host,
        stack.open_host(switch.add_port("b"), seed=2) as other,
    ):
        recorder = Recorder(host.core)
        await busy(host, other)
        result = Replay(unpack(pack(recorder.stretch(), 0.0, 0.0)).stretch).run()
        assert result.error is None
        assert result.difference() == ""
        assert result.calls > 15
        assert len(result.sent) > 10
        assert state(result.host) == state(host.core)
