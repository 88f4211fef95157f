"""MLD snooping: which ports of a switch a group's packets go to, learnt from the MLD messages that pass (RFC 4541 3).

Reports and Done go to where routers are, queries everywhere, data of a group to
its listeners and to routers. What is kept is per group and port, whatever the
sources: a switch that forwards by group alone. The text of RFC 4541 was not at
hand; what is said here of it follows what Linux bridges do. A tagged frame is
flooded: a table is for one link.
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
from stack.wire import ethernet, icmpv6, ipv6, mld, mldpacket, mldv2
from stack.wire.mldpacket import MldPacket

# RFC 3810 9.4 and 9.5 with their defaults: a switch cannot know what the routers of its link are set to.
LISTENING_INTERVAL = 260.0
ROUTER_TIMEOUT = 255.0
LAST_LISTENER_QUERY_COUNT = 2

GROUPS_PER_PORT = 1_024
# How often at most a full table is looked through for what has aged, seconds.
CLEANING_INTERVAL = 1.0

# Records that say that somebody listens: always, or if they name a source.
_LISTENS = (mldv2.MODE_IS_EXCLUDE, mldv2.CHANGE_TO_EXCLUDE_MODE)
_LISTENS_TO_SOURCES = (mldv2.MODE_IS_INCLUDE, mldv2.CHANGE_TO_INCLUDE_MODE, mldv2.ALLOW_NEW_SOURCES)


class Member(NamedTuple):
    """A group on a port, and when it ages."""

    group: IPv6Address
    port: int
    until: float


class SnoopingTable:
    """Groups by port, and the ports with routers; ports are numbers.

    A group that nobody has reported goes everywhere if `flood_unknown`, else to
    routers only. While no router was heard every group goes everywhere: nobody
    would refresh the table. With `fast_leave` the last word of a port counts at
    once, which is right where each port has one host. `limits` counts what there
    was no room for: each port has its own, so that none can fill another's.
    """

    def __init__(self, *, flood_unknown: bool = True, fast_leave: bool = False) -> None:
        self.flood_unknown = flood_unknown
        self.fast_leave = fast_leave
        self.limits: Counter[str] = Counter()
        self._members: dict[IPv6Address, dict[int, float]] = {}
        self._count: Counter[int] = Counter()
        self._routers: dict[int, float] = {}
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
        listeners = self._listening(group, now)
        if not listeners and self.flood_unknown:
            return None
        return routers | listeners

    def members(self, now: float) -> list[Member]:
        """What the table holds, by group and port."""
        return [
            Member(group, port, until)
            for group in sorted(self._members)
            for port, until in sorted(self._members[group].items())
            if until > now
        ]

    def routers(self, now: float) -> set[int]:
        """The ports where queries came from."""
        return {port for port, until in self._routers.items() if until > now}

    # -- learning

    def _message(self, packet: MldPacket, port: int, now: float) -> Set[int] | None:
        """A message that no node may believe teaches nothing and is flooded, so that its receivers can judge it."""
        if not packet.intact or packet.hop_limit != 1:
            return None
        if packet.message[0] == icmpv6.MLD_QUERY:
            self._query(packet, port, now)
            return None
        # A listener without an address yet reports from :: (RFC 3810 5.2.13), and has to be found all the same.
        if not is_link_local(packet.source) and packet.source != UNSPECIFIED:
            return None
        if packet.message[0] == icmpv6.MLDV2_REPORT:
            self._report(mldv2.parse_report(packet.message) or (), port, now)
        elif len(packet.message) >= mld.MESSAGE_LENGTH:
            group = packet.message[8:24]
            if packet.message[0] == icmpv6.MLD_REPORT:
                self._join(group, port, now)
            else:
                self._leave(group, port)
        return self.routers(now)

    def _query(self, packet: MldPacket, port: int, now: float) -> None:
        query = mldv2.parse_query(packet.message)
        # RFC 3810 5.1.14: what is not from a link-local address is no router's query.
        if query is None or not is_link_local(packet.source) or not packet.router_alert:
            return
        self._routers[port] = now + ROUTER_TIMEOUT
        if not is_multicast(query.group) or query.sources or query.suppress:
            return
        # RFC 3810 7.6.1: who does not answer the last queries is gone.
        members = self._members.get(query.group, {})
        limit = now + LAST_LISTENER_QUERY_COUNT * query.delay / 1000
        for each, until in members.items():
            if each != port and until > limit:
                members[each] = limit

    def _report(self, records: Iterable[mldv2.Record], port: int, now: float) -> None:
        for each in records:
            if each.type in _LISTENS or (each.type in _LISTENS_TO_SOURCES and each.sources):
                self._join(each.group, port, now)
            elif each.type == mldv2.CHANGE_TO_INCLUDE_MODE:
                self._leave(each.group, port)

    def _join(self, group: IPv6Address, port: int, now: float) -> None:
        if not is_multicast(group) or group == ALL_NODES or scope(group) <= SCOPE_INTERFACE_LOCAL:
            return
        members = self._members.get(group)
        if members is None or port not in members:
            if self._count[port] >= GROUPS_PER_PORT:
                self._clean(now)
            if self._count[port] >= GROUPS_PER_PORT:
                self.limits["groups_per_port"] += 1
                return
            self._count[port] += 1
            members = self._members.setdefault(group, {})
        members[port] = now + LISTENING_INTERVAL

    def _leave(self, group: IPv6Address, port: int) -> None:
        """Without `fast_leave` the router's query decides: others on the port may listen."""
        if self.fast_leave and port in self._members.get(group, {}):
            self._drop(group, port)

    # -- ageing

    def _listening(self, group: IPv6Address, now: float) -> set[int]:
        """The ports with listeners of a group; those whose time is over go."""
        members = self._members.get(group, {})
        for port in [port for port, until in members.items() if until <= now]:
            self._drop(group, port)
        return set(members)

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


def _destination(frame: bytes) -> IPv6Address | None:
    """The group that an untagged IPv6 packet is for; None if it is for none, or no such packet."""
    start = ethernet.HEADER_LENGTH
    if len(frame) < start + ipv6.HEADER_LENGTH or frame[12:14] != ethernet.IPV6_TYPE:
        return None
    group = frame[start + 24 : start + 40]
    return group if is_multicast(group) else None
