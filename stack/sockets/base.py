"""What every socket under trio is, whatever passes through it: its names, its life, its options (RFC 3493 3 to 5).

Errors are OSError with the errno that Linux gives.
"""

import builtins
import errno
import os
import socket
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import trio

from stack.address import LOOPBACK, UNSPECIFIED, IPv6Address, is_multicast, is_v4_mapped
from stack.errors import StackError
from stack.interface import Interface
from stack.runtime import Runtime
from stack.sockets import options
from stack.sockets.names import Peer, SocketAddress, as_os_error, failure, needs_scope, resolve, written
from stack.udp.endpoint import Endpoint


class BaseSocket(trio.socket.SocketType):
    """A socket of a running host; `core` is the sans-IO socket under it.

    `values` are the options that are only kept, by level and number.
    """

    def __init__(self, runtime: Runtime, kind: socket.SocketKind, proto: int, forget: Callable[[Any], None]) -> None:
        super().__init__()
        self.runtime = runtime
        self.values: dict[tuple[int, int], int] = {}
        self.sticky_source: IPv6Address | None = None
        self.sticky_interface: Interface | None = None
        self._kind = kind
        self._proto = proto
        self._forget = forget
        self._waiting = trio.lowlevel.ParkingLot()
        self._error = 0
        self._known_errors = 0
        self._closed = False
        self._no_more_in = False
        self._no_more_out = False
        self._sent = 0
        self._event = -1
        self.core: Endpoint = self._opened()

    # -- what the two kinds do

    def _opened(self) -> Endpoint:
        raise NotImplementedError

    def _bind_core(self, peer: Peer) -> None:
        raise NotImplementedError

    def _connect_core(self, peer: Peer) -> None:
        raise NotImplementedError

    def heard(self) -> None:
        """Something was put into the core's queue."""
        raise NotImplementedError

    def is_readable(self) -> bool:
        """Whether receiving would not wait."""
        raise NotImplementedError

    def _close_core(self, now: float) -> None:
        raise NotImplementedError

    def _port(self) -> int:
        raise NotImplementedError

    def _peer_port(self) -> int:
        raise NotImplementedError

    # -- what it is

    @property
    def family(self) -> socket.AddressFamily:
        """AF_INET6."""
        return socket.AddressFamily.AF_INET6

    @property
    def type(self) -> socket.SocketKind:
        """SOCK_DGRAM or SOCK_RAW."""
        return self._kind

    @property
    def proto(self) -> int:
        """As it was given."""
        return self._proto

    def __repr__(self) -> str:
        state = "closed" if self._closed else f"laddr={self.getsockname()}"
        return f"<{self.__class__.__name__} of {self.runtime.interface.name}, {state}>"

    def getsockname(self) -> SocketAddress:
        """Its own address: host, port, 0, scope id."""
        self._check_open()
        core = self.core
        return written(core.local or UNSPECIFIED, self._port(), core.interface or self.runtime.interface)

    def getpeername(self) -> SocketAddress:
        """The connected peer's address; OSError (ENOTCONN) without one."""
        self._check_open()
        core = self.core
        if core.remote is None or not self._peer_port():
            raise failure(errno.ENOTCONN)
        return written(core.remote, self._peer_port(), core.interface or self.runtime.interface)

    # -- life

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: builtins.type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free the port, leave the groups; whoever waits gets trio.ClosedResourceError. A second time does nothing."""
        if self._closed:
            return
        self._closed = True
        now = self.runtime.begin("socket close")
        try:
            self._close_core(now)
        finally:
            self.runtime.end(now)
            self._forget(self)
            self._waiting.unpark_all()
            if self._event >= 0:
                trio.lowlevel.notify_closing(self._event)
                os.close(self._event)
                self._event = -1

    def fileno(self) -> int:
        """A descriptor that polls readable while there is something to receive; -1 once closed.

        It is made when it is first asked for, and is good for polling and for nothing else.
        """
        if self._event < 0 and not self._closed:
            self._event = os.eventfd(int(self.is_readable()), os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        return self._event

    def detach(self) -> int:
        """There is no descriptor that could be had alone: EOPNOTSUPP."""
        raise failure(errno.EOPNOTSUPP)

    def dup(self) -> trio.socket.SocketType:
        """EOPNOTSUPP, for want of a descriptor."""
        raise failure(errno.EOPNOTSUPP)

    def get_inheritable(self) -> bool:
        """No other process can have it."""
        return False

    def set_inheritable(self, inheritable: bool) -> None:
        """EOPNOTSUPP unless it asks for what is so."""
        if inheritable:
            raise failure(errno.EOPNOTSUPP)

    def listen(self, backlog: int = 128) -> None:
        """Datagrams know no connections: EOPNOTSUPP."""
        self._check_open()
        raise failure(errno.EOPNOTSUPP)

    async def accept(self) -> tuple[trio.socket.SocketType, SocketAddress]:
        """EOPNOTSUPP, as `listen`."""
        await trio.lowlevel.checkpoint()
        self._check_open()
        raise failure(errno.EOPNOTSUPP)

    def shutdown(self, flag: int) -> None:
        """No more in, out, or both; ENOTCONN without a peer."""
        self._check_open()
        if flag not in (socket.SHUT_RD, socket.SHUT_WR, socket.SHUT_RDWR):
            raise failure(errno.EINVAL)
        if self.core.remote is None:
            raise failure(errno.ENOTCONN)
        self._no_more_in |= flag != socket.SHUT_WR
        self._no_more_out |= flag != socket.SHUT_RD
        if self._no_more_in:
            self._waiting.unpark_all()

    @property
    def did_shutdown_SHUT_WR(self) -> bool:
        """Whether nothing more may be sent."""
        return self._no_more_out

    def _check_open(self) -> None:
        if self._closed:
            raise failure(errno.EBADF)

    # -- addresses

    async def bind(self, address: Any) -> None:
        """Bind to `(host, port[, flowinfo[, scope id]])`; the host may be a group, or empty for any."""
        self._check_open()
        peer = await resolve(self.runtime.host, address, self._kind, local=True)
        await trio.lowlevel.checkpoint()
        self._check_open()
        octets = peer.address
        if is_v4_mapped(octets):
            raise failure(errno.EINVAL if self.values.get(options.V6ONLY) else errno.EADDRNOTAVAIL)
        before = self.core.interface
        self._use_scope(octets, peer.interface)
        try:
            self._call("socket bind", self._bind_core, peer)
        except OSError:
            self.core.interface = before
            raise

    async def connect(self, address: Any) -> None:
        """Take from, and send to, this peer alone."""
        self._check_open()
        peer = self._reachable(await resolve(self.runtime.host, address, self._kind, local=False))
        await trio.lowlevel.checkpoint()
        self._check_open()
        before = self.core.interface
        self._use_scope(peer.address, peer.interface)
        try:
            self._call("socket connect", self._connect_core, peer)
        except OSError:
            self.core.interface = before
            raise

    def _use_scope(self, address: IPv6Address, interface: Interface | None) -> None:
        """An address of one link only ties the socket to that link (RFC 4007 11)."""
        if not needs_scope(address):
            return
        core = self.core
        if interface is None:
            interface = core.interface or (core.multicast_interface if is_multicast(address) else None)
        if interface is None or (core.interface is not None and core.interface is not interface):
            raise failure(errno.EINVAL)
        core.interface = interface

    def _reachable(self, peer: Peer) -> Peer:
        """The peer of a connection or a datagram; OSError for one that this host has no way to."""
        if is_v4_mapped(peer.address):
            raise failure(errno.ENETUNREACH)
        # Linux: :: stands for the host itself, as in BSD.
        return peer._replace(address=LOOPBACK) if peer.address == UNSPECIFIED else peer

    def _call(self, cause: str, action: Callable[[Peer], None], peer: Peer) -> None:
        now = self.runtime.begin(cause)
        try:
            action(peer)
        except StackError as error:
            raise as_os_error(error) from error
        finally:
            self.runtime.end(now)

    # -- options

    def getsockopt(self, level: int, optname: int, buflen: int | None = None) -> Any:
        """An option's value: a number, or with `buflen` that many bytes of it at most."""
        self._check_open()
        return options.get(self, level, optname, buflen)

    def setsockopt(self, level: int, optname: int, value: Any, optlen: int | None = None) -> None:
        """Set an option to a number or to bytes; OSError with the errno that Linux gives."""
        self._check_open()
        options.put(self, level, optname, value, optlen)

    def take_error(self) -> int:
        """SO_ERROR: the errno that waits, which is none from now on."""
        number, self._error = self._error, 0
        return number
