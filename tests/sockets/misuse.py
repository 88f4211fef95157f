"""Wrong uses of sockets, as programs written against `trio.socket` alone: each runs on Linux's sockets and on ours.

`Place` says what there is to be used wrongly. A case returns the name of the errno
that it ended with, or "ok"; a case that reads something returns that as text.
"""

import errno
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import trio
import trio.testing
from trio.socket import SocketType

UDP, RAW = socket.SOCK_DGRAM, socket.SOCK_RAW
IP6, SOL, ICMP6 = socket.IPPROTO_IPV6, socket.SOL_SOCKET, socket.IPPROTO_ICMPV6
GROUP = "ff05::77"
NO_INDEX = 9999
# linux/in6.h, linux/in.h, linux/icmpv6.h
MTU_DISCOVER, MTU, RECVERR, MULTICAST_ALL, ICMP6_FILTER = 23, 24, 25, 29, 1
(JOIN, BLOCK, UNBLOCK, LEAVE, JOIN_SOURCE, LEAVE_SOURCE, MSFILTER) = range(42, 49)


class Place(NamedTuple):
    """An interface by index and name, its link-local address, and a global address of the host."""

    index: int
    name: str
    link_local: str
    address: str


Case = Callable[[Place], Awaitable[object]]
CASES: dict[str, Case] = {}


def case(function: Case) -> Case:
    """One more case, under its own name."""
    CASES[function.__name__] = function
    return function


def address(text: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6, text)


def mreq(group: str, index: int) -> bytes:
    return address(group) + struct.pack("=I", index)


def storage(text: str, family: int = socket.AF_INET6) -> bytes:
    return struct.pack("=H2sI16sI", family, b"\0\0", 0, address(text), 0).ljust(128, b"\0")


def group_request(group: str, index: int, *sources: str, family: int = socket.AF_INET6) -> bytes:
    return struct.pack("@I0P", index) + storage(group, family) + b"".join(storage(each, family) for each in sources)


def group_filter(group: str, index: int, mode: int, *sources: str) -> bytes:
    head = struct.pack("@I0P", index) + storage(group) + struct.pack("=II", mode, len(sources))
    return head + b"".join(storage(each) for each in sources)


# What waits for so long waits for ever.
PATIENCE = 2.0


async def outcome(run: Case, place: Place) -> str:
    """What a case ends with."""
    try:
        with trio.move_on_after(PATIENCE) as scope:
            found = await run(place)
        if scope.cancelled_caught:
            return "waits"
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error.errno))
    except (ValueError, TypeError, OverflowError) as error:
        return type(error).__name__
    return "ok" if found is None else repr(found)


def udp() -> SocketType:
    return trio.socket.socket(socket.AF_INET6, UDP)


def raw() -> SocketType:
    return trio.socket.socket(socket.AF_INET6, RAW, ICMP6)


# -- making sockets


def making(name: str, family: int, kind: int, proto: int) -> None:
    async def run(place: Place) -> None:
        trio.socket.socket(family, kind, proto).close()

    CASES[f"socket {name}"] = run


making("of no family", 45, UDP, 0)
making("UDP with ICMPv6's number", socket.AF_INET6, UDP, 132)
making("raw without a protocol", socket.AF_INET6, RAW, 0)
making("of no type", socket.AF_INET6, 9, 0)


# -- bind, connect, names


def binding(
    name: str, where: Callable[[Place], Any], make: Callable[[], SocketType] = udp, twice: bool = False
) -> None:
    async def run(place: Place) -> None:
        with make() as sock:
            await sock.bind(where(place))
            if twice:
                await sock.bind(where(place))

    CASES[f"bind {name}"] = run


