"""What routers say about DNS: recursive servers and the search list (RFC 8106 5, 6; RFC 6106 5.3.1).

Each entry is kept with the router that advertised it and its lifetime, and counts
only as long as that router's own lifetime, too (RFC 6106 5.2). Nothing here asks a
server anything.
"""

import math
from typing import TYPE_CHECKING, NamedTuple

from stack.address import IPv6Address, format_address, is_multicast
from stack.events import DnsChanged
from stack.nd.standing import victim
from stack.timers import Timer
from stack.wire import router as wire

if TYPE_CHECKING:
    from stack.interface import Interface

# RFC 1035 2.3.4, in octets.
MAXIMUM_NAME = 255
MAXIMUM_LABEL = 63

_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-_")


class DnsEntry:
    """A server's address or a domain's name (text) from one router; both ends are times on the host's clock."""

    __slots__ = ("option_until", "order", "repeated", "router", "router_until", "value")

    def __init__(self, value: str, router: IPv6Address, order: tuple[int, int]) -> None:
        self.value = value
        self.router = router
        # Latest option first, and in the order of the option (RFC 6106 6.2 d).
        self.order = order
        self.repeated = False
        self.option_until = 0.0
        self.router_until = 0.0

    @property
    def until(self) -> float:
        """RFC 6106 5.2: used as long as both lifetimes last."""
        return min(self.option_until, self.router_until)


class DnsListing(NamedTuple):
    """An entry as it is shown; `expires` in seconds from now, None never."""

    value: str
    router: IPv6Address
    expires: float | None


class DnsList:
    """Entries of one kind, bounded by the setting `limit`, keyed by value and router."""

    __slots__ = ("_interface", "_limit", "_options", "table")

    def __init__(self, interface: "Interface", limit: str) -> None:
        self._interface = interface
        self._limit = limit
        self._options = 0
        self.table: dict[tuple[str, IPv6Address], DnsEntry] = {}

    def __len__(self) -> int:
        return len(self.table)

    def values(self) -> tuple[str, ...]:
        """What to use, in the order of preference, each once."""
        return tuple(dict.fromkeys(each.value for each in self._ordered()))

    def listing(self, now: float) -> list[DnsListing]:
        """Every entry, in the order of preference."""
        return [
            DnsListing(each.value, each.router, None if each.until == math.inf else max(0.0, each.until - now))
            for each in self._ordered()
        ]

    def advertised(
        self, values: list[str], lifetime: float, router: IPv6Address, router_until: float, now: float
    ) -> None:
        """One option: its values are good for `lifetime` seconds, 0 ends them, infinity is for ever."""
        self._options += 1
        for place, value in enumerate(values):
            entry = self.table.get((value, router))
            if lifetime == 0:
                self.table.pop((value, router), None)
                continue
            if entry is None:
                if not self._make_room(router, now):
                    continue
                entry = self.table[value, router] = DnsEntry(value, router, (-self._options, place))
            else:
                entry.repeated = True
            entry.option_until = now + lifetime
            entry.router_until = router_until

    def router_heard(self, router: IPv6Address, until: float) -> None:
        """A router's own lifetime ends at `until` now."""
        for entry in self.table.values():
            if entry.router == router:
                entry.router_until = until

    def expire(self, now: float) -> None:
        """Drop what is over."""
        for key in [key for key, entry in self.table.items() if entry.until <= now]:
            del self.table[key]

    def next_end(self) -> float:
        """When the next entry is over, infinity if none ever is."""
        return min((entry.until for entry in self.table.values()), default=math.inf)

    def _ordered(self) -> list[DnsEntry]:
        return sorted(self.table.values(), key=_order)

    def _make_room(self, router: IPv6Address, now: float) -> bool:
        """As in every such table. Not the one that expires first (RFC 6106 5.3.1): a flood chooses its lifetimes."""
        host = self._interface.host
        self.expire(now)
        while len(self.table) >= getattr(host.settings, self._limit):
            host.counters.limit_hit(self._limit)
            entry = victim(self._interface, self.table.values(), router)
            if entry is None:
                return False
            del self.table[entry.value, entry.router]
        return True


def _order(entry: DnsEntry) -> tuple[int, int]:
    return entry.order


