"""The listeners of a link as a version 1 router believes in them (RFC 2710 4 and 6): there are some, or none.

Walks the tables of `states`. It offers what `table.ListenerTable` offers, so that
a querier has one or the other.
"""

from collections import Counter
from collections.abc import Callable

from stack.address import IPv6Address
from stack.mld.filters import FilterMode
from stack.sim.querier.changes import Ask, GroupChange, Listening, Tell
from stack.sim.querier.states import PRESENCES, Presence, PresenceAction, PresenceEvent, Role
from stack.sim.querier.variables import Variables
from stack.timers import Timer, Timers


class _Group:
    """One address; `role` is the diagram that it is in until it is no longer checked (RFC 2710 6)."""

    __slots__ = ("address", "queries", "retransmit_timer", "role", "state", "timer")

    def __init__(self, address: IPv6Address, role: Role) -> None:
        self.address = address
        self.role = role
        self.state = Presence.NO_LISTENERS
        self.timer: Timer | None = None
        self.retransmit_timer: Timer | None = None
        self.queries = 0


class PresenceTable:
    """Groups with listeners. `limits` counts what a limit has cost, by the limit's name."""

    def __init__(
        self, timers: Timers, variables: Variables, is_querier: Callable[[], bool], ask: Ask, tell: Tell
    ) -> None:
        self.groups: dict[IPv6Address, _Group] = {}
        self.limits: Counter[str] = Counter()
        self._timers = timers
        self._variables = variables
        self._is_querier = is_querier
        self._ask = ask
        self._tell = tell

    # -- what is heard

    def reported(self, group: IPv6Address, now: float) -> None:
        """A report of version 1."""
        self._event(group, PresenceEvent.REPORT, now)

    def done(self, group: IPv6Address, now: float) -> None:
        """Done; in Non-Querier state it is ignored (RFC 2710 4)."""
        self._event(group, PresenceEvent.DONE, now)

    def queried(self, group: IPv6Address, delay: float, now: float) -> None:
        """A specific query of another router, with its maximum response delay in seconds."""
        self._event(group, PresenceEvent.SPECIFIC_QUERY, now, delay)

    def listeners(self) -> dict[IPv6Address, Listening]:
        """The table by group, in the order of addresses."""
        return {group: self._listening(self.groups[group]) for group in sorted(self.groups)}

    def _listening(self, group: _Group) -> Listening:
        deadline = None if group.timer is None else group.timer.deadline
        return Listening(group.address, FilterMode.EXCLUDE, (), (), deadline, (), True)

    # -- the tables

    def _event(self, address: IPv6Address, event: PresenceEvent, now: float, delay: float = 0.0) -> None:
        role = Role.QUERIER if self._is_querier() else Role.NON_QUERIER
        group = self.groups.get(address) or _Group(address, role)
        if group.state is not Presence.CHECKING:
            group.role = role
        row = PRESENCES[group.role][group.state].get(event)
        if row is None:
            return
        if address not in self.groups:
            if len(self.groups) >= self._variables.group_limit:
                self.limits["group_limit"] += 1
                return
            self.groups[address] = group
        if row.state is Presence.CHECKING and group.state is not Presence.CHECKING:
            group.queries = self._variables.last_listener_query_count
        group.state = row.state
        for action in row.actions:
            self._act(group, action, now, delay)
        if group.state is Presence.NO_LISTENERS:
            del self.groups[address]

    def _act(self, group: _Group, action: PresenceAction, now: float, delay: float) -> None:
        if action is PresenceAction.NOTIFY_PRESENT:
            self._tell(GroupChange(now, group.address, self._listening(group)))
        elif action is PresenceAction.NOTIFY_GONE:
            self._tell(GroupChange(now, group.address, None))
        elif action is PresenceAction.START_TIMER:
            self._start_timer(group, now + self._variables.listening_interval)
        elif action is PresenceAction.LOWER_TIMER:
            self._lower_timer(group, now, delay)
        elif action is PresenceAction.SEND_QUERY:
            self._send_query(group, now)
        elif action is PresenceAction.START_RETRANSMIT_TIMER:
            at = now + self._variables.last_listener_query_interval
            group.retransmit_timer = self._timers.at(at, self._expired, group, PresenceEvent.RETRANSMIT_TIMER)
        elif group.retransmit_timer is not None:
            group.retransmit_timer.cancel()

    def _start_timer(self, group: _Group, deadline: float) -> None:
        if group.timer is not None:
            group.timer.cancel()
        group.timer = self._timers.at(deadline, self._expired, group, PresenceEvent.TIMER)

    def _lower_timer(self, group: _Group, now: float, delay: float) -> None:
        """`start timer*`: by our own interval as the querier, else by that of the query."""
        interval = self._variables.last_listener_query_interval if group.role is Role.QUERIER else delay
        deadline = now + interval * self._variables.last_listener_query_count
        if group.timer is None or deadline < group.timer.deadline:
            self._start_timer(group, deadline)

    def _send_query(self, group: _Group, now: float) -> None:
        """RFC 2710 4: [Last Listener Query Count] of them; the timer is due when the next one would be."""
        if group.queries > 0:
            group.queries -= 1
            self._ask(group.address, (), False, now)

    def _expired(self, group: _Group, event: PresenceEvent, now: float) -> None:
        self._event(group.address, event, now)
