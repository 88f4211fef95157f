"""A multicast router's part of MLD on one link, sans-IO: version 2 (RFC 3810 7, 8.3) or version 1 (RFC 2710 4, 6).

Frames and the time go in, frames and changes come out, by the four calls of a
host. It asks, is elected or not, and keeps the table of listeners. It forwards
nothing and answers no neighbour solicitation; where asked to it is a listener too (`stack.sim.querier.own`).
"""

from collections import Counter, deque
from collections.abc import Callable

from stack.address import (
    ALL_NODES,
    LINK_LOCAL_PREFIX,
    SCOPE_INTERFACE_LOCAL,
    UNSPECIFIED,
    IPv6Address,
    MacAddress,
    eui64_identifier,
    format_address,
    is_link_local,
    is_multicast,
    scope,
)
from stack.bucket import TokenBucket
from stack.discard import Discard, Outcome, Verdict
from stack.sim.querier.changes import Change, Listening, RoleChange, Warned
from stack.sim.querier.messages import query_frames
from stack.sim.querier.own import OwnListening
from stack.sim.querier.presence import PresenceTable
from stack.sim.querier.states import ROLES, Role, RoleAction, RoleEvent
from stack.sim.querier.table import ListenerTable
from stack.sim.querier.variables import QueryFields, Variables
from stack.timers import Timer, Timers
from stack.wire import ethernet, icmpv6, ipv6, mld, mldpacket, mldv2
from stack.wire.mldpacket import MldPacket

# 8.3.1: warnings about the other version "MUST be rate-limited".
WARNINGS_PER_SECOND = 1 / 60