binding("to any", lambda place: ("::", 0))
binding("to loopback", lambda place: ("::1", 0))
binding("to an address of the host", lambda place: (place.address, 0))
binding("to a foreign address", lambda place: ("2001:db8:99::1", 0))
binding("to a link-local address without a scope", lambda place: (place.link_local, 0))
binding("to a link-local address", lambda place: (place.link_local, 0, 0, place.index))
binding("to a link-local address of no interface", lambda place: (place.link_local, 0, 0, NO_INDEX))
binding("to a foreign link-local address", lambda place: ("fe80::99", 0, 0, place.index))
binding("to a group", lambda place: (GROUP, 0))
binding("to a group of the link without a scope", lambda place: ("ff02::77", 0))
binding("to a group of the link", lambda place: ("ff02::77", 0, 0, place.index))
binding("to a global address with a scope", lambda place: (place.address, 0, 0, NO_INDEX))
binding("to a mapped address", lambda place: ("::ffff:192.0.2.1", 0))
binding("to a port that there is not", lambda place: ("::", 65_536))
binding("to a number alone", lambda place: ("::",))
binding("with five parts", lambda place: ("::", 0, 0, 0, 0))
binding("twice", lambda place: ("::", 0), twice=True)
binding("raw to a foreign address", lambda place: ("2001:db8:99::1", 0), raw)
binding("raw to a link-local address without a scope", lambda place: (place.link_local, 0), raw)
binding("raw twice", lambda place: ("::1", 0), raw, twice=True)


@case
async def bind_a_port_that_is_taken(place: Place) -> None:
    with udp() as one, udp() as other:
        await one.bind(("::", 0))
        await other.bind((place.address, one.getsockname()[1]))


@case
async def bind_a_port_that_one_would_share(place: Place) -> None:
    with udp() as one, udp() as other:
        one.setsockopt(SOL, socket.SO_REUSEADDR, 1)
        await one.bind(("::", 0))
        await other.bind(("::", one.getsockname()[1]))


@case
async def bind_a_port_that_both_share(place: Place) -> None:
    with udp() as one, udp() as other:
        for each in (one, other):
            each.setsockopt(SOL, socket.SO_REUSEADDR, 1)
        await one.bind(("::", 0))
        await other.bind(("::", one.getsockname()[1]))


@case
async def bind_other_addresses_of_a_port(place: Place) -> None:
    with udp() as one, udp() as other:
        await one.bind(("::1", 0))
        await other.bind((place.address, one.getsockname()[1]))


@case
async def bind_after_connect(place: Place) -> None:
    with udp() as sock:
        await sock.connect(("::1", 9))
        await sock.bind(("::", 0))


def connecting(name: str, where: Callable[[Place], Any], make: Callable[[], SocketType] = udp) -> None:
    async def run(place: Place) -> object:
        with make() as sock:
            await sock.connect(where(place))
            return sock.getpeername()

    CASES[f"connect {name}"] = run


connecting("to any", lambda place: ("::", 9))
connecting("to loopback", lambda place: ("::1", 9))
connecting("to itself", lambda place: (place.address, 9))
connecting("to port 0", lambda place: ("::1", 0))
connecting("raw to a port", lambda place: ("::1", 7), raw)
connecting("nowhere", lambda place: ("2001:db8:99::1", 9))
connecting("to a link-local address without a scope", lambda place: ("fe80::99", 9))
connecting("to a link-local address of no interface", lambda place: ("fe80::99", 9, 0, NO_INDEX))
connecting("to a link-local address", lambda place: ("fe80::99", 9, 0, place.index))
connecting("to a mapped address", lambda place: ("::ffff:192.0.2.1", 9))
connecting("to a group of the link without a scope", lambda place: ("ff02::77", 9))
connecting("to a group of the link", lambda place: ("ff02::77", 9, 0, place.index))
connecting("raw to loopback", lambda place: ("::1", 0), raw)


@case
async def connected_to_port_0(place: Place) -> object:
    """Sends to port 0, and receives from every port of the peer."""
    with udp() as sock, udp() as peer, udp() as other:
        await sock.bind(("::1", 0))
        await sock.connect(("::1", 0))
        await other.bind((place.address, 0))
        await other.sendto(b"from another", sock.getsockname())
        await peer.sendto(b"from the peer", sock.getsockname())
        return await sock.recv(100), await sock.send(b"x")


