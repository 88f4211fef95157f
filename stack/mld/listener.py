"""The multicast listener of one interface, version 1 (RFC 2710, RFC 3590): joins, leaves, reports, Done.

It drives each group's record through the table in `stack.mld.states`, programs
the link layer's filter before the first report (SEED row S57), and keeps the
answer to any number of queries within `mld_ratelimit`. Messages from the link are
checked in `stack.mld.input`.
"""

from typing import TYPE_CHECKING

from stack.address import ALL_ROUTERS, UNSPECIFIED, IPv6Address, format_address, is_link_local, is_multicast
from stack.bucket import TokenBucket
from stack.errors import RefusedError, UsageError
from stack.events import GroupChanged
from stack.mld.groups import GroupList, GroupRecord, Membership, is_reportable
from stack.mld.states import ListenerAction, ListenerEvent, ListenerState, next_transition
from stack.wire import extension, icmpv6, ipv6, mld

if TYPE_CHECKING:
    from stack.interface import Interface

HOP_LIMIT = 1


class MulticastListener:
    """The groups of one interface and what the link hears of them."""

    __slots__ = ("_bucket", "_interface", "groups")

    def __init__(self, interface: "Interface") -> None:
        self._interface = interface
        self._bucket = TokenBucket()
        self.groups = GroupList()

    # -- joining and leaving

    def join(self, group: IPv6Address, now: float, *, delay: float = 0.0, owner: str = "user") -> Membership:
        """Refer to a group once more; the first reference starts listening.

        A delay (seconds) postpones the first report, not the listening. Raises
        UsageError if `group` is no multicast address, RefusedError at a limit
        and the driver's OSError if it refuses the filter: nothing has changed then.
        """
        if not is_multicast(group):
            raise UsageError(f"{format_address(group)} is not a multicast address")
        settings = self._interface.host.settings
        if self.groups.membership_count >= settings.mld_max_memberships:
            self._interface.host.counters.limit_hit("mld_max_memberships")
            raise RefusedError(f"there are {settings.mld_max_memberships} memberships already (mld_max_memberships)")
        record = self.groups.records.get(group)
        if record is not None:
            # SEED row S52: one reference more, nothing else.
            return self.groups.refer(record, owner)
        if len(self.groups) >= settings.mld_max_groups:
            self._interface.host.counters.limit_hit("mld_max_groups")
            raise RefusedError(f"there are {settings.mld_max_groups} groups already (mld_max_groups)")
        record = self.groups.create(group, self._interface.addresses.first())
        try:
            self._interface.filter_add(record.mac, now)
        except OSError:
            del self.groups.records[group]
            raise
        membership = self.groups.refer(record, owner)
        self._start(record, delay, now)
        self._announce_change(record, joined=True)
        return membership

    def leave(self, membership: Membership, now: float) -> None:
        """Give a reference back; with the last one the group is left. A second time does nothing."""
        record = self.groups.release(membership)
        if record is None:
            return
        # SEED row S62: Done, then the list, then the filter.
        record.unreported = False
        self._apply(record, ListenerEvent.STOP, now)
        del self.groups.records[record.group]
        self._announce_change(record, joined=False)
        self._interface.filter_remove(record.mac, now)

    def leave_all(self, now: float) -> None:
        """End every membership: the host goes away in order (one Done for each group that is due one)."""
        for record in list(self.groups.records.values()):
            for membership in list(record.memberships.values()):
                self.leave(membership, now)

    # -- what happens to the interface

    def address_added(self, address: IPv6Address, now: float) -> None:
        """An address appears, perhaps still tentative: saved groups hang on it, owed reports leave (S55, S72, S73)."""
        restored = self.groups.restore(address)
        if self.source() is None:
            return
        known = [record for record in restored if not record.unreported]
        for record in self._snapshot():
            if record.unreported:
                record.unreported = False
                self._start_sequence(record, now)
        if not is_link_local(address):
            # RFC 3590 4: there is no link-local address whose validity would have them reported.
            for record in known:
                self._apply(record, ListenerEvent.ANNOUNCE, now)

    def address_removed(self, address: IPv6Address, now: float) -> None:
        """An address is gone: what hung on it moves in silence, or is saved with the last one (S69, S70)."""
        addresses = self._interface.addresses
        self.groups.move(address, addresses.first())
        if addresses.link_local() is None:
            for record in self.groups.records.values():
                record.announced = False

    def link_local_valid(self, now: float) -> None:
        """RFC 3590 4: report every group from the address that has become valid, once (S06)."""
        for record in self._snapshot():
            if not record.announced:
                self._apply(record, ListenerEvent.ANNOUNCE, now)

    def interface_down(self, now: float) -> None:
        """Nothing more is said; every group is to be reported anew when the interface is up (S83)."""
        for record in self._snapshot():
            record.reported = record.announced = False
            self._apply(record, ListenerEvent.DOWN, now)

    # -- what comes from the link

    def query(self, group: IPv6Address, maximum_delay: float, now: float) -> int:
        """A valid query: general if `group` is ::, else for one group; the delay is in seconds.

        Returns how many groups it concerns.
        """
        if group == UNSPECIFIED:
            asked = [each for each in self._snapshot() if is_reportable(each.group)]
        else:
            record = self.groups.records.get(group)
            asked = [record] if record is not None and is_reportable(group) else []
        for record in asked:
            self._query_group(record, maximum_delay, now)
        return len(asked)

    def report_heard(self, group: IPv6Address, now: float) -> bool:
        """Another listener's valid report; false if the group is none of ours."""
        record = self.groups.records.get(group)
        if record is None:
            return False
        self._apply(record, ListenerEvent.REPORT, now)
        return True

    # -- the table at work

    def _snapshot(self) -> list[GroupRecord]:
        # SEED row S81: whatever a transition sets off may change the list that is walked.
        return list(self.groups.records.values())

    def _start(self, record: GroupRecord, delay: float, now: float) -> None:
        if not is_reportable(record.group):
            self._apply(record, ListenerEvent.START_SILENT, now)
        elif delay > 0:
            self._apply(record, ListenerEvent.START_DELAYED, now, delay)
        else:
            self._start_sequence(record, now)

    def _start_sequence(self, record: GroupRecord, now: float) -> None:
        if self.source() is None:
            self._apply(record, ListenerEvent.START_UNHEARD, now)
            return
        record.repeats_left = self._interface.host.settings.mld_qrv - 1
        if record.state is ListenerState.PENDING:
            event = ListenerEvent.TIMER if record.repeats_left else ListenerEvent.TIMER_LAST
        else:
            event = ListenerEvent.START if record.repeats_left else ListenerEvent.START_ONCE
        self._apply(record, event, now)

    def _query_group(self, record: GroupRecord, maximum_delay: float, now: float) -> None:
        if record.state not in (ListenerState.DELAYING, ListenerState.IDLE):
            self._apply(record, ListenerEvent.QUERY_NOW, now)
        elif record.reserved or (record.timer is not None and record.timer.deadline <= now + maximum_delay):
            # S42: due soon enough as it is, or as soon as the rate limit lets it.
            if record.state is ListenerState.DELAYING:
                self._apply(record, ListenerEvent.QUERY_LATER, now)
        elif maximum_delay > 0:
            delay = maximum_delay * self._interface.host.rng.random()
            self._apply(record, ListenerEvent.QUERY_SOONER, now, delay)
        else:
            self._answer_now(record, now)

    def _answer_now(self, record: GroupRecord, now: float) -> None:
        due = self._reserve(now)
        if due <= now:
            self._apply(record, ListenerEvent.QUERY_NOW, now)
        else:
            self._apply(record, ListenerEvent.QUERY_SOONER, now, due - now)
            record.reserved = True

    def _reserve(self, now: float) -> float:
        rate = self._interface.host.settings.mld_ratelimit
        due = self._bucket.reserve(now, rate, max(rate, len(self.groups)))
        if due > now:
            self._interface.host.counters.mld_delayed += 1
        return due

    def _timeout(self, record: GroupRecord, now: float) -> None:
        record.timer = None
        if record.answering and not record.reserved:
            due = self._reserve(now)
            if due > now:
                record.reserved = True
                self._arm(record, due)
                return
        record.answering = record.reserved = False
        if record.state is ListenerState.PENDING:
            self._start_sequence(record, now)
            return
        if record.repeats_left > 0:
            record.repeats_left -= 1
        self._apply(record, ListenerEvent.TIMER if record.repeats_left else ListenerEvent.TIMER_LAST, now)

    def _apply(self, record: GroupRecord, event: ListenerEvent, now: float, delay: float = 0.0) -> None:
        before = record.state
        transition = next_transition(before, event)
        record.state = transition.state
        for action in transition.actions:
            self._do(action, record, now, delay)
        journal = self._interface.host.journal
        if journal.on:
            what = f"group {format_address(record.group)}: {event.value}"
            journal.note(now, "mld", what, transition.clause, before.value, transition.state.value)

    def _do(self, action: ListenerAction, record: GroupRecord, now: float, delay: float) -> None:
        if action is ListenerAction.SEND_REPORT:
            self._send_report(record)
        elif action is ListenerAction.SEND_DONE:
            self._send_done(record)
        elif action is ListenerAction.CLEAR_FLAG:
            record.last_reporter = False
        elif action is ListenerAction.OWE_REPORT:
            record.unreported = True
        elif action is ListenerAction.START_DELAY_TIMER:
            self._arm(record, now + delay)
        elif action is ListenerAction.START_REPEAT_TIMER:
            interval = self._interface.host.settings.mldv1_unsolicited_report_interval / 1000
            self._arm(record, now + interval * self._interface.host.rng.random())
        elif action is ListenerAction.START_QUERY_TIMER:
            record.answering = True
            self._arm(record, now + delay)
        else:
            self._stop_timer(record)

    def _arm(self, record: GroupRecord, deadline: float) -> None:
        if record.timer is not None:
            record.timer.cancel()
        record.timer = self._interface.host.timers.at(deadline, self._timeout, record)

    def _stop_timer(self, record: GroupRecord) -> None:
        if record.timer is not None:
            record.timer.cancel()
            record.timer = None
        if record.reserved:
            # Or somebody who asks and reports in turn would put off every other answer for ever.
            self._bucket.give_back()
        record.answering = record.reserved = False
        record.repeats_left = 0

    # -- onto the link

    def source(self) -> IPv6Address | None:
        """Where messages come from: a valid link-local address, :: until there is one (RFC 3590 4).

        None while nothing may be said: the interface is down, disabled (RFC 4862 5.4.5), or has no address at
        all (SEED section 5).
        """
        addresses = self._interface.addresses
        if not self._interface.up or self._interface.disabled or not len(addresses):
            return None
        return addresses.link_local() or UNSPECIFIED

    def _send_report(self, record: GroupRecord) -> None:
        source = self.source()
        if source is None or not self._send(icmpv6.MLD_REPORT, source, record.group, record.group):
            # SEED row S84: what did not leave was not reported.
            return
        record.last_reporter = record.reported = True
        record.announced = source != UNSPECIFIED

    def _send_done(self, record: GroupRecord) -> None:
        # RFC 2710 4: only the last reporter need say so; the setting has everybody say it (S27).
        always = self._interface.host.settings.mldv1_done_always and record.reported
        source = self.source()
        if source is not None and (record.last_reporter or always):
            self._send(icmpv6.MLD_DONE, source, ALL_ROUTERS, record.group)

    def _send(self, message_type: int, source: IPv6Address, destination: IPv6Address, group: IPv6Address) -> bool:
        message = mld.message(message_type, source, destination, group)
        payload = extension.MLD_HOP_BY_HOP_BYTES + message
        packet = ipv6.packet(source, destination, ipv6.HOP_BY_HOP, HOP_LIMIT, payload)
        sent = self._interface.transmit_multicast(packet)
        if sent:
            self._interface.host.counters.icmp_out[message_type] += 1
        return sent

    def _announce_change(self, record: GroupRecord, *, joined: bool) -> None:
        host = self._interface.host
        if host.listeners:
            host.emit(GroupChanged(record.group, joined))
