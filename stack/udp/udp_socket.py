"""One UDP socket: where it is bound, whom it talks to, and the datagrams that it sends (RFC 768)."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from stack.address import UNSPECIFIED, IPv6Address, format_address
from stack.calls import recorded
from stack.errors import RefusedError, TooLongError, UsageError
from stack.udp.datagram import PLAIN, Datagram, DatagramError, Sending
from stack.udp.endpoint import Endpoint, check_destination
from stack.wire import ipv6, udp

if TYPE_CHECKING:
    from stack.host import Host
    from stack.interface import Interface


@recorded("_host.recorder", "bind", "connect", "close", "send")
class UdpSocket(Endpoint):
    """A socket of `host`; made by `Ports.open`.

    `port` is 0 until it is bound. With a remote address it takes datagrams and
    errors from there only. `reuse`, set before binding, shares the port with others
    that have it set; `reuse_port` likewise.
    """

    __slots__ = ("port", "remote_port", "reuse", "reuse_port")

    def __init__(
        self, host: "Host", number: int, interface: "Interface | None", heard: Callable[[], None] | None
    ) -> None:
        super().__init__(host, number, "udp", interface, heard)
        self.port = 0
        self.remote_port = 0
        self.reuse = False
        self.reuse_port = False

    # -- where it is

    def bind(self, address: IPv6Address | None, port: int) -> None:
        """Bind to an address of ours, a group or None for any, and a port, 0 for one that is free.

        Raises UsageError for a port that there is not, RefusedError if the socket is bound or closed,
        AddressInUseError if the port is in use, UnavailableError if the address is not ours.
        """
        self._check_open()
        if self.port:
            raise RefusedError(f"the socket is bound to port {self.port} already")
        if not 0 <= port <= udp.MAXIMUM_PORT:
            raise UsageError(f"a port is a number from 0 to {udp.MAXIMUM_PORT}, not {port}")
        if address == UNSPECIFIED:
            address = None
        if address is not None:
            self.check_local(address)
        self.port = self._host.udp.bind(self, address, port)
        self.local = address

    def connect(self, address: IPv6Address, port: int) -> None:
        """From now on this is the only peer, and where `send` goes; an unbound socket is bound to a fitting address.

        Port 0 is, as on Linux, every port of the peer to receive from, and the port that `send` names.
        Raises UsageError for what is no destination, NoRouteError if no address of ours can reach it.
        """
        self._check_open()
        if port:
            _check_port(port)
        check_destination(address)
        if self.local is None:
            _, source = self.way(address, None, None)
            if not self.port:
                self.bind(source, 0)
            self.local = source
        self.remote, self.remote_port = address, port

    def close(self, now: float) -> None:
        """End the memberships and free the port; what is queued is lost. A second time does nothing."""
        if not self.closed:
            self._host.udp.remove(self)
            self.end(now)

    # -- sending

    def send(self, data: bytes, destination: IPv6Address | None, port: int, now: float, how: Sending = PLAIN) -> None:
        """Send one datagram, to the connected peer if `destination` is None; an unbound socket is bound first.

        Raises UsageError for what cannot be sent to anybody, TooLongError for what no packet holds,
        UnavailableError for a foreign source, NoRouteError without a source address or a way.
        """
        self._check_open()
        if destination is None:
            if self.remote is None:
                raise UsageError("a socket without a peer needs a destination")
            destination, port = self.remote, self.remote_port
        else:
            _check_port(port)
        if len(data) > udp.MAXIMUM_DATA:
            raise TooLongError(f"a datagram holds {udp.MAXIMUM_DATA} octets at most, not {len(data)}")
        asked_source, asked_interface, hop_limit, traffic_class, confirm = how
        outgoing, source = self.way(destination, asked_source, asked_interface)
        if not self.port:
            self.bind(None, 0)
        hops = self.hop_limit(destination, outgoing) if hop_limit is None else hop_limit
        octet = self.traffic_class if traffic_class is None else traffic_class
        path = None if octet else outgoing.paths.find(source, destination, len(data))
        if path is not None:
            outgoing.paths.send(path, self.port, port, data, hops, now)
        else:
            self._transmit(outgoing, source, destination, port, data, hops, octet, now)
            outgoing.paths.learn(source, destination)
        if confirm:
            outgoing.confirm(destination, now)
        self._host.counters.udp_out += 1

    def _transmit(
        self,
        interface: "Interface",
        source: IPv6Address,
        destination: IPv6Address,
        port: int,
        data: bytes,
        hop_limit: int,
        traffic_class: int,
        now: float,
    ) -> None:
        """A datagram that takes the whole way."""
        message = udp.datagram(source, destination, self.port, port, data)
        packet = ipv6.packet(source, destination, ipv6.UDP, hop_limit, message, traffic_class)
        if self._host.journal.on:
            what = f"{len(data)} octets of data from port {self.port} to {format_address(destination)} port {port}"
            self._host.journal.note(now, "udp", what, "RFC 768")
        self.transmit(interface, packet, now)

    # -- receiving

    def score(self, interface: "Interface", local: IPv6Address, remote: IPv6Address, remote_port: int) -> int:
        """How much this socket says about a datagram at `local` from a remote; -1 if it is not for this one."""
        if self.interface is not None and self.interface is not interface:
            return -1
        if self.local is not None and self.local != local:
            return -1
        if self.remote is not None and (self.remote != remote or self.remote_port not in (0, remote_port)):
            return -1
        peer = 8 * (self.remote_port != 0) + 4 * (self.remote is not None)
        return peer + 2 * (self.local is not None) + (self.interface is not None)

    def put(self, item: Datagram | DatagramError) -> bool:
        """As every socket does, with the counters of UDP."""
        if self.closed:
            return False
        taken = super().put(item)
        if isinstance(item, Datagram):
            counters = self._host.counters
            counters.udp_in += taken
            counters.udp_receive_buffer_errors += not taken
        return taken


def _check_port(port: int) -> None:
    """RFC 768: a datagram goes to a port from 1 to 65535."""
    if not 1 <= port <= udp.MAXIMUM_PORT:
        raise UsageError(f"a port to send to is a number from 1 to {udp.MAXIMUM_PORT}, not {port}")


def may_share(one: UdpSocket, other: UdpSocket) -> bool:
    """Whether two sockets may have the same port at the same address (SO_REUSEADDR, SO_REUSEPORT of both)."""
    return (one.reuse and other.reuse) or (one.reuse_port and other.reuse_port)