@case
async def connected_to_port_0_after_another(place: Place) -> object:
    with udp() as sock:
        await sock.connect(("::1", 9))
        await sock.connect(("::1", 0))
        return sock.getpeername()


@case
async def names_of_a_new_socket(place: Place) -> object:
    with udp() as sock:
        return sock.getsockname(), sock.fileno() >= 0, sock.type, sock.family, sock.proto


@case
async def name_of_a_raw_socket(place: Place) -> object:
    with raw() as sock:
        return sock.getsockname()


@case
async def name_after_a_link_local_bind(place: Place) -> object:
    with udp() as sock:
        await sock.bind((place.link_local, 0, 0, place.index))
        return sock.getsockname()[0] == place.link_local, sock.getsockname()[2:] == (0, place.index)


@case
async def name_after_connect(place: Place) -> object:
    with udp() as sock:
        await sock.connect((place.address, 9))
        return sock.getsockname()[0] == place.address, sock.getsockname()[1] > 0


@case
async def peer_without_one(place: Place) -> object:
    with udp() as sock:
        return sock.getpeername()


# -- sending and receiving


def sending(
    name: str,
    where: Callable[[Place], Any],
    data: bytes = b"x",
    make: Callable[[], SocketType] = udp,
    *,
    source: Callable[[Place], Any] | None = None,
    flags: int = 0,
) -> None:
    async def run(place: Place) -> object:
        with make() as sock:
            if source is not None:
                await sock.bind(source(place))
            return await sock.sendto(data, flags, where(place))

    CASES[f"sendto {name}"] = run


sending("any", lambda place: ("::", 9))
sending("loopback", lambda place: ("::1", 9))
sending("port 0", lambda place: ("::1", 0))
sending("nowhere", lambda place: ("2001:db8:99::1", 9))
sending("a mapped address", lambda place: ("::ffff:192.0.2.1", 9))
sending("a link-local address of no interface", lambda place: ("fe80::99", 9, 0, NO_INDEX))
sending("a link-local address", lambda place: ("fe80::99", 9, 0, place.index))
sending("a link-local address without a scope", lambda place: ("fe80::99", 9))
sending("raw a link-local address without a scope", lambda place: ("fe80::99", 0), b"\xc8\0\0\0", raw)
sending("a group of the link", lambda place: ("ff02::77", 9, 0, place.index))
sending("a group of the link of no interface", lambda place: ("ff02::77", 9, 0, NO_INDEX))
sending("too much", lambda place: ("::1", 9), bytes(65_528))
sending("much", lambda place: ("::1", 9), bytes(65_527 - 100))
sending("nothing", lambda place: ("::1", 9), b"")
sending("out of band", lambda place: ("::1", 9), flags=socket.MSG_OOB)
sending("raw out of band", lambda place: ("::1", 0), b"\xc8\0\0\0", raw, flags=socket.MSG_OOB)
sending("raw too much", lambda place: ("::1", 0), bytes(70_000), raw)
sending("raw nowhere", lambda place: ("2001:db8:99::1", 0), b"\xc8\0\0\0", raw)
sending("a group from loopback", lambda place: ("ff02::77", 9, 0, place.index), source=lambda place: ("::1", 0))
sending("a neighbour from loopback", lambda place: ("2001:db8::99", 9), source=lambda place: ("::1", 0))
sending("with MSG_CONFIRM", lambda place: ("::1", 9), flags=socket.MSG_CONFIRM)
sending("raw three bytes", lambda place: ("::1", 0), b"abc", raw)
sending("raw four bytes", lambda place: ("::1", 0), b"\xc8\0\0\0", raw)
sending(
    "another scope than that of the bind",
    lambda place: ("fe80::99", 9, 0, NO_INDEX),
    source=lambda place: (place.link_local, 0, 0, place.index),
)


def long(name: str, size: int, option: int = 0, value: int = 0, to: str = "2001:db8::99") -> None:
    async def run(place: Place) -> object:
        with udp() as sock:
            if option:
                sock.setsockopt(IP6, option, value)
            return await sock.sendto(bytes(size), (to, 9))

    CASES[f"sendto {name}"] = run


