"""Events: what changed in a host, for whoever listens.

They are small frozen records, made only when there is a listener. Each has `kind`,
a word for it, and `text()`, a line in plain words; addresses are bytes.
"""

from dataclasses import dataclass
from typing import ClassVar

from stack.address import IPv6Address, MacAddress, format_address, format_mac
from stack.multicast_filter import FilterPlan


@dataclass(frozen=True, slots=True)
class InterfaceUp:
    """The interface starts (or starts over)."""

    mac: MacAddress
    kind: ClassVar[str] = "up"

    def text(self) -> str:
        return f"interface {format_mac(self.mac)} up"


@dataclass(frozen=True, slots=True)
class InterfaceDown:
    """The interface was taken down."""

    kind: ClassVar[str] = "down"

    def text(self) -> str:
        return "interface down"


@dataclass(frozen=True, slots=True)
class InterfaceDisabled:
    """RFC 4862 5.4.5: the hardware-derived link-local address is a duplicate; no IPv6 here any more."""

    address: IPv6Address
    kind: ClassVar[str] = "disabled"

    def text(self) -> str:
        return f"IPv6 disabled: {format_address(self.address)}, made from the MAC, is a duplicate"


@dataclass(frozen=True, slots=True)
class AddressChanged:
    """An address of the interface is in a new state, in the words of its AddressState, or deleted."""

    address: IPv6Address
    state: str
    kind: ClassVar[str] = "address"

    def text(self) -> str:
        return f"address {format_address(self.address)} {self.state}"


@dataclass(frozen=True, slots=True)
class AddressConflict:
    """Somebody else claims an address that is already ours."""

    address: IPv6Address
    mac: MacAddress
    kind: ClassVar[str] = "conflict"

    def text(self) -> str:
        return f"conflict: {format_mac(self.mac)} claims {format_address(self.address)}"


@dataclass(frozen=True, slots=True)
class NeighborChanged:
    """A neighbour entry is in a new state, or gone (`state` None)."""

    address: IPv6Address
    mac: MacAddress | None
    state: str | None
    kind: ClassVar[str] = "neighbour"

    def text(self) -> str:
        where = format_mac(self.mac) if self.mac else "unknown"
        return f"neighbour {format_address(self.address)} at {where} {self.state or 'deleted'}"


@dataclass(frozen=True, slots=True)
class GroupChanged:
    """A group was joined or left; `joined` is the group's fate, not a membership's."""

    group: IPv6Address
    joined: bool
    kind: ClassVar[str] = "group"

    def text(self) -> str:
        return f"group {format_address(self.group)} {'joined' if self.joined else 'left'}"


@dataclass(frozen=True, slots=True)
class SourceFilterChanged:
    """The interface wants other sources of a group: `mode` is include or exclude, `sources` are addresses."""

    group: IPv6Address
    mode: str
    sources: tuple[IPv6Address, ...]
    kind: ClassVar[str] = "sources"

    def text(self) -> str:
        sources = ",".join(format_address(source) for source in self.sources) or "none"
        return f"group {format_address(self.group)} {self.mode} {sources}"


@dataclass(frozen=True, slots=True)
class VersionChanged:
    """Another version of MLD is spoken from now on."""

    version: int
    kind: ClassVar[str] = "mld"

    def text(self) -> str:
        return f"MLD version {self.version} from now on"


@dataclass(frozen=True, slots=True)
class FilterChanged:
    """The driver was given another multicast filter."""

    plan: FilterPlan
    kind: ClassVar[str] = "filter"

    def text(self) -> str:
        if self.plan.off:
            return "filter off"
        if self.plan.allmulti:
            return "filter: all multicast"
        return f"filter: {len(self.plan.exact)} exact, {len(self.plan.hashed)} hashed"


@dataclass(frozen=True, slots=True)
class RouterChanged:
    """A default router is known with this preference (high, medium or low), or is one no more (None)."""

    router: IPv6Address
    preference: str | None
    kind: ClassVar[str] = "router"

    def text(self) -> str:
        state = "gone" if self.preference is None else f"of {self.preference} preference"
        return f"default router {format_address(self.router)} {state}"


