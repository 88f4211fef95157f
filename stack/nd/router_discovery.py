"""Router advertisements from the link: every check of RFC 4861 6.1.2, then what a host takes from them (6.3.4).

A message is validated entirely, its options included, before any of it is acted
on. An option that cannot be believed is passed over and the rest counts. What is
taken goes to the table that it belongs to: routers, prefixes, addresses, DNS.
"""

from typing import TYPE_CHECKING

from stack.address import IPv6Address, format_address, is_link_local, is_multicast, network
from stack.bucket import TokenBucket
from stack.discard import Discard, Outcome, Verdict
from stack.events import ConfigurationFlags, LinkMtuChanged
from stack.nd import variables
from stack.nd.input import link_layer_address
from stack.nd.router_solicitation import RouterSolicitor
from stack.nd.standing import standing
from stack.wire import ipv6, router
from stack.wire import nd as wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from stack.interface import Interface
    from stack.ip6.received import Received

# RFC 4861 6.2.1: an hour; a longer one would switch unreachability detection off.
_REACHABLE_TIME_MS = range(1, 3_600_001)
# Neighbours that have no time to answer are not found, and a duplicate is not noticed (Linux takes no less either);
# with more than a minute for each try a lost packet, or a test of an address, would stop everything for that long.
_RETRANS_TIMER_MS = range(100, 60_001)
# How many advertisements may come at once before `ra_ratelimit` limits them: all the routers of a link answer together.
BURST = 100


def router_advertisement(interface: "Interface", received: "Received", now: float) -> Outcome:
    """RFC 4861 6.1.2 and 6.3.4; the checksum was verified before (RFC 4443 2.3)."""
    if not is_link_local(received.source):
        return Discard.ND_SOURCE_NOT_LINK_LOCAL
    if received.hop_limit != wire.HOP_LIMIT:
        return Discard.ND_HOP_LIMIT
    if received.payload[1] != 0:
        return Discard.ND_CODE
    if len(received.payload) < router.ADVERTISEMENT.size:
        return Discard.ND_TRUNCATED
    if received.fragmented:
        return Discard.ND_FRAGMENTED
    options = wire.parse_options(received.payload[router.ADVERTISEMENT.size :])
    if options is None:
        return Discard.ND_OPTIONS
    if not interface.host.settings.accept_ra:
        return Discard.RA_NOT_TAKEN
    if not interface.discovery.admits(received.source, now):
        return Discard.RA_TOO_MANY
    Advertisement(interface, received, now).take(options)
    return Verdict.DELIVERED


class RouterDiscovery:
    """What an interface does about routers, beside the tables: it asks, and knows what they say of DHCPv6."""

    __slots__ = ("_interface", "_of_strangers", "_of_used", "managed", "other", "solicitor")

    def __init__(self, interface: "Interface") -> None:
        self._interface = interface
        self.solicitor = RouterSolicitor(interface)
        # A flood by routers that nobody knows takes nothing from those that our packets go to.
        self._of_strangers = TokenBucket()
        self._of_used = TokenBucket()
        # The M and O flags of the last advertisement.
        self.managed = False
        self.other = False

    def start(self, now: float) -> None:
        """The interface has come up, its addresses are there."""
        self.solicitor.start(now)

    def stop(self, now: float) -> None:
        """The interface goes down: what was learnt from routers is forgotten."""
        interface = self._interface
        self.solicitor.stop()
        interface.autoconfiguration.forget(now)
        interface.prefixes.forget(now)
        interface.routers.forget(now)
        interface.dns.forget(now)
        interface.variables.forget()
        self.managed = self.other = False

    def admits(self, router: IPv6Address, now: float) -> bool:
        """Whether an advertisement is within `ra_ratelimit`.

        A router sends one in three seconds (6.2.6). Each may fill every table anew,
        so that a flood of them would keep the host from anything else.
        """
        rate = self._interface.host.settings.ra_ratelimit
        bucket = self._of_used if standing(self._interface, router) else self._of_strangers
        return not rate or bucket.take(now, rate, BURST)

    def flags(self, managed: bool, other: bool, now: float) -> None:
        """The M and O flags (4.2): DHCPv6 has addresses, or only other configuration."""
        if (managed, other) == (self.managed, self.other):
            return
        self.managed, self.other = managed, other
        host = self._interface.host
        event = ConfigurationFlags(managed, other)
        if host.journal.on:
            host.journal.note(now, "nd", event.text(), "RFC 4861 4.2")
        if host.listeners:
            host.emit(event)