# The link's MTU is 1500, of which the headers take 48.
long("what fits the MTU", 1452, socket.IPV6_DONTFRAG, 1)
long("more than the MTU", 1453)
long("more than the MTU without fragments", 1453, socket.IPV6_DONTFRAG, 1)
long("more than the MTU with fragments allowed again", 1453, socket.IPV6_DONTFRAG, 0)
long("more than the MTU to itself without fragments", 1453, socket.IPV6_DONTFRAG, 1, "::1")
for discovery in range(6):
    long(f"more than the MTU with discovery {discovery}", 1453, MTU_DISCOVER, discovery)


@case
async def the_path_mtu_of_a_peer(place: Place) -> object:
    with udp() as sock:
        await sock.connect(("2001:db8::99", 9))
        return sock.getsockopt(IP6, MTU)


@case
async def send_without_a_peer(place: Place) -> object:
    with udp() as sock:
        return await sock.send(b"x")


@case
async def send_raw_without_a_peer(place: Place) -> object:
    with raw() as sock:
        return await sock.send(b"\xc8\0\0\0")


@case
async def send_to_a_port_where_nobody_listens(place: Place) -> object:
    with udp() as sock:
        await sock.connect(("::1", 9))
        await sock.send(b"x")
        return await sock.recv(10)


@case
async def send_again_to_a_port_where_nobody_listens(place: Place) -> object:
    with udp() as sock:
        await sock.connect(("::1", 9))
        await sock.send(b"x")
        await trio.sleep(0.05)
        return await sock.send(b"x")


@case
async def the_error_of_a_socket(place: Place) -> object:
    with udp() as sock:
        await sock.connect(("::1", 9))
        await sock.send(b"x")
        await trio.sleep(0.05)
        first = sock.getsockopt(SOL, socket.SO_ERROR)
        return errno.errorcode[first], sock.getsockopt(SOL, socket.SO_ERROR)


@case
async def no_error_without_a_peer(place: Place) -> object:
    with udp() as sock:
        await sock.sendto(b"x", ("::1", 9))
        await trio.sleep(0.05)
        return sock.getsockopt(SOL, socket.SO_ERROR)


@case
async def the_error_queue(place: Place) -> object:
    with udp() as sock:
        sock.setsockopt(IP6, RECVERR, 1)
        await sock.sendto(b"lost", ("::1", 9))
        await trio.sleep(0.05)
        data, items, flags, where = await sock.recvmsg(100, 1000, socket.MSG_ERRQUEUE)
        return data, items, flags == socket.MSG_ERRQUEUE, where[:2], sock.getsockopt(SOL, socket.SO_ERROR)


@case
async def an_error_that_was_asked_for(place: Place) -> object:
    with udp() as sock:
        sock.setsockopt(IP6, RECVERR, 1)
        await sock.sendto(b"lost", ("::1", 9))
        await trio.sleep(0.05)
        return await sock.recv(10)


@case
async def receive_what_is_longer(place: Place) -> object:
    with udp() as one, udp() as other:
        await one.bind(("::1", 0))
        for _ in range(4):
            await other.sendto(b"abcdef", one.getsockname())
        into = bytearray(3)
        count = await one.recv_into(into)
        data, items, flags, _ = await one.recvmsg(4)
        peeked = await one.recv(100, socket.MSG_PEEK)
        return count, bytes(into), data, items, flags == socket.MSG_TRUNC, peeked, await one.recv(2), await one.recv(0)


@case
async def a_truncated_datagram_with_its_length(place: Place) -> object:
    with udp() as sock:
        await sock.bind(("::1", 0))
        await sock.sendto(b"abcdef", sock.getsockname())
        return await sock.recv_into(bytearray(3), 0, socket.MSG_TRUNC)


@case
async def receive_out_of_band(place: Place) -> object:
    with udp() as sock:
        return await sock.recv(1, socket.MSG_OOB)


