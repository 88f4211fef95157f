"""Address resolution and neighbour unreachability detection (RFC 4861 7.2, 7.3; RFC 7048) on one interface.

Drives the entries of the neighbour cache through the table in `stack.nd.states`:
it names the event, looks the transition up and carries its actions out. It does
not read messages from the link; `stack.nd.input` does.
"""

import math
from collections import deque
from typing import TYPE_CHECKING

from stack.address import (
    IPv6Address,
    MacAddress,
    format_address,
    format_mac,
    is_multicast_mac,
    solicited_node,
)
from stack.calls import recorded
from stack.errors import RefusedError, UsageError
from stack.events import NeighborChanged
from stack.ip6.source import select as select_source
from stack.nd.cache import Neighbor, NeighborCache
from stack.nd.states import READY, TRANSITIONS, Action, NeighborEvent, NeighborState, advertised, heard
from stack.wire import icmpv6, ipv6
from stack.wire import nd as wire

if TYPE_CHECKING:
    from stack.interface import Interface

# RFC 4861 10
MIN_RANDOM_FACTOR = 0.5
MAX_RANDOM_FACTOR = 1.5
# RFC 4191 3.5
PROBE_INTERVAL = 60.0
# 6.3.4: the random reachable time is redrawn at least every few hours.
REACHABLE_TIME_REDRAW = 2 * 3600.0
# How often hints from above are taken, in seconds.
CONFIRMATION_INTERVAL = 1.0
# RFC 7048 4
BACKOFF_MULTIPLE = 3
MAX_RETRANS_TIMER = 60.0
# With this many multiples of the shortest RetransTimer, 1 ms, the longest interval is reached.
_MOST_BACKOFFS = 11

# What is only sent because of something received, beside the ICMPv6 errors (RFC 4443 2.1: types below 128).
_ANSWERS = (icmpv6.ECHO_REPLY, icmpv6.NEIGHBOR_ADVERTISEMENT)


