"""The listener of one interface in version 2 (RFC 3810 6): state changes, their repeats, and answers to queries.

A change is reported at once and again until it has left [Robustness Variable]
times; later changes of the same group are merged into what is pending (6.1).
Answers wait for a random delay, and pending ones are combined (6.2, 6.3), which
is `stack.mld.responses`. Which records a change comes to is in
`stack.mld.records`.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from stack.address import IPv6Address, format_address
from stack.mld import records
from stack.mld.filters import NOTHING, SourceFilter
from stack.mld.groups import GroupRecord, is_reportable
from stack.mld.responses import Responses
from stack.mld.states import ListenerEvent, ListenerState
from stack.timers import Timer
from stack.wire.mldv2 import Record

if TYPE_CHECKING:
    from stack.mld.listener import MulticastListener

Change = tuple[IPv6Address, SourceFilter]


class Batch:
    """Groups whose pending changes are repeated together, by one timer."""

    __slots__ = ("groups", "timer")

    def __init__(self) -> None:
        self.groups: dict[IPv6Address, None] = {}
        self.timer: Timer | None = None


class PendingChange:
    """The retransmission state of one group (6.1).

    `mode_count` is the Filter Mode Retransmission Counter, `sources` the
    Retransmission List with a counter for each source.
    """

    __slots__ = ("batch", "mode_count", "sources")

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.mode_count = 0
        self.sources: dict[IPv6Address, int] = {}

    def add(self, difference: records.Difference, transmissions: int) -> None:
        """Merge one more change, to be sent `transmissions` times."""
        if difference.mode_changed:
            self.mode_count = transmissions
            # The record of a mode change says all: what was pending of single sources is in it.
            self.sources.clear()
        for source in difference.sources:
            self.sources[source] = transmissions

    def count_down(self) -> None:
        """Each state-change report counts every counter down by one (6.1)."""
        self.mode_count = max(0, self.mode_count - 1)
        self.sources = {source: count - 1 for source, count in self.sources.items() if count > 1}

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to be repeated."""
        return not self.mode_count and not self.sources

    @property
    def transmissions_left(self) -> int:
        """How many more reports of the group there will be, if nothing changes."""
        return max(self.mode_count, *self.sources.values(), 0)


