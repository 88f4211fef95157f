"""One multicast address record of a version 2 router (RFC 3810 7.2): filter mode, sources and their timers.

It holds state and arms timers; what is done to it, and when, is the table's
business (`stack.sim.querier.table`).
"""

from stack.address import IPv6Address
from stack.mld.filters import FilterMode
from stack.sim.querier.changes import Listening
from stack.timers import Timer

# What a router forwards of a group: the mode and the list that counts in it (7.3).
Forwarding = tuple[FilterMode, tuple[IPv6Address, ...]]


class AddressRecord:
    """State per multicast address.

    A source whose timer is None is in the Exclude List: its timer has the value
    zero. `group_queries` counts the specific queries still to be sent,
    `source_queries` those of each source, the Retransmission List (7.6.3).
    """

    __slots__ = (
        "filter_timer",
        "group",
        "group_queries",
        "group_query_timer",
        "mode",
        "older_host_timer",
        "source_queries",
        "source_query_timer",
        "sources",
    )

    def __init__(self, group: IPv6Address) -> None:
        self.group = group
        self.mode = FilterMode.INCLUDE
        self.sources: dict[IPv6Address, Timer | None] = {}
        self.filter_timer: Timer | None = None
        self.older_host_timer: Timer | None = None
        self.group_queries = 0
        self.group_query_timer: Timer | None = None
        self.source_queries: dict[IPv6Address, int] = {}
        self.source_query_timer: Timer | None = None

    @property
    def version_1(self) -> bool:
        """8.3.2: a host of version 1 was heard within the Older Version Host Present timeout."""
        return self.older_host_timer is not None

    @property
    def empty(self) -> bool:
        """INCLUDE of nothing: no listener, and no record (7.2.3)."""
        return self.mode is FilterMode.INCLUDE and not self.sources

    def running(self) -> frozenset[IPv6Address]:
        """The Include List, or the Requested List."""
        return frozenset(source for source, timer in self.sources.items() if timer is not None)

    def stopped(self) -> frozenset[IPv6Address]:
        """The Exclude List."""
        return frozenset(source for source, timer in self.sources.items() if timer is None)

    def forwarding(self) -> Forwarding | None:
        """7.3; None for no listener."""
        if self.empty:
            return None
        listed = self.running() if self.mode is FilterMode.INCLUDE else self.stopped()
        return self.mode, tuple(sorted(listed))

    def listening(self) -> Listening:
        """The record for those who ask."""
        running = sorted(self.running())
        include = self.mode is FilterMode.INCLUDE
        return Listening(
            self.group,
            self.mode,
            tuple(running) if include else tuple(sorted(self.stopped())),
            () if include else tuple(running),
            None if self.filter_timer is None else self.filter_timer.deadline,
            tuple((each, timer.deadline) for each in running if (timer := self.sources[each]) is not None),
            self.version_1,
        )

    def cancel_queries(self) -> None:
        """No specific query is to be repeated any more."""
        self.cancel_group_queries()
        self.source_queries.clear()
        _cancel(self.source_query_timer)
        self.source_query_timer = None

    def cancel_group_queries(self) -> None:
        """No address-specific query is to be repeated any more."""
        self.group_queries = 0
        _cancel(self.group_query_timer)
        self.group_query_timer = None

    def cancel(self) -> None:
        """The record goes, and every timer of it."""
        self.cancel_queries()
        for timer in (self.filter_timer, self.older_host_timer, *self.sources.values()):
            _cancel(timer)
        self.filter_timer = self.older_host_timer = None
        self.sources.clear()


def _cancel(timer: Timer | None) -> None:
    if timer is not None:
        timer.cancel()
