"""The routes of an interface as the JSON documents of `ip -6 -j route` and `ip -6 -j route show cache`."""

from typing import Any

from stack.address import IPv6Address, format_address
from stack.interface import Interface
from stack.ip6.destinations import Destination
from stack.ip6.static_routes import DEFAULT_METRIC, format_prefix

# Linux's for the prefixes of the link.
KERNEL_METRIC = 256


def routes(interface: Interface, now: float) -> list[dict[str, Any]]:
    """The routes as `ip -6 -j route` has them: by prefix, `default` last."""
    device = interface.name
    found: list[tuple[IPv6Address, int, dict[str, Any]]] = [
        (prefix, length, _route(prefix, length, None, device, "kernel", KERNEL_METRIC, expires=until))
        for (prefix, length), until in interface.routes.on_link_prefixes(now).items()
    ]
    for route in interface.routes.static.table.values():
        shown = _route(route.prefix, route.length, route.gateway, device, "static", route.metric)
        found.append((route.prefix, route.length, shown))
    for prefix, length, gateway, preference, expires in interface.routers.listing(now):
        shown = _route(prefix, length, gateway, device, "ra", DEFAULT_METRIC, expires=expires, preference=preference)
        found.append((prefix, length, shown))
    found.sort(key=lambda each: (each[1] == 0, each[0], each[1], each[2]["metric"]))
    return [shown for _, _, shown in found]


def destinations(interface: Interface, now: float) -> list[dict[str, Any]]:
    """The destination cache as `ip -6 -j route show cache` has it: redirects and path MTUs, no plain next hops."""
    return [_destination(entry, interface.name, now) for entry in interface.routes.destinations.learnt()]


def _destination(entry: Destination, device: str, now: float) -> dict[str, Any]:
    gateway = entry.next_hop if entry.redirect is None else entry.redirect
    by = None if entry.redirect is None else "redirect"
    shown = _route(entry.address, 128, None if gateway == entry.address else gateway, device, by, DEFAULT_METRIC)
    if entry.mtu is not None:
        shown["metrics"] = [{"mtu": entry.mtu}]
    if entry.mtu_timer is not None:
        shown["expires"] = max(0, int(entry.mtu_timer.deadline - now))
    return shown


def _route(
    prefix: IPv6Address,
    length: int,
    gateway: IPv6Address | None,
    device: str,
    protocol: str | None,
    metric: int,
    *,
    expires: float | None = None,
    preference: str = "medium",
) -> dict[str, Any]:
    document: dict[str, Any] = {"dst": format_prefix(prefix, length)}
    if gateway is not None:
        document["gateway"] = format_address(gateway)
    document["dev"] = device
    if protocol is not None:
        document["protocol"] = protocol
    document |= {"metric": metric, "flags": []}
    if expires is not None:
        document["expires"] = int(expires)
    document["pref"] = preference
    return document
