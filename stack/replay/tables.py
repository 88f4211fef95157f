"""The tables of a host that what is received can fill: how full they are, and their limits."""

from typing import NamedTuple

from stack.host import Host
from stack.interface import Interface
from stack.settings import Settings


class Size(NamedTuple):
    """One table: the most entries (or octets) that it held, and how many it may."""

    size: int
    peak: int
    limit: int


# Each has a setting that bounds it; `sizes` and `limits` follow this order.
NAMES = (
    *("neighbours", "destinations", "routers", "routes", "prefixes", "prefixes for addresses", "addresses"),
    *("DNS servers", "DNS domains", "groups", "memberships", "sockets", "pings"),
    *("packets in reassembly", "octets in reassembly"),
)


def sizes(host: Host, interface: Interface) -> tuple[int, ...]:
    """How much is in each table now."""
    groups, cache = interface.listener.groups, interface.resolver.cache
    routers, dns, reassembler = interface.routers, interface.dns, host.reassembler
    return (
        len(cache.entries) - cache.permanent,
        len(interface.routes.destinations.entries),
        len(routers.table),
        len(routers.routes.table),
        len(interface.prefixes.table),
        len(interface.autoconfiguration.table),
        len(interface.addresses.table),
        len(dns.servers.table),
        len(dns.search.table),
        len(groups.records),
        groups.membership_count,
        len(host.udp.sockets),
        len(host.echoes.sessions),
        len(reassembler.packets),
        reassembler.cost,
    )


def limits(settings: Settings) -> tuple[int, ...]:
    """The limit of each table."""
    return (
        settings.gc_thresh3,
        settings.max_destinations,
        settings.max_routers,
        settings.max_learnt_routes,
        settings.max_prefixes,
        settings.max_addresses,
        settings.max_static_addresses + settings.max_addresses + 1,
        settings.max_dns_servers,
        settings.max_dns_domains,
        settings.mld_max_groups,
        settings.mld_max_memberships,
        settings.max_sockets,
        settings.max_echo_sessions,
        settings.max_reassemblies,
        settings.ip6frag_high_thresh,
    )
