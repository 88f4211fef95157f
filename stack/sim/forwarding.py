"""A router between links in virtual time: it forwards, and says so when it cannot (RFC 8200, RFC 4443 3, RFC 4861 8.2).

Enough of a router for hosts to learn path MTUs, expired hop limits and redirects
from. Each of its interfaces advertises as `stack.sim.router` does. It knows the
prefixes of its links and the routes that it is given; it fragments nothing, forwards
no multicast, and keeps no limit on its errors.
"""

from collections import Counter
from random import Random
from typing import NamedTuple

from stack.address import (
    UNSPECIFIED,
    IPv6Address,
    MacAddress,
    eui64_identifier,
    is_link_local,
    is_multicast,
    matches_prefix,
    multicast_mac,
    solicited_node,
)
from stack.discard import Discard, Outcome, Verdict
from stack.link.switch import Switch
from stack.sim.router import AdvertisingRouter, RouterVariables, mtu_option, prefix_option, remember
from stack.sim.world import Seat, World
from stack.wire import ethernet, icmpv6, ipv6, router
from stack.wire import nd as wire
from stack.wire.checksum import with_checksum

# RFC 4861 10, 7.2.2
MAX_MULTICAST_SOLICIT = 3
RETRANS_TIMER = 1.0
WAITING_PACKETS = 64
# Next hops that packets may wait for at once; packets for another are dropped.
WAITING_HOPS = 256

# Codes of destination unreachable (RFC 4443 3.1)
NO_ROUTE = 0
BEYOND_SCOPE = 2

# RFC 4443 2.4 (c)
_QUOTE = ipv6.MINIMUM_MTU - ipv6.HEADER_LENGTH - icmpv6.ERROR_HEADER.size
_HOP_LIMIT = 64


class Route(NamedTuple):
    """Where packets for a prefix go: out of a leg, to a next hop there, None for the destination itself."""

    prefix: IPv6Address
    length: int
    leg: "Leg"
    next_hop: IPv6Address | None


class Leg(AdvertisingRouter):
    """One interface of a router: its link's `mtu` in octets, and its addresses, of which the second is global."""

    def __init__(
        self, owner: "ForwardingRouter", mac: MacAddress, rng: Random, mtu: int, variables: RouterVariables
    ) -> None:
        super().__init__(mac, rng, variables)
        self.mtu = mtu
        self.seat: Seat | None = None
        self._owner = owner
        self._waiting: dict[IPv6Address, list[tuple[bytes, Leg]]] = {}

    def _pass_on(self, packet: bytes, sender: MacAddress, now: float) -> Outcome:
        source = packet[8:24]
        if source != UNSPECIFIED and self._owner.is_on_link(source, self):
            self._learn(source, sender, now)
        return self._owner.forward(packet, self, now)

    def _take(
        self, message: bytes, source: IPv6Address, destination: IPv6Address, hop_limit: int, now: float
    ) -> Outcome:
        if message[0] != icmpv6.NEIGHBOR_ADVERTISEMENT or hop_limit != wire.HOP_LIMIT:
            return super()._take(message, source, destination, hop_limit, now)
        for option in wire.parse_options(message[wire.FIXED_LENGTH :]) or ():
            if option.type == wire.TARGET_LINK_LAYER_ADDRESS and len(option.data) == 6:
                self._learn(message[8:24], option.data, now)
        return Verdict.DELIVERED

    def _learn(self, address: IPv6Address, mac: MacAddress, now: float) -> None:
        super()._learn(address, mac, now)
        for packet, _ in self._waiting.pop(address, ()):
            self.put(packet, mac)

    def mac_of(self, address: IPv6Address) -> MacAddress | None:
        """The MAC of a neighbour as far as it is known."""
        return self._neighbours.get(address)

    def send_packet(self, packet: bytes, next_hop: IPv6Address, came_by: "Leg", now: float) -> None:
        """Send a packet, or keep it until its next hop has answered."""
        mac = self._neighbours.get(next_hop)
        if mac is not None:
            self.put(packet, mac)
            return
        if next_hop not in self._waiting and len(self._waiting) >= WAITING_HOPS:
            return
        waiting = self._waiting.setdefault(next_hop, [])
        if len(waiting) < WAITING_PACKETS:
            waiting.append((packet, came_by))
        if len(waiting) == 1:
            self._solicit(next_hop, MAX_MULTICAST_SOLICIT, now)

    def _solicit(self, target: IPv6Address, left: int, now: float) -> None:
        """7.2.2: three solicitations, RetransTimer apart; then address unreachable."""
        if target not in self._waiting:
            return
        if not left:
            for packet, came_by in self._waiting.pop(target):
                self._owner.error(came_by, packet, icmpv6.DESTINATION_UNREACHABLE, icmpv6.ADDRESS_UNREACHABLE, 0)
            return
        group = solicited_node(target)
        option = wire.LINK_LAYER.pack(wire.SOURCE_LINK_LAYER_ADDRESS, 1, self.mac)
        message = wire.neighbor_solicitation(self.address, group, target, option)
        self.put(ipv6.packet(self.address, group, ipv6.ICMPV6, wire.HOP_LIMIT, message), multicast_mac(group))
        self._timers.at(now + RETRANS_TIMER, self._solicit, target, left - 1)

    def put(self, packet: bytes, mac: MacAddress) -> None:
        self._output.append((None, mac + self.mac + ethernet.IPV6_TYPE + packet))


