"""Routes of an interface, and the next hop of a packet (RFC 4861 5.2, RFC 4191 3).

A destination on the link is its own next hop, one with a redirect has the target
of that, and any other goes to a router: that of the longest prefix among the
routes that the user gave and those that routers advertise. What was determined is
remembered in the destination cache, for as long as the generation stays the same:
it grows with every change of routes, prefixes, addresses, routers and of who answers.

A router that did not answer is passed over while another route leads to the
destination, and asked again once a minute for as long as packets would go to it
(RFC 4191 3.2, 3.5). The default router list chooses among its own.
"""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from stack.address import (
    IPv6Address,
    format_address,
    is_link_local,
    is_multicast,
    is_v4_mapped,
    matches_prefix,
    network,
)
from stack.calls import recorded
from stack.errors import RefusedError, UsageError
from stack.events import StaticRouteChanged
from stack.ip6.destinations import Destination, DestinationCache
from stack.ip6.static_routes import DEFAULT_METRIC, StaticRoute, StaticRoutes
from stack.nd.resolution import PROBE_INTERVAL, is_answer

if TYPE_CHECKING:
    from stack.interface import Interface


def next_hop(
    interface: "Interface", destination: IPv6Address, now: float, packet: bytes | None = None
) -> IPv6Address | None:
    """Where a packet to a unicast destination goes first, or None if no route leads there.

    With `packet` it is about to be sent: the destination is in use then.
    """
    # RFC 4291 2.5.6: never forwarded, so there is nothing to look up.
    if destination[0] == 0xFE and destination[1] & 0xC0 == 0x80:
        return destination
    routes = interface.routes
    entry = routes.destinations.entries.get(destination)
    generation = routes.generation + interface.routers.generation
    if entry is None or entry.generation != generation or now >= entry.until:
        return routes.redetermine(entry, destination, now, packet)
    if packet is not None:
        routes.use(entry, packet, now)
    return entry.next_hop


def settled_hop(interface: "Interface", destination: IPv6Address, entry: Destination | None) -> IPv6Address | None:
    """The next hop that stays the same until a generation grows, or None: it has to be determined for each packet."""
    if is_link_local(destination):
        return destination
    generation = interface.routes.generation + interface.routers.generation
    settled = entry is not None and entry.generation == generation and entry.until == math.inf
    return entry.next_hop if entry is not None and settled else None


class NextHop(NamedTuple):
    """Where packets go first, None if no route leads there; which routers are passed over, in the list of them too."""

    address: IPv6Address | None
    passed_over: tuple[IPv6Address, ...] = ()
    second_choice: bool = False


