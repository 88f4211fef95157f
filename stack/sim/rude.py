"""A neighbour that breaks the peace: it denies addresses, lies about where they are, and floods.

For labs and for tests of what a host makes of it. It has a host's four calls, and
answers nothing but what it was told to. docs/attacks.md says what becomes of each.
"""

from random import Random

from stack.address import (
    ALL_NODES,
    BROADCAST_MAC,
    LINK_LOCAL_PREFIX,
    UNSPECIFIED,
    IPv6Address,
    MacAddress,
    eui64_identifier,
    is_multicast,
    multicast_mac,
)
from stack.discard import Discard, Outcome, Verdict
from stack.sim.querier.messages import query_frames
from stack.sim.querier.variables import QueryFields, Variables
from stack.sim.router import prefix_option, remember
from stack.sim.timed import TimedNode
from stack.wire import ethernet, icmpv6, ipv6, router
from stack.wire import nd as wire
from stack.wire.checksum import icmpv6_verifies, with_checksum

_DOCUMENTATION = bytes.fromhex("20010db8")


class RudeNeighbour(TimedNode):
    """One such neighbour; `address` is its link-local address made from `mac`.

    With `denies` it answers every probe of duplicate address detection as if the address
    were its own; `claims` are addresses that it says it has when they are asked for. `denied`
    lists the addresses that it has denied.
    """

    def __init__(self, mac: MacAddress, rng: Random, *, denies: bool = False) -> None:
        super().__init__()
        self.mac = mac
        self.address: IPv6Address = LINK_LOCAL_PREFIX + eui64_identifier(mac)
        self.denies = denies
        self.claims: set[IPv6Address] = set()
        self.denied: list[IPv6Address] = []
        self._rng = rng

    # -- from the link

    def receive(self, frame: bytes, now: float) -> Outcome:
        """It listens to all, and to solicitations alone."""
        start = ethernet.HEADER_LENGTH
        if len(frame) < start + ipv6.HEADER_LENGTH or frame[12:14] != ethernet.IPV6_TYPE:
            return Discard.NOT_IPV6
        _, length, next_header, hop_limit, source, destination = ipv6.HEADER.unpack_from(frame, start)
        message = frame[start + ipv6.HEADER_LENGTH : start + ipv6.HEADER_LENGTH + length]
        if next_header != ipv6.ICMPV6 or hop_limit != wire.HOP_LIMIT or len(message) < wire.FIXED_LENGTH:
            return Discard.NOT_FOR_US
        if message[0] != icmpv6.NEIGHBOR_SOLICITATION or not icmpv6_verifies(source, destination, message):
            return Discard.NOT_FOR_US
        target = message[8:24]
        if source == UNSPECIFIED and (self.denies or target in self.claims):
            remember(self.denied, target)
            self.advertise_falsely(target)
        elif source != UNSPECIFIED and target in self.claims:
            self.advertise_falsely(target, source, frame[6:12], solicited=True)
        else:
            return Discard.ND_TARGET_NOT_OURS
        return Verdict.ANSWERED

    # -- what it does

    def advertise_falsely(
        self,
        target: IPv6Address,
        destination: IPv6Address = ALL_NODES,
        to: MacAddress | None = None,
        *,
        mac: MacAddress | None = None,
        solicited: bool = False,
        override: bool = True,
        router_flag: bool = False,
    ) -> None:
        """A neighbour advertisement that `target` is at `mac`, by default its own; to all nodes or to one."""
        flags = wire.FLAG_SOLICITED * solicited | wire.FLAG_OVERRIDE * override | wire.FLAG_ROUTER * router_flag
        option = wire.LINK_LAYER.pack(wire.TARGET_LINK_LAYER_ADDRESS, 1, mac or self.mac)
        message = wire.neighbor_advertisement(target, destination, target, flags, option)
        self._send(target, destination, message, to)

    def advertise_router(self, prefix: IPv6Address, *, lifetime: int = 1800, source: IPv6Address | None = None) -> None:
        """One router advertisement with a prefix, from itself or from somebody invented."""
        source = self.address if source is None else source
        message = router.ADVERTISEMENT.pack(icmpv6.ROUTER_ADVERTISEMENT, 0, 0, 64, 0, lifetime, 0, 0)
        message += wire.LINK_LAYER.pack(wire.SOURCE_LINK_LAYER_ADDRESS, 1, self.mac) + prefix_option(prefix)
        self._send(source, ALL_NODES, with_checksum(source, ALL_NODES, message))

    def flood_advertisements(self, count: int, rate: float, now: float) -> None:
        """So many router advertisements a second, each of another router with another prefix."""
        if count:
            prefix = _DOCUMENTATION + self._octets(4) + bytes(8)
            self.advertise_router(prefix, source=LINK_LOCAL_PREFIX + self._octets(8))
            self._timers.at(now + 1 / rate, self.flood_advertisements, count - 1, rate)

    def flood_false_neighbours(self, count: int, rate: float, now: float) -> None:
        """So many neighbour advertisements a second, each of another neighbour that nobody has asked for."""
        if count:
            self.advertise_falsely(LINK_LOCAL_PREFIX + self._octets(8), mac=b"\x02" + self._octets(5))
            self._timers.at(now + 1 / rate, self.flood_false_neighbours, count - 1, rate)

    def flood_queries(self, count: int, rate: float, delay: float, now: float) -> None:
        """So many general queries a second, each of which wants its answers within `delay` seconds."""
        if not count:
            return
        frames = query_frames(
            Variables(), QueryFields(), self.address, self.mac, UNSPECIFIED, (), delay=delay, suppress=False
        )
        self._output.extend((None, frame) for frame in frames)
        self._timers.at(now + 1 / rate, self.flood_queries, count - 1, rate, delay)

    def _octets(self, count: int) -> bytes:
        return bytes(int(self._rng.random() * 256) for _ in range(count))

    def _send(
        self, source: IPv6Address, destination: IPv6Address, message: bytes, to: MacAddress | None = None
    ) -> None:
        if to is None:
            to = multicast_mac(destination) if is_multicast(destination) else BROADCAST_MAC
        packet = ipv6.packet(source, destination, ipv6.ICMPV6, wire.HOP_LIMIT, message)
        self._output.append((None, to + self.mac + ethernet.IPV6_TYPE + packet))