@case
async def ancillary_data(place: Place) -> object:
    with udp() as one, udp() as other:
        await one.bind(("::1", 0))
        for name in (socket.IPV6_RECVPKTINFO, socket.IPV6_RECVHOPLIMIT, socket.IPV6_RECVTCLASS):
            one.setsockopt(IP6, name, 1)
        items = [
            (IP6, socket.IPV6_HOPLIMIT, struct.pack("=i", 7)),
            (IP6, socket.IPV6_TCLASS, struct.pack("=i", 0xB8)),
        ]
        await other.sendmsg([b"ab", b"c"], items, 0, one.getsockname())
        await other.sendto(b"def", one.getsockname())
        data, found, flags, _ = await one.recvmsg(100, 1000)
        more, cut, short, _ = await one.recvmsg(100, socket.CMSG_SPACE(20))
        return (
            *(data, [(level, kind, value[:16]) for level, kind, value in found], flags),
            *(more, [(level, kind, value[:16]) for level, kind, value in cut], short == socket.MSG_CTRUNC),
        )


def ancillary(name: str, kind: int, value: Callable[[Place], bytes], level: int = IP6) -> None:
    async def run(place: Place) -> object:
        with udp() as sock:
            return await sock.sendmsg([b"x"], [(level, kind, value(place))], 0, (place.address, 9))

    CASES[f"sendmsg {name}"] = run


ancillary("hop limit 256", socket.IPV6_HOPLIMIT, lambda place: struct.pack("=i", 256))
ancillary("hop limit -1", socket.IPV6_HOPLIMIT, lambda place: struct.pack("=i", -1))
ancillary("a short hop limit", socket.IPV6_HOPLIMIT, lambda place: b"\x07")
ancillary("traffic class 256", socket.IPV6_TCLASS, lambda place: struct.pack("=i", 256))
ancillary("packet information", socket.IPV6_PKTINFO, lambda place: address(place.address) + struct.pack("=I", 0))
ancillary("a foreign source", socket.IPV6_PKTINFO, lambda place: address("2001:db8:99::1") + struct.pack("=I", 0))
ancillary("an interface that there is not", socket.IPV6_PKTINFO, lambda place: bytes(16) + struct.pack("=I", NO_INDEX))
ancillary("short packet information", socket.IPV6_PKTINFO, lambda place: bytes(8))
ancillary("an unknown kind", 200, lambda place: bytes(4))
ancillary("of another level", 200, lambda place: bytes(4), 250)


# -- shutdown and close


@case
async def shutdown_without_a_peer(place: Place) -> None:
    with udp() as sock:
        sock.shutdown(socket.SHUT_RDWR)


@case
async def shutdown_in_no_direction(place: Place) -> None:
    with udp() as sock:
        await sock.connect(("::1", 9))
        sock.shutdown(3)


@case
async def shutdown_of_receiving(place: Place) -> object:
    with udp() as sock:
        await sock.connect(("::1", 9))
        sock.shutdown(socket.SHUT_RD)
        return await sock.recvfrom(10), await sock.recvmsg(10, 100), sock.did_shutdown_SHUT_WR


@case
async def shutdown_of_sending(place: Place) -> object:
    with udp() as sock:
        await sock.connect(("::1", 9))
        before = sock.did_shutdown_SHUT_WR
        sock.shutdown(socket.SHUT_WR)
        assert (before, sock.did_shutdown_SHUT_WR) == (False, True)
        return await sock.send(b"x")


def closed(name: str, call: Callable[[SocketType], Any]) -> None:
    async def run(place: Place) -> object:
        sock = udp()
        sock.close()
        sock.close()
        found = call(sock)
        return await found if hasattr(found, "__await__") else found

    CASES[f"closed {name}"] = run


closed("fileno", lambda sock: sock.fileno())
closed("bind", lambda sock: sock.bind(("::", 0)))
closed("recv", lambda sock: sock.recv(1))
closed("sendto", lambda sock: sock.sendto(b"", ("::1", 9)))
closed("getsockname", lambda sock: sock.getsockname())
closed("getsockopt", lambda sock: sock.getsockopt(SOL, socket.SO_TYPE))
closed("setsockopt", lambda sock: sock.setsockopt(SOL, socket.SO_REUSEADDR, 1))


