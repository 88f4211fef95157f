"""Static routes: those that the user gave, which stay until the user takes them back.

The table only; whether a next hop is on the link, and which of all routes a packet
takes, is decided in `stack.ip6.routes`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from stack.address import IPv6Address, format_address, is_link_local, is_multicast, is_v4_mapped, network
from stack.errors import RefusedError, UsageError

# Linux's, and that of its routes from advertisements.
DEFAULT_METRIC = 1024


@dataclass(slots=True, frozen=True)
class StaticRoute:
    """Packets to `prefix` (16 bytes, no bits behind `length`) go to `gateway`; the lower metric is preferred."""

    prefix: IPv6Address
    length: int
    gateway: IPv6Address
    metric: int = DEFAULT_METRIC

    def text(self) -> str:
        """The prefix as ip writes it."""
        return format_prefix(self.prefix, self.length)


class StaticRoutes:
    """The static routes of one interface by prefix, length and metric, in the order in which they were given."""

    __slots__ = ("_by_length", "gateways", "table")

    def __init__(self) -> None:
        self.table: dict[tuple[IPv6Address, int, int], StaticRoute] = {}
        # Their next hops.
        self.gateways: frozenset[IPv6Address] = frozenset()
        # The longest prefixes first; routes of one prefix by metric.
        self._by_length: list[tuple[int, dict[IPv6Address, list[StaticRoute]]]] = []

    def __len__(self) -> int:
        return len(self.table)

    def matching(self, destination: IPv6Address) -> Iterator[StaticRoute]:
        """The routes to a destination: the longest prefix first, then the lowest metric."""
        for length, by_prefix in self._by_length:
            yield from by_prefix.get(network(destination, length), ())

    def add(self, route: StaticRoute, limit: int) -> None:
        """Raises UsageError for what no router is asked for, RefusedError if it is there already or at the limit."""
        _check_prefix(route)
        known = self.table.get((route.prefix, route.length, route.metric))
        if known is not None:
            via = format_address(known.gateway)
            raise RefusedError(f"there is a route to {route.text()} of metric {route.metric} already, via {via}")
        if len(self.table) >= limit:
            raise RefusedError(f"there are {limit} routes given by the user already (max_static_routes)")
        self.table[route.prefix, route.length, route.metric] = route
        self._arrange()

    def delete(self, prefix: IPv6Address, length: int, gateway: IPv6Address | None, metric: int | None) -> StaticRoute:
        """Remove the route to a prefix, of several that fit the preferred one; RefusedError if there is none."""
        prefix = network(prefix, length)
        fitting = [
            route
            for route in self.table.values()
            if (route.prefix, route.length) == (prefix, length)
            and gateway in (None, route.gateway)
            and metric in (None, route.metric)
        ]
        if not fitting:
            via = "" if gateway is None else f" via {format_address(gateway)}"
            raise RefusedError(f"there is no static route to {format_prefix(prefix, length)}{via}")
        gone = min(fitting, key=lambda route: route.metric)
        del self.table[gone.prefix, gone.length, gone.metric]
        self._arrange()
        return gone

    def _arrange(self) -> None:
        by_length: dict[int, dict[IPv6Address, list[StaticRoute]]] = {}
        for route in sorted(self.table.values(), key=lambda route: route.metric):
            by_length.setdefault(route.length, {}).setdefault(route.prefix, []).append(route)
        self._by_length = sorted(by_length.items(), reverse=True)
        self.gateways = frozenset(route.gateway for route in self.table.values())


def format_prefix(prefix: IPv6Address, length: int) -> str:
    """`default`, a prefix with its length, or a single address."""
    if length == 0:
        return "default"
    return format_address(prefix) if length == 128 else f"{format_address(prefix)}/{length}"


def _check_prefix(route: StaticRoute) -> None:
    prefix, length = route.prefix, route.length
    if is_multicast(prefix) and length >= 8:
        raise UsageError(f"{route.text()}: packets to groups go to no router (RFC 4861 5.2)")
    if is_link_local(prefix) and length >= 10:
        raise UsageError(f"{route.text()}: link-local destinations are on this link (RFC 4291 2.5.6)")
    if length >= 96 and (is_v4_mapped(prefix) or (length == 128 and not any(prefix[:15]))):
        raise UsageError(f"{route.text()} is on no link")