@recorded("_interface.host.recorder", "add", "delete")
class Routes:
    """The static routes and the destination cache of one interface."""

    __slots__ = ("_failed", "_interface", "destinations", "generation", "static")

    def __init__(self, interface: "Interface") -> None:
        self._interface = interface
        self.destinations = DestinationCache(interface.changed)
        self.generation = 0
        self.static = StaticRoutes()
        # Gateways of static routes that did not answer; the default router list knows its own.
        self._failed: set[IPv6Address] = set()

    # -- what the user says

    def add(self, prefix: IPv6Address, length: int, gateway: IPv6Address, metric: int = DEFAULT_METRIC) -> StaticRoute:
        """A route that stays until it is deleted; bits behind the prefix's length do not count.

        Raises UsageError for what cannot be a route, RefusedError if its next hop
        is not on this link, there is such a route already, or the limit is reached.
        """
        self._check_gateway(gateway)
        route = StaticRoute(network(prefix, length), length, gateway, metric)
        self.static.add(route, self._interface.host.settings.max_static_routes)
        self.changed()
        self._tell(route, present=True)
        return route

    def delete(
        self, prefix: IPv6Address, length: int, gateway: IPv6Address | None = None, metric: int | None = None
    ) -> None:
        """Remove a static route, of several the preferred one that fits. Raises RefusedError if there is none."""
        gone = self.static.delete(prefix, length, gateway, metric)
        self._failed &= self.static.gateways
        self.changed()
        self._tell(gone, present=False)

    def _tell(self, route: StaticRoute, *, present: bool) -> None:
        host = self._interface.host
        event = StaticRouteChanged(route.prefix, route.length, route.gateway, route.metric, present)
        if host.journal.on:
            host.journal.note(host.journal.time, "routes", event.text(), "RFC 4191 3")
        if host.listeners:
            host.emit(event)

    def _check_gateway(self, gateway: IPv6Address) -> None:
        text = format_address(gateway)
        if is_multicast(gateway) or is_v4_mapped(gateway) or not any(gateway[:15]):
            raise UsageError(f"{text} cannot be the next hop of a route: it is no router's address")
        addresses = self._interface.addresses
        if addresses.claims(gateway):
            raise RefusedError(f"{text} is an address of this host, and no router")
        # An address that is tentative or down says already what the link will be.
        near = any(
            matches_prefix(gateway, entry.address, entry.prefix_length)
            for entry in addresses.table.values()
            if not entry.another_nodes
        )
        if not near and self._on_link_length(gateway) < 0:
            raise RefusedError(f"{text} is not on this link: a next hop is link-local or in a prefix of this link")

    # -- what is shown

    def on_link_prefixes(self, now: float) -> dict[tuple[IPv6Address, int], float | None]:
        """The prefixes on this link with the seconds for which they are, None for ever."""
        found: dict[tuple[IPv6Address, int], float | None] = {}
        for entry in self._interface.addresses.table.values():
            if entry.assigned and (entry.by_user or is_link_local(entry.address)):
                left = None if entry.valid_until is None else max(0.0, entry.valid_until - now)
                key = network(entry.address, entry.prefix_length), entry.prefix_length
                found[key] = _longer(found.get(key, 0.0), left)
        for prefix, length, _, left in self._interface.prefixes.listing(now):
            found[prefix, length] = _longer(found.get((prefix, length), 0.0), left)
        return found

    # -- what it depends on

    def changed(self) -> None:
        """Something that next hops depend on has changed (an address and its prefix, a route): all are found anew.

        What they hold for is the sum of this generation and that of the default router list, which grows with
        every change of either.
        """
        self.generation += 1
        self._interface.changed()

    def forget(self) -> None:
        """The interface goes down: only what the user gave stays."""
        self.destinations.clear()
        self._failed.clear()
        self.changed()

    def neighbour_known(self, address: IPv6Address) -> None:
        """The link-layer address of a neighbour is known from now on: it may be reached (6.3.6)."""
        self._failed.discard(address)
        self._router_changed(address)

    def neighbour_gone(self, address: IPv6Address) -> None:
        """There is no entry for a neighbour any more."""
        self._router_changed(address)

    def neighbour_failed(self, address: IPv6Address) -> None:
        """A neighbour did not answer (7.3.3): traffic through it takes another way."""
        if address in self.static.gateways:
            self._failed.add(address)
        self.destinations.drop_redirects(address)
        self._router_changed(address)

    def stopped_routing(self, address: IPv6Address) -> None:
        """A neighbour is a host now (7.3.3): redirects to it as a router end. A static route is the user's word."""
        self.destinations.drop_redirects(address, to_routers=True)
        self.changed()

    def _router_changed(self, address: IPv6Address) -> None:
        # Any other neighbour is only its own next hop, whatever becomes of it.
        if address in self.static.gateways or self._interface.routers.is_router(address):
            self.changed()

    # -- next-hop determination

    def is_on_link(self, address: IPv6Address) -> bool:
        """Whether an address is on this link: link-local, in a prefix of it (RFC 5942 4), or by a redirect (8.3)."""
        entry = self.destinations.get(address)
        return self._on_link_length(address) >= 0 or (entry is not None and entry.redirect == address)

    def leads_to(self, destination: IPv6Address) -> bool:
        """Whether packets to a destination have a way from this interface."""
        return any(True for _ in self._leading_to(destination))

    def first_hop(self, destination: IPv6Address) -> IPv6Address | None:
        """Where a packet to a unicast destination would go first, whenever; nothing is changed or asked by it."""
        if is_link_local(destination):
            return destination
        entry = self.destinations.get(destination)
        if entry is not None and entry.redirect is not None:
            return entry.redirect
        if entry is not None and entry.generation == self.generation + self._interface.routers.generation:
            return entry.next_hop
        return self.determine(destination, 0.0).address

    def _on_link_length(self, address: IPv6Address) -> int:
        """The length of the longest on-link prefix that holds an address, or -1."""
        if is_link_local(address):
            return 128
        given = (
            entry.prefix_length
            for entry in self._interface.addresses.table.values()
            if entry.by_user and entry.assigned and matches_prefix(address, entry.address, entry.prefix_length)
        )
        advertised = (
            entry.prefix_length
            for entry in self._interface.prefixes.table.values()
            if matches_prefix(address, entry.prefix, entry.prefix_length)
        )
        return max(max(given, default=-1), max(advertised, default=-1))

    def use(self, entry: Destination, packet: bytes, now: float) -> None:
        """A packet goes to a destination: its entry is in use."""
        self.destinations.used(entry, now)
        if not entry.wanted and not is_answer(packet):
            entry.wanted = True
            self.destinations.place(entry)

    def redetermine(
        self, entry: Destination | None, destination: IPv6Address, now: float, packet: bytes | None
    ) -> IPv6Address | None:
        """The next hop where the destination cache does not know it (5.2); for a packet it is put there."""
        if entry is not None and entry.redirect is not None and not self._still_leads(entry):
            # RFC 4191 3.3: where the routes lead elsewhere now, so do the packets.
            self.destinations.set_redirect(entry, None, None)
        if entry is not None and entry.redirect is not None:
            found = NextHop(entry.redirect)
        else:
            found = self.determine(destination, now, sending=packet is not None)
        journal = self._interface.host.journal
        if journal.on and packet is not None:
            way = "no route" if found.address is None else f"next hop {format_address(found.address)}"
            journal.note(now, "routes", f"{format_address(destination)}: {way}", "RFC 4861 5.2")
        if found.address is None or packet is None:
            return found.address
        if entry is None:
            entry = self._make(destination, wanted=not is_answer(packet))
        for router in found.passed_over:
            # RFC 4191 3.5: it would be used if it answered. The default router list asks its own.
            self._interface.resolver.probe(router, now)
        if entry is not None:
            entry.next_hop, entry.generation = found.address, self.generation + self._interface.routers.generation
            # RFC 4191 3.5: who is passed over is asked again with the traffic that would go there.
            entry.until = now + PROBE_INTERVAL if found.second_choice else math.inf
            self.use(entry, packet, now)
        return found.address

    def _make(self, destination: IPv6Address, *, wanted: bool) -> Destination | None:
        host = self._interface.host
        if len(self.destinations) >= host.settings.max_destinations:
            host.counters.limit_hit("max_destinations")
        return self.destinations.make(destination, host.settings.max_destinations, wanted=wanted)

    def determine(self, destination: IPv6Address, now: float, *, sending: bool = False) -> NextHop:
        """The next hop by the routes alone: the first that may be reachable (RFC 4191 3.2).

        `sending` says that a packet is about to go there: default routers may be tried in turn, and asked.
        """
        routers = self._interface.routers
        passed_over: list[IPv6Address] = []
        for hop in self._leading_to(destination):
            if hop == destination:
                return NextHop(hop, tuple(passed_over), bool(passed_over))
            gateway = hop if hop is not None else routers.select(now) if sending else self._default_router(destination)
            if gateway is None:
                continue
            if not self._may_be_reached(gateway):
                passed_over.append(gateway)
                continue
            # The default router list passes over its own.
            second = bool(passed_over) or (hop is None and not all(map(routers.is_reachable, routers.table)))
            return NextHop(gateway, tuple(passed_over), second)
        # RFC 4191 3.6: if nobody answers, the best one, while the others are asked.
        return NextHop(passed_over[0], tuple(passed_over[1:]), True) if passed_over else NextHop(None)

    def _may_be_reached(self, router: IPv6Address) -> bool:
        # RFC 4191 3.2: a router of which nothing is known yet is assumed to be reachable; so is the user's.
        if router in self.static.gateways:
            return router not in self._failed
        return self._interface.routers.is_reachable(router)

    def _default_router(self, destination: IPv6Address) -> IPv6Address | None:
        """The default router of a destination now, without any effect on who is tried next, or asked (6.3.6)."""
        routers, resolver = self._interface.routers, self._interface.resolver
        reachable = [each for each in routers.table.values() if routers.is_reachable(each.router)]
        best = max(reachable, key=lambda each: (each.preference, resolver.knows(each.router)), default=None)
        if best is not None:
            return best.router
        entry = self.destinations.get(destination)
        used = None if entry is None else entry.next_hop
        return used if used in routers.table else next(iter(routers.table), None)

    def _leading_to(self, destination: IPv6Address) -> Iterator[IPv6Address | None]:
        """The next hops that are known, the best first: a router, None for a default router, or the destination itself.

        Longest prefix, lowest metric, the user's word, and preference decide, in this order. Nothing follows the
        destination itself, for what is on-link goes to no router (5.2), unless the user says so of a longer prefix.
        """
        routers = self._interface.routers
        on_link = self._on_link_length(destination)
        known: list[tuple[int, int, int, int, IPv6Address | None]] = [
            (route.length, -route.metric, 1, 0, route.gateway)
            for route in self.static.matching(destination)
            # A next hop whose prefix has left the link is none.
            if self._on_link_length(route.gateway) >= 0
        ]
        if on_link < 0:
            known += [
                (route.prefix_length, -DEFAULT_METRIC, 0, route.preference, route.router)
                for route in routers.routes.matching(destination)
            ]
            if routers.table:
                known.append((0, -DEFAULT_METRIC, 0, 0, None))
        known.sort(key=lambda each: each[:4], reverse=True)
        for length, _, _, _, gateway in known:
            if length > on_link:
                yield gateway
        if on_link >= 0:
            yield destination

    # -- path MTU (RFC 8201)

    def path_mtu(self, destination: IPv6Address) -> int:
        """Octets of the longest packet that the path to a destination carries, as far as is known."""
        entry = self.destinations.entries.get(destination)
        mtu = self._interface.mtu
        return mtu if entry is None or entry.mtu is None else min(mtu, entry.mtu)

    def sent_long(self, destination: IPv6Address, length: int) -> None:
        """A packet above the minimum MTU leaves in one piece: only to such can a router say that it is too big."""
        entry = self.destinations.entries.get(destination)
        if entry is None and destination[0] == 0xFF:
            entry = self._make(destination, wanted=True)
        if entry is not None and length > entry.longest:
            entry.longest = length

    def path_mtu_expired(self, destination: IPv6Address, now: float) -> None:
        """4: the path may have become wider; the next packet that is too long for it will tell."""
        entry = self.destinations.get(destination)
        if entry is not None:
            self.destinations.set_mtu(entry, None, None)

    # -- redirects

    def redirect(self, destination: IPv6Address, target: IPv6Address, router: IPv6Address) -> bool:
        """A valid redirect: packets to `destination` go to `target` from now on (8.3). False if there is no room."""
        entry = self.destinations.get(destination)
        if entry is None:
            entry = self._make(destination, wanted=False)
            if entry is None:
                return False
        # The target of an earlier redirect may send one too; what the routes say is still what it corrects.
        first_hop = router if entry.first_hop is None else entry.first_hop
        self.destinations.set_redirect(entry, target, first_hop)
        return True

    def _still_leads(self, entry: Destination) -> bool:
        """Whether the routes lead to the router whose redirect was believed, or would if better ones answered."""
        routers = self._interface.routers
        for hop in self._leading_to(entry.address):
            if hop is None:
                return entry.first_hop in routers.table
            if hop == entry.first_hop:
                return True
            if hop == entry.address or self._may_be_reached(hop):
                return False
        return False


def _longer(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else max(one, other)