@dataclass(frozen=True, slots=True)
class Redirected:
    """RFC 4861 8.3: packets to a destination go to `target` from now on, as `router` says; it may be on this link."""

    destination: IPv6Address
    target: IPv6Address
    router: IPv6Address
    kind: ClassVar[str] = "redirect"

    def text(self) -> str:
        on_link = self.target == self.destination
        way = "it is on this link" if on_link else f"through {format_address(self.target)}"
        return f"redirect for {format_address(self.destination)}: {way}"


@dataclass(frozen=True, slots=True)
class NoRouters:
    """RFC 4861 6.3.7: no router has answered any solicitation."""

    kind: ClassVar[str] = "router"

    def text(self) -> str:
        return "no router on this link"


@dataclass(frozen=True, slots=True)
class RouteChanged:
    """A route that a router advertised has this preference (1, 0, -1), or is gone (None)."""

    prefix: IPv6Address
    prefix_length: int
    router: IPv6Address
    preference: int | None
    kind: ClassVar[str] = "route"

    def text(self) -> str:
        route = f"{format_address(self.prefix)}/{self.prefix_length} via {format_address(self.router)}"
        return f"route {route} {'deleted' if self.preference is None else 'learnt'}"


@dataclass(frozen=True, slots=True)
class StaticRouteChanged:
    """The user gave a route, or took it back."""

    prefix: IPv6Address
    prefix_length: int
    gateway: IPv6Address
    metric: int
    present: bool
    kind: ClassVar[str] = "route"

    def text(self) -> str:
        route = f"{format_address(self.prefix)}/{self.prefix_length} via {format_address(self.gateway)}"
        return f"route {route} metric {self.metric} {'added' if self.present else 'deleted'}"


@dataclass(frozen=True, slots=True)
class QuerierChanged:
    """Another router than before asks who listens, or it speaks another version."""

    querier: IPv6Address
    version: int
    kind: ClassVar[str] = "querier"

    def text(self) -> str:
        return f"querier {format_address(self.querier)}, MLD version {self.version}"


@dataclass(frozen=True, slots=True)
class PrefixChanged:
    """A router said that a prefix is on-link, or it is so no more."""

    prefix: IPv6Address
    prefix_length: int
    on_link: bool
    kind: ClassVar[str] = "prefix"

    def text(self) -> str:
        return f"prefix {format_address(self.prefix)}/{self.prefix_length} {'on-link' if self.on_link else 'gone'}"


@dataclass(frozen=True, slots=True)
class ConfigurationFlags:
    """The M and O flags of a router changed (RFC 4861 4.2): DHCPv6 has addresses, or other configuration."""

    managed: bool
    other: bool
    kind: ClassVar[str] = "flags"

    def text(self) -> str:
        # 4.2: with M the O flag is redundant.
        return f"DHCPv6: addresses {_yes(self.managed)}, other configuration {_yes(self.managed or self.other)}"


@dataclass(frozen=True, slots=True)
class LinkMtuChanged:
    """A router gave the link another MTU, in octets."""

    mtu: int
    kind: ClassVar[str] = "mtu"

    def text(self) -> str:
        return f"MTU {self.mtu}"


@dataclass(frozen=True, slots=True)
class DnsChanged:
    """Other DNS servers (addresses as text) or search domains are advertised, in the order of preference."""

    servers: tuple[str, ...]
    search: tuple[str, ...]
    kind: ClassVar[str] = "dns"

    def text(self) -> str:
        return f"DNS servers: {' '.join(self.servers) or 'none'}; search: {' '.join(self.search) or 'none'}"


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"


Event = (
    InterfaceUp
    | InterfaceDown
    | InterfaceDisabled
    | AddressChanged
    | AddressConflict
    | NeighborChanged
    | GroupChanged
    | SourceFilterChanged
    | VersionChanged
    | FilterChanged
    | RouterChanged
    | NoRouters
    | Redirected
    | RouteChanged
    | StaticRouteChanged
    | QuerierChanged
    | PrefixChanged
    | ConfigurationFlags
    | LinkMtuChanged
    | DnsChanged
)
