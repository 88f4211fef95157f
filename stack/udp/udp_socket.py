"""One UDP socket: where it is bound, whom it talks to, what it has received, which groups it listens to.

It is what RFC 768 calls the user interface, without waiting: whoever uses it is
called when something is there. Times are the caller's `now`; errors are raised
before anything has changed.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from stack.address import (
    SCOPE_INTERFACE_LOCAL,
    SCOPE_RESERVED,
    UNSPECIFIED,
    IPv6Address,
    format_address,
    is_multicast,
    is_v4_mapped,
    scope,
)
from stack.edge import state_without
from stack.errors import RefusedError, UsageError
from stack.ip6 import output
from stack.mld.filters import NOTHING, SourceCall, SourceFilter, changed
from stack.udp.datagram import Datagram, ReceiveQueue, UdpError
from stack.udp.memberships import Memberships
from stack.wire import ipv6, udp

if TYPE_CHECKING:
    from stack.host import Host
    from stack.interface import Interface


class UdpSocket:
    """A socket of `host`; made by `Ports.open`.

    `local` is an address of ours, a group, or None for any; `port` is 0 until it
    is bound. With a remote address it takes datagrams and errors from there only.
    `reuse`, set before binding, shares the port with others that have it set.
    """

    __slots__ = (
        "_host",
        "_queue",
        "closed",
        "dropped",
        "heard",
        "interface",
        "local",
        "memberships",
        "multicast_hops",
        "multicast_loop",
        "number",
        "port",
        "remote",
        "remote_port",
        "reuse",
        "unicast_hops",
    )

    def __init__(
        self, host: "Host", number: int, interface: "Interface | None", heard: Callable[[], None] | None
    ) -> None:
        self._host = host
        self._queue = ReceiveQueue()
        self.number = number
        self.interface = interface
        self.heard = heard
        self.local: IPv6Address | None = None
        self.port = 0
        self.remote: IPv6Address | None = None
        self.remote_port = 0
        self.reuse = False
        self.closed = False
        # Datagrams and errors for which the queue had no room.
        self.dropped = 0
        # None is the host's hop_limit. RFC 3493 5.2: groups are reached with 1, and our own copy is heard.
        self.unicast_hops: int | None = None
        self.multicast_hops = 1
        self.multicast_loop = True
        self.memberships = Memberships(f"udp {number}")

    def __getstate__(self) -> tuple[None, dict[str, Any]]:
        return state_without(self, "heard")

    # -- where it is

    def bind(self, address: IPv6Address | None, port: int) -> None:
        """Bind to an address of ours, a group or None for any, and a port, 0 for one that is free.

        Raises UsageError for a port that there is not, RefusedError if it is in
        use, the address is not ours, or the socket is bound or closed.
        """
        self._check_open()
        if self.port:
            raise RefusedError(f"the socket is bound to port {self.port} already")
        if not 0 <= port <= udp.MAXIMUM_PORT:
            raise UsageError(f"a port is a number from 0 to {udp.MAXIMUM_PORT}, not {port}")
        if address == UNSPECIFIED:
            address = None
        if address is not None and not is_multicast(address) and self._having(address) is None:
            raise RefusedError(f"{format_address(address)} is no valid address of this host")
        self.port = self._host.udp.bind(self, address, port)
        self.local = address

    def connect(self, address: IPv6Address, port: int) -> None:
        """From now on this is the only peer, and where `send` goes; an unbound socket is bound to a fitting address.

        Raises UsageError for what is no destination, RefusedError if no address of ours can reach it.
        """
        self._check_open()
        _check_destination(address, port)
        if self.local is None:
            source = self._outgoing(address, None).source_for(address)
            if source is None:
                raise RefusedError(f"no address of ours can reach {format_address(address)} yet")
            if not self.port:
                self.bind(source, 0)
            self.local = source
        self.remote, self.remote_port = address, port

    def close(self, now: float) -> None:
        """End the memberships and free the port; what is queued is lost. A second time does nothing."""
        if self.closed:
            return
        self.closed = True
        self._queue.clear()
        self._host.udp.remove(self)
        self.memberships.close(now)

    # -- groups

    def listen(
        self, group: IPv6Address, wanted: SourceFilter, now: float, interface: "Interface | None" = None
    ) -> None:
        """IPv6MulticastListen (RFC 3810 3) on an interface, by default the socket's or the host's first.

        Raises UsageError if it is no group, RefusedError at a limit, OSError if
        the driver refuses: nothing has changed then.
        """
        self._check_open()
        if not is_multicast(group):
            raise UsageError(f"{format_address(group)} is not a multicast address")
        self.memberships.listen(interface or self._outgoing(group, None), group, wanted, now)

    def change_source(
        self,
        group: IPv6Address,
        call: SourceCall,
        source: IPv6Address,
        now: float,
        interface: "Interface | None" = None,
    ) -> None:
        """An incremental call of RFC 3678 about one source; raises as `listen` and `stack.mld.filters.changed` do."""
        current = self.memberships.get(interface or self._outgoing(group, None), group) or NOTHING
        self.listen(group, changed(current, call, source), now, interface)

    # -- sending

    def send(
        self,
        data: bytes,
        destination: IPv6Address | None,
        port: int,
        now: float,
        *,
        source: IPv6Address | None = None,
        hop_limit: int | None = None,
        interface: "Interface | None" = None,
    ) -> None:
        """Send one datagram, to the connected peer if `destination` is None; an unbound socket is bound first.

        Raises UsageError for what cannot be sent to anybody, RefusedError if there
        is no source address, no way, or no room in the MTU (no fragments are made yet).
        """
        self._check_open()
        if destination is None:
            if self.remote is None:
                raise UsageError("a socket without a peer needs a destination")
            destination, port = self.remote, self.remote_port
        _check_destination(destination, port)
        if len(data) > udp.MAXIMUM_DATA:
            raise UsageError(f"a datagram holds {udp.MAXIMUM_DATA} octets at most, not {len(data)}")
        if source is None and self.local is not None and not is_multicast(self.local):
            source = self.local
        outgoing = interface or self._outgoing(destination, source)
        source = _usable_source(outgoing, source, destination)
        if ipv6.HEADER_LENGTH + udp.HEADER_LENGTH + len(data) > outgoing.mtu and not outgoing.is_assigned(destination):
            raise RefusedError(f"{len(data)} octets of data do not fit the MTU of {outgoing.mtu} octets")
        if not self.port:
            self.bind(None, 0)
        message = udp.datagram(source, destination, self.port, port, data)
        hops = self._hop_limit(destination, outgoing) if hop_limit is None else hop_limit
        self._transmit(outgoing, ipv6.packet(source, destination, ipv6.UDP, hops, message), now)

    def _transmit(self, interface: "Interface", packet: bytes, now: float) -> None:
        destination = packet[24:40]
        group = is_multicast(destination)
        # RFC 4291 2.7: what has interface-local scope is never seen on a link.
        if not (group and scope(destination) == SCOPE_INTERFACE_LOCAL) and not output.send(interface, packet, now):
            raise RefusedError(f"there is no route to {format_address(destination)}")
        self._host.counters.udp_out += 1
        # RFC 3493 5.2: a copy for the members on this host.
        if group and self.multicast_loop and destination in interface.listener.groups:
            self._host.timers.at(now, interface.receive_own, packet)

    def _hop_limit(self, destination: IPv6Address, interface: "Interface") -> int:
        if is_multicast(destination):
            return self.multicast_hops
        return interface.variables.hop_limit if self.unicast_hops is None else self.unicast_hops

    def _outgoing(self, destination: IPv6Address, source: IPv6Address | None) -> "Interface":
        """The socket's interface, else that of the source, else one with the destination on its link or a way to it."""
        if self.interface is not None:
            return self.interface
        having = None if source is None else self._having(source)
        if having is not None:
            return having
        interfaces = list(self._host.interfaces.values())
        if not interfaces:
            raise RefusedError("this host has no interface")
        if is_multicast(destination):
            return interfaces[0]
        near = (each for each in interfaces if each.routes.is_on_link(destination))
        leading = (each for each in interfaces if each.routes.leads_to(destination))
        return next(near, None) or next(leading, interfaces[0])

    def _having(self, address: IPv6Address) -> "Interface | None":
        candidates = self._host.interfaces.values() if self.interface is None else (self.interface,)
        return next((each for each in candidates if each.is_assigned(address)), None)

    def _check_open(self) -> None:
        if self.closed:
            raise RefusedError("the socket is closed")

    # -- receiving

    def score(self, interface: "Interface", local: IPv6Address, remote: IPv6Address, remote_port: int) -> int:
        """How much this socket says about a datagram at `local` from a remote; -1 if it is not for this one."""
        if self.interface is not None and self.interface is not interface:
            return -1
        if self.local is not None and self.local != local:
            return -1
        if self.remote is not None and (self.remote, self.remote_port) != (remote, remote_port):
            return -1
        return 2 * (self.remote is not None) + (self.local is not None)

    def put(self, item: Datagram | UdpError) -> bool:
        """Queue what arrived and tell whoever uses the socket; false, and counted, if there is no room."""
        if self.closed:
            # By whoever was told of the same datagram before.
            return False
        counters = self._host.counters
        is_datagram = isinstance(item, Datagram)
        if not self._queue.put(item, self._host.settings.rmem_default):
            self.dropped += 1
            counters.limit_hit("rmem_default")
            counters.udp_receive_buffer_errors += is_datagram
            return False
        counters.udp_in += is_datagram
        if self.heard is not None:
            self.heard()
        return True

    def receive(self) -> Datagram | None:
        """The next datagram, or None."""
        return self._queue.take_datagram()

    def take_error(self) -> UdpError | None:
        """The next error about a datagram of this socket, or None."""
        return self._queue.take_error()


def _check_destination(address: IPv6Address, port: int) -> None:
    """Raises UsageError for what no datagram can be sent to (RFC 4291 2.5.2, 2.5.5.2, 2.7)."""
    if not 1 <= port <= udp.MAXIMUM_PORT:
        raise UsageError(f"a port to send to is a number from 1 to {udp.MAXIMUM_PORT}, not {port}")
    if address == UNSPECIFIED:
        raise UsageError(":: is not the address of a host")
    if is_v4_mapped(address):
        raise UsageError(f"{format_address(address)} is an IPv4 address, and this host has no IPv4")
    if is_multicast(address) and scope(address) == SCOPE_RESERVED:
        raise UsageError(f"{format_address(address)} has the reserved scope 0: nothing may be sent to it")


def _usable_source(interface: "Interface", source: IPv6Address | None, destination: IPv6Address) -> IPv6Address:
    if source is None:
        source = interface.source_for(destination)
        if source is None:
            raise RefusedError(f"no address of ours can reach {format_address(destination)} yet")
    elif not interface.is_assigned(source):
        raise RefusedError(f"{format_address(source)} is no valid address of this host")
    return source