@case
async def close_while_another_waits(place: Place) -> object:
    sock = udp()
    found: list[str] = []

    async def wait() -> None:
        try:
            await sock.recv(1)
        except trio.ClosedResourceError:
            found.append("closed")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await trio.testing.wait_all_tasks_blocked()
        sock.close()
    return found, sock.fileno()


@case
async def cancelled_while_waiting(place: Place) -> object:
    with udp() as sock:
        await sock.bind(("::1", 0))
        with trio.move_on_after(0.05) as scope:
            await sock.recv(1)
        await sock.sendto(b"x", sock.getsockname())
        return scope.cancelled_caught, await sock.recv(1)


@case
async def listen(place: Place) -> None:
    with udp() as sock:
        sock.listen()


@case
async def accept(place: Place) -> None:
    with udp() as sock:
        await sock.accept()


# -- options

KINDS: dict[str, Callable[[], SocketType]] = {"udp": udp, "raw": raw}


def reading(level: int, name: int, label: str, size: int | None = None) -> None:
    for kind, make in KINDS.items():

        async def run(place: Place, make: Callable[[], SocketType] = make) -> object:
            with make() as sock:
                return sock.getsockopt(level, name) if size is None else sock.getsockopt(level, name, size)

        CASES[f"get {label} of {kind}"] = run


def setting(level: int, name: int, label: str, *values: object) -> None:
    """Set to each value; what is read back then."""
    for kind, make in KINDS.items():
        for value in values:

            async def run(place: Place, make: Callable[[], SocketType] = make, value: Any = value) -> object:
                with make() as sock:
                    sock.setsockopt(level, name, value)
                    return sock.getsockopt(level, name)

            CASES[f"set {label} of {kind} to {value!r}"] = run


FLAGS = (-1, 0, 1, 2, b"", b"\1", b"\1\0\0\0", b"\0\0\0\0\1")
for label, level, name in (
    ("IPV6_RECVPKTINFO", IP6, socket.IPV6_RECVPKTINFO),
    ("IPV6_RECVHOPLIMIT", IP6, socket.IPV6_RECVHOPLIMIT),
    ("IPV6_RECVTCLASS", IP6, socket.IPV6_RECVTCLASS),
    ("IPV6_V6ONLY", IP6, socket.IPV6_V6ONLY),
    ("IPV6_MULTICAST_LOOP", IP6, socket.IPV6_MULTICAST_LOOP),
    ("IPV6_MULTICAST_ALL", IP6, MULTICAST_ALL),
    ("IPV6_RECVERR", IP6, RECVERR),
    ("IPV6_DONTFRAG", IP6, socket.IPV6_DONTFRAG),
    ("SO_BROADCAST", SOL, socket.SO_BROADCAST),
    ("SO_REUSEADDR", SOL, socket.SO_REUSEADDR),
):
    reading(level, name, label)
    setting(level, name, label, *FLAGS)
for label, name in (
    ("IPV6_UNICAST_HOPS", socket.IPV6_UNICAST_HOPS),
    ("IPV6_MULTICAST_HOPS", socket.IPV6_MULTICAST_HOPS),
    ("IPV6_TCLASS", socket.IPV6_TCLASS),
):
    reading(IP6, name, label)
    setting(IP6, name, label, -2, -1, 0, 1, 255, 256, b"", b"\7", b"\7\0\0\0")
setting(IP6, MTU_DISCOVER, "IPV6_MTU_DISCOVER", -1, 0, 1, 2, 3, 4, 5, 6)
reading(IP6, MTU_DISCOVER, "IPV6_MTU_DISCOVER")
reading(IP6, MTU, "IPV6_MTU")
for label, name in (("SO_TYPE", socket.SO_TYPE), ("SO_ERROR", socket.SO_ERROR), ("SO_DOMAIN", socket.SO_DOMAIN)):
    reading(SOL, name, label)
    setting(SOL, name, label, 1)
