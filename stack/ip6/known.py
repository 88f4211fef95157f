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

from typing import TYPE_CHECKING

from stack.discard import Verdict
from stack.ip6.routes import settled_hop
from stack.nd.states import READY
from stack.udp.datagram import Datagram
from stack.wire import ethernet, icmpv6, ipv6, udp
from stack.wire.checksum import ones_sum, pseudo_header_sum

if TYPE_CHECKING:
    from stack.address import IPv6Address
    from stack.counters import Counters
    from stack.interface import Interface
    from stack.ip6.destinations import Destination
    from stack.ip6.received import Received
    from stack.nd.cache import Neighbor
    from stack.udp.udp_socket import UdpSocket

HEADERS = ethernet.HEADER_LENGTH + ipv6.HEADER_LENGTH
# RFC 3168 5: these bits of a packet are counted one by one.
_ECN = 0x30
_REQUEST = bytes((icmpv6.ECHO_REQUEST, 0))
_REPLY = bytes((icmpv6.ECHO_REPLY, 0))
# RFC 1624: the type's word grows by 0x0100, so the checksum shrinks by it, in ones' complement.
_CHECKSUM_CHANGE = 0xFFFF - ((icmpv6.ECHO_REPLY - icmpv6.ECHO_REQUEST) << 8)
# Where they stand in a frame.
_DATA = HEADERS + udp.HEADER_LENGTH


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


class KnownDatagram:
    """The headers of datagrams of one length from one address to one of ours; `sum` and `hits` as above.

    It holds for one `epoch` of the interface.
    """

    __slots__ = ("destination", "epoch", "hits", "hop_limit", "length", "octets", "source", "sum", "traffic_class")

    def __init__(self, received: "Received", epoch: int) -> None:
        packet = received.packet
        self.epoch = epoch
        self.length = ethernet.HEADER_LENGTH + len(packet)
        self.octets = len(packet) - ipv6.HEADER_LENGTH
        self.sum = pseudo_header_sum(received.source, received.destination, self.octets, ipv6.UDP)
        self.source = received.source
        self.destination = received.destination
        self.hop_limit = received.hop_limit
        self.traffic_class = received.traffic_class
        self.hits = 0


Delivery = tuple["UdpSocket", Datagram]


class KnownHeaders:
    """The known headers of one interface, at most `max_known_headers` of each kind.

    `settle` brings the counters up to date with what they were used for.
    """

    __slots__ = ("_basis", "_interface", "_touched", "_used", "datagrams", "table")

    def __init__(self, interface: "Interface") -> None:
        self._interface = interface
        # Whether anybody asks: who takes frames one by one has nothing from it.
        self._used = False
        self._basis: tuple[int, ...] = ()
        self._touched: list[KnownHeader | KnownDatagram] = []
        self.table: dict[bytes, KnownHeader] = {}
        self.datagrams: dict[bytes, KnownDatagram] = {}

    def revise(self) -> None:
        """Forget everything if something that the decisions rest on has changed; to be called before `answer`."""
        self._used = True
        if self.table and self._current_basis() != self._basis:
            self.table.clear()

    def _current_basis(self) -> tuple[int, ...]:
        interface = self._interface
        return interface.epoch, interface.variables.hop_limit

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
            or len(packet) > interface.routes.path_mtu(received.source)
            or not limit
        ):
            return
        neighbour, route = next_neighbour(interface, received.source)
        if neighbour is None or neighbour.mac is None or neighbour.state not in READY:
            return
        self._make_room(limit)
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
        while len(self.datagrams) >= limit:
            del self.datagrams[next(iter(self.datagrams))]
        self.datagrams[self._key(received)] = KnownDatagram(received, interface.epoch)

    def _key(self, received: "Received") -> bytes:
        return self._interface.mac + received.source_mac + ethernet.IPV6_TYPE + received.packet[: ipv6.HEADER_LENGTH]

    def _make_room(self, limit: int) -> None:
        self.revise()
        if not self.table:
            self._basis = self._current_basis()
        while len(self.table) >= limit:
            del self.table[next(iter(self.table))]

    def answer(self, frame: bytes, now: float) -> bytes | None:
        """The echo reply to `frame`, or None: it takes the whole way. `settle` follows a batch of these."""
        known = self.table.get(frame[:HEADERS])
        if known is None or len(frame) != known.length:
            return None
        message = frame[HEADERS:]
        if message[:2] != _REQUEST or (ones_sum(message) + known.sum) % 0xFFFF:
            return None
        neighbour = known.neighbour
        if neighbour.mac is not known.mac or neighbour.state not in READY:
            return None
        if not known.hits:
            self._touched.append(known)
            self._interface.resolver.cache.used(neighbour, now)
            if known.route is not None:
                self._interface.routes.destinations.used(known.route, now)
        known.hits += 1
        checksum = ((message[2] << 8) + message[3] + _CHECKSUM_CHANGE) % 0xFFFF
        return b"".join((known.reply, _REPLY, checksum.to_bytes(2, "big"), message[4:]))

    def datagram(self, frame: bytes, now: float) -> Delivery | None:
        """The datagram in `frame` and the socket that it is for, or None: it takes the whole way. `settle` as above."""
        known = self.datagrams.get(frame[:HEADERS])
        interface = self._interface
        if known is None or len(frame) != known.length or known.epoch != interface.epoch:
            return None
        source_port, port, length, checksum = udp.HEADER.unpack_from(frame, HEADERS)
        if length != known.octets or not checksum or (ones_sum(frame[HEADERS:]) + known.sum) % 0xFFFF:
            return None
        source, destination = known.source, known.destination
        socket = interface.host.udp.find(interface, destination, port, source, source_port)
        if socket is None:
            return None
        if not known.hits:
            self._touched.append(known)
        known.hits += 1
        return socket, Datagram(
            frame[_DATA:], source, source_port, destination, known.hop_limit, known.traffic_class, interface, now
        )

    def settle(self) -> None:
        """Bring the counters up to date with what `answer` and `datagram` have found."""
        if not self._touched:
            return
        counters = self._interface.host.counters
        for known in self._touched:
            hits, known.hits = known.hits, 0
            octets = hits * (known.length - ethernet.HEADER_LENGTH)
            if isinstance(known, KnownHeader):
                count_answers(counters, hits, octets)
            else:
                _count_received(counters, hits, octets)
        self._touched.clear()


def next_neighbour(interface: "Interface", destination: "IPv6Address") -> "tuple[Neighbor | None, Destination | None]":
    """The neighbour that packets to a destination go to for this epoch, if there is one, and its entry of the cache."""
    route = interface.routes.destinations.get(destination)
    next_hop = settled_hop(interface, destination, route)
    return None if next_hop is None else interface.resolver.cache.get(next_hop), route


def _count_received(counters: "Counters", number: int, octets: int) -> None:
    counters.frames_in += number
    counters.packets_in += number
    counters.octets_in += octets
    counters.delivers_in += number


def count_answers(counters: "Counters", number: int, octets: int) -> None:
    """So many echo requests were answered, with as many octets of packets in as out."""
    _count_received(counters, number, octets)
    counters.frames_out += number
    counters.packets_out += number
    counters.octets_out += octets
    counters.icmp_in[icmpv6.ECHO_REQUEST] += number
    counters.icmp_out[icmpv6.ECHO_REPLY] += number
    counters.outcomes[Verdict.ANSWERED] += number
