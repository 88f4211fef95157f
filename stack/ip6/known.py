"""Known headers: what was decided of a frame's headers, remembered for the frames that carry the same ones.

A frame that goes its whole way through the parser, in `Interface.receive` and
what it calls, may leave its first 54 octets here (Ethernet and IPv6 header: who it
is from and for, its length, what it carries) with what follows from them: that the
addresses are right, and where the answer goes. A later frame that begins with the
same 54 octets needs its message checked and no more. Nothing is decided here, so
there is no second set of rules: what the parser would look at again is the
same as long as `_basis` is, and the neighbour is looked at for each frame.

It is kept for what comes in bulk: echo requests to an address of ours, which are
answered from here, and datagrams to one, which go straight to UDP. Everything
else, and every request that is not plainly right, takes the whole way.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

from stack.discard import Verdict
from stack.ip6.received import Received
from stack.ip6.routes import settled_hop
from stack.nd.states import NeighborState
from stack.wire import ethernet, icmpv6, ipv6
from stack.wire.checksum import ones_sum, pseudo_header_sum

if TYPE_CHECKING:
    from stack.address import IPv6Address, MacAddress
    from stack.counters import Counters
    from stack.interface import Interface
    from stack.ip6.destinations import Destination
    from stack.nd.cache import Neighbor

HEADERS = ethernet.HEADER_LENGTH + ipv6.HEADER_LENGTH
# RFC 3168 5: these bits of a packet are counted one by one.
_ECN = 0x30
_REQUEST = bytes((icmpv6.ECHO_REQUEST, 0))
_REPLY = bytes((icmpv6.ECHO_REPLY, 0))
# RFC 1624: the type's word grows by 0x0100, so the checksum shrinks by it, in ones' complement.
_CHECKSUM_CHANGE = 0xFFFF - ((icmpv6.ECHO_REPLY - icmpv6.ECHO_REQUEST) << 8)
# A packet goes straight to such a neighbour; in any other state sending has consequences.
_READY = frozenset((NeighborState.REACHABLE, NeighborState.PERMANENT, NeighborState.DELAY, NeighborState.PROBE))

# Packets with congestion bits (RFC 3168 5) are counted by them, on the whole way.
_ECN = 0x30


class KnownHeader:
    """The headers of echo requests of one length from one neighbour's address to one of ours.

    `reply` are the headers of the answer; `sum` is the ones' complement sum of the
    pseudo-header (RFC 8200 8.1). `hits` counts the frames since the counters were
    last brought up to date.
    """

    __slots__ = ("hits", "length", "mac", "neighbour", "reply", "route", "sum")

    def __init__(self, packet: bytes, reply: bytes, neighbour: "Neighbor", route: "Destination | None") -> None:
        self.length = ethernet.HEADER_LENGTH + len(packet)
        octets = len(packet) - ipv6.HEADER_LENGTH
        self.sum = pseudo_header_sum(packet[8:24], packet[24:40], octets, ipv6.ICMPV6)
        self.reply = reply
        self.neighbour = neighbour
        self.mac = neighbour.mac
        self.route = route
        self.hits = 0


class KnownDatagram(NamedTuple):
    """The headers of datagrams to an address of ours: the frame's length, and what UDP wants to know."""

    length: int
    source: "IPv6Address"
    destination: "IPv6Address"
    hop_limit: int
    source_mac: "MacAddress"


