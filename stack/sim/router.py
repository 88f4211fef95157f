"""A router on a simulated link: it advertises (RFC 4861 6.2), answers solicitations, and stands for what is beyond.

It has a host's four calls, so a world drives it as any node. Packets to its MAC
for destinations that are not its own come back as if the destination had answered
an echo request. It forwards nothing (`stack.sim.forwarding` does), solicits nobody
and checks little: what hosts make of it is the question, not what it makes of them.
"""

from dataclasses import dataclass
from random import Random

from stack.address import (
    ALL_NODES,
    ALL_ROUTERS,
    LINK_LOCAL_PREFIX,
    UNSPECIFIED,
    IPv6Address,
    MacAddress,
    eui64_identifier,
    is_link_local,
    multicast_mac,
    solicited_node,
)
from stack.discard import Discard, Outcome, Verdict
from stack.sim.timed import TimedNode
from stack.timers import Timer
from stack.wire import ethernet, icmpv6, ipv6, router
from stack.wire import nd as wire
from stack.wire.checksum import icmpv6_verifies, with_checksum

# RFC 4861 10
MAX_INITIAL_RTR_ADVERT_INTERVAL = 16.0
MAX_INITIAL_RTR_ADVERTISEMENTS = 3
MIN_DELAY_BETWEEN_RAS = 3.0
MAX_RA_DELAY_TIME = 0.5

# Neighbours that are known at once, and destinations that are remembered; the oldest make room.
NEIGHBOURS_LIMIT = 4_096
REMEMBERED_LIMIT = 4_096

_PREFERENCE_BITS = {value: bits for bits, value in router.PREFERENCE_VALUES.items() if value is not None}


@dataclass(slots=True)
class RouterVariables:
    """What the advertisements say (6.2.1), in seconds but where the name says otherwise; `options` are octets each."""

    max_interval: float = 600.0
    lifetime: int = 1800
    preference: int = 0
    hop_limit: int = 64
    managed: bool = False
    other: bool = False
    reachable_time_ms: int = 0
    retrans_timer_ms: int = 0
    options: tuple[bytes, ...] = ()
    # 6.2.6: a router may answer whoever solicits alone.
    unicast_answers: bool = False


