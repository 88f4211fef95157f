"""The sockets of a host by port, and which of them a datagram or an error is for.

A datagram to an address of ours goes to one socket, the one that says most about
it: remote address and port, then local address. One to a group goes to every
member socket of its port (`stack.udp.input`). The host reads ports of its own
choice from its generator (RFC 6056 3.3.1).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from stack.address import IPv6Address
from stack.calls import recorded
from stack.errors import AddressInUseError, LimitError
from stack.udp.datagram import DatagramError
from stack.udp.udp_socket import UdpSocket, may_share
from stack.wire import ipv6, udp

if TYPE_CHECKING:
    from stack.host import Host
    from stack.interface import Interface

# RFC 6335 6: the ports that nobody is assigned.
FIRST_EPHEMERAL = 49_152
EPHEMERAL_COUNT = udp.MAXIMUM_PORT + 1 - FIRST_EPHEMERAL

_QUOTE_LENGTH = ipv6.HEADER_LENGTH + udp.HEADER_LENGTH


@recorded("_host.recorder", "open")
class Ports:
    """All UDP sockets of `host`, at most `max_sockets`."""

    __slots__ = ("_bound", "_host", "_serial", "sockets")

    def __init__(self, host: "Host") -> None:
        self._host = host
        self._serial = 0
        self._bound: dict[int, list[UdpSocket]] = {}
        self.sockets: dict[int, UdpSocket] = {}

    def open(self, interface: "Interface | None" = None, heard: Callable[[], None] | None = None) -> UdpSocket:
        """A socket that is not bound yet, for one interface or for all; raises LimitError at the limit.

        `heard` is called whenever something was put into its queue; it may close sockets.
        """
        limit = self._host.settings.max_sockets
        if len(self.sockets) + len(self._host.raw.sockets) >= limit:
            self._host.counters.limit_hit("max_sockets")
            raise LimitError(f"there are {limit} sockets already (max_sockets)")
        self._serial += 1
        socket = UdpSocket(self._host, self._serial, interface, heard)
        self.sockets[self._serial] = socket
        return socket

    # -- for UdpSocket

    def bind(self, socket: UdpSocket, local: IPv6Address | None, port: int) -> int:
        """Give a socket its local address and port, 0 for any that is free; the port. Raises AddressInUseError."""
        if port == 0:
            port = self._free_port(socket, local)
        elif self._conflicts(socket, local, port):
            raise AddressInUseError(f"port {port} is in use")
        self._bound.setdefault(port, []).append(socket)
        return port

    def remove(self, socket: UdpSocket) -> None:
        """A socket goes, its port with it."""
        self.sockets.pop(socket.number, None)
        bound = self._bound.get(socket.port)
        if bound is not None and socket in bound:
            bound.remove(socket)
            if not bound:
                del self._bound[socket.port]

    def _free_port(self, socket: UdpSocket, local: IPv6Address | None) -> int:
        start = int(self._host.rng.random() * EPHEMERAL_COUNT)
        for step in range(EPHEMERAL_COUNT):
            port = FIRST_EPHEMERAL + (start + step) % EPHEMERAL_COUNT
            # Nobody wants to share a port that was not chosen.
            if port not in self._bound or not self._conflicts(socket, local, port, shared=False):
                return port
        raise AddressInUseError("every port that could be chosen is in use")

    def _conflicts(self, socket: UdpSocket, local: IPv6Address | None, port: int, *, shared: bool = True) -> bool:
        """Whether another socket has the port at an address that this one would have too, and they do not share."""
        for other in self._bound.get(port, ()):
            if None not in (socket.interface, other.interface) and socket.interface is not other.interface:
                continue
            overlap = local is None or other.local is None or local == other.local
            if overlap and not (shared and may_share(socket, other)):
                return True
        return False

    # -- for input

    def at(self, port: int) -> tuple[UdpSocket, ...]:
        """The sockets bound to a port, in order of binding."""
        return tuple(self._bound.get(port, ()))

    def find(
        self, interface: "Interface", local: IPv6Address, port: int, remote: IPv6Address, remote_port: int
    ) -> UdpSocket | None:
        """The socket at `local` and `port` that says most about a datagram; of equals the one bound last."""
        best, best_score = None, -1
        for socket in self._bound.get(port, ()):
            score = socket.score(interface, local, remote, remote_port)
            if score >= best_score:
                best, best_score = socket, score
        return best if best_score >= 0 else None

    def _of_a_group(self, interface: "Interface", port: int, remote: IPv6Address, remote_port: int) -> UdpSocket | None:
        """A socket bound to a group, which sends from an address of ours."""
        for socket in self._bound.get(port, ()):
            group = socket.local
            if group is not None and group[0] == 0xFF and socket.score(interface, group, remote, remote_port) >= 0:
                return socket
        return None

    def failed(
        self,
        interface: "Interface",
        invoking: bytes,
        source: IPv6Address,
        kind: int,
        code: int,
        parameter: int,
        now: float,
    ) -> bool:
        """Hand an error to the socket that sent the packet which it quotes; false if there is none (RFC 4443 2.4 d)."""
        if len(invoking) < _QUOTE_LENGTH:
            return False
        local, remote = invoking[8:24], invoking[24:40]
        source_port, destination_port, _, _ = udp.HEADER.unpack_from(invoking, ipv6.HEADER_LENGTH)
        socket = self.find(interface, local, source_port, remote, destination_port)
        if socket is None:
            socket = self._of_a_group(interface, source_port, remote, destination_port)
        if socket is None:
            return False
        data = invoking[_QUOTE_LENGTH:]
        error = DatagramError(source, remote, destination_port, kind, code, parameter, data, interface, now)
        return socket.put(error)