reading(SOL, socket.SO_PROTOCOL, "SO_PROTOCOL")
reading(SOL, socket.SO_ACCEPTCONN, "SO_ACCEPTCONN")
setting(SOL, socket.SO_RCVBUF, "SO_RCVBUF", 10_000, 100_000, b"\1")
setting(IP6, socket.IPV6_CHECKSUM, "IPV6_CHECKSUM", -1, 2, 4)
reading(IP6, socket.IPV6_CHECKSUM, "IPV6_CHECKSUM")
reading(ICMP6, ICMP6_FILTER, "ICMP6_FILTER", 32)
setting(ICMP6, ICMP6_FILTER, "ICMP6_FILTER", b"", b"\xff" * 4, b"\xff" * 32, b"\xff" * 40)
setting(IP6, 250, "an option that there is not", 1)
setting(250, 1, "a level that there is not", 1)
setting(socket.IPPROTO_TCP, 1, "an option of TCP", 1)
reading(IP6, socket.IPV6_MULTICAST_IF, "IPV6_MULTICAST_IF")
setting(IP6, socket.IPV6_MULTICAST_IF, "IPV6_MULTICAST_IF", 0, NO_INDEX, -1, b"\1")
setting(SOL, socket.SO_BINDTODEVICE, "SO_BINDTODEVICE", b"nowhere0\0")


@case
async def v6only_after_bind(place: Place) -> None:
    with udp() as sock:
        await sock.bind(("::", 0))
        sock.setsockopt(IP6, socket.IPV6_V6ONLY, 1)


@case
async def multicast_interface(place: Place) -> object:
    with udp() as sock:
        sock.setsockopt(IP6, socket.IPV6_MULTICAST_IF, place.index)
        return sock.getsockopt(IP6, socket.IPV6_MULTICAST_IF) == place.index


@case
async def device(place: Place) -> object:
    with udp() as sock:
        sock.setsockopt(SOL, socket.SO_BINDTODEVICE, place.name.encode() + b"\0")
        return sock.getsockopt(SOL, socket.SO_BINDTODEVICE, 16) == place.name.encode() + b"\0"


@case
async def an_option_cut_short(place: Place) -> object:
    with udp() as sock:
        return sock.getsockopt(IP6, socket.IPV6_MULTICAST_HOPS, 2)


# -- groups: each case is a sequence of calls, of which the last one counts

Step = tuple[int, Callable[[Place], bytes]]


def grouping(name: str, *steps: Step) -> None:
    async def run(place: Place) -> None:
        with udp() as sock:
            for number, (option, value) in enumerate(steps, 1):
                try:
                    sock.setsockopt(IP6, option, value(place))
                except OSError as error:
                    if number < len(steps):
                        raise AssertionError(f"step {number}: {error}") from error
                    raise

    CASES[f"group {name}"] = run


def old(option: int, group: str = GROUP, index: int | None = None) -> Step:
    return option, lambda place: mreq(group, place.index if index is None else index)


def new(
    option: int, *sources: str, group: str = GROUP, index: int | None = None, family: int = socket.AF_INET6
) -> Step:
    return option, lambda place: group_request(group, place.index if index is None else index, *sources, family=family)


def whole(mode: int, *sources: str, group: str = GROUP, index: int | None = None) -> Step:
    return MSFILTER, lambda place: group_filter(group, place.index if index is None else index, mode, *sources)