class AdvertisingRouter(TimedNode):
    """One router with one interface; `address` is its link-local address made from `mac`, the first of `addresses`."""

    def __init__(self, mac: MacAddress, rng: Random, variables: RouterVariables | None = None) -> None:
        super().__init__()
        self.mac = mac
        self.address: IPv6Address = LINK_LOCAL_PREFIX + eui64_identifier(mac)
        self.addresses: list[IPv6Address] = [self.address]
        self.variables = RouterVariables() if variables is None else variables
        self.running = False
        # What it has answered echo requests for, or forwarded, lately.
        self.forwarded: list[IPv6Address] = []
        self._rng = rng
        self._neighbours: dict[IPv6Address, MacAddress] = {}
        self._timer: Timer | None = None
        self._answer: Timer | None = None
        self._initial = 0
        self._last_multicast = float("-inf")

    # -- from the link

    def receive(self, frame: bytes, now: float) -> Outcome:
        """One frame from the link."""
        if not self.running:
            return Discard.INTERFACE_DOWN
        if len(frame) < ethernet.HEADER_LENGTH + ipv6.HEADER_LENGTH + icmpv6.HEADER.size:
            return Discard.RUNT_FRAME
        groups = (ALL_NODES, ALL_ROUTERS, *map(solicited_node, self.addresses))
        if frame[:6] != self.mac and frame[:6] not in [multicast_mac(group) for group in groups]:
            return Discard.NOT_FOR_US
        if frame[12:14] != ethernet.IPV6_TYPE:
            return Discard.NOT_IPV6
        packet = frame[ethernet.HEADER_LENGTH :]
        _, length, next_header, hop_limit, source, destination = ipv6.HEADER.unpack_from(packet)
        packet = packet[: ipv6.HEADER_LENGTH + length]
        if frame[:6] == self.mac and destination not in self.addresses:
            outcome = self._pass_on(packet, frame[6:12], now)
            if outcome is not None:
                return outcome
        message = packet[ipv6.HEADER_LENGTH :]
        if next_header != ipv6.ICMPV6:
            return Discard.UNKNOWN_NEXT_HEADER
        if len(message) < icmpv6.ECHO_HEADER.size:
            return Discard.ICMP_TRUNCATED
        if not icmpv6_verifies(source, destination, message):
            return Discard.ICMP_CHECKSUM
        if source != UNSPECIFIED:
            self._learn(source, frame[6:12], now)
        return self._take(message, source, destination, hop_limit, now)

    def _take(
        self, message: bytes, source: IPv6Address, destination: IPv6Address, hop_limit: int, now: float
    ) -> Outcome:
        kind = message[0]
        if kind == icmpv6.ROUTER_SOLICITATION and hop_limit == wire.HOP_LIMIT:
            self._solicited(source, now)
            return Verdict.ANSWERED
        if kind == icmpv6.NEIGHBOR_SOLICITATION and hop_limit == wire.HOP_LIMIT:
            return self._resolve(source, message)
        if kind == icmpv6.ECHO_REQUEST and destination[0] != 0xFF:
            return self._echo(source, destination, message)
        return Discard.ADDRESS_NOT_OURS

    def _pass_on(self, packet: bytes, sender: MacAddress, now: float) -> Outcome | None:
        """A packet for somebody else; None where nothing is forwarded and the router stands for whoever it is."""
        return None

    def _learn(self, address: IPv6Address, mac: MacAddress, now: float) -> None:
        if address not in self._neighbours and len(self._neighbours) >= NEIGHBOURS_LIMIT:
            del self._neighbours[next(iter(self._neighbours))]
        self._neighbours[address] = mac

    # -- being a router

    def start(self, now: float) -> None:
        """Become an advertising interface: the first advertisement at once, then as 6.2.4 has it."""
        self.running = True
        self._initial = MAX_INITIAL_RTR_ADVERTISEMENTS
        self._due(now)

    def stop(self, now: float, *, quietly: bool = False) -> None:
        """Cease to be one: a last advertisement with a lifetime of 0 (6.2.5), or not a word: the router is gone."""
        for timer in (self._timer, self._answer):
            if timer is not None:
                timer.cancel()
        self._timer = self._answer = None
        if self.running and not quietly:
            self.advertise(ALL_NODES, now, lifetime=0)
        self.running = False

    def advertise(self, destination: IPv6Address, now: float, *, lifetime: int | None = None) -> None:
        """One advertisement, with the variables as they are now."""
        own = self.variables
        flags = _PREFERENCE_BITS[own.preference]
        flags |= router.FLAG_MANAGED * own.managed | router.FLAG_OTHER * own.other
        message = router.ADVERTISEMENT.pack(
            icmpv6.ROUTER_ADVERTISEMENT,
            0,
            0,
            own.hop_limit,
            flags,
            own.lifetime if lifetime is None else lifetime,
            own.reachable_time_ms,
            own.retrans_timer_ms,
        )
        message += wire.LINK_LAYER.pack(wire.SOURCE_LINK_LAYER_ADDRESS, 1, self.mac) + b"".join(own.options)
        if destination == ALL_NODES:
            self._last_multicast = now
        self._send(destination, with_checksum(self.address, destination, message), wire.HOP_LIMIT)

    def _due(self, now: float) -> None:
        """6.2.4: at random times between MinRtrAdvInterval and MaxRtrAdvInterval, sooner at first."""
        self.advertise(ALL_NODES, now)
        longest = self.variables.max_interval
        interval = longest * (0.33 + 0.67 * self._rng.random())
        if self._initial > 1:
            self._initial -= 1
            interval = min(interval, MAX_INITIAL_RTR_ADVERT_INTERVAL)
        self._timer = self._timers.at(now + interval, self._due)

    def _solicited(self, source: IPv6Address, now: float) -> None:
        """6.2.6: an answer within MAX_RA_DELAY_TIME, to all no sooner than MIN_DELAY_BETWEEN_RAS after the last."""
        delay = MAX_RA_DELAY_TIME * self._rng.random()
        if self.variables.unicast_answers and source != UNSPECIFIED:
            self._timers.at(now + delay, self.advertise, source)
        elif self._answer is None:
            at = max(now + delay, self._last_multicast + MIN_DELAY_BETWEEN_RAS)
            self._answer = self._timers.at(at, self._answer_all)

    def _answer_all(self, now: float) -> None:
        self._answer = None
        self.advertise(ALL_NODES, now)

    def _resolve(self, source: IPv6Address, message: bytes) -> Outcome:
        if len(message) < wire.FIXED_LENGTH or message[8:24] not in self.addresses:
            return Discard.ND_TARGET_NOT_OURS
        flags = wire.FLAG_ROUTER | wire.FLAG_OVERRIDE
        destination = ALL_NODES
        if source != UNSPECIFIED:
            flags, destination = flags | wire.FLAG_SOLICITED, source
        option = wire.LINK_LAYER.pack(wire.TARGET_LINK_LAYER_ADDRESS, 1, self.mac)
        answer = wire.neighbor_advertisement(self.address, destination, message[8:24], flags, option)
        self._send(destination, answer, wire.HOP_LIMIT)
        return Verdict.ANSWERED

    def _echo(self, source: IPv6Address, destination: IPv6Address, message: bytes) -> Outcome:
        """For itself or whoever is beyond; nothing is forwarded from or to link-local addresses (RFC 4291 2.5.6)."""
        if destination not in self.addresses:
            if is_link_local(source) or is_link_local(destination):
                return Discard.ADDRESS_NOT_OURS
            remember(self.forwarded, destination)
        _, _, _, identifier, sequence = icmpv6.ECHO_HEADER.unpack_from(message)
        data = message[icmpv6.ECHO_HEADER.size :]
        reply = icmpv6.echo(icmpv6.ECHO_REPLY, destination, source, identifier, sequence, data)
        self._send(source, reply, 64, origin=destination)
        return Verdict.ANSWERED

    def _send(
        self, destination: IPv6Address, message: bytes, hop_limit: int, *, origin: IPv6Address | None = None
    ) -> None:
        to = multicast_mac(destination) if destination[0] == 0xFF else self._neighbours.get(destination)
        if to is None:
            return
        packet = ipv6.packet(self.address if origin is None else origin, destination, ipv6.ICMPV6, hop_limit, message)
        self._output.append((None, to + self.mac + ethernet.IPV6_TYPE + packet))


