"""The state of an interface as the JSON documents that the command line prints.

`addr`, `link` and `neigh` have the shapes of `ip -6 -j`; times are seconds,
addresses in RFC 5952 form.
"""

from typing import Any

from stack.address import (
    BROADCAST_MAC,
    SCOPE_GLOBAL,
    SCOPE_LINK_LOCAL,
    SCOPE_SITE_LOCAL,
    format_address,
    format_mac,
    scope,
)
from stack.interface import Interface
from stack.mld.groups import GroupRecord
from stack.multicast_filter import FilterPlan
from stack.nd.cache import Neighbor
from stack.nd.dns import DnsListing
from stack.nd.interface_address import AddressState, InterfaceAddress, Origin
from stack.nd.states import NeighborState

FOREVER = 0xFFFFFFFF

_SCOPES = {SCOPE_LINK_LOCAL: "link", SCOPE_SITE_LOCAL: "site", SCOPE_GLOBAL: "global"}


def link(interface: Interface, now: float, *, carrier: bool) -> list[dict[str, Any]]:
    """The interface with its addresses, as `ip -6 -j addr` and `ip -j link` have it."""
    flags = ["BROADCAST", "MULTICAST"]
    if not carrier:
        flags.append("NO-CARRIER")
    if interface.up:
        flags += ["UP", "LOWER_UP"]
    return [
        {
            "ifindex": interface.index,
            "ifname": interface.name,
            "flags": flags,
            "mtu": interface.mtu,
            "operstate": "UP" if interface.up else "DOWN",
            "link_type": "ether",
            "address": format_mac(interface.mac),
            "broadcast": format_mac(BROADCAST_MAC),
            "disabled": interface.disabled,
            "vlan": interface.vlan,
            "dns": {
                "servers": [_dns(entry) for entry in interface.dns.servers.listing(now)],
                "search": [_dns(entry) for entry in interface.dns.search.listing(now)],
            },
            "addr_info": [_address(entry, now) for entry in interface.addresses.table.values()],
        }
    ]


def _dns(entry: DnsListing) -> dict[str, Any]:
    expires = None if entry.expires is None else int(entry.expires)
    return {"value": entry.value, "router": format_address(entry.router), "expires": expires}


def _address(entry: InterfaceAddress, now: float) -> dict[str, Any]:
    document: dict[str, Any] = {
        "family": "inet6",
        "local": format_address(entry.address),
        "prefixlen": entry.prefix_length,
        "scope": _SCOPES.get(scope(entry.address), "global"),
        "state": entry.state.value,
    }
    # ip leaves a flag out unless it is set; a duplicate is tentative for ever there.
    duplicated = entry.state is AddressState.DUPLICATED
    flags = {
        "tentative": duplicated or entry.state in (AddressState.TENTATIVE, AddressState.OPTIMISTIC),
        "optimistic": entry.optimistic,
        "dadfailed": duplicated,
        "deprecated": entry.state is AddressState.DEPRECATED,
        # As ip has it: what will not stay for ever, and what a router had the interface make.
        "dynamic": entry.learnt or entry.valid_until is not None,
        "temporary": entry.temporary,
        "mngtmpaddr": entry.origin is Origin.AUTOCONFIGURED,
        "nodad": entry.nodad,
        "anycast": entry.anycast,
    }
    document.update({name: True for name, is_set in flags.items() if is_set})
    document["valid_life_time"] = _lifetime(entry.valid_until, now)
    document["preferred_life_time"] = _lifetime(entry.preferred_until, now)
    return document


def _lifetime(until: float | None, now: float) -> int:
    return FOREVER if until is None else max(0, int(until - now))


def groups(interface: Interface, now: float, *, saved: bool = False) -> list[dict[str, Any]]:
    """The multicast address list; only what is saved while there is no address if `saved`."""
    records = interface.listener.groups.records.values()
    shown = [record for record in records if not saved or record.interface_address is None]
    return [{"ifname": interface.name, "maddr": [_group(interface, record, now) for record in shown]}]


def _group(interface: Interface, record: GroupRecord, now: float) -> dict[str, Any]:
    state, due = interface.listener.state_of(record)
    hangs_on = record.interface_address
    return {
        "address": format_address(record.group),
        "ifaddr": None if hangs_on is None else format_address(hangs_on),
        "refcount": record.refcount,
        "mode": record.filter.mode.value,
        "sources": [format_address(source) for source in sorted(record.filter.sources)],
        "state": state.value,
        "last_reporter": record.last_reporter,
        "timer": None if due is None else round(max(0.0, due - now), 3),
    }


def multicast(interface: Interface) -> list[dict[str, Any]]:
    """net.inet6.multicast: the groups with the address that each hangs on and its count (SEED row S78)."""
    return [
        {"ifaddr": format_address(record.interface_address)} | _counted(record)
        for record in interface.listener.groups.records.values()
        if record.interface_address is not None
    ]


def multicast_kludge(interface: Interface) -> list[dict[str, Any]]:
    """net.inet6.multicast_kludge: the groups saved while this interface has no address (S76)."""
    return [_counted(record) for record in interface.listener.groups.saved()]


def _counted(record: GroupRecord) -> dict[str, Any]:
    return {"group": format_address(record.group), "refcount": record.refcount}


def multicast_filter(plan: FilterPlan) -> dict[str, Any]:
    """The filter as last handed to the driver."""
    return {
        "unicast": [format_mac(mac) for mac in plan.unicast],
        "exact": [format_mac(mac) for mac in plan.exact],
        "hashed": [format_mac(mac) for mac in plan.hashed],
        "allmulti": plan.allmulti,
        "off": plan.off,
    }


def neighbours(interface: Interface) -> list[dict[str, Any]]:
    """The neighbour cache as `ip -6 -j neigh` has it."""
    return [_neighbour(entry, interface.name) for entry in interface.resolver.cache.entries.values()]


def _neighbour(entry: Neighbor, device: str) -> dict[str, Any]:
    document: dict[str, Any] = {"dst": format_address(entry.address), "dev": device}
    if entry.mac is not None:
        document["lladdr"] = format_mac(entry.mac)
    if entry.is_router:
        document["router"] = None
    # ip has no word for UNREACHABLE (RFC 7048); of a neighbour that fell silent it says this.
    document["state"] = ["FAILED" if entry.state is NeighborState.UNREACHABLE else entry.state.value]
    return document