ADD, DROP = socket.IPV6_JOIN_GROUP, socket.IPV6_LEAVE_GROUP
ONE, TWO = "2001:db8:99::1", "2001:db8:99::2"
grouping("join", old(ADD))
grouping("join twice", old(ADD), old(ADD))
grouping("join by both calls", old(ADD), new(JOIN))
grouping("join on no interface", old(ADD, index=NO_INDEX))
grouping("join what is no group", old(ADD, "2001:db8::1"))
grouping("join with too little", (ADD, lambda place: mreq(GROUP, place.index)[:19]))
grouping("leave", old(ADD), old(DROP))
grouping("leave on any interface", old(ADD), old(DROP, index=0))
grouping("leave twice", old(ADD), old(DROP), old(DROP))
grouping("leave what was not joined", old(DROP))
grouping("leave what is no group", old(DROP, "2001:db8::1"))
grouping("leave by the other call", old(ADD), new(LEAVE))
grouping("new join", new(JOIN))
grouping("new join on no interface", new(JOIN, index=NO_INDEX))
grouping("new join what is no group", new(JOIN, group="2001:db8::1"))
grouping("new join of another family", new(JOIN, family=socket.AF_INET))
grouping("new join with too little", (JOIN, lambda place: group_request(GROUP, place.index)[:100]))
grouping("new leave what was not joined", new(LEAVE))
grouping("join a source", new(JOIN_SOURCE, ONE))
grouping("join two sources", new(JOIN_SOURCE, ONE), new(JOIN_SOURCE, TWO))
grouping("join a source twice", new(JOIN_SOURCE, ONE), new(JOIN_SOURCE, ONE))
grouping("join a source of another family", new(JOIN_SOURCE, ONE, family=socket.AF_INET))
grouping("join a source on no interface", new(JOIN_SOURCE, ONE, index=NO_INDEX))
grouping("join a source of what is no group", new(JOIN_SOURCE, ONE, group="2001:db8::1"))
grouping("join a source with too little", new(JOIN_SOURCE))
grouping("leave a source", new(JOIN_SOURCE, ONE), new(LEAVE_SOURCE, ONE))
grouping("leave a source that was not joined", new(JOIN_SOURCE, ONE), new(LEAVE_SOURCE, TWO))
grouping("leave a source without a membership", new(LEAVE_SOURCE, ONE))
grouping("the last source gone is the group left", new(JOIN_SOURCE, ONE), new(LEAVE_SOURCE, ONE), old(DROP))
grouping("leave all sources at once", new(JOIN_SOURCE, ONE), old(DROP))
grouping("block a source", old(ADD), new(BLOCK, ONE))
grouping("block a source twice", old(ADD), new(BLOCK, ONE), new(BLOCK, ONE))
grouping("block a source without a membership", new(BLOCK, ONE))
grouping("block a source in mode include", new(JOIN_SOURCE, ONE), new(BLOCK, TWO))
grouping("unblock a source", old(ADD), new(BLOCK, ONE), new(UNBLOCK, ONE))
grouping("unblock a source that is not blocked", old(ADD), new(BLOCK, TWO), new(UNBLOCK, ONE))
grouping("unblock a source without a membership", new(UNBLOCK, ONE))
grouping("join a source where some are blocked", old(ADD), new(BLOCK, ONE), new(JOIN_SOURCE, TWO))
grouping("leave a source where some are blocked", old(ADD), new(BLOCK, ONE), new(LEAVE_SOURCE, ONE))
grouping("join the group where sources are joined", new(JOIN_SOURCE, ONE), old(ADD))
grouping("a filter", old(ADD), whole(1, ONE, TWO))
grouping("a filter that excludes", old(ADD), whole(0, ONE))
grouping("a filter without a membership", whole(1, ONE))
grouping("a filter of no mode", old(ADD), whole(2, ONE))
grouping("a filter of nothing", old(ADD), whole(1))
grouping("a filter of nothing leaves", old(ADD), whole(1), old(DROP))
grouping("a filter with too little", old(ADD), (MSFILTER, lambda place: group_filter(GROUP, place.index, 1, ONE)[:-1]))
grouping("a filter shorter than its head", (MSFILTER, lambda place: bytes(100)))
grouping(
    "a filter with too many", old(ADD), (MSFILTER, lambda place: group_filter(GROUP, place.index, 1, *[ONE] * 1025))
)


async def outcomes(place: Place) -> dict[str, str]:
    """What every case ends with, by name."""
    return {name: await outcome(run, place) for name, run in CASES.items()}


# Where this host differs from Linux, and why.
DIFFERENCES = {
    "sendto a group from loopback": "RFC 4291 2.5.3: nothing is sent from the loopback address outside of the node",
    "sendto a neighbour from loopback": "RFC 4291 2.5.3",
    "shutdown_of_receiving": "a socket of Linux that does not block waits for ever, one that blocks returns nothing",
}
