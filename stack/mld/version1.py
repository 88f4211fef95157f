"""The listener of one interface in version 1 (RFC 2710, RFC 3590): reports, Done, and answers to queries.

It drives each group's record through the tables in `stack.mld.states`, and keeps
the answer to any number of queries within `mld_ratelimit`. Source filters have no
place in version 1: a group is listened to, or not.
"""

from typing import TYPE_CHECKING

from stack.address import UNSPECIFIED, IPv6Address, format_address
from stack.mld.groups import GroupRecord, is_reportable, is_source_specific
from stack.mld.states import ListenerAction, ListenerEvent, ListenerState, next_transition

if TYPE_CHECKING:
    from stack.mld.listener import MulticastListener

_NETBSD_REPEATS = 1


class Version1:
    """What an interface says in version 1; `listener` has the groups and the way onto the link."""

    __slots__ = ("_listener",)

    def __init__(self, listener: "MulticastListener") -> None:
        self._listener = listener

    # -- what happens to a group

    def start(self, record: GroupRecord, delay: float, now: float) -> None:
        """The first membership: report now, or after `delay` seconds, or never."""
        if not _is_spoken_of(record.group):
            self._apply(record, ListenerEvent.START_SILENT, now)
        elif delay > 0:
            self._apply(record, ListenerEvent.START_DELAYED, now, delay)
        else:
            self.start_sequence(record, now)

    def start_sequence(self, record: GroupRecord, now: float) -> None:
        """Report, to be repeated (RFC 2710 4); owed while nothing may be said."""
        listener = self._listener
        if listener.is_unheard:
            self._apply(record, ListenerEvent.START_UNHEARD, now)
            return
        configurable = listener.personality.is_configurable
        record.repeats_left = listener.robustness - 1 if configurable else _NETBSD_REPEATS
        if record.state is ListenerState.PENDING:
            event = ListenerEvent.TIMER if record.repeats_left else ListenerEvent.TIMER_LAST
        else:
            event = ListenerEvent.START if record.repeats_left else ListenerEvent.START_ONCE
        self._apply(record, event, now)

    def stop(self, record: GroupRecord, now: float) -> None:
        """The last membership ended; the record is still listed."""
        record.unreported = False
        self._apply(record, ListenerEvent.STOP, now)

    def dropped_reference(self, record: GroupRecord) -> None:
        """One of several memberships ended; the file stops the timer then too (S61)."""
        if self._listener.personality.keeps_timer_while_referenced:
            return
        self._stop_timer(record)
        if record.state is ListenerState.DELAYING:
            record.state = ListenerState.IDLE

    def announce(self, record: GroupRecord, now: float) -> None:
        """RFC 3590 4: report from the address that has become valid."""
        self._apply(record, ListenerEvent.ANNOUNCE, now)

    def take_over(self, record: GroupRecord) -> None:
        """Version 1 speaks from now on, of what version 2 spoke; not of source-specific groups (RFC 4604 2)."""
        if record.state is ListenerState.IDLE and not _is_spoken_of(record.group):
            record.state = ListenerState.SILENT
            record.unreported = False

    def down(self, record: GroupRecord, now: float) -> None:
        """The interface went down."""
        self._apply(record, ListenerEvent.DOWN, now)

    def cancel(self, record: GroupRecord) -> float | None:
        """RFC 3810 8.2.1: the mode changes, what is pending is cancelled. When a first report was due, or None."""
        if record.state is ListenerState.PENDING and record.timer is not None:
            due = record.timer.deadline
            self._stop_timer(record)
            return due
        self._stop_timer(record)
        if record.state is ListenerState.DELAYING:
            record.state = ListenerState.IDLE
        return None

    # -- what comes from the link

    def query(self, group: IPv6Address, maximum_delay: float, now: float) -> int:
        """A valid query: general if `group` is ::, else for one group; the delay is in seconds.

        Returns how many groups it concerns.
        """
        if group == UNSPECIFIED:
            asked = [record for record in self._listener.snapshot() if _is_spoken_of(record.group)]
            if not self._listener.personality.answers_in_join_order:
                asked.reverse()
        else:
            found = self._listener.groups.records.get(group)
            asked = [found] if found is not None and _is_spoken_of(group) else []
        for record in asked:
            self._query_group(record, maximum_delay, now)
        return len(asked)

    def report_heard(self, record: GroupRecord, now: float) -> None:
        """Another listener's valid report."""
        if _is_spoken_of(record.group):
            self._apply(record, ListenerEvent.REPORT, now)

    def _query_group(self, record: GroupRecord, maximum_delay: float, now: float) -> None:
        if record.state not in (ListenerState.DELAYING, ListenerState.IDLE):
            self._apply(record, ListenerEvent.QUERY_NOW, now)
        elif record.reserved or (record.timer is not None and record.timer.deadline <= now + maximum_delay):
            # S42: due soon enough as it is, or as soon as the rate limit lets it.
            if record.state is ListenerState.DELAYING:
                self._apply(record, ListenerEvent.QUERY_LATER, now)
        elif maximum_delay > 0:
            delay = maximum_delay * self._listener.random()
            self._apply(record, ListenerEvent.QUERY_SOONER, now, delay)
        else:
            self._answer_now(record, now)

    def _answer_now(self, record: GroupRecord, now: float) -> None:
        due = self._listener.sender.reserve(now, 1, len(self._listener.groups))
        if due <= now:
            self._apply(record, ListenerEvent.QUERY_NOW, now)
        else:
            self._apply(record, ListenerEvent.QUERY_SOONER, now, due - now)
            record.reserved = True

    def _timeout(self, record: GroupRecord, now: float) -> None:
        record.timer = None
        if record.answering and not record.reserved:
            due = self._listener.sender.reserve(now, 1, len(self._listener.groups))
            if due > now:
                record.reserved = True
                self._arm(record, due)
                return
        record.answering = record.reserved = False
        if record.state is ListenerState.PENDING:
            self.start_sequence(record, now)
            return
        if record.repeats_left > 0:
            record.repeats_left -= 1
        self._apply(record, ListenerEvent.TIMER if record.repeats_left else ListenerEvent.TIMER_LAST, now)

    # -- the table at work

    def _apply(self, record: GroupRecord, event: ListenerEvent, now: float, delay: float = 0.0) -> None:
        before = record.state
        transition = next_transition(before, event, self._listener.personality.transitions)
        record.state = transition.state
        for action in transition.actions:
            self._do(action, record, now, delay)
        journal = self._listener.journal
        if journal.on:
            what = f"group {format_address(record.group)}: {event.value}"
            journal.note(now, "mld", what, transition.clause, before.value, transition.state.value)

    def _do(self, action: ListenerAction, record: GroupRecord, now: float, delay: float) -> None:
        if action is ListenerAction.SEND_REPORT:
            if self._send_report(record, now):
                record.last_reporter = True
        elif action is ListenerAction.SEND_REPORT_UNFLAGGED:
            self._listener.sender.send_report(record, now)
        elif action is ListenerAction.SEND_DONE:
            self._send_done(record)
        elif action is ListenerAction.CLEAR_FLAG:
            record.last_reporter = False
        elif action is ListenerAction.OWE_REPORT:
            record.unreported = True
        elif action is ListenerAction.START_DELAY_TIMER:
            self._arm(record, now + delay)
        elif action is ListenerAction.START_REPEAT_TIMER:
            interval = self._listener.settings.mldv1_unsolicited_report_interval / 1000
            self._arm(record, now + interval * self._listener.random())
        elif action is ListenerAction.START_QUERY_TIMER:
            record.answering = True
            self._arm(record, now + delay)
        else:
            self._stop_timer(record)

    def _send_report(self, record: GroupRecord, now: float) -> bool:
        """Send a report; whether the flag is to be set: not for what the link refused (S84)."""
        sender = self._listener.sender
        unseen = not self._listener.personality.knows_what_left and sender.source() is None
        return sender.send_report(record, now) or unseen

    def _send_done(self, record: GroupRecord) -> None:
        # RFC 2710 4: only the last reporter need say so; the setting has everybody say it (S27).
        listener = self._listener
        always = listener.personality.is_configurable and listener.settings.mldv1_done_always and record.reported
        if _is_spoken_of(record.group) and (record.last_reporter or always):
            listener.sender.send_done(record)

    def _arm(self, record: GroupRecord, deadline: float) -> None:
        if record.timer is not None:
            record.timer.cancel()
        record.timer = self._listener.at(deadline, self._timeout, record)

    def _stop_timer(self, record: GroupRecord) -> None:
        if record.timer is not None:
            record.timer.cancel()
            record.timer = None
        if record.reserved:
            # Or somebody who asks and reports in turn would put off every other answer for ever.
            self._listener.sender.give_back()
        record.answering = record.reserved = False
        record.repeats_left = 0


def _is_spoken_of(group: IPv6Address) -> bool:
    """Whether version 1 has anything to say about a group; not about source-specific ones (RFC 4604 2)."""
    return is_reportable(group) and not is_source_specific(group)
