"""Routes to prefixes as routers advertise them (RFC 4191 2.3 and 3.1): a router, a preference and a lifetime each.

Kept by prefix, length and router: what one router says changes nothing that
another one said.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from stack.address import IPv6Address, format_address, matches_prefix
from stack.events import RouteChanged
from stack.nd.standing import victim
from stack.timers import Timer

if TYPE_CHECKING:
    from stack.interface import Interface

RouteKey = tuple[IPv6Address, int, IPv6Address]


class LearntRoute:
    """One route: `prefix` (16 bytes, zeros behind `prefix_length` bits) goes through `router` until `until`."""

    __slots__ = ("preference", "prefix", "prefix_length", "repeated", "router", "timer", "until")

    def __init__(self, prefix: IPv6Address, prefix_length: int, router: IPv6Address) -> None:
        self.prefix = prefix
        self.prefix_length = prefix_length
        self.router = router
        self.preference = 0
        self.until = 0.0
        self.repeated = False
        self.timer: Timer | None = None

    @property
    def key(self) -> RouteKey:
        """What makes it the same route as another."""
        return self.prefix, self.prefix_length, self.router


class LearntRoutes:
    """The routes of one interface in order of arrival; `touched` is called when a choice may be another now."""

    __slots__ = ("_by_router", "_interface", "_touched", "table")

    def __init__(self, interface: "Interface", touched: Callable[[], None]) -> None:
        self._interface = interface
        self._touched = touched
        self.table: dict[RouteKey, LearntRoute] = {}
        # How many routes each router has.
        self._by_router: dict[IPv6Address, int] = {}

    def __len__(self) -> int:
        return len(self.table)

    def has_router(self, address: IPv6Address) -> bool:
        """Whether a route leads through this router."""
        return address in self._by_router

    def matching(self, destination: IPv6Address) -> list[LearntRoute]:
        """The routes that cover a destination, the longest prefix first, then the higher preference (3.2)."""
        found = [
            route for route in self.table.values() if matches_prefix(destination, route.prefix, route.prefix_length)
        ]
        found.sort(key=_rank, reverse=True)
        return found

    def advertised(self, route: LearntRoute, lifetime: float, preference: int, now: float) -> None:
        """A router names a route for `lifetime` seconds; 0 removes it, infinity is for ever (3.1)."""
        known = self.table.get(route.key)
        if lifetime == 0:
            if known is not None:
                self._remove(known, now)
            return
        news = known is None or known.preference != preference
        if known is None:
            if not self._make_room(route.router, now):
                return
            known = self.table[route.key] = route
            self._by_router[route.router] = self._by_router.get(route.router, 0) + 1
        else:
            known.repeated = True
        known.preference = preference
        self._run_until(known, now + lifetime)
        if news:
            self._touched()
            self._announce(known, now, gone=False)

    def drop_router(self, router: IPv6Address, now: float) -> None:
        """A router is none any more: its routes go."""
        if self.has_router(router):
            for route in [each for each in self.table.values() if each.router == router]:
                self._remove(route, now)

    def forget(self, now: float) -> None:
        """The interface goes down."""
        for route in list(self.table.values()):
            self._remove(route, now)

    def _make_room(self, router: IPv6Address, now: float) -> bool:
        host = self._interface.host
        while len(self.table) >= host.settings.max_learnt_routes:
            host.counters.limit_hit("max_learnt_routes")
            route = victim(self._interface, self.table.values(), router)
            if route is None:
                return False
            self._remove(route, now)
        return True

    def _run_until(self, route: LearntRoute, until: float) -> None:
        route.until = until
        if route.timer is not None:
            route.timer.cancel()
        route.timer = None if until == math.inf else self._interface.host.timers.at(until, self._expired, route)

    def _expired(self, route: LearntRoute, now: float) -> None:
        route.timer = None
        self._remove(route, now)

    def _remove(self, route: LearntRoute, now: float) -> None:
        if route.timer is not None:
            route.timer.cancel()
            route.timer = None
        del self.table[route.key]
        left = self._by_router[route.router] - 1
        if left:
            self._by_router[route.router] = left
        else:
            del self._by_router[route.router]
        self._touched()
        self._announce(route, now, gone=True)

    def _announce(self, route: LearntRoute, now: float, *, gone: bool) -> None:
        host = self._interface.host
        if host.journal.on:
            what = f"route to {format_address(route.prefix)}/{route.prefix_length} by {format_address(route.router)}"
            host.journal.note(now, "nd", f"{what}: {'gone' if gone else 'learnt'}", "RFC 4191 3.1")
        if host.listeners:
            host.emit(RouteChanged(route.prefix, route.prefix_length, route.router, None if gone else route.preference))


def _rank(route: LearntRoute) -> tuple[int, int]:
    return route.prefix_length, route.preference
