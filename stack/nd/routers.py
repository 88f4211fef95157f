"""The default router list of an interface and who is chosen from it (RFC 4861 6.3.4 to 6.3.6, RFC 4191 3).

A router is known by its link-local address. The routes that its advertisements
name are in `stack.nd.learnt_routes`; which route a packet takes in the end, static
ones and redirects included, is decided in `stack.ip6`.
"""

import math
from typing import TYPE_CHECKING, NamedTuple

from stack.address import UNSPECIFIED, IPv6Address, format_address
from stack.events import RouterChanged
from stack.nd.learnt_routes import LearntRoute, LearntRoutes
from stack.nd.standing import victim
from stack.nd.states import NeighborState
from stack.timers import Timer

if TYPE_CHECKING:
    from stack.interface import Interface

# RFC 4191 2.1, by the two bits.
PREFERENCE_NAMES = {1: "high", 0: "medium", -1: "low"}


class DefaultRouter:
    """One entry: `until` is when its lifetime ends on the host's clock, infinity never."""

    __slots__ = ("preference", "repeated", "router", "timer", "until")

    def __init__(self, router: IPv6Address) -> None:
        self.router = router
        self.preference = 0
        self.until = 0.0
        self.repeated = False
        self.timer: Timer | None = None


class RouteListing(NamedTuple):
    """A learnt route as it is shown: `expires` in seconds from now, None never; preference in RFC 4191's words."""

    prefix: IPv6Address
    prefix_length: int
    gateway: IPv6Address
    preference: str
    expires: float | None


