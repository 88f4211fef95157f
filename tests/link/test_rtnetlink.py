"""rtnetlink messages as rtnetlink(7) and linux/if_link.h lay them out, and what a damaged one does."""

import errno
import os
import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack.link import rtnetlink
from stack.link.rtnetlink import LinkDeleted, LinkMonitor, LinkState, Resync, get_link, parse_events, parse_link

NEWLINK, DELLINK, NEWADDR = 16, 17, 20
IFF_UP, IFF_LOWER_UP = 0x1, 0x10000


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def message(kind: int, body: bytes) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, 0, 0, 0) + body + bytes(-len(body) % 4)


def device(flags: int = IFF_UP, family: int = 0, extra: bytes = b"") -> bytes:
    info = attribute(1, b"tun\0") + attribute(2, attribute(1, struct.pack("=I", 1000)) + TUN_TAP + attribute(6, b"\1"))
    return (
        struct.pack("=BxHiII", family, 1, 5, flags, 0)
        + attribute(3, b"tap0\0")
        + attribute(1, bytes.fromhex("02005e100001"))
        + attribute(4, struct.pack("=I", 1500))
        + attribute(18, info)
        + extra
    )


TUN_TAP = attribute(3, b"\2")
STATE = LinkState(
    index=5,
    name="tap0",
    up=True,
    lower_up=False,
    mtu=1500,
    mac=bytes.fromhex("02005e100001"),
    master=None,
    kind="tun",
    tun_type="tap",
    persistent=True,
    owner=1000,
)


def test_a_device() -> None:
    assert parse_link(device()) == STATE


@pytest.mark.parametrize(
    ("slave", "state"),
    [
        (attribute(4, b"bridge\0") + attribute(5, attribute(1, b"\3") + attribute(2, b"\0\0")), 3),
        (attribute(4, b"bridge\0") + attribute(5, attribute(1, b"\0")), 0),
        (attribute(4, b"bridge\0") + attribute(5, attribute(1, b"")), None),
        (attribute(4, b"bridge\0"), None),
        (attribute(4, b"bond\0") + attribute(5, attribute(1, b"\3")), None),
    ],
)
def test_the_state_of_a_bridge_port(slave: bytes, state: int | None) -> None:
    # linux/if_link.h: IFLA_INFO_SLAVE_KIND, IFLA_INFO_SLAVE_DATA; IFLA_BRPORT_STATE is its first attribute
    link = parse_link(struct.pack("=BxHiII", 0, 1, 5, IFF_UP, 0) + attribute(18, slave))
    assert link is not None
    assert link.port_state == state


def test_a_port_that_is_up() -> None:
    state = parse_link(device(IFF_UP | IFF_LOWER_UP, extra=attribute(10, struct.pack("=I", 9))))
    assert state is not None
    assert (state.up, state.lower_up, state.master) == (True, True, 9)


def test_nested_attributes_may_carry_the_nested_flag() -> None:
    flagged = attribute(18 | 0x8000, attribute(1, b"bridge\0"))
    state = parse_link(struct.pack("=BxHiII", 0, 1, 5, 0, 0) + flagged)
    assert state is not None
    assert state.kind == "bridge"


def test_several_messages_in_one_datagram() -> None:
    data = message(NEWLINK, device()) + message(NEWADDR, bytes(24)) + message(DELLINK, device())
    assert parse_events(data) == [STATE, LinkDeleted(5, "tap0")]


def test_a_port_leaving_a_bridge_is_not_a_deletion() -> None:
    assert parse_events(message(DELLINK, device(family=socket.AF_BRIDGE))) == []


@pytest.mark.parametrize("length", range(len(message(NEWLINK, device()))))
def test_a_message_cut_short_is_passed_over(length: int) -> None:
    assert parse_events(message(NEWLINK, device())[:length]) == []


@given(st.binary(max_size=200))
def test_any_bytes_never_raise(data: bytes) -> None:
    parse_events(data)
    parse_link(data)


@given(st.data())
def test_damaged_devices_never_raise(data: st.DataObject) -> None:
    damaged = bytearray(message(NEWLINK, device()) * 2)
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    parse_events(bytes(damaged))


@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=12)), max_size=8))
def test_unknown_and_odd_attributes_never_raise(attributes: list[tuple[int, bytes]]) -> None:
    body = device() + b"".join(attribute(kind, value) for kind, value in attributes)
    events = parse_events(message(NEWLINK, body))
    assert len(events) == 1


def test_loopback_can_be_read_by_name_and_index() -> None:
    by_name = get_link("lo")
    assert by_name is not None
    assert by_name.name == "lo"
    assert get_link(by_name.index) == by_name


@pytest.mark.parametrize("device", ["", "no-such-dev", "far-too-long-a-name", "a\0b", 0, -1, 0x7FFFFFF0])
def test_no_such_device(device: str | int) -> None:
    assert get_link(device) is None


def test_an_error_carries_the_kernels_errno() -> None:
    with pytest.raises(OSError) as caught:
        rtnetlink.set_link(0x7FFFFFF0, mtu=1500)
    assert caught.value.errno in (errno.ENODEV, errno.EPERM)


def test_a_monitor_with_nothing_to_say() -> None:
    monitor = LinkMonitor()
    try:
        assert not os.get_blocking(monitor.fileno())
        assert not os.get_inheritable(monitor.fileno())
        assert all(isinstance(event, LinkState | LinkDeleted | Resync) for event in monitor.read())
    finally:
        monitor.close()
        monitor.close()
    assert monitor.fileno() == -1


class FullSocket:
    """A netlink socket that lost notifications, holds a forged and a truncated one, and is then empty."""

    def __init__(self) -> None:
        data = message(NEWLINK, device())
        self.answers: list[object] = [
            OSError(errno.ENOBUFS, "no buffer space"),
            (data, [], 0, (4711, 1)),
            (data, [], socket.MSG_TRUNC, (0, 1)),
            (data, [], 0, (0, 1)),
            BlockingIOError(),
        ]

    def recvmsg(self, size: int) -> object:
        answer = self.answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    def close(self) -> None:
        pass


def test_lost_notifications_ask_for_a_new_look_and_forged_ones_are_ignored() -> None:
    monitor = LinkMonitor()
    monitor.close()
    monitor._socket = FullSocket()  # type: ignore[assignment]
    assert monitor.read() == [Resync(), Resync(), STATE]