def remember(seen: list[IPv6Address], address: IPv6Address) -> None:
    """Put an address behind those that were seen before, of which the last `REMEMBERED_LIMIT` are kept."""
    seen.append(address)
    if len(seen) > 2 * REMEMBERED_LIMIT:
        del seen[:-REMEMBERED_LIMIT]


# -- options, ready for `RouterVariables.options`


def prefix_option(
    prefix: IPv6Address,
    length: int = 64,
    *,
    on_link: bool = True,
    autonomous: bool = True,
    valid: int = 86_400,
    preferred: int = 14_400,
) -> bytes:
    """Prefix information (4.6.2)."""
    flags = router.FLAG_ON_LINK * on_link | router.FLAG_AUTONOMOUS * autonomous
    return wire.option_bytes(wire.PREFIX_INFORMATION, router.PREFIX.pack(length, flags, valid, preferred, 0, prefix))


def mtu_option(mtu: int) -> bytes:
    """MTU (4.6.4)."""
    return wire.option_bytes(wire.MTU, router.MTU.pack(0, mtu))


def route_option(prefix: IPv6Address, length: int, *, lifetime: int = 1800, preference: int = 0) -> bytes:
    """Route information (RFC 4191 2.3)."""
    octets = prefix[: 8 * ((length + 63) // 64)]
    return wire.option_bytes(
        router.ROUTE_INFORMATION, router.ROUTE.pack(length, _PREFERENCE_BITS[preference], lifetime) + octets
    )


def servers_option(*servers: IPv6Address, lifetime: int = 1800) -> bytes:
    """Recursive DNS servers (RFC 8106 5.1)."""
    return wire.option_bytes(router.RECURSIVE_DNS_SERVER, router.DNS.pack(0, lifetime) + b"".join(servers))
