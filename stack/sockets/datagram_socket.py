"""UDP sockets under trio, and raw ICMPv6 sockets (RFC 3542 3)."""

import errno
import socket
from collections.abc import Callable
from typing import Any

from stack.address import UNSPECIFIED
from stack.icmp6.raw_socket import RawSocket
from stack.runtime import Runtime
from stack.sockets.host_socket import HostSocket
from stack.sockets.names import Peer, failure
from stack.udp.datagram import Sending
from stack.udp.udp_socket import UdpSocket
from stack.wire import icmpv6, ipv6, udp


class DatagramSocket(HostSocket):
    """A UDP socket."""

    core: UdpSocket

    def __init__(self, runtime: Runtime, proto: int, forget: Callable[[Any], None]) -> None:
        super().__init__(runtime, socket.SocketKind.SOCK_DGRAM, proto, forget)

    def _opened(self) -> UdpSocket:
        core = self.runtime.host.udp.open(None, self.heard)
        # Linux's default of IPV6_MULTICAST_ALL, which its programs rely upon.
        core.multicast_all = True
        return core

    def _bind_core(self, peer: Peer) -> None:
        if self.core.port:
            raise failure(errno.EINVAL)
        self.core.bind(peer.address, peer.port)

    def _connect_core(self, peer: Peer) -> None:
        self.core.check_reachable(peer.address)
        self.core.connect(peer.address, peer.port)

    def _send_core(self, data: bytes, peer: Peer | None, now: float, how: Sending) -> None:
        if len(data) > udp.MAXIMUM_DATA:
            raise failure(errno.EMSGSIZE)
        if peer is None:
            self.core.send(data, None, 0, now, how)
        else:
            self.core.send(data, peer.address, peer.port, now, how)

    def _close_core(self, now: float) -> None:
        self.core.close(now)

    def _port(self) -> int:
        return self.core.port

    def _peer_port(self) -> int:
        return self.core.remote_port


class Icmp6Socket(HostSocket):
    """A raw ICMPv6 socket: what it sends and receives are whole messages, the checksum made and checked for it."""

    core: RawSocket

    def __init__(self, runtime: Runtime, proto: int, forget: Callable[[Any], None]) -> None:
        super().__init__(runtime, socket.SocketKind.SOCK_RAW, proto, forget)
        # It means nothing, and is only given back.
        self._remote_port = 0

    def _opened(self) -> RawSocket:
        return self.runtime.host.raw.open(None, self.heard)

    def _bind_core(self, peer: Peer) -> None:
        self.core.bind(None if peer.address == UNSPECIFIED else peer.address)

    def _connect_core(self, peer: Peer) -> None:
        self.core.check_reachable(peer.address)
        self.core.connect(peer.address)
        self._remote_port = peer.port

    def _send_core(self, data: bytes, peer: Peer | None, now: float, how: Sending) -> None:
        if len(data) > ipv6.MAXIMUM_PAYLOAD:
            raise failure(errno.EMSGSIZE)
        if len(data) < icmpv6.HEADER.size:
            raise failure(errno.EINVAL)
        self.core.send(data, None if peer is None else peer.address, now, how)

    def _close_core(self, now: float) -> None:
        self.core.close(now)

    def _port(self) -> int:
        # Linux: a raw socket's port is its protocol.
        return socket.IPPROTO_ICMPV6

    def _peer_port(self) -> int:
        return self._remote_port