class Advertisement:
    """One valid advertisement on its way into the tables of an interface."""

    __slots__ = ("_interface", "_lifetime", "_now", "_received", "_router")

    def __init__(self, interface: "Interface", received: "Received", now: float) -> None:
        self._interface = interface
        self._received = received
        self._router = received.source
        self._now = now
        self._lifetime = 0.0

    def take(self, options: tuple[wire.Option, ...]) -> None:
        """The fixed part, then the options in order (6.3.4); RFC 4191 3.1: routes override the header so."""
        interface, now = self._interface, self._now
        fields = router.ADVERTISEMENT.unpack_from(self._received.payload)
        _, _, _, hop_limit, flags, lifetime, reachable_time, retrans_timer = fields
        self._lifetime = float(lifetime)
        # Reserved is medium (RFC 4191 2.2).
        preference = router.PREFERENCE_VALUES[flags & router.PREFERENCE_MASK] or 0
        interface.routers.advertised(self._router, self._lifetime, preference, now)
        if lifetime:
            interface.discovery.solicitor.advertised()
        interface.discovery.flags(bool(flags & router.FLAG_MANAGED), bool(flags & router.FLAG_OTHER), now)
        self._take_variables(hop_limit, reachable_time, retrans_timer)
        self._take_neighbour(options)
        interface.dns.router_heard(self._router, self._lifetime, now)
        for option in options:
            handler = _OPTIONS.get(option.type)
            if handler is not None and not handler(self, option.data):
                self._note(f"option {option.type} is malformed and passed over", "RFC 4861 6.1.2")
        interface.dns.settle(now)

    def _take_variables(self, hop_limit: int, reachable_time: int, retrans_timer: int) -> None:
        """6.3.4: 0 is no value; one that would cut the host off is none either."""
        floor = self._interface.host.settings.accept_ra_min_hop_limit
        if hop_limit and hop_limit < floor:
            # CVE-2015-2922: with a hop limit of 1 nothing beyond the link could be reached.
            self._note(f"hop limit {hop_limit} is below {floor} (accept_ra_min_hop_limit)", "RFC 4861 6.3.4")
        elif hop_limit:
            self._learn(variables.HOP_LIMIT, hop_limit)
        self._take_time(variables.BASE_REACHABLE_TIME, reachable_time, _REACHABLE_TIME_MS)
        self._take_time(variables.RETRANS_TIMER, retrans_timer, _RETRANS_TIMER_MS)

    def _take_time(self, name: str, value: int, bounds: range) -> None:
        if value in bounds:
            self._learn(name, value)
        elif value:
            self._note(f"{name} {value} is not from {bounds[0]} to {bounds[-1]}", "RFC 4861 6.3.4")

    def _learn(self, name: str, value: int) -> None:
        if self._interface.variables.learn(name, value):
            self._note(f"{name} {value} from now on", "RFC 4861 6.3.4")

    def _take_neighbour(self, options: tuple[wire.Option, ...]) -> None:
        mac, _ = link_layer_address(options, wire.SOURCE_LINK_LAYER_ADDRESS)
        self._interface.resolver.router_heard(self._router, mac, self._now)
        if mac is not None:
            self._interface.routers.heard(self._router)

    # -- options; each tells whether it was well-formed

    def _take_mtu(self, data: bytes) -> bool:
        if len(data) != router.MTU.size:
            return False
        interface = self._interface
        _, mtu = router.MTU.unpack(data)
        if not ipv6.MINIMUM_MTU <= mtu <= interface.device_mtu:
            self._note(f"an MTU of {mtu} is not one for this link", "RFC 4861 6.3.4")
            return True
        before = interface.mtu
        interface.variables.link_mtu = mtu
        if interface.mtu != before:
            interface.changed()
            self._note(f"MTU {mtu} from now on", "RFC 4861 6.3.4")
            if interface.host.listeners:
                interface.host.emit(LinkMtuChanged(mtu))
        return True

    def _take_prefix(self, data: bytes) -> bool:
        if len(data) != router.PREFIX.size:
            return False
        length, flags, valid, preferred, _, prefix = router.PREFIX.unpack(data)
        if length > 128 or is_multicast(prefix):
            return False
        interface = self._interface
        prefix = network(prefix, length)
        if flags & router.FLAG_ON_LINK:
            interface.prefixes.advertised(prefix, length, router.seconds(valid), self._router, self._now)
        if flags & router.FLAG_AUTONOMOUS and interface.host.settings.autoconf:
            interface.autoconfiguration.advertised(
                prefix,
                length,
                router.seconds(valid),
                router.seconds(preferred),
                self._router,
                self._now,
                to_group=is_multicast(self._received.destination),
            )
        return True

    def _take_route(self, data: bytes) -> bool:
        """RFC 4191 2.3: as much of a prefix as its length asks for, 0, 8 or 16 octets."""
        octets = data[router.ROUTE.size :]
        if len(octets) > 16:
            return False
        length, flags, lifetime = router.ROUTE.unpack_from(data)
        preference = router.PREFERENCE_VALUES[flags & router.PREFERENCE_MASK]
        # A reserved preference has the option ignored.
        if length > 128 or length > 8 * len(octets) or preference is None:
            return False
        if length > self._interface.host.settings.accept_ra_rt_info_max_plen:
            self._note(f"a route of {length} bits is longer than accept_ra_rt_info_max_plen", "RFC 4191 2.3")
            return True
        prefix = network(octets.ljust(16, b"\0"), length)
        self._interface.routers.route_advertised(
            self._router, prefix, length, router.seconds(lifetime), preference, self._now
        )
        return True

    def _take_servers(self, data: bytes) -> bool:
        return self._interface.dns.servers_advertised(data, self._router, self._lifetime, self._now)

    def _take_search(self, data: bytes) -> bool:
        return self._interface.dns.search_advertised(data, self._router, self._lifetime, self._now)

    def _note(self, what: str, clause: str) -> None:
        journal = self._interface.host.journal
        if journal.on:
            journal.note(self._now, "nd", f"router {format_address(self._router)}: {what}", clause)


# Anything else is passed over (6.1.2).
_OPTIONS: "dict[int, Callable[[Advertisement, bytes], bool]]" = {
    wire.MTU: Advertisement._take_mtu,
    wire.PREFIX_INFORMATION: Advertisement._take_prefix,
    router.ROUTE_INFORMATION: Advertisement._take_route,
    router.RECURSIVE_DNS_SERVER: Advertisement._take_servers,
    router.DNS_SEARCH_LIST: Advertisement._take_search,
}
