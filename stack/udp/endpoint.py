"""What every socket of a host has, whatever it carries: its place, its groups, its ways out and its queue.

It is the user interface of RFC 768 and the service interface of RFC 3810 3,
without waiting: whoever uses a socket is called when something is there. Times
are the caller's `now`; errors are raised before anything has changed.
`stack.udp.udp_socket` and `stack.icmp6.raw_socket` are the two kinds.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from stack.address import (
    LOOPBACK,
    SCOPE_INTERFACE_LOCAL,
    SCOPE_RESERVED,
    UNSPECIFIED,
    IPv6Address,
    format_address,
    is_multicast,
    is_v4_mapped,
    scope,
)
from stack.calls import recorded
from stack.edge import state_without
from stack.errors import NoRouteError, RefusedError, TooLongError, UnavailableError, UsageError
from stack.ip6 import output
from stack.mld.filters import NOTHING, SourceCall, SourceFilter, changed
from stack.udp.datagram import Datagram, DatagramError, ReceiveQueue
from stack.udp.memberships import Memberships

if TYPE_CHECKING:
    from stack.host import Host
    from stack.interface import Interface

# The way last taken: destination, epoch, interface, source.
Way = tuple[IPv6Address, int, "Interface", IPv6Address]

# The attributes of sockets of any kind that belong to their users.
OPTIONS = frozenset(
    (
        *(
            "blocked",
            "dont_fragment",
            "interface",
            "multicast_all",
            "multicast_hops",
            "multicast_interface",
            "multicast_loop",
            "receive_limit",
        ),
        *("reuse", "reuse_port", "traffic_class", "unicast_hops"),
    )
)


@recorded("_host.recorder", "set_option", "listen", "change_source", "receive", "take_error")
class Endpoint:
    """One socket of `host`, for one interface or, if that is None, for all.

    `local` is an address of ours, a group, or None for any. With a `remote`
    address it takes what comes from there only. `receive_limit` is in octets, None
    for the host's `rmem_default`. `multicast_all` lets it have the data of groups
    that it is no member of, where others on this host are, from the sources that these want.
    """

    __slots__ = (
        "_host",
        "_queue",
        "_way",
        "closed",
        "dont_fragment",
        "dropped",
        "heard",
        "interface",
        "local",
        "memberships",
        "multicast_all",
        "multicast_hops",
        "multicast_interface",
        "multicast_loop",
        "number",
        "receive_limit",
        "remote",
        "traffic_class",
        "unicast_hops",
    )

    def __init__(
        self,
        host: "Host",
        number: int,
        owner: str,
        interface: "Interface | None",
        heard: Callable[[], None] | None,
    ) -> None:
        self._host = host
        self._queue = ReceiveQueue()
        self._way: Way | None = None
        self.number = number
        self.interface = interface
        self.heard = heard
        self.local: IPv6Address | None = None
        self.remote: IPv6Address | None = None
        self.closed = False
        # Datagrams and errors for which the queue had no room.
        self.dropped = 0
        self.receive_limit: int | None = None
        # None is the host's hop_limit. RFC 3493 5.2: groups are reached with 1, and our own copy is heard.
        self.unicast_hops: int | None = None
        self.multicast_hops = 1
        self.multicast_loop = True
        self.multicast_interface: Interface | None = None
        self.multicast_all = False
        self.traffic_class = 0
        # RFC 3542 11.2: what is longer than the path carries is refused, and not sent in fragments.
        self.dont_fragment = False
        self.memberships = Memberships(f"{owner} {number}")

    def __setattr__(self, name: str, value: Any) -> None:
        # Set by the socket's user at any time: the flight recorder has to know.
        if name in OPTIONS and getattr(getattr(self, "_host", None), "recorder", None) is not None:
            self.set_option(name, value)
        else:
            object.__setattr__(self, name, value)

    def set_option(self, name: str, value: Any) -> None:
        """The same as setting the attribute; raises UsageError for a name that is no option's."""
        if name not in OPTIONS:
            raise UsageError(f"a socket has no option {name!r}")
        object.__setattr__(self, name, value)

    def __getstate__(self) -> tuple[None, dict[str, Any]]:
        return state_without(self, "heard")

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
        self.memberships.listen(interface or self.outgoing(group, None), group, wanted, now)

    def change_source(
        self,
        group: IPv6Address,
        call: SourceCall,
        source: IPv6Address,
        now: float,
        interface: "Interface | None" = None,
    ) -> None:
        """An incremental call of RFC 3678 about one source; raises as `listen` and `stack.mld.filters.changed` do."""
        current = self.memberships.get(interface or self.outgoing(group, None), group) or NOTHING
        self.listen(group, changed(current, call, source), now, interface)

    # -- the way out

    def way(
        self, destination: IPv6Address, source: IPv6Address | None, interface: "Interface | None"
    ) -> "tuple[Interface, IPv6Address]":
        """The interface and the source address for what goes to `destination`; either may be given.

        Raises UsageError for what is no destination, NoRouteError if there is none, UnavailableError for a source
        that is no address of ours.
        """
        local = self.local
        if source is None and local is not None and local[0] != 0xFF:
            source = local
        last = self._way
        if last is None or last[0] != destination:
            last = None
            check_destination(destination)
        found = interface or self.outgoing(destination, source)
        if source is not None:
            return found, _usable_source(found, source, destination)
        if last is not None and last[2] is found and last[1] == found.epoch:
            return found, last[3]
        source = _usable_source(found, None, destination)
        self._way = destination, found.epoch, found, source
        return found, source

    def outgoing(self, destination: IPv6Address, source: IPv6Address | None) -> "Interface":
        """The socket's interface, else that of the source, else one with the destination on its link or a way to it.

        Raises NoRouteError where the host has none.
        """
        if destination[0] == 0xFF and self.multicast_interface is not None:
            return self.multicast_interface
        if self.interface is not None:
            return self.interface
        interfaces = self._host.interfaces
        if not interfaces:
            raise NoRouteError("this host has no interface")
        first = next(iter(interfaces.values()))
        if len(interfaces) == 1:
            return first
        having = None if source is None else self._having(source)
        if having is not None:
            return having
        if is_multicast(destination):
            return first
        near = (each for each in interfaces.values() if each.routes.is_on_link(destination))
        leading = (each for each in interfaces.values() if each.routes.leads_to(destination))
        return next(near, None) or next(leading, first)

    def _having(self, address: IPv6Address) -> "Interface | None":
        candidates = self._host.interfaces.values() if self.interface is None else (self.interface,)
        return next((each for each in candidates if each.is_assigned(address)), None)

    def transmit(self, interface: "Interface", packet: bytes, now: float) -> None:
        """Send a complete packet; NoRouteError if nothing leads to its destination, TooLongError if it may not."""
        destination = packet[24:40]
        group = destination[0] == 0xFF
        if self.dont_fragment:
            self._check_length(interface, destination, len(packet))
        # RFC 4291 2.7: what has interface-local scope is never seen on a link.
        if not (group and scope(destination) == SCOPE_INTERFACE_LOCAL) and not output.send(interface, packet, now):
            raise NoRouteError(f"there is no route to {format_address(destination)}")
        # RFC 3493 5.2: a copy for the members on this host.
        if group and self.multicast_loop and destination in interface.listener.groups:
            self._host.timers.at(now, interface.receive_own, packet)

    def _check_length(self, interface: "Interface", destination: IPv6Address, length: int) -> None:
        path_mtu = interface.routes.path_mtu(destination)
        if length > path_mtu and self._host.holder(destination, interface) is None:
            raise TooLongError(f"a packet of {length} octets does not fit the path MTU of {path_mtu} octets")

    def check_reachable(self, destination: IPv6Address) -> None:
        """Raises NoRouteError unless there is a way to a destination now; one to a group there always is."""
        interface = self.outgoing(destination, self.local)
        if is_multicast(destination) or self._host.holder(destination, interface) is not None:
            return
        if not (interface.routes.is_on_link(destination) or interface.routes.leads_to(destination)):
            raise NoRouteError(f"there is no route to {format_address(destination)}")

    def hop_limit(self, destination: IPv6Address, interface: "Interface") -> int:
        """Of what goes to a destination (RFC 3493 5.1, 5.2)."""
        if destination[0] == 0xFF:
            return self.multicast_hops
        return interface.variables.hop_limit if self.unicast_hops is None else self.unicast_hops

    def check_local(self, address: IPv6Address) -> None:
        """Raises UnavailableError unless it is a group or a valid address of ours."""
        if not is_multicast(address) and self._having(address) is None:
            raise UnavailableError(f"{format_address(address)} is no valid address of this host")

    def _check_open(self) -> None:
        if self.closed:
            raise RefusedError("the socket is closed")

    # -- receiving

    def put(self, item: Datagram | DatagramError) -> bool:
        """Queue what arrived and tell whoever uses the socket; false, and counted, if there is no room."""
        if self.closed:
            # By whoever was told of the same datagram before.
            return False
        limit = self._host.settings.rmem_default if self.receive_limit is None else self.receive_limit
        if not self._queue.put(item, limit):
            self.dropped += 1
            self._host.counters.limit_hit("rmem_default")
            return False
        if self.heard is not None:
            self.heard()
        return True

    def receive(self) -> Datagram | None:
        """The next datagram, or None."""
        return self._queue.take_datagram()

    def peek(self) -> Datagram | None:
        """The next datagram, which stays where it is, or None."""
        return self._queue.first_datagram()

    def errors(self) -> Sequence[DatagramError]:
        """The errors that wait, oldest first; for looking only."""
        return self._queue.errors

    def take_error(self) -> DatagramError | None:
        """The next error about a datagram of this socket, or None."""
        return self._queue.take_error()

    def wants_group(self, interface: "Interface", group: IPv6Address, source: IPv6Address) -> bool | None:
        """Whether it listens to the group there and to this source (RFC 3810 4.2); None if it is no member."""
        source_filter = self.memberships.get(interface, group)
        if source_filter is not None:
            return source_filter.passes(source)
        if not self.multicast_all:
            return None
        record = interface.listener.groups.records.get(group)
        return record is None or record.filter.passes(source)

    def end(self, now: float) -> None:
        """End the memberships; what is queued is lost."""
        self.closed = True
        self._queue.clear()
        self.memberships.close(now)


def check_destination(address: IPv6Address) -> None:
    """Raises UsageError for what nothing can be sent to (RFC 4291 2.5.2, 2.5.5.2, 2.7)."""
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
            raise NoRouteError(f"no address of ours can reach {format_address(destination)} yet")
    elif not interface.is_assigned(source):
        raise UnavailableError(f"{format_address(source)} is no valid address of this host")
    elif source == LOOPBACK and not interface.is_assigned(destination):
        # RFC 4291 2.5.3: nothing leaves the node from the loopback address.
        raise UsageError(f"nothing can be sent to {format_address(destination)} from ::1")
    return source