class DefaultRouterList:
    """The default routers of one interface in order of arrival, and the routes learnt from routers.

    `generation` grows with everything that may change a choice made here.
    """

    __slots__ = ("_interface", "_last_tried", "_suspect", "generation", "routes", "table")

    def __init__(self, interface: "Interface") -> None:
        self._interface = interface
        self.table: dict[IPv6Address, DefaultRouter] = {}
        self.routes = LearntRoutes(interface, self.touch)
        self.generation = 0
        self._last_tried: IPv6Address | None = None
        # Routers that did not answer when they were asked last.
        self._suspect: set[IPv6Address] = set()

    def __len__(self) -> int:
        return len(self.table)

    # -- what the rest of the stack asks

    def select(self, now: float) -> IPv6Address | None:
        """The router for a destination that no other route leads to (6.3.6, RFC 4191 3.2); None if there is none."""
        if not self.table:
            return None
        order = sorted(self.table.values(), key=self._preference, reverse=True)
        chosen = next((each.router for each in order if self.is_reachable(each.router)), None)
        if chosen is None:
            # 6.3.6 2, RFC 4191 3.6: they are tried in turn, and all asked meanwhile, the preferred ones first.
            chosen = self._next_in_turn()
        self._probe_others([each.router for each in order], chosen, now)
        return chosen

    def is_router(self, address: IPv6Address) -> bool:
        """Whether a neighbour is a router by what it advertised: a default router, or one with routes."""
        return address in self.table or self.routes.has_router(address)

    def is_reachable(self, router: IPv6Address) -> bool:
        """6.3.6: reachable or probably so, in any state but these two; RFC 4191 3.2: or nothing is known of it."""
        entry = self._interface.resolver.cache.get(router)
        if entry is not None:
            return entry.state not in (NeighborState.INCOMPLETE, NeighborState.UNREACHABLE)
        return router not in self._suspect

    def listing(self, now: float) -> list[RouteListing]:
        """The learnt routes for `route show`, default routes first."""
        routes = [
            RouteListing(UNSPECIFIED, 0, each.router, PREFERENCE_NAMES[each.preference], _remaining(each.until, now))
            for each in self.table.values()
        ]
        for route in self.routes.table.values():
            name = PREFERENCE_NAMES[route.preference]
            routes.append(
                RouteListing(route.prefix, route.prefix_length, route.router, name, _remaining(route.until, now))
            )
        return routes

    # -- what advertisements say

    def advertised(self, router: IPv6Address, lifetime: float, preference: int, now: float) -> None:
        """A lifetime in seconds (infinity for ever; 0: no default router) and a preference of 1, 0 or -1 (6.3.4)."""
        entry = self.table.get(router)
        if lifetime == 0:
            if entry is not None:
                self._remove(entry, now, "RFC 4861 6.3.5")
            return
        if entry is None:
            if not self._make_room(router, now):
                return
            entry = self.table[router] = DefaultRouter(router)
            news = True
        else:
            entry.repeated = True
            news = preference != entry.preference
        entry.preference = preference
        self._run_until(entry, now + lifetime)
        if news:
            self.touch()
            self._announce(entry, now, PREFERENCE_NAMES[preference], "RFC 4861 6.3.4")

    def route_advertised(
        self, router: IPv6Address, prefix: IPv6Address, length: int, lifetime: float, preference: int, now: float
    ) -> None:
        """A route information option; the route to ::/0 overrides what the header said (RFC 4191 3.1)."""
        if length == 0:
            self.advertised(router, lifetime, preference, now)
        else:
            self.routes.advertised(LearntRoute(prefix, length, router), lifetime, preference, now)

    # -- what neighbour discovery says of routers

    def heard(self, router: IPv6Address) -> None:
        """A router gave its link-layer address: it may be reachable once more (7.3.3: STALE)."""
        if router in self._suspect:
            self._suspect.discard(router)
            self.touch()

    def unreachable(self, address: IPv6Address) -> None:
        """A neighbour did not answer (7.3.3): if it is a router, others are preferred until it is heard of again."""
        if self.is_router(address):
            self._suspect.add(address)
            self.touch()

    def became_host(self, address: IPv6Address, now: float) -> None:
        """7.2.5, 7.3.3: a neighbour's R flag went from 1 to 0, so it forwards nothing any more."""
        entry = self.table.get(address)
        if entry is not None:
            self._remove(entry, now, "RFC 4861 7.3.3")
        self.routes.drop_router(address, now)

    def forget(self, now: float) -> None:
        """The interface goes down: nothing of what was learnt remains."""
        for entry in list(self.table.values()):
            self._remove(entry, now, "")
        self.routes.forget(now)
        self._suspect.clear()
        self._last_tried = None

    def touch(self) -> None:
        """Something that choices depend on has changed."""
        self.generation += 1
        self._interface.changed()
        self._suspect = {router for router in self._suspect if self.is_router(router)}

    # -- choosing

    def _preference(self, entry: DefaultRouter) -> tuple[int, bool]:
        # Among equals, those that are known to have been there (6.3.6 1) before those of which nothing is known.
        return entry.preference, self._interface.resolver.knows(entry.router)

    def _next_in_turn(self) -> IPv6Address:
        """6.3.6 2: none is known to be reachable, so each is tried in turn, and probed by being tried."""
        order = list(self.table)
        last = self._last_tried
        at = order.index(last) + 1 if last in self.table and last is not None else 0
        self._last_tried = order[at % len(order)]
        return self._last_tried

    def _probe_others(self, order: list[IPv6Address], chosen: IPv6Address, now: float) -> None:
        """RFC 4191 3.5: one solicitation to each router that would have been used if it were reachable."""
        for router in order:
            if router == chosen and self.is_reachable(chosen):
                return
            if router != chosen and not self.is_reachable(router):
                self._interface.resolver.probe(router, now)

    # -- keeping

    def _make_room(self, router: IPv6Address, now: float) -> bool:
        host = self._interface.host
        while len(self.table) >= host.settings.max_routers:
            host.counters.limit_hit("max_routers")
            entry = victim(self._interface, self.table.values(), router)
            if entry is None:
                return False
            self._remove(entry, now, "RFC 4861 6.3.4")
        return True

    def _run_until(self, entry: DefaultRouter, until: float) -> None:
        entry.until = until
        if entry.timer is not None:
            entry.timer.cancel()
        entry.timer = None if until == math.inf else self._interface.host.timers.at(until, self._expired, entry)

    def _expired(self, entry: DefaultRouter, now: float) -> None:
        entry.timer = None
        self._remove(entry, now, "RFC 4861 6.3.5")

    def _remove(self, entry: DefaultRouter, now: float, clause: str) -> None:
        if entry.timer is not None:
            entry.timer.cancel()
            entry.timer = None
        # Whoever is chosen next in turn is who would have been.
        if self._last_tried == entry.router:
            order = list(self.table)
            before = order[order.index(entry.router) - 1]
            self._last_tried = before if before != entry.router else None
        del self.table[entry.router]
        self.touch()
        self._announce(entry, now, None, clause)

    def _announce(self, entry: DefaultRouter, now: float, preference: str | None, clause: str) -> None:
        host = self._interface.host
        if host.journal.on:
            what = f"default router {format_address(entry.router)}: {preference or 'gone'}"
            host.journal.note(now, "nd", what, clause)
        if host.listeners:
            host.emit(RouterChanged(entry.router, preference))


def _remaining(until: float, now: float) -> float | None:
    return None if until == math.inf else max(0.0, until - now)
