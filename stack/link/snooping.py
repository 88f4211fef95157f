"""MLD snooping: which ports of a switch a group's packets go to, learnt from the MLD messages that pass (RFC 4541 3).

Reports and Done go to where routers are, queries everywhere, data of a group to
its listeners and to routers, from the sources that the listeners want. Times follow
the elected querier's queries. Proxy queries from :: after a link comes up (2.1.1
(4)) are not sent: a listener discards them (RFC 3810 5.1.14). A tagged frame is flooded: a table is
for one link.
"""

from collections import Counter
from collections.abc import Iterable, Set
from typing import NamedTuple

from stack.address import (
    ALL_NODES,
    SCOPE_INTERFACE_LOCAL,
    UNSPECIFIED,
    IPv6Address,
    is_link_local,
    is_multicast,
    scope,
)
from stack.link.listening import PortListening
from stack.wire import ethernet, icmpv6, ipv6, mld, mldpacket, mldv2
from stack.wire.mldpacket import MldPacket

# RFC 3810 9.1 to 9.5: what a switch believes before a querier has said what it uses.
ROBUSTNESS = 2
QUERY_INTERVAL = 125.0
QUERY_RESPONSE_INTERVAL = 10.0
LISTENING_INTERVAL = ROBUSTNESS * QUERY_INTERVAL + QUERY_RESPONSE_INTERVAL
ROUTER_TIMEOUT = ROBUSTNESS * QUERY_INTERVAL + QUERY_RESPONSE_INTERVAL / 2

GROUPS_PER_PORT = 1_024
SOURCES_PER_GROUP = 1_024
# How often at most a full table is looked through for what has aged, seconds.
CLEANING_INTERVAL = 1.0

_EXCLUDES = (mldv2.MODE_IS_EXCLUDE, mldv2.CHANGE_TO_EXCLUDE_MODE)
_INCLUDES = (mldv2.MODE_IS_INCLUDE, mldv2.CHANGE_TO_INCLUDE_MODE, mldv2.ALLOW_NEW_SOURCES)


class Member(NamedTuple):
    """A group on a port, when it ages, and the sources that are wanted or, with `exclude`, that are not."""

    group: IPv6Address
    port: int
    until: float
    exclude: bool = True
    sources: tuple[IPv6Address, ...] = ()


class QuerierHeard(NamedTuple):
    """The lowest address that asks (RFC 3810 7.6.2), where, and when it is forgotten."""

    address: IPv6Address
    port: int
    until: float


