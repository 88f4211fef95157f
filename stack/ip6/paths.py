"""Known paths: what was decided of where datagrams to a destination go, remembered for those that follow.

A datagram that left by its whole way, through `Endpoint.transmit` and what it
calls, leaves here what was found out: that the destination is none of ours, which
neighbour it goes to, and the headers that will be the same. A later one needs its
checksum and no more. As with known headers (`stack.ip6.known`) nothing is decided
here: what would be looked at again is the same for an epoch of the interface, and the
neighbour is looked at for each datagram.
"""

from struct import Struct
from typing import TYPE_CHECKING

from stack.ip6.known import next_neighbour
from stack.nd.states import READY
from stack.wire import ethernet, ipv6, udp
from stack.wire.checksum import pseudo_header_sum

if TYPE_CHECKING:
    from stack.address import IPv6Address, MacAddress
    from stack.interface import Interface
    from stack.ip6.destinations import Destination
    from stack.nd.cache import Neighbor

# Ethernet header and first word; payload length, next header, hop limit; both addresses; the header of UDP.
_HEADERS = Struct("!18sHBB32sHHHH")
_OVERHEAD = ipv6.HEADER_LENGTH + udp.HEADER_LENGTH


class KnownPath:
    """From an address of ours to a destination: the neighbour, and the headers that all datagrams have.

    `room` is how many octets of data leave in one piece; `sum` is that of the
    pseudo-header (RFC 8200 8.1) without the length.
    """

    __slots__ = ("addresses", "epoch", "head", "mac", "neighbour", "room", "route", "source", "sum")

    def __init__(
        self,
        interface: "Interface",
        addresses: bytes,
        neighbour: "Neighbor",
        mac: "MacAddress",
        route: "Destination | None",
    ) -> None:
        self.epoch = interface.epoch
        self.source = addresses[:16]
        self.addresses = addresses
        self.head = mac + interface.mac + ethernet.IPV6_TYPE + ipv6.VERSION_6.to_bytes(4, "big")
        self.sum = pseudo_header_sum(addresses[:16], addresses[16:], 0, ipv6.UDP)
        self.room = interface.routes.path_mtu(addresses[16:]) - _OVERHEAD
        self.neighbour = neighbour
        self.mac = mac
        self.route = route


class KnownPaths:
    """The known paths of one interface by destination, at most `max_known_headers`."""

    __slots__ = ("_interface", "table")

    def __init__(self, interface: "Interface") -> None:
        self._interface = interface
        self.table: dict[IPv6Address, KnownPath] = {}

    def find(self, source: "IPv6Address", destination: "IPv6Address", octets: int) -> KnownPath | None:
        """The path for so many octets of data, or None: they take the whole way."""
        path = self.table.get(destination)
        if path is None or octets > path.room or path.source != source:
            return None
        neighbour, interface = path.neighbour, self._interface
        if neighbour.mac is not path.mac or neighbour.state not in READY or path.epoch != interface.epoch:
            return None
        # The journal tells of every step.
        return None if interface.host.journal.on else path

    def learn(self, source: "IPv6Address", destination: "IPv6Address") -> None:
        """A datagram has left: remember its path, if the next ones can be treated alike."""
        interface = self._interface
        host = interface.host
        limit = host.settings.max_known_headers
        # Another interface may have the destination as an address of its own, from one moment to the next.
        if destination[0] == 0xFF or not limit or interface.vlan is not None or len(host.interfaces) != 1:
            return
        if interface.addresses.claims(destination):
            return
        neighbour, route = next_neighbour(interface, destination)
        if neighbour is None or neighbour.mac is None:
            return
        self.table.pop(destination, None)
        while len(self.table) >= limit:
            del self.table[next(iter(self.table))]
        self.table[destination] = KnownPath(interface, source + destination, neighbour, neighbour.mac, route)

    def send(self, path: KnownPath, source_port: int, port: int, data: bytes, hop_limit: int, now: float) -> None:
        """A datagram, of traffic class 0, by a path that `find` has found."""
        interface = self._interface
        routes = interface.routes
        length = udp.HEADER_LENGTH + len(data)
        checksum = udp.checksum(path.sum, source_port, port, data)
        headers = _HEADERS.pack(
            path.head, length, ipv6.UDP, hop_limit, path.addresses, source_port, port, length, checksum
        )
        interface.resolver.cache.used(path.neighbour, now)
        if path.route is not None:
            routes.destinations.used(path.route, now)
        octets = ipv6.HEADER_LENGTH + length
        if octets > ipv6.MINIMUM_MTU:
            routes.sent_long(path.addresses[16:], octets)
        interface.transmit_frame(headers + data, octets)