class Version2:
    """What an interface says in version 2; `listener` has the groups and the way onto the link."""

    __slots__ = ("_listener", "changes", "responses")

    def __init__(self, listener: "MulticastListener") -> None:
        self._listener = listener
        self.changes: dict[IPv6Address, PendingChange] = {}
        self.responses = Responses(listener)

    # -- what happens to a group

    def start(self, record: GroupRecord, delay: float, now: float) -> None:
        """The first membership: report now, or after `delay` seconds, or never."""
        if not is_reportable(record.group):
            self._move(record, ListenerState.SILENT, now, "start listening to a group that is never reported")
        elif delay > 0:
            self._move(record, ListenerState.PENDING, now, "start listening, first report delayed", "RFC 4862 5.4.2")
            record.timer = self._listener.at(now + delay, self._delay_over, record)
        else:
            self.start_together([record], now)

    def start_together(self, started: Iterable[GroupRecord], now: float) -> None:
        """Report the changes from no state to the current one, in as few reports as possible."""
        changes: list[Change] = []
        for record in started:
            if self._listener.groups.records.get(record.group) is not record:
                # Left on the way (S81).
                continue
            record.unreported = False
            self._move(record, ListenerState.IDLE, now, "start listening", "RFC 3810 6.1")
            self._listener.answerable[record.group] = record
            changes.append((record.group, NOTHING))
        self.changed(changes, now)

    def _delay_over(self, record: GroupRecord, now: float) -> None:
        record.timer = None
        self.start_together([record], now)

    def filter_changed(self, record: GroupRecord, before: SourceFilter, now: float) -> None:
        """The interface's filter of a group that stays is another than `before`."""
        if record.state is ListenerState.IDLE and not record.unreported:
            self.changed([(record.group, before)], now)

    def stop(self, stopped: Iterable[tuple[GroupRecord, SourceFilter]], now: float) -> None:
        """The last memberships ended, the filters were as given; the records are still listed."""
        changes: list[Change] = []
        for record, before in stopped:
            if record.state is ListenerState.IDLE and not record.unreported:
                changes.append((record.group, before))
            if record.timer is not None:
                record.timer.cancel()
                record.timer = None
            record.unreported = False
            self._listener.answerable.pop(record.group, None)
            self.responses.drop(record.group)
            self._move(record, ListenerState.NON_LISTENER, now, "stop listening", "RFC 3810 6.1")
        self.changed(changes, now)

    def announce(self, groups: Iterable[GroupRecord], now: float) -> None:
        """5.2.13: new reports for all groups, from the address that has become valid."""
        told = [record for record in groups if record.group in self._listener.answerable]
        for record in told:
            self._move(record, record.state, now, ListenerEvent.ANNOUNCE.value, "RFC 3810 5.2.13")
        self.changed([(record.group, NOTHING) for record in told], now)

    def down(self, now: float) -> None:
        """The interface went down: nothing is pending, and everything is to be reported anew."""
        self.cancel()
        for record in self._listener.snapshot():
            if record.state is ListenerState.SILENT:
                continue
            if record.timer is not None:
                record.timer.cancel()
                record.timer = None
            self._move(record, ListenerState.IDLE, now, "interface down", "RFC 3590 4")
            record.last_reporter = False
            record.unreported = True

    def cancel(self) -> None:
        """8.2.1: the mode changes, all pending responses and retransmissions are cancelled."""
        for change in self.changes.values():
            if change.batch.timer is not None:
                change.batch.timer.cancel()
                change.batch.timer = None
        self.changes.clear()
        self.responses.cancel()

    # -- state-change reports (6.1)

    def changed(self, changes: Iterable[Change], now: float) -> None:
        """Report groups whose filter is another than the one given, in as few reports as possible."""
        batch = Batch()
        transmissions = self._transmissions()
        for group, before in changes:
            difference = records.difference(before, self._listener.current(group))
            if not difference.mode_changed and not difference.sources:
                continue
            pending = self.changes.get(group)
            if pending is None:
                pending = self.changes[group] = PendingChange(batch)
            else:
                # The merged report ends the retransmissions of the earlier one.
                self._leave_batch(group, pending)
                pending.batch = batch
            batch.groups[group] = None
            pending.add(difference, transmissions)
        self._transmit(batch, now)

    def _transmissions(self) -> int:
        """How often a change is sent; once where groups come and go faster than repeats can be remembered."""
        if len(self.changes) < 2 * self._listener.settings.mld_max_groups:
            return self._listener.robustness
        self._listener.limit_hit("mld_max_groups")
        return 1

    def _leave_batch(self, group: IPv6Address, pending: PendingChange) -> None:
        batch = pending.batch
        batch.groups.pop(group, None)
        if not batch.groups and batch.timer is not None:
            batch.timer.cancel()
            batch.timer = None

    def _transmit(self, batch: Batch, now: float) -> None:
        """One transmission of every change in a batch (6.3 rule 4), and the timer of the next."""
        batch.timer = None
        if not batch.groups:
            return
        listener = self._listener
        if listener.sender.source() is None:
            self._owe(batch, now)
            return
        due = self._records(batch)
        listener.sender.send_records(due, list(batch.groups), now)
        for group in list(batch.groups):
            pending = self.changes[group]
            pending.count_down()
            if pending.is_over:
                del self.changes[group]
                del batch.groups[group]
        if not self.changes:
            # An emptied dict keeps the room of its fullest moment, 29 bytes for each group that was in it.
            self.changes = {}
        if listener.journal.on:
            self._note_reported(due, now)
        if batch.groups:
            interval = listener.settings.mldv2_unsolicited_report_interval / 1000
            batch.timer = listener.at(now + interval * listener.random(), self._transmit, batch)

    def _records(self, batch: Batch) -> list[Record]:
        due: list[Record] = []
        for group in batch.groups:
            pending = self.changes[group]
            current = self._listener.current(group)
            if pending.mode_count:
                due.append(records.mode_change(group, current))
            else:
                due += records.source_changes(group, current, pending.sources)
        return due

    def _note_reported(self, due: list[Record], now: float) -> None:
        for each in due:
            pending = self.changes.get(each.group)
            left = 0 if pending is None else pending.transmissions_left
            what = f"group {format_address(each.group)}: state change {records.notation(each)}, {left} to follow"
            self._listener.journal.note(now, "mld", what, "RFC 3810 6.1")

    def _owe(self, batch: Batch, now: float) -> None:
        """Nothing may be said now (no address, or down): what is current is told once it may be."""
        groups = list(batch.groups)
        batch.groups.clear()
        for group in groups:
            self.changes.pop(group, None)
            record = self._listener.groups.records.get(group)
            if record is not None and record.filter.listens:
                record.unreported = True
                self._move(record, record.state, now, ListenerEvent.START_UNHEARD.value, "RFC 3590 4")

    # -- what `maddr show` and the journal tell

    def next_due(self, record: GroupRecord) -> float | None:
        """When the group is reported next, as far as that is settled."""
        due = self.responses.next_due(record)
        pending = self.changes.get(record.group)
        if pending is not None and pending.batch.timer is not None:
            due.append(pending.batch.timer.deadline)
        return min(due, default=None)

    def _move(
        self, record: GroupRecord, state: ListenerState, now: float, what: str, clause: str = "RFC 3810 6"
    ) -> None:
        before, record.state = record.state, state
        journal = self._listener.journal
        if journal.on:
            journal.note(now, "mld", f"group {format_address(record.group)}: {what}", clause, before.value, state.value)
