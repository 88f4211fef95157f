"""A Linux host as a multicast listener, and who sent which MLD message on a bridge's port."""

import select
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from tests.live.netns import LinuxHost, Namespace
from tests.playbook import Sent, records

# linux/in.h; Python has no names for them
_MCAST_JOIN_GROUP = 42
_MCAST_LEAVE_GROUP = 45
_MCAST_JOIN_SOURCE_GROUP = 46
_MCAST_LEAVE_SOURCE_GROUP = 47
_MCAST_MSFILTER = 48
_MODES = {"exclude": 0, "include": 1}
_PACKET_OUTGOING = 4
_ETH_P_ALL = 3  # a bridge takes its ports' frames before any protocol sees them


def _sockaddr(address: str) -> bytes:
    """struct sockaddr_storage of an IPv6 address."""
    packed = socket.inet_pton(socket.AF_INET6, address)
    return struct.pack("=HHI16sI", socket.AF_INET6, 0, 0, packed, 0).ljust(128, b"\0")


class LinuxListener:
    """Sockets of a Linux host, by name, with the service interface of RFC 3678."""

    def __init__(self, host: LinuxHost) -> None:
        self._sockets: dict[str, socket.socket] = {}
        self._host = host
        with host.enter():
            self._index = socket.if_nametoindex(host.dev)

    def socket(self, name: str = "s") -> socket.socket:
        if name not in self._sockets:
            with self._host.enter():
                self._sockets[name] = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        return self._sockets[name]

    def join(self, group: str, name: str = "s") -> None:
        self._group(_MCAST_JOIN_GROUP, group, name)

    def leave(self, group: str, name: str = "s") -> None:
        self._group(_MCAST_LEAVE_GROUP, group, name)

    def allow(self, group: str, source: str, name: str = "s") -> None:
        self._source(_MCAST_JOIN_SOURCE_GROUP, group, source, name)

    def disallow(self, group: str, source: str, name: str = "s") -> None:
        self._source(_MCAST_LEAVE_SOURCE_GROUP, group, source, name)

    def filter(self, group: str, mode: str, sources: Sequence[str], name: str = "s") -> None:
        """The whole filter in one step; Linux wants a membership for it to replace."""
        head = struct.pack("=I4x128sII", self._index, _sockaddr(group), _MODES[mode], len(sources))
        option = head + b"".join(map(_sockaddr, sources))
        self.socket(name).setsockopt(socket.IPPROTO_IPV6, _MCAST_MSFILTER, option)

    def close(self) -> None:
        for each in self._sockets.values():
            each.close()
        self._sockets.clear()

    def _group(self, option: int, group: str, name: str) -> None:
        request = struct.pack("=I4x128s", self._index, _sockaddr(group))
        self.socket(name).setsockopt(socket.IPPROTO_IPV6, option, request)

    def _source(self, option: int, group: str, source: str, name: str) -> None:
        request = struct.pack("=I4x128s128s", self._index, _sockaddr(group), _sockaddr(source))
        self.socket(name).setsockopt(socket.IPPROTO_IPV6, option, request)


class Said(NamedTuple):
    """One report or Done as it was seen, or one record of a version 2 report: `what` is the type by name."""

    what: str
    group: str
    sources: tuple[str, ...]
    destination: str
    hop_limit: int
    alert: bool


_RECORDS = {1: "IS_IN", 2: "IS_EX", 3: "TO_IN", 4: "TO_EX", 5: "ALLOW", 6: "BLOCK"}
_MESSAGES = {131: "report", 132: "Done"}


class PortWatch:
    """What comes into the bridge at one port."""

    def __init__(self, namespace: Namespace, port: str) -> None:
        with namespace.enter():
            self._raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
            self._raw.bind((port, _ETH_P_ALL))
        self._raw.setblocking(False)

    def fileno(self) -> int:
        return self._raw.fileno()

    def close(self) -> None:
        self._raw.close()

    def frames(self) -> list[bytes]:
        """All frames that wait, but what the bridge sends out there."""
        found = []
        while select.select([self._raw], [], [], 0)[0]:
            octets, (_, _, direction, *_) = self._raw.recvfrom(70_000)
            if direction != _PACKET_OUTGOING:
                found.append(octets)
        return found

    def said(self, group: str) -> list[Said]:
        """What was said about a group since the last call, in order; what was said of others is dropped."""
        return [each for octets in self.frames() for each in said(octets) if each.group == group]


def said(octets: bytes) -> list[Said]:
    """The listener's messages in a frame."""
    sent = Sent(0.0, octets)
    if len(octets) < 70 or octets[12:14] != b"\x86\xdd" or octets[20] != 0:
        return []
    alert = bytes.fromhex("05020000") in octets[56:62]
    fixed = (sent.destination, sent.hop_limit, alert)
    if sent.kind in _MESSAGES:
        return [Said(_MESSAGES[sent.kind], sent.target, (), *fixed)]
    if sent.kind == 143:
        return [Said(_RECORDS[kind], group, tuple(sorted(sources)), *fixed) for kind, group, sources in records(sent)]
    return []


@contextmanager
def watching(namespace: Namespace, *ports: str) -> Iterator[list[PortWatch]]:
    """A watch on each port."""
    watches = [PortWatch(namespace, port) for port in ports]
    try:
        yield watches
    finally:
        for watch in watches:
            watch.close()
