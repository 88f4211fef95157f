"""The multicast listener of one interface: joins and leaves, and which version speaks of them.

The service interface is RFC 3810 3's (`listen`) beside the incremental one
(`join`, `leave`). A change of the list goes to the driver's filter before
anything is said on the link (SEED row S57), and to the speaker of the version in
use: `stack.mld.version1` or `stack.mld.version2`, which reach the link through
`stack.mld.sender`. Messages from the link are checked in `stack.mld.input`.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from stack.address import UNSPECIFIED, IPv6Address, format_address, is_link_local, is_multicast
from stack.calls import recorded
from stack.errors import LimitError, RefusedError, UnavailableError, UsageError
from stack.events import GroupChanged, SourceFilterChanged, VersionChanged
from stack.journal import Journal
from stack.mld.compatibility import Compatibility
from stack.mld.filters import EVERYTHING, NOTHING, FilterMode, SourceCall, SourceFilter, changed
from stack.mld.groups import GroupList, GroupRecord, Membership, is_reportable, is_source_specific
from stack.mld.observed import Observed
from stack.mld.personality import Personality
from stack.mld.sender import Sender
from stack.mld.states import ListenerState
from stack.mld.version1 import Version1
from stack.mld.version2 import Version2
from stack.settings import Settings
from stack.timers import Timer

if TYPE_CHECKING:
    from stack.interface import Interface


@recorded("_interface.host.recorder", "join", "listen", "change_source", "leave", "leave_all", "follow_version")
class MulticastListener:
    """The groups of one interface and what the link hears of them.

    `answerable` are the records that version 2 has reported and answers for; `version`
    is the version spoken now.
    """

    __slots__ = (
        "_followed",
        "_interface",
        "answerable",
        "compatibility",
        "groups",
        "observed",
        "sender",
        "version",
        "version1",
        "version2",
    )

    def __init__(self, interface: "Interface") -> None:
        self._interface = interface
        self.groups = GroupList()
        self.observed = Observed()
        self.answerable: dict[IPv6Address, GroupRecord] = {}
        self.compatibility = Compatibility(self)
        self.sender = Sender(interface, self)
        self.version1 = Version1(self)
        self.version2 = Version2(self)
        self.version = self.compatibility.version
        self._followed = self.personality

    # -- joining and leaving

    def join(
        self,
        group: IPv6Address,
        now: float,
        *,
        delay: float = 0.0,
        owner: str = "user",
        source_filter: SourceFilter = EVERYTHING,
    ) -> Membership:
        """Refer to a group once more; the first reference starts listening.

        A delay (seconds) postpones the first report, not the listening. Raises
        UsageError if there can be no such group or filter, RefusedError at a limit
        and the driver's OSError if it refuses the filter: nothing has changed then.
        """
        self._check(group, source_filter)
        record = self.groups.records.get(group)
        self._check_limits(record)
        if record is None:
            return self._join_first(group, now, delay, owner, source_filter)
        after = self._prospect(record, extra=(source_filter,))
        membership = self.groups.refer(record, owner, source_filter)
        self._change(record, after, now)
        return membership

    def _join_first(
        self, group: IPv6Address, now: float, delay: float, owner: str, source_filter: SourceFilter
    ) -> Membership:
        self.follow_version(now)
        self._check_interface_sources(group, source_filter)
        record = self.groups.create(group, self._interface.addresses.first())
        try:
            self._interface.filter_add(record.mac, now)
        except OSError:
            del self.groups.records[group]
            raise
        membership = self.groups.refer(record, owner, source_filter)
        record.filter = source_filter
        self._start(record, delay, now)
        self._announce_change(record, joined=True)
        return membership

    def listen(self, owner: str, group: IPv6Address, source_filter: SourceFilter, now: float) -> Membership | None:
        """IPv6MulticastListen (RFC 3810 3): the socket `owner` has exactly this filter for the group from now on.

        INCLUDE of nothing ends its membership, None is returned then. Raises as `join` does.
        """
        if not is_multicast(group):
            raise UsageError(f"{format_address(group)} is not a multicast address")
        membership = self.groups.of(owner, group)
        if not source_filter.listens:
            if membership is not None:
                self.leave(membership, now)
            return None
        if membership is None:
            return self.join(group, now, owner=owner, source_filter=source_filter)
        self._check(group, source_filter)
        record = self.groups.records[group]
        after = self._prospect(record, without=membership, extra=(source_filter,))
        membership.filter = source_filter
        self._change(record, after, now)
        return membership

    def change_source(
        self, owner: str, group: IPv6Address, call: SourceCall, source: IPv6Address, now: float
    ) -> Membership | None:
        """An incremental call of RFC 3678 for the socket `owner`. Raises as `changed` and `join` do."""
        membership = self.groups.of(owner, group)
        current = NOTHING if membership is None else membership.filter
        return self.listen(owner, group, changed(current, call, source), now)

    def leave(self, membership: Membership, now: float) -> None:
        """Give a reference back; with the last one the group is left. A second time does nothing."""
        record = self.groups.release(membership)
        if record is None:
            return
        if not record.memberships:
            self._leave_last([record], now)
            return
        self.version1.dropped_reference(record)
        self._change(record, record.merged(), now)

    def leave_all(self, now: float) -> None:
        """End every membership: the host goes away in order, one report or Done for each group, no repeats."""
        for record in self.snapshot():
            for membership in list(record.memberships.values()):
                self.groups.release(membership)
        self._leave_last(self.snapshot(), now)
        self.version2.cancel()

    def _leave_last(self, gone: list[GroupRecord], now: float) -> None:
        """SEED row S62: Done or state change, then the list, then the filter."""
        befores = [(record, record.filter) for record in gone]
        for record in gone:
            record.filter = NOTHING
        if self.version == 1:
            for record in gone:
                self.version1.stop(record, now)
        else:
            self.version2.stop(befores, now)
        for record in gone:
            del self.groups.records[record.group]
            self._announce_change(record, joined=False)
            self._interface.filter_remove(record.mac, now)

    def purge(self, now: float) -> None:
        """The interface is detached: every record and membership ends, and nothing is said (S75)."""
        self.version2.cancel()
        for record in self.snapshot():
            self.version1.cancel(record)
        self.compatibility.forget()
        self.answerable.clear()
        for record in self.groups.purge():
            self._announce_change(record, joined=False)
            self._interface.filter_remove(record.mac, now)

    def _check(self, group: IPv6Address, source_filter: SourceFilter) -> None:
        text = format_address(group)
        if not is_multicast(group):
            raise UsageError(f"{text} is not a multicast address")
        if not source_filter.listens:
            raise UsageError(f"{text}: a membership that includes no source is none")
        if source_filter.mode is FilterMode.EXCLUDE and is_source_specific(group):
            raise UsageError(f"{text} is source-specific: it can only be joined with a list of sources to include")
        for source in source_filter.sources:
            if is_multicast(source) or source == UNSPECIFIED:
                raise UsageError(f"{format_address(source)} cannot be a source")
        limit = self.settings.mld_max_msf
        if len(source_filter.sources) > limit:
            self.limit_hit("mld_max_msf")
            raise LimitError(f"{text}: more than {limit} sources in a filter (mld_max_msf)")

    def _check_limits(self, record: GroupRecord | None) -> None:
        settings = self.settings
        if self._interface.detached:
            raise RefusedError(f"the interface {self._interface.name} is detached")
        if self.groups.membership_count >= settings.mld_max_memberships:
            self.limit_hit("mld_max_memberships")
            raise LimitError(f"there are {settings.mld_max_memberships} memberships already (mld_max_memberships)")
        if not self.personality.joins_without_address and self.may_speak and not len(self._interface.addresses):
            # SEED row S55, EADDRNOTAVAIL; also for a group that is saved.
            raise UnavailableError(f"{self._interface.name} has no address to join a group on")
        if record is None and len(self.groups) >= settings.mld_max_groups:
            self.limit_hit("mld_max_groups")
            raise LimitError(f"there are {settings.mld_max_groups} groups already (mld_max_groups)")

    def _prospect(
        self, record: GroupRecord, without: Membership | None = None, extra: Iterable[SourceFilter] = ()
    ) -> SourceFilter:
        """The merged filter that is to be; RefusedError, before anything has changed, if it is too long (4.2)."""
        if record.filter == EVERYTHING and without is None:
            return EVERYTHING
        after = record.merged(without, extra)
        self._check_interface_sources(record.group, after)
        return after

    def _check_interface_sources(self, group: IPv6Address, source_filter: SourceFilter) -> None:
        limit = self.settings.mld_max_interface_sources
        if len(source_filter.sources) > limit:
            self.limit_hit("mld_max_interface_sources")
            text = format_address(group)
            raise LimitError(f"{text}: more than {limit} sources on the interface (mld_max_interface_sources)")

    def _change(self, record: GroupRecord, after: SourceFilter, now: float) -> None:
        """The interface's filter of a group that stays; no report at all when nothing has changed (4.2)."""
        before = record.filter
        if after == before:
            # SEED row S52: one reference more or less, nothing else.
            return
        record.filter = after
        if self.version == 2:
            self.version2.filter_changed(record, before, now)
        host = self._interface.host
        if host.listeners:
            host.emit(SourceFilterChanged(record.group, after.mode.value, tuple(sorted(after.sources))))

    def _start(self, record: GroupRecord, delay: float, now: float) -> None:
        if self.version == 1:
            self.version1.start(record, delay, now)
        else:
            self.version2.start(record, delay, now)

    def _start_owed(self, now: float) -> None:
        """First reports that waited for an address or for the interface: version 2 sends them together."""
        owed = [record for record in self.groups.records.values() if record.unreported]
        if self.version == 2:
            self.version2.start_together(owed, now)
            return
        for record in owed:
            # One that is left on the way (S81) owes nothing any more.
            if record.unreported:
                record.unreported = False
                self.version1.start(record, 0.0, now)

    # -- what happens to the interface

    def address_added(self, address: IPv6Address, now: float) -> None:
        """An address appears, perhaps still tentative: saved groups hang on it, owed reports leave (S55, S72, S73)."""
        restored = self.groups.restore(address)
        self._note_hanging(restored, "mld6.c 892", now)
        if self.is_unheard:
            return
        known = [record for record in restored if not record.unreported]
        self._start_owed(now)
        if not is_link_local(address) and self.personality.reports_anew:
            # RFC 3590 4: there is no link-local address whose validity would have them reported.
            self._announce(known, now)

    def address_removed(self, address: IPv6Address, now: float) -> None:
        """An address is gone: what hung on it moves in silence, or is saved with the last one (S69, S70)."""
        addresses = self._interface.addresses
        moved = self.groups.move(address, addresses.first())
        self._note_hanging(moved, "mld6.c 854", now)
        if addresses.link_local() is None:
            for record in self.groups.records.values():
                record.announced = False

    def _note_hanging(self, moved: list[GroupRecord], clause: str, now: float) -> None:
        if self.journal.on:
            for record in moved:
                address = record.interface_address
                what = "saved, there is no address" if address is None else f"hangs on {format_address(address)}"
                self.journal.note(now, "mld", f"group {format_address(record.group)}: {what}", clause)

    def link_local_valid(self, now: float) -> None:
        """RFC 3590 4: report every group from the address that has become valid, once (S06)."""
        if self.personality.reports_anew:
            self._announce([record for record in self.snapshot() if not record.announced], now)

    def _announce(self, groups: list[GroupRecord], now: float) -> None:
        if self.version == 2:
            self.version2.announce(groups, now)
        else:
            for record in groups:
                self.version1.announce(record, now)

    def interface_down(self, now: float) -> None:
        """Nothing more is said; every group is to be reported anew when the interface is up (S83)."""
        for record in self.snapshot():
            record.reported = record.announced = False
        if self.version == 2:
            self.version2.down(now)
        else:
            for record in self.snapshot():
                self.version1.down(record, now)
        self.compatibility.forget()
        self.follow_version(now)

    # -- which version speaks (RFC 3810 8.2.1)

    def follow_version(self, now: float) -> None:
        """Change to the version and the personality that are asked for now.

        With the version everything pending is cancelled; delayed joins go on.
        """
        version, personality = self.compatibility.version, self.personality
        if version != self.version:
            self._change_version(version, now)
        if personality is not self._followed:
            self._followed = personality
            self._wake_muted(now)

    def _change_version(self, version: int, now: float) -> None:
        self.version = version
        self.version2.cancel()
        for record in self.snapshot():
            due = self.version1.cancel(record)
            if due is not None:
                record.state = ListenerState.NON_LISTENER
                self._start(record, max(0.0, due - now), now)
        self._set_answerable(now)
        host = self._interface.host
        if host.journal.on:
            host.journal.note(now, "mld", f"version {version} from now on", "RFC 3810 8.2.1")
        if host.listeners:
            host.emit(VersionChanged(version))

    def _wake_muted(self, now: float) -> None:
        """Delayed joins that `netbsd` has made mute (SEED row S61) are reported once another personality speaks."""
        if not self.personality.keeps_timer_while_referenced:
            return
        for record in self.snapshot():
            if record.state is ListenerState.PENDING and record.timer is None:
                record.state = ListenerState.NON_LISTENER
                self._start(record, 0.0, now)

    def _set_answerable(self, now: float) -> None:
        self.answerable.clear()
        if self.version == 1:
            for record in self.groups.records.values():
                self.version1.take_over(record)
            return
        unspoken: list[GroupRecord] = []
        for record in self.groups.records.values():
            if record.state is ListenerState.SILENT and is_reportable(record.group):
                # A source-specific group, of which version 1 could not speak (RFC 4604).
                unspoken.append(record)
            elif record.state is ListenerState.IDLE:
                self.answerable[record.group] = record
        self.version2.start_together(unspoken, now)

    # -- what comes from the link

    def report_heard(self, group: IPv6Address, now: float) -> bool:
        """Another listener's valid version 1 report; false if the group is none of ours.

        It suppresses ours in version 1 only (RFC 3810 8.2.2 leaves it open).
        """
        record = self.groups.records.get(group)
        if record is None:
            return False
        if self.version == 1:
            self.version1.report_heard(record, now)
        return True

    # -- what is known of a group

    def current(self, group: IPv6Address) -> SourceFilter:
        """The interface's filter for a group (RFC 3810 4.2), NOTHING for one that is not listened to."""
        record = self.groups.records.get(group)
        return NOTHING if record is None else record.filter

    def snapshot(self) -> list[GroupRecord]:
        """The records as they are now: what is set off may change the list that is walked (S81)."""
        return list(self.groups.records.values())

    def state_of(self, record: GroupRecord) -> tuple[ListenerState, float | None]:
        """The state that `maddr show` prints, and when the group is reported next (host's clock) or None."""
        due = record.timer.deadline if record.timer is not None else None
        if self.version == 2 and record.state is ListenerState.IDLE:
            due = self.version2.next_due(record)
            return (ListenerState.IDLE if due is None else ListenerState.DELAYING), due
        return record.state, due

    # -- what the speakers need

    @property
    def settings(self) -> Settings:
        """The host's settings."""
        return self._interface.host.settings

    @property
    def journal(self) -> Journal:
        """The host's journal."""
        return self._interface.host.journal

    @property
    def personality(self) -> Personality:
        """The personality that the settings ask for."""
        return self.compatibility.personality

    @property
    def robustness(self) -> int:
        """How often a change is reported (RFC 3810 9.1)."""
        return self.compatibility.robustness

    @property
    def is_unheard(self) -> bool:
        """Whether a first report has to wait: the interface is down, or has no address at all (S55; not `netbsd`)."""
        return not self.may_speak or (self.personality.reports_from_unspecified and self.sender.source() is None)

    @property
    def may_speak(self) -> bool:
        """Whether the interface is up and IPv6 is not disabled on it (RFC 4862 5.4.5)."""
        return self._interface.up and not self._interface.disabled

    def random(self) -> float:
        """A number in [0, 1) from the host's generator."""
        return self._interface.host.rng.random()

    def at(self, deadline: float, callback: Callable[..., None], *arguments: Any) -> Timer:
        """A timer of the host's."""
        return self._interface.host.timers.at(deadline, callback, *arguments)

    def limit_hit(self, setting: str) -> None:
        """Count what a bound cost."""
        self._interface.host.counters.limit_hit(setting)

    def _announce_change(self, record: GroupRecord, *, joined: bool) -> None:
        host = self._interface.host
        if host.listeners:
            host.emit(GroupChanged(record.group, joined))