class ForwardingRouter:
    """A router with legs in the links of one world; `sent` counts its errors and redirects by type."""

    def __init__(self, world: World, name: str, seed: int = 0) -> None:
        self.name = name
        self.legs: list[Leg] = []
        self.sent: Counter[int] = Counter()
        self._world = world
        self._seed = seed
        self._routes: list[Route] = []

    def attach(
        self,
        switch: Switch,
        mac: MacAddress,
        prefix: IPv6Address,
        *,
        mtu: int = 1500,
        announce_mtu: bool = False,
        variables: RouterVariables | None = None,
    ) -> Leg:
        """One more leg, in a link with this prefix of 64 bits, which it advertises unless `variables` say otherwise.

        Nothing longer than `mtu` is sent into the link; `announce_mtu` says so in the advertisements.
        """
        if variables is None:
            options = (prefix_option(prefix),) + ((mtu_option(mtu),) if announce_mtu else ())
            variables = RouterVariables(options=options)
        leg = Leg(self, mac, Random(f"{self._seed}/{self.name}/{len(self.legs)}"), mtu, variables)
        leg.addresses.append(prefix[:8] + eui64_identifier(mac))
        leg.seat = self._world.add_node(f"{self.name}.{len(self.legs)}", leg, switch)
        self.legs.append(leg)
        self._routes.append(Route(prefix, 64, leg, None))
        return leg

    def add_route(self, prefix: IPv6Address, length: int, leg: Leg, next_hop: IPv6Address) -> None:
        """Packets for a prefix go to a router on the link of a leg."""
        self._routes.append(Route(prefix, length, leg, next_hop))

    def start(self) -> None:
        """Advertise on every leg."""
        for leg in self.legs:
            leg.start(self._world.now)
            self._settle(leg)

    def is_on_link(self, address: IPv6Address, leg: Leg) -> bool:
        """Whether an address is a neighbour's on the link of a leg."""
        if is_link_local(address):
            return True
        return any(
            each.leg is leg and each.next_hop is None and matches_prefix(address, each.prefix, each.length)
            for each in self._routes
        )

    def forward(self, packet: bytes, came_by: Leg, now: float) -> Outcome:
        """A packet that arrived for somebody else: on it goes, or back goes an error."""
        source, destination = packet[8:24], packet[24:40]
        if is_multicast(destination) or source == UNSPECIFIED or is_multicast(source):
            return Discard.ADDRESS_NOT_OURS
        for leg in self.legs:
            if destination in leg.addresses:
                return self._to_ourselves(packet, leg, came_by, now)
        if is_link_local(destination):
            return Discard.ADDRESS_NOT_OURS
        if is_link_local(source):
            return self.error(came_by, packet, icmpv6.DESTINATION_UNREACHABLE, BEYOND_SCOPE, 0)
        if packet[7] <= 1:
            return self.error(came_by, packet, icmpv6.TIME_EXCEEDED, 0, 0)
        route = self._route(destination)
        if route is None:
            return self.error(came_by, packet, icmpv6.DESTINATION_UNREACHABLE, NO_ROUTE, 0)
        if len(packet) > route.leg.mtu:
            return self.error(came_by, packet, icmpv6.PACKET_TOO_BIG, 0, route.leg.mtu)
        next_hop = destination if route.next_hop is None else route.next_hop
        if route.leg is came_by and self.is_on_link(source, came_by):
            self.redirect(came_by, source, destination, next_hop, packet)
        shorter = packet[:7] + bytes((packet[7] - 1,)) + packet[8:]
        remember(came_by.forwarded, destination)
        route.leg.send_packet(shorter, next_hop, came_by, now)
        if route.leg is not came_by:
            self._settle(route.leg)
        return Verdict.DELIVERED

    def _to_ourselves(self, packet: bytes, leg: Leg, came_by: Leg, now: float) -> Outcome:
        """To the address of another leg: the router answers where the packet came from."""
        source, destination = packet[8:24], packet[24:40]
        if packet[6] != ipv6.ICMPV6 or packet[40:41] != bytes((icmpv6.ECHO_REQUEST,)):
            return Discard.UNKNOWN_NEXT_HEADER
        _, _, _, identifier, sequence = icmpv6.ECHO_HEADER.unpack_from(packet, ipv6.HEADER_LENGTH)
        data = packet[ipv6.HEADER_LENGTH + icmpv6.ECHO_HEADER.size :]
        reply = icmpv6.echo(icmpv6.ECHO_REPLY, destination, source, identifier, sequence, data)
        came_by.send_packet(ipv6.packet(destination, source, ipv6.ICMPV6, _HOP_LIMIT, reply), source, came_by, now)
        return Verdict.ANSWERED

    def error(self, leg: Leg, packet: bytes, kind: int, code: int, parameter: int) -> Outcome:
        """Tell a packet's sender, on the leg where it came from, unless it is an error itself (RFC 4443 2.4 (e))."""
        source = packet[8:24]
        mac = leg.mac_of(source)
        of_icmp = packet[6] == ipv6.ICMPV6 and len(packet) > ipv6.HEADER_LENGTH
        if mac is None or (of_icmp and packet[ipv6.HEADER_LENGTH] < icmpv6.ECHO_REQUEST):
            return Discard.ADDRESS_NOT_OURS
        own = leg.addresses[0] if is_link_local(source) else leg.addresses[-1]
        message = icmpv6.ERROR_HEADER.pack(kind, code, 0, parameter) + packet[:_QUOTE]
        self._say(
            leg, kind, ipv6.packet(own, source, ipv6.ICMPV6, _HOP_LIMIT, with_checksum(own, source, message)), mac
        )
        return Verdict.ANSWERED

    def redirect(
        self, leg: Leg, host: IPv6Address, destination: IPv6Address, target: IPv6Address, packet: bytes = b""
    ) -> None:
        """RFC 4861 8.2: a host's packets for `destination` go to `target`, which may be the destination itself."""
        to = leg.mac_of(host)
        if to is None:
            return
        options = b""
        mac = leg.mac_of(target)
        if mac is not None:
            options = wire.LINK_LAYER.pack(wire.TARGET_LINK_LAYER_ADDRESS, 1, mac)
        room = ipv6.MINIMUM_MTU - ipv6.HEADER_LENGTH - router.REDIRECT.size - len(options) - 8
        quoted = packet[: min(room, len(packet)) // 8 * 8]
        if quoted:
            options += wire.option_bytes(wire.REDIRECTED_HEADER, bytes(6) + quoted)
        message = router.REDIRECT.pack(icmpv6.REDIRECT, 0, 0, 0, target, destination) + options
        octets = with_checksum(leg.address, host, message)
        self._say(leg, icmpv6.REDIRECT, ipv6.packet(leg.address, host, ipv6.ICMPV6, wire.HOP_LIMIT, octets), to)

    def _route(self, destination: IPv6Address) -> Route | None:
        matching = [each for each in self._routes if matches_prefix(destination, each.prefix, each.length)]
        return max(matching, key=lambda each: each.length, default=None)

    def _say(self, leg: Leg, kind: int, packet: bytes, mac: MacAddress) -> None:
        self.sent[kind] += 1
        leg.put(packet, mac)
        self._settle(leg)

    def _settle(self, leg: Leg) -> None:
        if leg.seat is not None:
            self._world.settle(leg.seat)