class Querier:
    """One router on one link; `watchers` are told of every change.

    `address` is the source of its queries, by default the link-local address made
    from `mac`. `subject` is what the periodic queries ask for: a group and sources,
    or zeros and none for everything. After `query_limit` periodic queries no
    more are sent. With `listens` it reports the routers' own groups. Times are seconds on
    the caller's clock; what is drawn at random follows from `mac` alone.
    """

    def __init__(
        self,
        mac: MacAddress,
        *,
        address: IPv6Address | None = None,
        variables: Variables | None = None,
        fields: QueryFields | None = None,
        subject: tuple[IPv6Address, tuple[IPv6Address, ...]] = (UNSPECIFIED, ()),
        query_limit: int | None = None,
        mtu: int = 1500,
        listens: bool = False,
    ) -> None:
        self.mac = mac
        self.address = LINK_LOCAL_PREFIX + eui64_identifier(mac) if address is None else address
        self.variables = variables if variables is not None else Variables()
        self.fields = fields if fields is not None else QueryFields()
        self.role = Role.INITIAL
        self.querier = self.address
        self.queries_sent = 0
        self.outcomes: Counter[Outcome] = Counter()
        self.watchers: list[Callable[[Change], None]] = []
        self._subject = subject
        self._query_limit = query_limit
        self._mtu = mtu
        self._timers = Timers()
        self._output: deque[bytes] = deque()
        self._output_dropped = 0
        self._startup_left = 0
        self._query_timer: Timer | None = None
        self._other_timer: Timer | None = None
        self._warnings = TokenBucket()
        self._own: OwnListening | None = None
        if listens:
            self._own = OwnListening(mac, self.address, self.variables, self._timers, self._queue)
        self._table: ListenerTable | PresenceTable
        kind = PresenceTable if self.variables.version == 1 else ListenerTable
        self._table = kind(self._timers, self.variables, self._is_querier, self._ask, self._tell)

    # -- the calls

    def start(self, now: float) -> None:
        """Begin on the link, as its querier until another is heard (7.6.2)."""
        if self._own is not None:
            self._own.start(now)
        self._role_event(RoleEvent.START, now)

    def stop(self) -> None:
        """The router goes; a listener says so."""
        if self._own is not None:
            self._own.stop()

    def receive(self, frame: bytes, now: float) -> Outcome:
        """Take one Ethernet frame from the link; its one outcome."""
        outcome = self._take(frame, now)
        self.outcomes[outcome] += 1
        self._flush(now)
        return outcome

    def advance(self, now: float) -> None:
        """Run every timer that is due at `now`."""
        self._timers.advance(now)
        self._flush(now)

    def next_deadline(self) -> float | None:
        """When `advance` wants to be called next, or None."""
        return self._timers.next_deadline()

    def output(self) -> list[tuple["Querier", bytes]]:
        """The frames to be sent since the last call, in order, each with whose they are, as a host gives them."""
        frames = [(self, frame) for frame in self._output]
        self._output.clear()
        return frames

    def listeners(self) -> dict[IPv6Address, Listening]:
        """Who listens to what, as the router believes now, by group in the order of addresses."""
        return self._table.listeners()

    @property
    def answer_time(self) -> float:
        """The seconds within which the answers to a periodic query are in: 9.3, or 9.8 if it is a specific one."""
        if self._subject[0] == UNSPECIFIED:
            return self.variables.query_response_interval
        return self.variables.last_listener_query_interval

    @property
    def limits(self) -> dict[str, int]:
        """What each limit has cost: groups, sources and frames that there was no room for."""
        counts = dict(self._table.limits)
        if self._output_dropped:
            counts["output_limit"] = self._output_dropped
        return counts

    # -- the link

    def _take(self, frame: bytes, now: float) -> Outcome:
        packet = mldpacket.parse(frame)
        if packet is None:
            return _not_mld(frame)
        reason = self._check(packet)
        if reason is not None:
            return reason
        kind = packet.message[0]
        if kind == icmpv6.MLD_QUERY:
            return self._take_query(packet, now)
        if kind == icmpv6.MLDV2_REPORT:
            return self._take_report(packet, now)
        return self._take_version_1(packet, now)

    def _check(self, packet: MldPacket) -> Discard | None:
        """7.4 and 7.6: source address, hop limit, router alert; before them what every packet must be."""
        if packet.source_mac == self.mac or packet.source == self.address:
            return Discard.MLD_OWN_MESSAGE
        if not packet.intact:
            return Discard.ICMP_CHECKSUM
        if is_multicast(packet.destination):
            if scope(packet.destination) <= SCOPE_INTERFACE_LOCAL:
                return Discard.DESTINATION_SCOPE
        elif packet.destination != self.address:
            return Discard.ADDRESS_NOT_OURS
        # 5.2.13: a report from :: too is discarded without any action.
        if not is_link_local(packet.source):
            return Discard.MLD_SOURCE
        if packet.hop_limit != 1:
            return Discard.MLD_HOP_LIMIT
        return None if packet.router_alert else Discard.MLD_ROUTER_ALERT

    def _take_report(self, packet: MldPacket, now: float) -> Outcome:
        if not isinstance(self._table, ListenerTable):
            return Discard.ICMP_UNKNOWN_TYPE  # RFC 2710 does not know it
        records = mldv2.parse_report(packet.message)
        if records is None:
            return Discard.MLD_TRUNCATED
        self._table.reported((each for each in records if _is_reportable(each.group)), now)
        return Verdict.DELIVERED

    def _take_version_1(self, packet: MldPacket, now: float) -> Outcome:
        if len(packet.message) < mld.MESSAGE_LENGTH:
            return Discard.MLD_TRUNCATED
        group = packet.message[8:24]
        if not is_multicast(group):
            return Discard.MLD_NOT_MULTICAST
        if not _is_reportable(group):
            return Discard.MLD_UNKNOWN_GROUP
        if packet.message[0] == icmpv6.MLD_DONE:
            self._table.done(group, now)
        elif isinstance(self._table, ListenerTable):
            self._table.reported_by_version_1(group, now)
        else:
            self._table.reported(group, now)
        return Verdict.DELIVERED

    def _take_query(self, packet: MldPacket, now: float) -> Outcome:
        query = mldv2.parse_query(packet.message)
        if query is None:
            return Discard.MLD_TRUNCATED if len(packet.message) < mld.MESSAGE_LENGTH else Discard.MLD_LENGTH
        if query.group != UNSPECIFIED and not is_multicast(query.group):
            return Discard.MLD_NOT_MULTICAST
        if query.version != self.variables.version:
            self._warn(packet.source, query.version, now)
        lower = self._is_lower(packet.source)
        both_version_2 = query.version == 2 and self.variables.version == 2
        if both_version_2:
            self.variables.adopt_robustness(query.robustness)
            if lower or self.role is not Role.QUERIER:
                self.variables.adopt_interval(query.interval)
        if lower:
            self.querier = packet.source
            self._role_event(RoleEvent.LOWER_QUERY, now)
        if self._own is not None:
            self._own.queried(query.group, query.delay / 1000, now)
        if query.group != UNSPECIFIED and not query.suppress:
            self._take_specific(query, now)
        return Verdict.DELIVERED

    def _take_specific(self, query: mldv2.Query, now: float) -> None:
        if isinstance(self._table, ListenerTable):
            self._table.queried(query.group, query.sources, now)
        else:
            self._table.queried(query.group, query.delay / 1000, now)

    def _is_lower(self, other: IPv6Address) -> bool:
        """Version 2 compares interface identifiers (7.6.2), version 1 whole addresses (RFC 2710 4)."""
        if self.variables.version == 1:
            return other < self.address
        return other[8:] < self.address[8:]

    # -- the router's part

    def _is_querier(self) -> bool:
        return self.role is Role.QUERIER

    def _role_event(self, event: RoleEvent, now: float) -> None:
        row = ROLES[self.role].get(event)
        if row is None:
            return
        before, self.role = self.role, row.state
        if self.role is Role.QUERIER and before is not Role.QUERIER:
            self.querier = self.address
            self.variables.resume()
        if self.role is Role.NON_QUERIER and isinstance(self._table, ListenerTable):
            self._table.stop_asking()
        if self.role is not before:
            self._tell(RoleChange(now, self.role, self.querier))
        for action in row.actions:
            self._act(action, now)

    def _act(self, action: RoleAction, now: float) -> None:
        if action is RoleAction.SEND_QUERY:
            self._send_periodic(now)
        elif action is RoleAction.START_INITIAL_TIMER:
            self._startup_left = self.variables.startup_query_count - 1
            self._start_query_timer(now)
        elif action is RoleAction.START_QUERY_TIMER:
            self._start_query_timer(now)
        elif action is RoleAction.STOP_QUERY_TIMER:
            self._startup_left = 0
            if self._query_timer is not None:
                self._query_timer.cancel()
        else:
            if self._other_timer is not None:
                self._other_timer.cancel()
            deadline = now + self.variables.other_querier_timeout
            self._other_timer = self._timers.at(deadline, self._role_event, RoleEvent.OTHER_QUERIER_TIMER)

    def _start_query_timer(self, now: float) -> None:
        """9.6 and 9.7: the first queries come closer together."""
        interval = self.variables.query_interval
        if self._startup_left > 0:
            self._startup_left -= 1
            interval = self.variables.startup_query_interval
        self._query_timer = self._timers.at(now + interval, self._role_event, RoleEvent.QUERY_TIMER)

    def _send_periodic(self, now: float) -> None:
        if self._query_limit is not None and self.queries_sent >= self._query_limit:
            return
        self.queries_sent += 1
        group, sources = self._subject
        if group == UNSPECIFIED:
            self._send(group, sources, self.variables.query_response_interval, False)
            return
        self._ask(group, sources, False, now)
        # 7.6.1: a query that is sent lowers the sender's timers as well.
        if not self.fields.suppress and isinstance(self._table, ListenerTable):
            self._table.queried(group, sources, now)

    def _ask(self, group: IPv6Address, sources: tuple[IPv6Address, ...], suppress: bool, now: float) -> None:
        """A specific query (9.8)."""
        self._send(group, sources, self.variables.last_listener_query_interval, suppress)

    def _send(self, group: IPv6Address, sources: tuple[IPv6Address, ...], delay: float, suppress: bool) -> None:
        frames = query_frames(
            self.variables,
            self.fields,
            self.address,
            self.mac,
            group,
            sources,
            delay=delay,
            suppress=suppress,
            mtu=self._mtu,
        )
        for frame in frames:
            self._queue(frame)

    def _queue(self, frame: bytes) -> None:
        if len(self._output) < self.variables.output_limit:
            self._output.append(frame)
        else:
            self._output_dropped += 1

    # -- telling

    def _flush(self, now: float) -> None:
        if isinstance(self._table, ListenerTable):
            self._table.flush(now)

    def _tell(self, change: Change) -> None:
        for watcher in self.watchers:
            watcher(change)

    def _warn(self, source: IPv6Address, version: int, now: float) -> None:
        """8.3.1: all routers of a link have to be set to the same version."""
        if self._warnings.take(now, WARNINGS_PER_SECOND, 1):
            text = f"{format_address(source)} asks in version {version}, and this router in {self.variables.version}"
            self._tell(Warned(now, text, "RFC 3810 8.3.1"))


def _is_reportable(group: IPv6Address) -> bool:
    """6: no message is ever sent about ff02::1, nor about groups of scope 0 or 1."""
    return is_multicast(group) and scope(group) > SCOPE_INTERFACE_LOCAL and group != ALL_NODES


def _not_mld(frame: bytes) -> Discard:
    """Why a frame without an MLD message is none of the router's business here."""
    if len(frame) < ethernet.HEADER_LENGTH:
        return Discard.RUNT_FRAME
    if frame[12:14] != ethernet.IPV6_TYPE:
        return Discard.NOT_IPV6
    if len(frame) < ethernet.HEADER_LENGTH + ipv6.HEADER_LENGTH:
        return Discard.TRUNCATED
    return Discard.GROUP_NOT_JOINED if is_multicast(frame[38:54]) else Discard.ADDRESS_NOT_OURS