class DnsConfiguration:
    """RDNSS and DNSSL of one interface; `servers` hold addresses and `search` names, both as text."""

    __slots__ = ("_interface", "_known", "_timer", "search", "servers")

    def __init__(self, interface: "Interface") -> None:
        self._interface = interface
        self.servers = DnsList(interface, "max_dns_servers")
        self.search = DnsList(interface, "max_dns_domains")
        self._timer: Timer | None = None
        self._known: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())

    def router_heard(self, router: IPv6Address, lifetime: float, now: float) -> None:
        """A valid advertisement, before its options: the router's lifetime bounds what it said before."""
        for each in (self.servers, self.search):
            each.router_heard(router, now + lifetime)

    def servers_advertised(self, data: bytes, router: IPv6Address, router_lifetime: float, now: float) -> bool:
        """An RDNSS option without its first two octets; false if it is malformed and ignored (5.3.1)."""
        addresses = parse_servers(data)
        if addresses is None:
            return False
        values = [format_address(address) for address in addresses if _is_server(address)]
        self.servers.advertised(values, lifetime_of(data), router, now + router_lifetime, now)
        return True

    def search_advertised(self, data: bytes, router: IPv6Address, router_lifetime: float, now: float) -> bool:
        """A DNSSL option without its first two octets; false if it is malformed and ignored (5.3.1)."""
        names = parse_names(data)
        if names is None:
            return False
        self.search.advertised(names, lifetime_of(data), router, now + router_lifetime, now)
        return True

    def settle(self, now: float) -> None:
        """After an advertisement: drop what is over, see when the next is, tell what has changed."""
        for each in (self.servers, self.search):
            each.expire(now)
        if self._timer is not None:
            self._timer.cancel()
        until = min(self.servers.next_end(), self.search.next_end())
        self._timer = None if until == math.inf else self._interface.host.timers.at(until, self._expired)
        self._tell(now)

    def forget(self, now: float) -> None:
        """The interface goes down."""
        self.servers.table.clear()
        self.search.table.clear()
        self.settle(now)

    def _expired(self, now: float) -> None:
        self._timer = None
        self.settle(now)

    def _tell(self, now: float) -> None:
        known = (self.servers.values(), self.search.values())
        if known == self._known:
            return
        self._known = known
        event = DnsChanged(*known)
        host = self._interface.host
        if host.journal.on:
            host.journal.note(now, "nd", event.text(), "RFC 8106 5.3.1")
        if host.listeners:
            host.emit(event)


def _is_server(address: IPv6Address) -> bool:
    return not is_multicast(address) and any(address)


def lifetime_of(data: bytes) -> float:
    """The lifetime field of an RDNSS or DNSSL option, in seconds; all ones are infinity."""
    _, lifetime = wire.DNS.unpack_from(data)
    return wire.seconds(lifetime)


def parse_servers(data: bytes) -> list[IPv6Address] | None:
    """The addresses of an RDNSS option: its length is odd and at least 3 units, or it is malformed (5.1)."""
    addresses = data[wire.DNS.size :]
    if not addresses or len(addresses) % 16:
        return None
    return [addresses[at : at + 16] for at in range(0, len(addresses), 16)]


def parse_names(data: bytes) -> list[str] | None:
    """The names of a DNSSL option in small letters, or None if it is malformed (5.2, RFC 1035 3.1).

    Labels that end within the option, no compression, a zero behind each name and
    only zeros behind the last one.
    """
    octets = data[wire.DNS.size :]
    names: list[str] = []
    at = 0
    while at < len(octets) and octets[at]:
        labels: list[str] = []
        start = at
        while at < len(octets) and (length := octets[at]):
            # The two highest bits would make a pointer of it (RFC 1035 4.1.4).
            if length > MAXIMUM_LABEL or at + 1 + length > len(octets):
                return None
            labels.append(_label(octets[at + 1 : at + 1 + length]))
            at += 1 + length
        at += 1
        if at > len(octets) or at - start > MAXIMUM_NAME:
            return None
        names.append(".".join(labels))
    return names if names and not any(octets[at:]) else None


def _label(octets: bytes) -> str:
    """A label as text; what is no letter, digit, hyphen or underscore is written as RFC 1035 5.1 has it."""
    return "".join(chr(octet) if octet in _PLAIN else f"\\{octet:03d}" for octet in octets.lower())