class KnownHeaders:
    """The known headers of one interface, at most `max_known_headers` of each kind.

    `valid` says that `datagrams` may be used: nothing has changed since `revise`.
    `straight` says that the last frame was one of these: delivered, it has changed nothing but a socket.
    """

    __slots__ = ("_basis", "_interface", "_touched", "_used", "datagrams", "straight", "table", "valid")

    def __init__(self, interface: "Interface") -> None:
        self._interface = interface
        # Whether anybody asks: who takes frames one by one has nothing from it.
        self._used = False
        self._basis: tuple[int, ...] = ()
        self._touched: list[KnownHeader] = []
        self.table: dict[bytes, KnownHeader] = {}
        self.datagrams: dict[bytes, KnownDatagram] = {}
        self.valid = self.straight = False

    def revise(self) -> None:
        """Forget everything if something that the decisions rest on has changed; to be called before each use."""
        self._used = self.valid = True
        if (self.table or self.datagrams) and self._current_basis() != self._basis:
            self.table.clear()
            self.datagrams.clear()

    def _current_basis(self) -> tuple[int, ...]:
        interface = self._interface
        routes = interface.routes
        return (
            interface.generation,
            routes.generation,
            interface.routers.generation,
            routes.destinations.generation,
            interface.variables.hop_limit,
            interface.mtu,
        )

    def learn(self, received: "Received", source: "IPv6Address") -> None:
        """An echo request was answered from `source`: remember its headers, if the next ones can be treated alike."""
        if not self._used:
            return
        interface = self._interface
        packet = received.packet
        limit = interface.host.settings.max_known_headers
        if (
            source != received.destination
            or interface.addresses.claims(received.source)
            or received.link_multicast
            or packet[6] != ipv6.ICMPV6
            or packet[1] & _ECN
            or interface.vlan is not None
            or packet[1] & _ECN
            or len(packet) > interface.routes.path_mtu(received.source)
            or not limit
        ):
            return
        route = interface.routes.destinations.get(received.source)
        next_hop = settled_hop(interface, received.source, route)
        neighbour = None if next_hop is None else interface.resolver.cache.get(next_hop)
        if neighbour is None or neighbour.mac is None or neighbour.state not in _READY:
            return
        self._make_room(self.table, limit)
        hop_limit = interface.variables.hop_limit
        header = ipv6.packet(source, received.source, ipv6.ICMPV6, hop_limit, packet[ipv6.HEADER_LENGTH :])
        reply = neighbour.mac + interface.mac + ethernet.IPV6_TYPE + header[: ipv6.HEADER_LENGTH]
        self.table[self._key(received)] = KnownHeader(packet, reply, neighbour, route)

    def learn_datagram(self, received: "Received") -> None:
        """A datagram to an address of ours was delivered: remember its headers."""
        interface, packet = self._interface, received.packet
        limit = interface.host.settings.max_known_headers
        if (
            not self._used
            or not limit
            or received.link_multicast
            or packet[6] != ipv6.UDP
            or packet[1] & _ECN
            or interface.vlan is not None
        ):
            return
        self._make_room(self.datagrams, limit)
        self.datagrams[self._key(received)] = KnownDatagram(
            ethernet.HEADER_LENGTH + len(packet),
            received.source,
            received.destination,
            received.hop_limit,
            received.source_mac,
        )

    def _key(self, received: "Received") -> bytes:
        return self._interface.mac + received.source_mac + ethernet.IPV6_TYPE + received.packet[: ipv6.HEADER_LENGTH]

    def _make_room(self, table: dict[bytes, Any], limit: int) -> None:
        self.revise()
        if not self.table and not self.datagrams:
            self._basis = self._current_basis()
        while len(table) >= limit:
            del table[next(iter(table))]

    def answer(self, frame: bytes, now: float) -> bytes | None:
        """The echo reply to `frame`, or None: it takes the whole way. `settle` follows a batch of these."""
        known = self.table.get(frame[:HEADERS])
        if known is None or len(frame) != known.length:
            return None
        message = frame[HEADERS:]
        if message[:2] != _REQUEST or (ones_sum(message) + known.sum) % 0xFFFF:
            return None
        neighbour = known.neighbour
        if neighbour.mac is not known.mac or neighbour.state not in _READY:
            return None
        if not known.hits:
            self._touched.append(known)
            self._interface.resolver.cache.used(neighbour, now)
            if known.route is not None:
                self._interface.routes.destinations.used(known.route, now)
        known.hits += 1
        checksum = ((message[2] << 8) + message[3] + _CHECKSUM_CHANGE) % 0xFFFF
        return b"".join((known.reply, _REPLY, checksum.to_bytes(2, "big"), message[4:]))

    def datagram(self, frame: bytes) -> "Received | None":
        """A datagram whose headers are known, on its way to UDP, or None: it takes the whole way."""
        known = self.datagrams.get(frame[:HEADERS])
        if known is None or len(frame) != known.length:
            return None
        self.straight = True
        _, source, destination, hop_limit, mac = known
        packet = frame[ethernet.HEADER_LENGTH :]
        return Received(packet, source, destination, hop_limit, mac, False, packet[ipv6.HEADER_LENGTH :])

    def settle(self) -> None:
        """Bring the counters up to date with what `answer` has answered."""
        if not self._touched:
            return
        counters = self._interface.host.counters
        for known in self._touched:
            hits, known.hits = known.hits, 0
            count_answers(counters, hits, hits * (known.length - ethernet.HEADER_LENGTH))
        self._touched.clear()


def count_answers(counters: "Counters", number: int, octets: int) -> None:
    """So many echo requests were answered, with as many octets of packets in as out."""
    counters.frames_in += number
    counters.frames_out += number
    counters.packets_in += number
    counters.packets_out += number
    counters.octets_in += octets
    counters.octets_out += octets
    counters.delivers_in += number
    counters.icmp_in[icmpv6.ECHO_REQUEST] += number
    counters.icmp_out[icmpv6.ECHO_REPLY] += number
    counters.outcomes[Verdict.ANSWERED] += number