@recorded("_interface.host.recorder", "add_permanent", "delete", "flush")
class Resolver:
    """The neighbour cache of one interface and everything that moves its entries."""

    __slots__ = ("_interface", "_probed", "_reachable_base", "_reachable_time", "_redraw_at", "cache")

    def __init__(self, interface: "Interface") -> None:
        self._interface = interface
        self.cache = NeighborCache()
        # Routers asked by `probe`, and when.
        self._probed: dict[IPv6Address, float] = {}
        self._reachable_base = 0
        self._reachable_time = 0.0
        self._redraw_at = 0.0

    # -- what the rest of the stack asks for

    def send(self, next_hop: IPv6Address, packet: bytes, now: float) -> None:
        """Send a packet to a neighbour on this link, resolving it first if need be."""
        entry = self.cache.entries.get(next_hop)
        if (entry is None or entry.mac is None) and self._interface.addresses.optimism.send_unresolved(
            next_hop, packet, now
        ):
            return
        if entry is None:
            if self._interface.up and not self._interface.disabled:
                entry = self._create(next_hop, now, wanted=not is_answer(packet))
            if entry is None:
                self._interface.host.counters.out_discards += 1
                return
            self._enqueue(entry, packet)
            self._apply(entry, NeighborEvent.PACKET_TO_SEND, now)
            return
        self.cache.used(entry, now)
        if not (entry.wanted or is_answer(packet)):
            entry.wanted = True
            self.cache.place(entry)
        if entry.mac is None:
            if entry.queue is None:
                # Only `probe` has asked so far: the packet has its solicitations before it.
                entry.probes = 1
            self._enqueue(entry, packet)
            return
        if entry.state not in READY and not (entry.state is NeighborState.UNREACHABLE and entry.timer):
            self._apply(entry, NeighborEvent.PACKET_TO_SEND, now)
        self._interface.transmit(entry.mac, packet)

    def advertisement(
        self, target: IPv6Address, mac: MacAddress | None, flags: int, now: float
    ) -> NeighborEvent | None:
        """A valid neighbour advertisement for `target` (7.2.5); None if there is no entry for it."""
        entry = self.cache.entries.get(target)
        if entry is None:
            return None
        solicited = bool(flags & wire.FLAG_SOLICITED)
        event = advertised(solicited, bool(flags & wire.FLAG_OVERRIDE), entry.mac, mac)
        self._apply(entry, event, now, mac, bool(flags & wire.FLAG_ROUTER))
        return event

    def heard(self, source: IPv6Address, mac: MacAddress | None, now: float) -> bool:
        """A valid message other than an advertisement came from `source` (7.2.3, appendix C).

        False if there is no entry for it now: it gave no address, or there is no room.
        """
        entry = self.cache.entries.get(source)
        if entry is None:
            if mac is None:
                return False
            entry = self._create(source, now, wanted=False)
            if entry is None:
                return False
        self._apply(entry, heard(entry.mac, mac), now, mac)
        return True

    def router_heard(self, source: IPv6Address, mac: MacAddress | None, now: float) -> None:
        """A valid router advertisement came (6.3.4): an entry is made if it gave an address, and is a router's."""
        if mac is not None:
            self.heard(source, mac, now)
        entry = self.cache.entries.get(source)
        if entry is not None:
            entry.is_router = True

    def knows(self, address: IPv6Address) -> bool:
        """Whether the link-layer address of a neighbour is known."""
        entry = self.cache.entries.get(address)
        return entry is not None and entry.mac is not None

    def confirm(self, address: IPv6Address, now: float) -> None:
        """Upper-layer reachability confirmation (7.3.1): the neighbour is known to answer."""
        entry = self.cache.entries.get(address)
        if entry is None or entry.mac is None:
            return
        if entry.state is NeighborState.REACHABLE and entry.timer is not None:
            # Answers come by the thousand; a confirmation of a moment ago is as good as one of now.
            fresh = now + self.reachable_time(now) - CONFIRMATION_INTERVAL
            if entry.timer.deadline >= fresh:
                return
        self._apply(entry, NeighborEvent.CONFIRMED, now)

    def redirected(self, target: IPv6Address, mac: MacAddress | None, now: float, *, router: bool) -> None:
        """A redirect names `target` (8.3): its address is heard, and it is a router if it is not the destination."""
        self.heard(target, mac, now)
        entry = self.cache.entries.get(target)
        if entry is not None and router:
            entry.is_router = True

    def probe(self, address: IPv6Address, now: float) -> None:
        """A single solicitation for a router that does not answer, one a minute at the most (RFC 4191 3.5).

        There is no entry for it, or one that is UNREACHABLE and not in use.
        """
        entry = self.cache.entries.get(address)
        asked = entry is not None and (entry.state is not NeighborState.UNREACHABLE or entry.timer is not None)
        if asked or now < self._probed.get(address, -math.inf) + PROBE_INTERVAL:
            return
        self._probed = {each: at for each, at in self._probed.items() if now < at + PROBE_INTERVAL}
        self._probed[address] = now
        if entry is not None:
            self._apply(entry, NeighborEvent.PACKET_TO_SEND, now)
            return
        entry = self._create(address, now, wanted=False)
        if entry is not None:
            # One solicitation, and the next timeout is the last.
            entry.probes = self._interface.host.settings.mcast_solicit
            self._apply(entry, NeighborEvent.PACKET_TO_SEND, now)

    def add_permanent(self, address: IPv6Address, mac: MacAddress, now: float) -> None:
        """An entry that the user gives; it stays until deleted.

        Raises UsageError for an address or MAC that no neighbour can have, RefusedError at the limit.
        """
        self.check_unicast(address)
        if is_multicast_mac(mac) or not any(mac):
            raise UsageError(f"{format_mac(mac)} cannot be a neighbour's MAC: it is a group address or all zeros")
        entry = self.cache.get(address)
        if entry is None or entry.state is not NeighborState.PERMANENT:
            limit = self._interface.host.settings.max_static_neighbours
            if self.cache.permanent >= limit:
                raise RefusedError(f"there are {limit} neighbours given by the user already (max_static_neighbours)")
        if entry is None:
            entry = Neighbor(address, now)
        elif entry.state is not NeighborState.PERMANENT:
            self._stop(entry)
        if entry.state is not NeighborState.PERMANENT:
            self.cache.permanent += 1
        entry.mac = mac
        entry.proven = True
        entry.state = NeighborState.PERMANENT
        self.cache.insert(entry)
        self._announce(entry)
        self._send_queue(entry)

    def delete(self, address: IPv6Address, now: float) -> None:
        """Remove an entry at the user's word. Raises RefusedError if there is none."""
        entry = self.cache.get(address)
        if entry is None:
            raise RefusedError(f"there is no neighbour {format_address(address)}")
        self._discard(entry)

    def flush(self, *, permanent: bool = False) -> None:
        """Forget every learnt entry, and those given by the user too if `permanent`."""
        for entry in list(self.cache.entries.values()):
            if permanent or entry.state is not NeighborState.PERMANENT:
                self._discard(entry)

    def check_unicast(self, address: IPv6Address) -> None:
        """Raises UsageError unless `address` can be a neighbour's."""
        if address[0] == 0xFF or not any(address[:15]):
            raise UsageError(f"{format_address(address)} cannot be a neighbour's address")

    def reachable_time(self, now: float) -> float:
        """Seconds for which a confirmation holds: uniform in 0.5 to 1.5 times the base (6.3.2)."""
        base = self._interface.variables.base_reachable_time_ms
        if base != self._reachable_base or now >= self._redraw_at:
            spread = MAX_RANDOM_FACTOR - MIN_RANDOM_FACTOR
            factor = MIN_RANDOM_FACTOR + spread * self._interface.host.rng.random()
            self._reachable_base = base
            self._reachable_time = base / 1000 * factor
            self._redraw_at = now + REACHABLE_TIME_REDRAW
        return self._reachable_time

    # -- the table at work

    def _apply(
        self,
        entry: Neighbor,
        event: NeighborEvent,
        now: float,
        mac: MacAddress | None = None,
        is_router: bool | None = None,
    ) -> None:
        before = entry.state
        waiting = bool(entry.queue)
        transition = TRANSITIONS[before][event]
        entry.state = transition.state
        if entry.state is not before:
            self._reachability(entry, before)
        for action in transition.actions:
            self._do(action, entry, now, mac, is_router)
        if entry.state is not NeighborState.ABSENT:
            self.cache.place(entry)
            if transition.state is not before:
                self._announce(entry)
        journal = self._interface.host.journal
        if journal.on:
            what = f"neighbour {format_address(entry.address)}: {event.value}"
            journal.note(now, "nd", what, transition.clause, before.value, transition.state.value)
        if waiting and entry.queue is None and entry.state is NeighborState.STALE:
            # 7.3.3: what waited has been sent to a STALE neighbour; a step of its own, told after this one.
            self._apply(entry, NeighborEvent.PACKET_TO_SEND, now)

    def _reachability(self, entry: Neighbor, before: NeighborState) -> None:
        """7.3.3: traffic leaves a neighbour that fails for another, if there is one; and may come back to it later."""
        routers, routes = self._interface.routers, self._interface.routes
        if entry.state in (NeighborState.ABSENT, NeighborState.UNREACHABLE):
            # Before anything is done. Whoever is told of it and sends again finds another way already.
            entry.probes = 0
            routers.unreachable(entry.address)
            routes.neighbour_failed(entry.address)
        elif before is NeighborState.UNREACHABLE:
            routers.heard(entry.address)
            routes.neighbour_known(entry.address)

    def _do(self, action: Action, entry: Neighbor, now: float, mac: MacAddress | None, is_router: bool | None) -> None:
        settings = self._interface.host.settings
        if action is Action.RECORD_ADDRESS:
            before, entry.mac = entry.mac, mac
            if before is None:
                self._interface.routers.heard(entry.address)
                self._interface.routes.neighbour_known(entry.address)
        elif action is Action.UPDATE_ROUTER:
            before_router, entry.is_router = entry.is_router, entry.is_router if is_router is None else is_router
            if before_router and not entry.is_router:
                self._interface.routers.became_host(entry.address, now)
                self._interface.routes.stopped_routing(entry.address)
        elif action is Action.MULTICAST_SOLICIT:
            self._solicit(entry, now, multicast=True)
        elif action is Action.UNICAST_SOLICIT:
            self._solicit(entry, now, multicast=False)
        elif action is Action.START_DELAY_TIMER:
            self._arm(entry, now + settings.delay_first_probe_time)
        elif action is Action.START_REACHABLE_TIMER:
            entry.probes = 0
            entry.proven = True
            self._arm(entry, now + self.reachable_time(now))
        elif action is Action.STOP_TIMER:
            self._stop(entry)
        elif action is Action.SEND_QUEUE:
            self._send_queue(entry)
        elif action is Action.REPORT_UNREACHABLE:
            self._report_unreachable(entry, now)
        else:
            self._discard(entry)

    def _timeout(self, entry: Neighbor, now: float) -> None:
        entry.timer = None
        settings = self._interface.host.settings
        if entry.state is NeighborState.REACHABLE:
            self._apply(entry, NeighborEvent.REACHABLE_TIMEOUT, now)
        elif entry.state is NeighborState.DELAY:
            # 7.3.3: MUST NOT be more often than every RetransTimer, whatever state the last solicitation was sent in.
            earliest = entry.asked_at + self._interface.variables.retrans_time_ms / 1000
            if now < earliest:
                self._arm(entry, earliest)
                return
            entry.probes = 0
            self._apply(entry, NeighborEvent.DELAY_TIMEOUT, now)
        elif entry.state is NeighborState.UNREACHABLE:
            # RFC 7048 3: for as long as packets are sent to it.
            if entry.used_at > entry.asked_at:
                self._apply(entry, NeighborEvent.RETRANSMIT, now)
            else:
                entry.probes = 0
                self._apply(entry, NeighborEvent.UNUSED, now)
        else:
            incomplete = entry.state is NeighborState.INCOMPLETE
            limit = settings.mcast_solicit if incomplete else settings.ucast_solicit
            last = incomplete or entry.proven
            final = NeighborEvent.RETRANSMIT_LAST if last else NeighborEvent.NEVER_ANSWERED
            self._apply(entry, final if entry.probes >= limit else NeighborEvent.RETRANSMIT, now)

    def _arm(self, entry: Neighbor, deadline: float) -> None:
        self._stop(entry)
        entry.timer = self._interface.host.timers.at(deadline, self._timeout, entry)

    def _stop(self, entry: Neighbor) -> None:
        if entry.timer is not None:
            entry.timer.cancel()
            entry.timer = None

    # -- what the actions need

    def _solicit(self, entry: Neighbor, now: float, *, multicast: bool) -> None:
        entry.probes += 1
        entry.asked_at = now
        self._arm(entry, now + self._retransmit_interval(entry))
        source = self._solicitation_source(entry)
        if source is None:
            return
        lladdr = wire.LINK_LAYER.pack(wire.SOURCE_LINK_LAYER_ADDRESS, 1, self._interface.mac)
        destination = solicited_node(entry.address) if multicast else entry.address
        message = wire.neighbor_solicitation(source, destination, entry.address, lladdr)
        self._interface.send_nd(source, destination, message, None if multicast else entry.mac)

    def _retransmit_interval(self, entry: Neighbor) -> float:
        interval = self._interface.variables.retrans_time_ms / 1000
        if entry.state is not NeighborState.UNREACHABLE:
            return interval
        # RFC 7048 3: for as long as it is used, ever more seldom, but once a minute at the least.
        backed_off: float = interval * BACKOFF_MULTIPLE ** min(entry.probes, _MOST_BACKOFFS)
        return min(backed_off, max(interval, MAX_RETRANS_TIMER))

    def _solicitation_source(self, entry: Neighbor) -> IPv6Address | None:
        # 7.2.2: the source of the packet that prompts the solicitation, if it is ours.
        if entry.queue:
            prompting = self._interface.addresses.get(entry.queue[0][8:24])
            if prompting is not None and prompting.unique:
                return prompting.address
        # RFC 4429 3.2: MUST NOT be an optimistic address.
        return select_source(self._interface.addresses, entry.address, optimistic=False)

    def _create(self, address: IPv6Address, now: float, *, wanted: bool) -> Neighbor | None:
        settings = self._interface.host.settings
        while len(self.cache) - self.cache.permanent >= settings.gc_thresh3:
            self._interface.host.counters.limit_hit("gc_thresh3")
            victim = self.cache.victim(wanted, now - settings.delay_first_probe_time)
            if victim is None:
                return None
            self._discard(victim)
        entry = Neighbor(address, now)
        entry.wanted = wanted
        # Appendix D: what its advertisements have said of it; without them it is none.
        routers, routes = self._interface.routers, self._interface.routes
        entry.is_router = routers.is_router(address) or routes.destinations.is_router(address)
        self.cache.insert(entry)
        return entry

    def _enqueue(self, entry: Neighbor, packet: bytes) -> None:
        if entry.queue is None:
            entry.queue = deque()
        while len(entry.queue) >= self._interface.host.settings.unres_qlen:
            # 7.2.2: the new arrival replaces the oldest.
            entry.queue.popleft()
            self._interface.host.counters.limit_hit("unres_qlen")
            self._interface.host.counters.out_discards += 1
        entry.queue.append(packet)

    def _send_queue(self, entry: Neighbor) -> None:
        queue, entry.queue = entry.queue, None
        if not queue or entry.mac is None:
            return
        for packet in queue:
            if self._interface.is_assigned(packet[8:24]):
                self._interface.transmit(entry.mac, packet)
            else:
                # RFC 4862 5.5.4: an address that went meanwhile is no source any more.
                self._interface.host.counters.out_discards += 1

    def _report_unreachable(self, entry: Neighbor, now: float) -> None:
        queue, entry.queue = entry.queue, None
        # 7.3.3: whoever is told and sends again starts a resolution of its own.
        self._discard(entry)
        for packet in queue or ():
            self._interface.host.undeliverable(self._interface, packet, now)

    def _discard(self, entry: Neighbor) -> None:
        if self.cache.get(entry.address) is not entry:
            return
        self._stop(entry)
        if entry.queue:
            self._interface.host.counters.out_discards += len(entry.queue)
            entry.queue = None
        if entry.state is NeighborState.PERMANENT:
            self.cache.permanent -= 1
        self.cache.remove(entry)
        entry.state = NeighborState.ABSENT
        self._interface.routes.neighbour_gone(entry.address)
        self._announce(entry)

    def _announce(self, entry: Neighbor) -> None:
        host = self._interface.host
        if host.listeners:
            state = None if entry.state is NeighborState.ABSENT else entry.state.value
            host.emit(NeighborChanged(entry.address, entry.mac, state))


def is_answer(packet: bytes) -> bool:
    """Whether a packet of ours is only sent because of one received: the sender of that one chose the neighbour."""
    if packet[6] != ipv6.ICMPV6:
        return False
    kind = packet[ipv6.HEADER_LENGTH]
    return kind < icmpv6.FIRST_INFORMATIONAL or kind in _ANSWERS
