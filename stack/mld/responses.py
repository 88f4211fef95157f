"""Answers to version 2 queries: when one is due, and what it says (RFC 3810 6.2, 6.3).

There is one timer for the answer to a general query and one for each group that
was asked for; pending answers are combined by the five rules of 6.2. What is sent
is the state when the answer leaves. Any flood of queries is answered within
`mld_ratelimit`: beyond it answers wait and are merged, and none is lost.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from stack.address import UNSPECIFIED, IPv6Address, format_address
from stack.explain.words import count
from stack.mld import records
from stack.mld.groups import GroupRecord
from stack.timers import Timer
from stack.wire.mldv2 import Record

if TYPE_CHECKING:
    from stack.mld.listener import MulticastListener


class PendingResponse:
    """An answer due for one group; `sources` are those asked for, empty if all are.

    `reserved` is how many packets of it have their place in the rate limit; if any has, it leaves when its
    timer says.
    """

    __slots__ = ("reserved", "sources", "timer")

    def __init__(self, timer: Timer, sources: frozenset[IPv6Address]) -> None:
        self.timer = timer
        self.sources = sources
        self.reserved = 0


class Spread:
    """An answer to a general query in parts: the groups still to come, `share` at a time, up to the time `end`."""

    __slots__ = ("end", "rest", "share")

    def __init__(self, rest: list[IPv6Address], share: int, end: float) -> None:
        self.rest = rest
        self.share = share
        self.end = end

    @property
    def parts(self) -> int:
        """How many reports are still to come."""
        return -(-len(self.rest) // self.share)


class Responses:
    """The pending answers of one interface; `listener` has the groups and the way onto the link."""

    __slots__ = ("_general", "_general_reserved", "_listener", "_pending", "_spread")

    def __init__(self, listener: "MulticastListener") -> None:
        self._listener = listener
        # The Interface Timer, and the Multicast Address Timers with their source lists (6.2).
        self._general: Timer | None = None
        self._pending: dict[IPv6Address, PendingResponse] = {}
        # How many packets of the general answer have their place in the rate limit: it leaves when its timer says.
        self._general_reserved = 0
        self._spread: Spread | None = None

    # -- queries (6.2)

    def query(self, group: IPv6Address, sources: frozenset[IPv6Address], maximum_delay: float, now: float) -> int:
        """A valid query, general if `group` is ::; the delay is in seconds. How many groups it concerns."""
        answerable = self._listener.answerable
        concerned = len(answerable) if group == UNSPECIFIED else int(group in answerable)
        if not concerned:
            return 0
        deadline = now + maximum_delay * self._listener.random()
        sooner = self._general is not None and (self._general_reserved or self._general.deadline <= deadline)
        if sooner and self._spread is None:
            # Rule 1: a general answer is due sooner, or as soon as the rate limit lets it.
            rule = 1
        elif group == UNSPECIFIED:
            rule = 2
            self._schedule_general(deadline, now + maximum_delay, now)
        else:
            rule = self._schedule(group, sources, deadline)
        if self._listener.journal.on:
            self._note_due(group, rule, now)
        return concerned

    def _note_due(self, group: IPv6Address, rule: int, now: float) -> None:
        timer = self._general if rule < 3 else self._pending[group].timer
        if timer is not None:
            what = "answered with all groups" if rule == 1 else "answer"
            self._note(group, f"{what} in {timer.deadline - now:.3f} s", f"6.2 rule {rule}", now)

    def _note(self, group: IPv6Address, what: str, clause: str, now: float) -> None:
        journal = self._listener.journal
        if journal.on:
            subject = "all groups" if group == UNSPECIFIED else f"group {format_address(group)}"
            journal.note(now, "mld", f"{subject}: {what}", f"RFC 3810 {clause}")

    def _schedule_general(self, deadline: float, end: float, now: float) -> None:
        """Rule 2."""
        listener, spread = self._listener, self._spread
        if spread is not None:
            # What is still to come answers this query as well; what has left already is asked for anew.
            coming = {group: None for group in spread.rest if group in listener.answerable}
            spread.rest = list(coming | dict.fromkeys(listener.answerable))
            spread.end = max(spread.end, end)
            return
        if self._general is not None:
            self._general.cancel()
        if not listener.settings.mld_spread_answers:
            self._general = listener.at(deadline, self._answer_general)
            return
        groups = list(listener.answerable)
        parts = len(listener.sender.pack_current(listener.answerable.values()))
        self._spread = Spread(groups, -(-len(groups) // parts), end)
        self._general = listener.at(now + (deadline - now) / parts, self._answer_part)

    def _schedule(self, group: IPv6Address, sources: frozenset[IPv6Address], deadline: float) -> int:
        """Rules 3 to 5: the number of the one that held."""
        pending = self._pending.get(group)
        if pending is None:
            timer = self._listener.at(deadline, self._answer, group)
            self._pending[group] = PendingResponse(timer, sources)
            return 3
        # Rule 4 clears the list, rule 5 adds to it.
        rule = 5 if sources and pending.sources else 4
        pending.sources = pending.sources | sources if rule == 5 else frozenset()
        if len(pending.sources) > self._listener.settings.mld_max_msf:
            # More than is worth remembering: the whole state answers any of it.
            pending.sources = frozenset()
            self._listener.limit_hit("mld_max_msf")
        if not pending.reserved and deadline < pending.timer.deadline:
            pending.timer.cancel()
            pending.timer = self._listener.at(deadline, self._answer, group)
        return rule

    # -- answers (6.3)

    def _answer_general(self, now: float) -> None:
        """Rule 1: one current-state record for each group, all together."""
        listener = self._listener
        answered = list(listener.answerable.values())
        reports = listener.sender.pack_current(answered)
        due = now if self._general_reserved else listener.sender.reserve(now, len(reports), len(reports))
        self._general_reserved = len(reports) if due > now else 0
        if due > now:
            self._general = listener.at(due, self._answer_general)
            return
        self._general = None
        listener.sender.send_reports(reports, answered, now)
        self._note(UNSPECIFIED, f"current state of {count(len(answered), 'group')}", "6.3 rule 1", now)
        self._clear_sources(listener.answerable)

    def _answer_part(self, now: float) -> None:
        """Rule 1, spread over the delay: one report's worth of groups, the rest later."""
        listener, spread = self._listener, self._spread
        self._general = None
        if spread is None:
            return
        part = spread.rest[: spread.share]
        present = [listener.answerable[group] for group in part if group in listener.answerable]
        reports = listener.sender.pack_current(present)
        # The burst is that of the whole answer, of which this is a part.
        whole = max(len(reports), -(-len(listener.answerable) // spread.share))
        due = now if self._general_reserved else listener.sender.reserve(now, len(reports), whole)
        self._general_reserved = len(reports) if due > now else 0
        if due > now:
            self._general = listener.at(due, self._answer_part)
            return
        del spread.rest[: spread.share]
        listener.sender.send_reports(reports, present, now)
        what = f"current state of {count(len(present), 'group')}, {len(spread.rest)} to follow"
        self._note(UNSPECIFIED, what, "6.3 rule 1", now)
        self._clear_sources(part)
        if spread.rest:
            gap = max(0.0, spread.end - now) / spread.parts
            self._general = listener.at(now + gap * listener.random(), self._answer_part)
        else:
            self._spread = None

    def _answer(self, group: IPv6Address, now: float) -> None:
        """Rules 2 and 3: the state as it is now, of what was asked for."""
        listener = self._listener
        pending = self._pending[group]
        record = self._record_for(group, pending.sources)
        rule = "6.3 rule 3" if pending.sources else "6.3 rule 2"
        if record is None:
            self.drop(group)
            self._note(group, "nothing to answer", rule, now)
            return
        reports = listener.sender.pack_records([record])
        if not pending.reserved:
            due = listener.sender.reserve(now, len(reports), len(reports))
            if due > now:
                pending.reserved = len(reports)
                pending.timer = listener.at(due, self._answer, group)
                return
        del self._pending[group]
        listener.sender.send_reports(reports, [listener.answerable[group]], now)
        self._note(group, f"current state {records.notation(record)}", rule, now)

    def _record_for(self, group: IPv6Address, asked: frozenset[IPv6Address]) -> Record | None:
        if group not in self._listener.answerable:
            return None
        current = self._listener.current(group)
        if asked:
            return records.current_sources(group, current, asked)
        return records.current_state(group, current)

    def _clear_sources(self, groups: Iterable[IPv6Address]) -> None:
        """After a report of their whole state the source lists of the groups are cleared (6.3, after rule 3)."""
        if self._pending:
            for group in groups:
                if group in self._pending:
                    self._pending[group].sources = frozenset()

    # -- the end of what is pending

    def drop(self, group: IPv6Address) -> None:
        """No answer about a group is due any more."""
        pending = self._pending.pop(group, None)
        if pending is not None:
            pending.timer.cancel()
            self._listener.sender.give_back(pending.reserved)

    def cancel(self) -> None:
        """Nothing is due any more."""
        for group in list(self._pending):
            self.drop(group)
        if self._general is not None:
            self._general.cancel()
            self._general = None
        self._listener.sender.give_back(self._general_reserved)
        self._general_reserved = 0
        self._spread = None

    def next_due(self, record: GroupRecord) -> list[float]:
        """The times at which answers about a group are due."""
        due = []
        if self._general is not None and record.group in self._listener.answerable:
            due.append(self._general.deadline)
        pending = self._pending.get(record.group)
        if pending is not None:
            due.append(pending.timer.deadline)
        return due
