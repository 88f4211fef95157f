"""The listeners of a link as a version 2 router believes in them (RFC 3810 7.2 to 7.6.1, 8.3.2).

Records of reports go through the rows of `actions`; specific queries that these
ask for are sent and repeated by `specific`. Every list is bounded: what would go
beyond a limit is left out, live entries are never given up for new ones.
"""

from collections import Counter
from collections.abc import Callable, Iterable

from stack.address import UNSPECIFIED, IPv6Address, is_multicast
from stack.mld.filters import FilterMode
from stack.sim.querier import actions
from stack.sim.querier.actions import Row, TimerValue
from stack.sim.querier.changes import Ask, GroupChange, Listening, Tell
from stack.sim.querier.record import AddressRecord, Forwarding
from stack.sim.querier.specific import SpecificQueries
from stack.sim.querier.variables import Variables
from stack.timers import Timer, Timers
from stack.wire import mldv2
from stack.wire.mldv2 import Record


class ListenerTable:
    """Records by group. `limits` counts what a limit has cost, by the limit's name."""

    def __init__(
        self, timers: Timers, variables: Variables, is_querier: Callable[[], bool], ask: Ask, tell: Tell
    ) -> None:
        self.records: dict[IPv6Address, AddressRecord] = {}
        self.limits: Counter[str] = Counter()
        self._timers = timers
        self._variables = variables
        self._specific = SpecificQueries(timers, variables, is_querier, ask, self._lower)
        self._tell = tell
        self._sources = 0
        self._touched: set[IPv6Address] = set()
        self._told: dict[IPv6Address, Forwarding] = {}

    # -- what is heard

    def reported(self, records: Iterable[Record], now: float) -> None:
        """A report of version 2; records of unknown types are passed over (5.2.12)."""
        for each in records:
            record = self.records.get(each.group)
            kind, sources = each.type, each.sources
            if record is not None and record.version_1:
                # 8.3.2: BLOCK is ignored, and so are the source lists of TO_EX.
                if kind == mldv2.BLOCK_OLD_SOURCES:
                    continue
                if kind == mldv2.CHANGE_TO_EXCLUDE_MODE:
                    sources = ()
            self._apply(each.group, kind, sources, now)

    def reported_by_version_1(self, group: IPv6Address, now: float) -> None:
        """8.3.2: a version 1 report is IS_EX({}), and the group is in version 1 mode for a while."""
        self._apply(group, mldv2.MODE_IS_EXCLUDE, (), now)
        record = self.records.get(group)
        if record is None:  # for want of room
            return
        if record.older_host_timer is not None:
            record.older_host_timer.cancel()
        deadline = now + self._variables.older_host_timeout
        record.older_host_timer = self._timers.at(deadline, self._older_host_gone, record)

    def done(self, group: IPv6Address, now: float) -> None:
        """8.3.2: Done is TO_IN({}) in version 1 mode, and nothing otherwise."""
        record = self.records.get(group)
        if record is not None and record.version_1:
            self._apply(group, mldv2.CHANGE_TO_INCLUDE_MODE, (), now)

    def queried(self, group: IPv6Address, sources: Iterable[IPv6Address], now: float) -> None:
        """7.6.1: a specific query with a clear S flag, sent or received, lowers the timers of what it asks for."""
        record = self.records.get(group)
        if record is None:
            return
        sources = tuple(sources)
        limit = now + self._variables.last_listener_query_time
        if not sources:
            self._lower(record, None, limit)
        for source in sources:
            self._lower(record, source, limit)

    def stop_asking(self) -> None:
        """7.6.2: who is not the querier any more ceases to send queries."""
        for record in self.records.values():
            record.cancel_queries()

    # -- what is asked

    def listeners(self) -> dict[IPv6Address, Listening]:
        """The table by group, in the order of addresses."""
        return {group: self.records[group].listening() for group in sorted(self.records)}

    def flush(self, now: float) -> None:
        """Tell what has changed since the last call of this, each group once."""
        touched, self._touched = self._touched, set()
        for group in sorted(touched):
            record = self.records.get(group)
            after = None if record is None else record.forwarding()
            if after == self._told.get(group):
                continue
            if record is None or after is None:
                del self._told[group]
                self._tell(GroupChange(now, group, None))
            else:
                self._told[group] = after
                self._tell(GroupChange(now, group, record.listening()))

    # -- the tables

    def _apply(self, group: IPv6Address, kind: int, reported: Iterable[IPv6Address], now: float) -> None:
        record = self.records.get(group) or AddressRecord(group)
        row = actions.ROWS[record.mode].get(kind)
        if row is None:
            return
        listed, excluded = record.running(), record.stopped()
        wanted = frozenset(each for each in reported if not is_multicast(each) and each != UNSPECIFIED)
        sets = actions.names(record.mode, listed, excluded, wanted)
        new_excluded = row.excluded.value(sets) if row.excluded is not None else frozenset()
        if group not in self.records:
            if row.mode is FilterMode.INCLUDE and not row.listed.value(sets):
                return
            if len(self.records) >= self._variables.group_limit:
                self.limits["group_limit"] += 1
                return
            self.records[group] = record
        self._touched.add(group)
        self._rebuild(record, row, row.listed.value(sets), new_excluded)
        for action in row.actions:
            self._act(record, action, sets, now)
        if record.empty:
            self._forget(record)

    def _rebuild(self, record: AddressRecord, row: Row, listed: actions.Sources, excluded: actions.Sources) -> None:
        """The new lists: what is in neither goes, what is new comes as far as there is room, its timer at zero."""
        record.mode = row.mode
        for source in sorted(record.sources.keys() - listed - excluded):
            self._remove_source(record, source)
        for source in sorted((listed | excluded) - record.sources.keys()):
            if len(record.sources) >= self._variables.source_limit:
                self.limits["source_limit"] += 1
            elif self._sources >= self._variables.total_source_limit:
                self.limits["total_source_limit"] += 1
            else:
                record.sources[source] = None
                self._sources += 1

    def _act(self, record: AddressRecord, action: actions.Action, sets: dict[str, actions.Sources], now: float) -> None:
        if isinstance(action, actions.SetSourceTimers):
            deadline = self._deadline(record, action.value, now)
            for source in sorted(action.sources.value(sets)):
                self._set_source_timer(record, source, deadline)
        elif isinstance(action, actions.RestartFilterTimer):
            self._set_filter_timer(record, now + self._variables.listening_interval)
        elif isinstance(action, actions.SendAddressQuery):
            self._specific.address(record, now)
        else:
            self._specific.sources(record, action.sources.value(sets), now)

    def _deadline(self, record: AddressRecord, value: TimerValue, now: float) -> float | None:
        if value is TimerValue.ZERO:
            return None
        if value is TimerValue.FILTER_TIMER and record.filter_timer is not None:
            return record.filter_timer.deadline
        return now + self._variables.listening_interval

    # -- timers

    def _set_source_timer(self, record: AddressRecord, source: IPv6Address, deadline: float | None) -> None:
        if source not in record.sources:  # for want of room
            return
        timer = record.sources[source]
        if timer is not None:
            timer.cancel()
        armed: Timer | None = None
        if deadline is not None:
            armed = self._timers.at(deadline, self._source_expired, record, source)
        record.sources[source] = armed

    def _set_filter_timer(self, record: AddressRecord, deadline: float) -> None:
        if record.filter_timer is not None:
            record.filter_timer.cancel()
        record.filter_timer = self._timers.at(deadline, self._filter_expired, record)

    def _lower(self, record: AddressRecord, source: IPv6Address | None, deadline: float) -> None:
        """Let the timer of a source, or with None the filter timer, run no longer than to `deadline`."""
        timer = record.filter_timer if source is None else record.sources.get(source)
        if timer is None or timer.deadline <= deadline:
            return
        if source is None:
            self._set_filter_timer(record, deadline)
        else:
            self._set_source_timer(record, source, deadline)

    def _source_expired(self, record: AddressRecord, source: IPv6Address, now: float) -> None:
        """7.3: nobody listens to this source any more."""
        self._touched.add(record.group)
        if record.mode is FilterMode.EXCLUDE:
            record.sources[source] = None
            return
        self._remove_source(record, source)
        if record.empty:
            self._forget(record)

    def _filter_expired(self, record: AddressRecord, now: float) -> None:
        """7.5: nobody is in EXCLUDE mode any more; the Requested List becomes the Include List."""
        self._touched.add(record.group)
        record.mode = FilterMode.INCLUDE
        record.filter_timer = None
        record.cancel_group_queries()
        for source in sorted(record.stopped()):
            self._remove_source(record, source)
        if record.empty:
            self._forget(record)

    def _older_host_gone(self, record: AddressRecord, now: float) -> None:
        record.older_host_timer = None

    def _remove_source(self, record: AddressRecord, source: IPv6Address) -> None:
        timer = record.sources.pop(source)
        if timer is not None:
            timer.cancel()
        record.source_queries.pop(source, None)
        self._sources -= 1

    def _forget(self, record: AddressRecord) -> None:
        self._sources -= len(record.sources)
        record.cancel()
        self.records.pop(record.group, None)