class SnoopingTable:
    """Groups by port, and the ports with routers; ports are numbers.

    A group that nobody has reported goes everywhere if `flood_unknown`, else to
    routers only. While no router was heard every group goes everywhere: nobody
    would refresh the table. With `fast_leave` the last word of a port counts at
    once, which is right where each port has one host. `static_routers` are ports where
    a router is said to be. `limits` counts what there was no room for: each port
    has its own, so that none can fill another's. `invalid` counts the messages that
    no node may believe; they teach nothing (2.1.1 (5)), and are flooded, so that their
    receivers can judge them.
    """

    def __init__(self, *, flood_unknown: bool = True, fast_leave: bool = False) -> None:
        self.flood_unknown = flood_unknown
        self.fast_leave = fast_leave
        self.static_routers: set[int] = set()
        self.limits: Counter[str] = Counter()
        self.invalid = 0
        self.robustness = ROBUSTNESS
        self.query_interval = QUERY_INTERVAL
        self.query_response_interval = QUERY_RESPONSE_INTERVAL
        self._members: dict[IPv6Address, dict[int, PortListening]] = {}
        self._count: Counter[int] = Counter()
        self._routers: dict[int, float] = {}
        self._querier: QuerierHeard | None = None
        self._cleaned = float("-inf")

    def ports(self, frame: bytes, port: int, now: float) -> Set[int] | None:
        """The ports that a multicast frame from `port` is for, None for all; learns from it on the way."""
        packet = mldpacket.parse(frame)
        if packet is not None:
            return self._message(packet, port, now)
        group = _destination(frame)
        # All nodes listen to ff02::1 and never say so (RFC 3810 6); smaller scopes are never reported either.
        if group is None or group == ALL_NODES or scope(group) <= SCOPE_INTERFACE_LOCAL:
            return None
        routers = self.routers(now)
        if not routers:
            return None
        listening = self._listening(group, now)
        if not listening and self.flood_unknown:
            return None
        source = frame[ethernet.HEADER_LENGTH + 8 : ethernet.HEADER_LENGTH + 24]
        return routers | {number for number, each in listening.items() if each.wants(source, now)}

    def members(self, now: float) -> list[Member]:
        """What the table holds, by group and port."""
        return [
            _member(group, port, each, now)
            for group in sorted(self._members)
            for port, each in sorted(self._members[group].items())
            if each.deadline > now
        ]

    def routers(self, now: float) -> set[int]:
        """The ports where queries came from, and those where a router is said to be."""
        return self.static_routers | {port for port, until in self._routers.items() if until > now}

    def querier(self, now: float) -> QuerierHeard | None:
        """The elected querier, None while none is heard."""
        return self._querier if self._querier is not None and self._querier.until > now else None

    @property
    def listening_interval(self) -> float:
        """RFC 3810 9.4, with the querier's values."""
        return self.robustness * self.query_interval + self.query_response_interval

    @property
    def router_timeout(self) -> float:
        """RFC 3810 9.5, with the querier's values."""
        return self.robustness * self.query_interval + self.query_response_interval / 2

    def forget_port(self, port: int) -> None:
        """A link went down: what was learnt there no longer counts."""
        self._routers.pop(port, None)
        if self._querier is not None and self._querier.port == port:
            self._querier = None
        for group in [group for group, members in self._members.items() if port in members]:
            self._drop(group, port)

    # -- learning

    def _message(self, packet: MldPacket, port: int, now: float) -> Set[int] | None:
        if not packet.intact or packet.hop_limit != 1:
            self.invalid += 1
            return None
        if packet.message[0] == icmpv6.MLD_QUERY:
            self._query(packet, port, now)
            return None
        # A listener without an address yet reports from :: (RFC 3810 5.2.13), and has to be found all the same.
        if not is_link_local(packet.source) and packet.source != UNSPECIFIED:
            self.invalid += 1
            return None
        if packet.message[0] == icmpv6.MLDV2_REPORT:
            self._report(mldv2.parse_report(packet.message) or (), port, now)
        elif len(packet.message) >= mld.MESSAGE_LENGTH:
            group = packet.message[8:24]
            if packet.message[0] == icmpv6.MLD_REPORT:
                self._record(mldv2.Record(mldv2.MODE_IS_EXCLUDE, group), port, now)
            else:
                self._leave(group, port)
        return self.routers(now)

    def _query(self, packet: MldPacket, port: int, now: float) -> None:
        query = mldv2.parse_query(packet.message)
        # RFC 3810 5.1.14: what is not from a link-local address is no router's query.
        if query is None or not is_link_local(packet.source) or not packet.router_alert:
            self.invalid += 1
            return
        self._hear_querier(packet.source, query, port, now)
        self._routers[port] = now + self.router_timeout
        if not is_multicast(query.group) or query.suppress:
            return
        # RFC 3810 7.6.1: who does not answer the last queries is gone.
        limit = now + self.robustness * query.delay / 1000
        for number, each in self._members.get(query.group, {}).items():
            if number != port:
                each.asked(query.sources, limit)

    def _hear_querier(self, address: IPv6Address, query: mldv2.Query, port: int, now: float) -> None:
        """Times are those of the router that goes on asking (RFC 3810 7.6.2, 9.1, 9.2)."""
        known = self.querier(now)
        if known is not None and address > known.address:
            return
        if query.version == 2:
            self.robustness = query.robustness or ROBUSTNESS
            self.query_interval = float(query.interval) or QUERY_INTERVAL
        if query.group == UNSPECIFIED:
            self.query_response_interval = query.delay / 1000
        self._querier = QuerierHeard(address, port, now + self.router_timeout)

    def _report(self, records: Iterable[mldv2.Record], port: int, now: float) -> None:
        for each in records:
            self._record(each, port, now)

    def _record(self, entry: mldv2.Record, port: int, now: float) -> None:
        group = entry.group
        if not is_multicast(group) or group == ALL_NODES or scope(group) <= SCOPE_INTERFACE_LOCAL:
            return
        until = now + self.listening_interval
        if entry.type in _EXCLUDES:
            listening = self._join(group, port, now)
            if listening is not None:
                sources = entry.sources if len(entry.sources) <= SOURCES_PER_GROUP else ()
                change = entry.type == mldv2.CHANGE_TO_EXCLUDE_MODE
                listening.exclude(sources, now, until, change=change)
        elif entry.type in _INCLUDES and entry.sources:
            listening = self._join(group, port, now)
            if listening is not None:
                self._include(listening, entry.sources, now, until)
        elif entry.type == mldv2.BLOCK_OLD_SOURCES and port in self._members.get(group, {}):
            listening = self._members[group][port]
            if len(listening.sources) + len(entry.sources) <= SOURCES_PER_GROUP:
                listening.block(entry.sources, now)
        elif entry.type == mldv2.CHANGE_TO_INCLUDE_MODE:
            self._leave(group, port)

    def _include(self, listening: PortListening, sources: tuple[IPv6Address, ...], now: float, until: float) -> None:
        """What there is no room for by source is passed whole: a listener goes short of nothing."""
        listening.tidy(now)
        if len(listening.sources.keys() | set(sources)) > SOURCES_PER_GROUP:
            self.limits["sources_per_group"] += 1
            listening.exclude((), now, until, change=False)
        else:
            listening.include(sources, until)

    def _join(self, group: IPv6Address, port: int, now: float) -> PortListening | None:
        members = self._members.get(group)
        if members is not None and port in members:
            return members[port]
        if self._count[port] >= GROUPS_PER_PORT:
            self._clean(now)
        if self._count[port] >= GROUPS_PER_PORT:
            self.limits["groups_per_port"] += 1
            return None
        self._count[port] += 1
        return self._members.setdefault(group, {}).setdefault(port, PortListening())

    def _leave(self, group: IPv6Address, port: int) -> None:
        """Without `fast_leave` the router's query decides: others on the port may listen."""
        if self.fast_leave and port in self._members.get(group, {}):
            self._drop(group, port)

    # -- ageing

    def _listening(self, group: IPv6Address, now: float) -> dict[int, PortListening]:
        """The ports with listeners of a group; those whose time is over go."""
        members = self._members.get(group, {})
        for port in [port for port, each in members.items() if each.deadline <= now]:
            self._drop(group, port)
        return members

    def _clean(self, now: float) -> None:
        if now < self._cleaned + CLEANING_INTERVAL:
            return
        self._cleaned = now
        for group in list(self._members):
            self._listening(group, now)

    def _drop(self, group: IPv6Address, port: int) -> None:
        members = self._members[group]
        del members[port]
        self._count[port] -= 1
        if not members:
            del self._members[group]


def _member(group: IPv6Address, port: int, listening: PortListening, now: float) -> Member:
    exclude = listening.until > now
    listed = sorted(each for each, timer in listening.sources.items() if (timer > now) != exclude)
    return Member(group, port, listening.deadline, exclude, tuple(listed))


def _destination(frame: bytes) -> IPv6Address | None:
    """The group that an untagged IPv6 packet is for; None if it is for none, or no such packet."""
    start = ethernet.HEADER_LENGTH
    if len(frame) < start + ipv6.HEADER_LENGTH or frame[12:14] != ethernet.IPV6_TYPE:
        return None
    group = frame[start + 24 : start + 40]
    return group if is_multicast(group) else None
